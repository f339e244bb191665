//! The settings of notices: where they go, and what signs them. An address of a webhook is as good as a password, so none
//! is ever shown.

use crate::config::{ConfigError, Settings};
use crate::notifications::{Channels, Mail, Secret, Wanted, Webhook};
use reqwest::Url;
use std::net::IpAddr;

/// The fewest characters of a secret that signs.
const SECRET: usize = 16;
/// What a name of `notify_mail_to` begins with.
const KINDS: [&str; 3] = ["group:", "user:", "role:"];

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What is wrong with the address of a mail server.
fn mail_server(text: &str) -> Result<(), &'static str> {
    const FORM: &str =
        "use an address like smtps://user:password@mail.example, or smtp://mail.example?tls=required";
    let url = Url::parse(text).map_err(|_| FORM)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
    let query = url.query();
    let is_encrypted = match (url.scheme(), query) {
        ("smtps", None) | ("smtp", Some("tls=required")) => true,
        ("smtp", None) => false,
        _ => return Err(FORM),
    };
    if url.username().is_empty() != url.password().is_none() {
        return Err("name a user and a password, or neither");
    }
    let name = url.path().trim_matches('/');
    if !name.is_empty() && !super::is_host(name) {
        return Err("after the host there can only be the name by which Muster greets the server");
    }
    if url.password().is_some() && !is_encrypted && !is_loopback(host) {
        return Err(
            "a password goes to another machine encrypted alone: use smtps://…, or smtp://…?tls=required",
        );
    }
    Ok(())
}

impl Settings {
    fn secret_address(&self, key: &str) -> Result<Option<Secret>, ConfigError> {
        let Some(text) = self.some(key) else {
            return Ok(None);
        };
        let url = Url::parse(text.trim()).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        match url {
            Some(url) => Ok(Some(Secret(url.into()))),
            None => Err(self.wrong(key, "use an address like https://hooks.example/…")),
        }
    }

    fn webhook(&self) -> Result<Option<Webhook>, ConfigError> {
        let url = self.secret_address("notify_webhook_url")?;
        let secret = self.some("notify_webhook_secret");
        match (url, secret) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(self.wrong(
                "notify_webhook_secret",
                "it signs what goes to notify_webhook_url, which is not set",
            )),
            (Some(_), None) => Err(self.wrong(
                "notify_webhook_url",
                "what goes there is signed: set notify_webhook_secret too",
            )),
            (Some(_), Some(secret)) if secret.chars().count() < SECRET => Err(self.wrong(
                "notify_webhook_secret",
                &format!("use at least {SECRET} characters that nobody can guess"),
            )),
            (Some(url), Some(secret)) => Ok(Some(Webhook {
                url,
                secret: Secret(secret),
            })),
        }
    }

    fn mail_to(&self) -> Result<Vec<Wanted>, ConfigError> {
        const KEY: &str = "notify_mail_to";
        let expected = "use names with addresses like group:sre=sre@example.com, user:bob=bob@example.com, \
                        role:approver=…, or *=… for everything";
        let text = self.text(KEY);
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let mut wanted = Vec::new();
        for entry in entries {
            let (name, address) = entry.split_once('=').ok_or_else(|| self.wrong(KEY, expected))?;
            let name = name.trim();
            let is_name = KINDS
                .iter()
                .any(|kind| name.strip_prefix(kind).is_some_and(|rest| !rest.is_empty()));
            if name != "*" && !is_name {
                return Err(self.wrong(KEY, expected));
            }
            wanted.push(Wanted {
                name: name.to_owned(),
                address: address.trim().parse().map_err(|_| self.wrong(KEY, expected))?,
            });
        }
        Ok(wanted)
    }

    fn mail(&self) -> Result<Option<Mail>, ConfigError> {
        let to = self.mail_to()?;
        let from = self.some("notify_mail_from");
        let Some(server) = self.some("notify_smtp_url") else {
            for (key, is_set) in [
                ("notify_mail_to", !to.is_empty()),
                ("notify_mail_from", from.is_some()),
            ] {
                if is_set {
                    return Err(self.wrong(key, "it needs a mail server: set notify_smtp_url too"));
                }
            }
            return Ok(None);
        };
        mail_server(server.trim()).map_err(|expected| self.wrong("notify_smtp_url", expected))?;
        let Some(from) = from else {
            return Err(self.wrong("notify_smtp_url", "mail needs a sender: set notify_mail_from too"));
        };
        if to.is_empty() {
            return Err(self.wrong(
                "notify_smtp_url",
                "mail needs somebody who gets it: set notify_mail_to too",
            ));
        }
        let from = from.trim().parse().map_err(|_| {
            self.wrong(
                "notify_mail_from",
                "use an address like muster@example.com, or Muster <muster@example.com>",
            )
        })?;
        Ok(Some(Mail {
            server: Secret(server.trim().to_owned()),
            from,
            to,
        }))
    }

    pub(super) fn notifications(&self) -> Result<Channels, ConfigError> {
        Ok(Channels {
            webhook: self.webhook()?,
            slack: self.secret_address("notify_slack_url")?,
            mail: self.mail()?,
            at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Settings};
    use std::collections::BTreeMap;

    const HOOK: (&str, &str) = ("notify_webhook_url", "https://hooks.example/hunter2");
    const SIGNS: (&str, &str) = ("notify_webhook_secret", "hunter2hunter2hunter2");
    const SLACK: (&str, &str) = ("notify_slack_url", "https://hooks.slack.example/services/hunter2");
    const SMTP: (&str, &str) = ("notify_smtp_url", "smtps://muster:hunter2@mail.example");
    const FROM: (&str, &str) = ("notify_mail_from", "Muster <muster@example.com>");
    const TO: (&str, &str) = (
        "notify_mail_to",
        "group:sre=sre@example.com, user:bob = bob@example.com,*=all@example.com",
    );

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let flags: BTreeMap<String, String> = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Settings::gather(&flags, std::iter::empty(), None).unwrap()
    }

    #[test]
    fn channels_are_those_that_are_set() {
        let none = Config::read(&settings(&[])).unwrap().notifications;
        assert!(none.recipients(&["group:sre".into()]).is_empty());
        let all = settings(&[HOOK, SIGNS, SLACK, SMTP, FROM, TO]);
        let channels = Config::read(&all).unwrap().notifications;
        let told = |to: &[&str]| -> Vec<String> {
            let to: Vec<String> = to.iter().map(|name| (*name).to_owned()).collect();
            let found = channels.recipients(&to);
            found
                .iter()
                .map(|(channel, recipient)| format!("{} {recipient}", channel.word()).trim().to_owned())
                .collect()
        };
        assert_eq!(
            told(&["group:other"]),
            ["webhook", "slack", "mail all@example.com"]
        );
        assert_eq!(
            told(&["user:bob", "group:sre", "user:bob"]),
            [
                "webhook",
                "slack",
                "mail sre@example.com",
                "mail bob@example.com",
                "mail all@example.com"
            ]
        );
    }

    #[test]
    fn nothing_secret_is_shown() {
        let all = settings(&[HOOK, SIGNS, SLACK, SMTP, FROM, TO]);
        let shown = format!("{}{:?}", all.print(), Config::read(&all).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("notify_smtp_url = \"…\"") && shown.contains("sre@example.com"));
    }

    #[test]
    fn what_is_wrong_names_itself_and_shows_no_secret() {
        let smtp = |text: &'static str| vec![("notify_smtp_url", text), FROM, TO];
        for (pairs, key, says) in [
            (vec![HOOK], "notify_webhook_url", "notify_webhook_secret"),
            (vec![SIGNS], "notify_webhook_secret", "notify_webhook_url"),
            (
                vec![HOOK, ("notify_webhook_secret", "hunter2")],
                "notify_webhook_secret",
                "at least 16",
            ),
            (
                vec![("notify_webhook_url", "ftp://hunter2"), SIGNS],
                "notify_webhook_url",
                "https://",
            ),
            (
                vec![("notify_slack_url", "hunter2")],
                "notify_slack_url",
                "https://",
            ),
            (
                vec![("notify_slack_url", "file:///hunter2")],
                "notify_slack_url",
                "https://",
            ),
            (vec![TO], "notify_mail_to", "notify_smtp_url"),
            (vec![FROM], "notify_mail_from", "notify_smtp_url"),
            (vec![SMTP, TO], "notify_smtp_url", "notify_mail_from"),
            (vec![SMTP, FROM], "notify_smtp_url", "notify_mail_to"),
            (
                vec![SMTP, TO, ("notify_mail_from", "a@b.example\r\nBcc: c@d.example")],
                "notify_mail_from",
                "muster@example.com",
            ),
            (smtp("http://hunter2"), "notify_smtp_url", "smtps://"),
            (smtp("hunter2"), "notify_smtp_url", "smtps://"),
            (
                smtp("smtp://mail.example?tls=opportunistic"),
                "notify_smtp_url",
                "smtps://",
            ),
            (
                smtp("smtps://muster@mail.example"),
                "notify_smtp_url",
                "a password",
            ),
            (
                smtp("smtps://mail.example/hunter2 hunter2"),
                "notify_smtp_url",
                "greets",
            ),
            (
                smtp("smtp://u:hunter2@mail.example"),
                "notify_smtp_url",
                "encrypted",
            ),
        ] {
            let error = Config::read(&settings(&pairs)).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{key}`")) && error.contains(says) && !error.contains("hunter2"),
                "{error}"
            );
        }
        for bad in [
            "sre@example.com",
            "group:sre=",
            "group:=a@b.example",
            "team:x=a@b.example",
            "group:sre=a b",
        ] {
            let error = Config::read(&settings(&[SMTP, FROM, ("notify_mail_to", bad)])).unwrap_err();
            assert!(error.to_string().contains("notify_mail_to"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_password_may_go_in_the_clear_to_this_machine_alone() {
        for good in [
            "smtp://u:p@127.0.0.1:2525",
            "smtp://u:p@localhost",
            "smtp://mail.example",
            "smtp://u:p@mail.example?tls=required",
            "smtps://u:p@mail.example:465/muster.example",
        ] {
            assert!(
                Config::read(&settings(&[("notify_smtp_url", good), FROM, TO])).is_ok(),
                "{good}"
            );
        }
    }
}
