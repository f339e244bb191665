//! Session documents with which a shell is opened. A shell profile is a property of one, as are whom it makes one on the node and
//! how long it lasts: whoever opens a terminal chooses the document, and gets all that it says.

use serde::{Deserialize, Serialize};

/// The document that Session Manager takes when none is named: the session preferences of the account and region.
pub const SESSION_PREFERENCES: &str = "SSM-SessionManagerRunShell";

/// A document with which a terminal can be opened, and what it means there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellDocument {
    /// Its name.
    pub name: String,
    /// Its default version, which is what is opened; empty where the account has saved no preferences.
    pub version: String,
    /// What it says of itself.
    pub description: String,
    /// Whether whoever opens the terminal may say as which user of the operating system.
    pub takes_os_user: bool,
    /// Whom it makes one on the node; empty where it leaves that to the agent.
    pub runs_as: String,
    /// What is typed into the new shell on this node's platform; empty for nothing.
    pub profile: String,
    /// It ends after so many minutes without traffic; 0 when it does not say.
    pub idle_minutes: u32,
    /// It ends after so many minutes; 0 when it does not say.
    pub max_minutes: u32,
}

impl ShellDocument {
    /// Session Manager's own choice, where the account has saved no preferences.
    #[must_use]
    pub fn unsaved() -> Self {
        Self {
            name: SESSION_PREFERENCES.to_owned(),
            ..Self::default()
        }
    }

    /// Whether it is the one that is taken when none is named.
    #[must_use]
    pub fn is_default(&self) -> bool {
        is_default(&self.name)
    }
}

/// Whether this names the document that is taken when none is named.
#[must_use]
pub fn is_default(name: &str) -> bool {
    name.is_empty() || name == SESSION_PREFERENCES
}

/// Whether a document may have this name, or this ARN where somebody else shares it.
pub(super) fn is_document_name(name: &str) -> bool {
    (3..=128).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_same_by_its_name_and_by_none() {
        assert!(ShellDocument::unsaved().is_default() && is_default("") && !is_default("Web-Shell"));
        for name in [
            SESSION_PREFERENCES,
            "arn:aws:ssm:eu-west-1:210987654321:document/Shared-Shell",
        ] {
            assert!(is_document_name(name), "{name}");
        }
        for name in ["", "ab", "a b c", "Web\nShell", "é-shell"] {
            assert!(!is_document_name(name), "{name}");
        }
    }
}
