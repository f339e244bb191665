//! Speaks to the channels. What goes wrong is said in our own words: an address, a secret or what the other side answers
//! could be in anybody else's. No redirect is followed, no answer is read, and nobody is waited for without end.

use super::channels::{Channel, Channels};
use super::letter;
use super::queries::NoticeRow;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use muster_domain::Timestamp;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The client for webhooks cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
    /// The mail server's address cannot be used.
    #[error("notify_smtp_url cannot be used: {0}")]
    Mail(&'static str),
}

/// What speaks to the channels that are set.
pub(super) struct Senders {
    channels: Arc<Channels>,
    /// How people reach the portal.
    portal: String,
    client: reqwest::Client,
    mail: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

fn status(status: u16) -> Result<(), String> {
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(format!(
            "it answered {status}: it leads elsewhere, which is not followed"
        )),
        _ => Err(format!("it answered {status}")),
    }
}

fn of_io(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "the connection was cut"
        }
        io::ErrorKind::UnexpectedEof => "the connection ended early",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it",
        io::ErrorKind::TimedOut => "it did not answer in time",
        _ => return None,
    })
}

/// What is at the bottom of an error, as far as it is one that helps.
fn cause(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(match tls {
            rustls::Error::InvalidCertificate(_) => "its certificate is not accepted",
            _ => "TLS with it failed",
        });
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        let inner = io.get_ref().and_then(|inner| cause(inner));
        if let Some(found) = inner.or_else(|| of_io(io.kind())) {
            return Some(found);
        }
    }
    error.source().and_then(cause)
}

fn of_http(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        return "it did not answer in time".to_owned();
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the request failed"
    };
    cause(error).map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}

fn of_smtp(error: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    let what = if error.is_timeout() {
        return "the mail server did not answer in time".to_owned();
    } else if error.is_response() {
        "the mail server answered something else than SMTP"
    } else if error.is_client() {
        "the mail server cannot do what is needed"
    } else {
        "the mail server cannot be reached"
    };
    cause(error).map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}

impl Senders {
    pub(super) fn new(channels: Arc<Channels>, portal: String) -> Result<Self, SenderError> {
        // Somebody may have chosen one already; ours is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .user_agent("Muster")
            .build()?;
        let mail = match &channels.mail {
            None => None,
            Some(mail) => {
                let transport =
                    AsyncSmtpTransport::<Tokio1Executor>::from_url(&mail.server.0).map_err(|_| {
                        SenderError::Mail("use an address like smtps://user:password@mail.example")
                    })?;
                Some(transport.timeout(Some(CONNECT_WITHIN)).build())
            }
        };
        Ok(Self {
            channels,
            portal,
            client,
            mail,
        })
    }

    /// Sends a notice once, and says why it was not taken.
    pub(super) async fn send(&self, row: &NoticeRow, now: Timestamp, within: Duration) -> Result<(), String> {
        match tokio::time::timeout(within, self.send_to(row, now)).await {
            Ok(sent) => sent,
            Err(_) => Err("it did not answer in time".into()),
        }
    }

    async fn send_to(&self, row: &NoticeRow, now: Timestamp) -> Result<(), String> {
        let (id, notice) = (&row.message_id, &row.notice);
        match row.channel {
            Channel::Webhook => {
                let webhook = self.channels.webhook.as_ref().ok_or("it is not set")?;
                let body = letter::webhook(id, notice, &self.portal);
                let request = self
                    .client
                    .post(&webhook.url.0)
                    .header("muster-message-id", id)
                    .header("muster-signature", letter::signature(&webhook.secret, now, &body));
                post(request, body).await
            }
            Channel::Slack => {
                let url = self.channels.slack.as_ref().ok_or("it is not set")?;
                post(self.client.post(&url.0), letter::slack(notice, &self.portal)).await
            }
            Channel::Mail => {
                let (Some(mail), Some(transport)) = (&self.channels.mail, &self.mail) else {
                    return Err("it is not set".into());
                };
                let to: Address = row.recipient.parse().map_err(|_| "this is no address")?;
                let message = letter::mail(id, notice, &self.portal, &mail.from, &to)?;
                transport.send(message).await.map_err(|error| of_smtp(&error))?;
                Ok(())
            }
        }
    }
}

/// Posts, and looks at the status alone: whatever else is answered is dropped unread.
async fn post(request: reqwest::RequestBuilder, body: String) -> Result<(), String> {
    let request = request.header("content-type", "application/json").body(body);
    match request.send().await {
        Ok(answer) => status(answer.status().as_u16()),
        Err(error) => Err(of_http(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_counts() {
        assert_eq!(status(200), Ok(()));
        assert_eq!(status(204), Ok(()));
        assert!(status(302).unwrap_err().contains("not followed"));
        for refused in [400, 404, 410, 429, 500, 503] {
            assert_eq!(status(refused), Err(format!("it answered {refused}")));
        }
    }

    #[test]
    fn causes_are_found_at_the_bottom() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = io::Error::other(refused);
        assert_eq!(cause(&wrapped), Some("the connection was refused"));
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, tls);
        assert_eq!(cause(&wrapped), Some("its certificate is not accepted"));
        assert_eq!(cause(&io::Error::other("https://user:secret@host")), None);
    }
}
