//! What pages show of baselines.

use super::baseline::BaselineContent;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A baseline in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineSummary {
    /// Its id; an ARN where it comes with Systems Manager.
    pub baseline_id: String,
    /// What it is called.
    pub name: String,
    /// For which operating system.
    pub operating_system: String,
    /// Whether it comes with Systems Manager, so that it cannot be changed.
    pub is_given: bool,
    /// Whether it holds for its operating system where no patch group says otherwise.
    pub is_default: bool,
    /// The patch groups that it holds for.
    pub groups: Vec<String>,
    /// What it says.
    pub content: BaselineContent,
    /// SHA-256 of that.
    pub sha256: String,
    /// When it was last changed, as Systems Manager says.
    pub modified_at: Timestamp,
    /// When it was copied.
    pub synced_at: Timestamp,
}

impl BaselineSummary {
    /// The part of its id that addresses name it by.
    #[must_use]
    pub fn short_id(&self) -> &str {
        short_id(&self.baseline_id)
    }
}

/// What stands behind the last slash of an id.
#[must_use]
pub fn short_id(baseline_id: &str) -> &str {
    baseline_id.rsplit('/').next().unwrap_or(baseline_id)
}

/// Which baselines to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineQuery {
    /// Only for this operating system; empty is any.
    pub operating_system: String,
    /// Only those that somebody made here (`true`), or that come with Systems Manager (`false`).
    pub own: Option<bool>,
    /// Name, id, description or patch group contains.
    pub text: String,
}

/// Baselines; there are a few dozen at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineList {
    /// Those that match, by operating system and name.
    pub items: Vec<BaselineSummary>,
    /// How many there are in all.
    pub total: u64,
    /// When all were last copied.
    pub synced_at: Option<Timestamp>,
    /// Whether the actor may change them.
    pub may_change: bool,
}

/// What a baseline said from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineVersion {
    /// Counted by the portal: Systems Manager keeps no versions.
    pub number: i64,
    /// SHA-256 of what it said.
    pub sha256: String,
    /// When the portal saw it first.
    pub seen_at: Timestamp,
    /// Who changed it, where that was done here.
    pub changed_by: String,
    /// The request on which that was done, where there was one.
    pub request_id: String,
}

/// One baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineDetail {
    /// What it is.
    pub summary: BaselineSummary,
    /// What it said before, newest first.
    pub versions: Vec<BaselineVersion>,
    /// Nodes that were last held against it.
    pub nodes: u64,
    /// Whether the actor may change it, and for what it holds.
    pub may_change: bool,
    /// Whether the actor may delete it.
    pub may_delete: bool,
}

/// Two versions, line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineComparison {
    /// The older one's number.
    pub old: i64,
    /// The newer one's number.
    pub new: i64,
    /// What the older one said.
    pub old_lines: String,
    /// What the newer one said.
    pub new_lines: String,
}
