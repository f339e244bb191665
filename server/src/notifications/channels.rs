//! Where notices go: the channels that are set, and who of those named in a notice has an address. How settings are
//! read is in `config/notifications.rs`.

use lettre::Address;
use lettre::message::Mailbox;

/// The name that means every notice.
pub(crate) const EVERYTHING: &str = "*";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A way to tell somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Webhook,
    Slack,
    Mail,
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::Webhook, Self::Slack, Self::Mail];

    /// As it is called in the database and in the log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Mail => "mail",
        }
    }
}

/// A webhook of one's own.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) url: Secret,
    /// Signs what is sent.
    pub(crate) secret: Secret,
}

/// An address, and whose notices it gets: `group:sre`, or `*` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) address: Address,
}

/// Mail.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The server's address, which may hold a password.
    pub(crate) server: Secret,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Wanted>,
}

/// The channels that are set; none by default.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    pub(crate) webhook: Option<Webhook>,
    pub(crate) slack: Option<Secret>,
    pub(crate) mail: Option<Mail>,
    /// Where the pages are that notices lead to, when not at the portal's own address.
    pub(crate) at: Option<String>,
}

impl Channels {
    /// The same ways of telling, for what is read at this address.
    #[must_use]
    pub fn reading_at(&self, address: &str) -> Self {
        Self {
            at: Some(address.trim_end_matches('/').to_owned()),
            ..self.clone()
        }
    }

    /// Whether nobody is told of anything.
    pub(crate) fn is_empty(&self) -> bool {
        Channel::ALL.iter().all(|channel| !self.has(*channel))
    }

    pub(crate) fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Webhook => self.webhook.is_some(),
            Channel::Slack => self.slack.is_some(),
            Channel::Mail => self.mail.is_some(),
        }
    }

    /// Each way by which those named in `to` are told, with the address where the channel has several. An address each, so
    /// that one that does not work keeps nothing from the others, and nobody reads who else was told.
    pub(crate) fn recipients(&self, to: &[String]) -> Vec<(Channel, String)> {
        let mut found = Vec::new();
        for channel in [Channel::Webhook, Channel::Slack] {
            if self.has(channel) {
                found.push((channel, String::new()));
            }
        }
        for wanted in self.mail.iter().flat_map(|mail| &mail.to) {
            let address = (Channel::Mail, wanted.address.to_string());
            let is_meant = wanted.name == EVERYTHING || to.contains(&wanted.name);
            if is_meant && !found.contains(&address) {
                found.push(address);
            }
        }
        found
    }
}
