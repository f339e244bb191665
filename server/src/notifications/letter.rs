//! What each channel is sent: pure. Titles and texts were cleaned when the notice was written (`notice.rs`); here they are
//! escaped for where they are put.

use super::channels::Secret;
use super::notice::Notice;
use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use muster_domain::Timestamp;
use ring::hmac;
use std::time::{Duration, SystemTime};

/// Where one reads on.
fn link(notice: &Notice, portal: &str) -> String {
    format!("{}{}", portal.trim_end_matches('/'), notice.href)
}

/// What a webhook of one's own is sent.
pub(super) fn webhook(id: &str, notice: &Notice, portal: &str) -> String {
    serde_json::json!({
        "id": id,
        "kind": notice.kind,
        "about": notice.about,
        "title": notice.title,
        "text": notice.text,
        "url": link(notice, portal),
        "at": notice.at.rfc3339(),
        "to": notice.to,
        "urgent": notice.urgent,
    })
    .to_string()
}

/// The signature of a body that is sent now: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`. The time is signed
/// too, so that a receiver can refuse what somebody repeats later.
pub(super) fn signature(secret: &Secret, now: Timestamp, body: &str) -> String {
    let seconds = now.0.div_euclid(1_000);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex::encode(tag.as_ref()))
}

/// For Slack's text: nothing in it is a link, or calls people.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn headline(notice: &Notice) -> String {
    if notice.urgent {
        format!("Urgent: {}", notice.title)
    } else {
        notice.title.clone()
    }
}

/// What Slack, and what speaks like it, is sent.
pub(super) fn slack(notice: &Notice, portal: &str) -> String {
    // A path has neither `|` nor `>` in it, which would end the link.
    let link = escaped(&link(notice, portal));
    let mut text = format!("<{link}|{}>", escaped(&headline(notice)));
    if !notice.text.is_empty() {
        text.push('\n');
        text.push_str(&escaped(&notice.text));
    }
    serde_json::json!({ "text": text }).to_string()
}

/// What one address is sent.
///
/// # Errors
/// When no message can be made of it, in our own words.
pub(super) fn mail(
    id: &str,
    notice: &Notice,
    portal: &str,
    from: &Mailbox,
    to: &Address,
) -> Result<Message, &'static str> {
    let mut text = String::new();
    if !notice.text.is_empty() {
        text.push_str(&notice.text);
        text.push_str("\n\n");
    }
    text.push_str(&link(notice, portal));
    text.push('\n');
    let since_epoch = Duration::from_millis(u64::try_from(notice.at.0).unwrap_or_default());
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(format!("[Muster] {}", headline(notice)))
        .date(SystemTime::UNIX_EPOCH + since_epoch)
        // The same for each try, so that readers show a repetition once.
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // Nobody's absence note answers.
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if notice.urgent {
        message = message.raw_header(header("Importance", "high"));
    }
    message
        .singlepart(SinglePart::plain(text))
        .map_err(|_| "no mail can be made of it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            kind: "approval.waiting".into(),
            about: "CR-1042".into(),
            title: "<!channel> & <https://evil.example|here>".into(),
            text: "a > b".into(),
            href: "/approvals/CR-1042".into(),
            at: Timestamp(1_795_000_000_000),
            to: vec!["group:sre".into()],
            urgent: false,
        }
    }

    #[test]
    fn the_signature_is_hmac_sha256_over_time_and_body() {
        // Computed with: printf '1795000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of sixteen'
        let secret = Secret("a secret of sixteen".into());
        assert_eq!(
            signature(&secret, Timestamp(1_795_000_000_999), "{\"a\":1}"),
            "t=1795000000,v1=72092804a223dac52645043570323545ca9711f195caae21efdc5b71f36d78f6"
        );
    }

    #[test]
    fn slack_is_shown_no_link_and_no_call_but_ours() {
        let sent: serde_json::Value =
            serde_json::from_str(&slack(&notice(), "https://muster.example/")).unwrap();
        assert_eq!(
            sent["text"],
            "<https://muster.example/approvals/CR-1042|&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;>\na &gt; b"
        );
        let urgent = Notice {
            title: "now".into(),
            text: String::new(),
            urgent: true,
            ..notice()
        };
        let sent: serde_json::Value = serde_json::from_str(&slack(&urgent, "http://x")).unwrap();
        assert_eq!(sent["text"], "<http://x/approvals/CR-1042|Urgent: now>");
    }

    #[test]
    fn no_header_of_a_mail_is_made_by_a_title() {
        // Not even when it was not cleaned.
        let bad = Notice {
            title: "hi\r\nBcc: eve@example.com\r\n\r\nbody".into(),
            ..notice()
        };
        let (from, to) = (
            "Muster <muster@example.com>".parse().unwrap(),
            "bob@example.com".parse().unwrap(),
        );
        let message = mail("ab12", &bad, "https://muster.example", &from, &to).unwrap();
        let sent = String::from_utf8(message.formatted()).unwrap();
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Message-ID: <ab12@example.com>"), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        assert!(
            body.starts_with("a > b\r\n\r\nhttps://muster.example/approvals/CR-1042"),
            "{body}"
        );
        assert_eq!(message.envelope().to(), [to]);
    }
}
