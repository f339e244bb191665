//! What pages show of parameters. Nothing secret is in here, but in [`Revealed`], which answers a form once.

use super::input::Value;
use crate::fleet::Tag;
use crate::paging::{Cursor, Page};
use crate::runbooks::VersionDiff;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $word:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $($(#[$one])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Systems Manager's word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// As people read it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// What a parameter holds.
    ParameterKind {
        /// A text.
        String = "String", "String";
        /// Texts, separated by commas.
        StringList = "StringList", "StringList";
        /// A secret.
        SecureString = "SecureString", "SecureString (secret)";
    }
}

words! {
    /// How large a value may be, and whether there may be policies.
    ParameterTier {
        /// Up to 4 KB.
        Standard = "Standard", "Standard (up to 4 KB)";
        /// Up to 8 KB, with policies; AWS charges for it.
        Advanced = "Advanced", "Advanced (up to 8 KB, policies)";
        /// As large as it has to be.
        Intelligent = "Intelligent-Tiering", "Intelligent-Tiering (as needed)";
    }
}

impl ParameterKind {
    /// Whether its value is a secret.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::SecureString)
    }
}

/// A parameter, as a row. Never with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterSummary {
    /// Its name, as Systems Manager spells it.
    pub name: String,
    /// What it holds.
    pub kind: ParameterKind,
    /// Its tier: Standard or Advanced.
    pub tier: ParameterTier,
    /// `text`, `aws:ec2:image` …
    pub data_type: String,
    /// Its newest version.
    pub version: i64,
    /// When that was made.
    pub modified_at: Timestamp,
    /// By whom, as Systems Manager says: an ARN.
    pub modified_by: String,
    /// What it is for.
    pub description: String,
    /// The key that a secret is encrypted with; empty where it is none.
    pub key_id: String,
    /// What values have to look like, as a regular expression; empty where any will do.
    pub allowed_pattern: String,
    /// Its policies, each as JSON.
    pub policies: Vec<String>,
    /// When the portal last copied this from Systems Manager.
    pub synced_at: Timestamp,
}

/// A folder: what names have in common up to a slash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterFolder {
    /// Its path, without slashes at its ends.
    pub path: String,
    /// How many parameters are below it.
    pub parameters: u64,
}

/// Which parameters to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterQuery {
    /// Of which folder, without slashes at its ends; empty is the outermost.
    pub path: String,
    /// Name contains; then all below the folder are looked through, as with the other filters.
    pub text: String,
    /// Only these.
    pub kind: Option<ParameterKind>,
    /// Only of this tier.
    pub tier: Option<ParameterTier>,
    /// Only those of which a version has this label.
    pub label: String,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

impl ParameterQuery {
    /// Whether anything but the folder narrows the list.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        !self.text.trim().is_empty()
            || self.kind.is_some()
            || self.tier.is_some()
            || !self.label.trim().is_empty()
    }
}

/// A page of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterPage {
    /// Folders in this folder, by name; none where a filter looks below all of them.
    pub folders: Vec<ParameterFolder>,
    /// Parameters.
    pub page: Page<ParameterSummary>,
    /// How many parameters are below this folder.
    pub below: u64,
    /// How many there are in all.
    pub total: u64,
    /// When the portal last copied all of them; `None` when never.
    pub synced_at: Option<Timestamp>,
    /// Whether the actor may make one.
    pub may_put: bool,
}

/// A version of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterVersion {
    /// Its number.
    pub version: i64,
    /// When it was made.
    pub modified_at: Option<Timestamp>,
    /// By whom.
    pub modified_by: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// What it was said to be for.
    pub description: String,
    /// Its tier.
    pub tier: String,
}

/// What Systems Manager was asked about a parameter when its page was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveParameter {
    /// The newest value; `None` where that is a secret.
    pub value: Option<String>,
    /// The versions that are kept, newest first.
    pub versions: Vec<ParameterVersion>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterDetail {
    /// The row.
    pub summary: ParameterSummary,
    /// What Systems Manager says now; or why it says nothing.
    pub live: Result<LiveParameter, String>,
    /// Whether the actor may see a secret.
    pub may_reveal: bool,
    /// Whether the actor may change it.
    pub may_put: bool,
    /// Whether the actor may delete it.
    pub may_delete: bool,
}

/// What one version says against what another says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Comparison {
    /// Texts.
    Text {
        /// Line by line.
        diff: VersionDiff,
    },
    /// Secrets.
    Secret {
        /// The version on the left.
        old: i64,
        /// The version on the right.
        new: i64,
        /// Whether both are the same.
        is_same: bool,
    },
    /// Secrets that the actor may learn nothing about now.
    Hidden {
        /// The version on the left.
        old: i64,
        /// The version on the right.
        new: i64,
        /// Why.
        why: String,
    },
}

/// A secret in the clear: the answer to one who asked to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    /// Of which parameter.
    pub name: String,
    /// In which version.
    pub version: i64,
    /// The secret.
    pub value: Value,
}

/// What came of writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutDone {
    /// The name, as Systems Manager spells it.
    pub name: String,
    /// The version that it has now.
    pub version: i64,
    /// Whether somebody outside the portal wrote a version at the same moment, which this one has replaced unseen.
    pub replaced_unseen: bool,
}
