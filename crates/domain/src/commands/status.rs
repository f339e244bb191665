//! How a command or one node's part of it stands, in Systems Manager's words and in people's.

use serde::{Deserialize, Serialize};

/// The state of a command or of one invocation, in Systems Manager's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CommandStatus {
    /// Not yet sent.
    Pending,
    /// Being run.
    InProgress,
    /// Sending did not work yet.
    Delayed,
    /// Done.
    Success,
    /// Stopped by somebody.
    Cancelled,
    /// Did not end in time.
    TimedOut,
    /// Did not work.
    Failed,
    /// Being stopped.
    Cancelling,
}

impl CommandStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::InProgress,
        Self::Delayed,
        Self::Success,
        Self::Cancelled,
        Self::TimedOut,
        Self::Failed,
        Self::Cancelling,
    ];

    /// As Systems Manager writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Delayed => "Delayed",
            Self::Success => "Success",
            Self::Cancelled => "Cancelled",
            Self::TimedOut => "TimedOut",
            Self::Failed => "Failed",
            Self::Cancelling => "Cancelling",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InProgress => "In progress",
            Self::TimedOut => "Timed out",
            other => other.as_str(),
        }
    }

    /// Reads Systems Manager's word, spaced or not; anything unknown is pending.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.replace(' ', "");
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Cancelled | Self::TimedOut | Self::Failed
        )
    }
}

/// Systems Manager's closer word for how something stands, as people read it: `DeliveryTimedOut` is
/// `Delivery timed out`. A word that is not known is parted at its capitals.
#[must_use]
pub fn details_label(details: &str) -> String {
    match details {
        "Undeliverable" => return "Could not be delivered".into(),
        "Terminated" => return "Not sent: the command ended before".into(),
        "InvalidPlatform" => return "Does not run on this platform".into(),
        _ => {}
    }
    let mut out = String::with_capacity(details.len() + 4);
    for c in details.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closer_words_are_readable() {
        for (word, text) in [
            ("InProgress", "In progress"),
            ("DeliveryTimedOut", "Delivery timed out"),
            ("Execution Timed Out", "Execution timed out"),
            ("Undeliverable", "Could not be delivered"),
            ("Success", "Success"),
            ("", ""),
        ] {
            assert_eq!(details_label(word), text);
        }
    }
}
