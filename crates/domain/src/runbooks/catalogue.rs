//! Runbooks: what there is, what each does step by step, its versions and how they differ.

use super::ExecutionSummary;
use crate::commands::{DiffLine, DocumentParameter};
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Whose a runbook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunbookOwner {
    /// This account's.
    Own,
    /// Amazon's.
    Amazon,
    /// Another account's, shared with this one.
    Shared,
}

impl RunbookOwner {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::Amazon, Self::Shared];

    /// The word in the URL and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Amazon => "amazon",
            Self::Shared => "shared",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Own => "Your own",
            Self::Amazon => "Amazon",
            Self::Shared => "Shared with you",
        }
    }

    /// The owner of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.as_str() == text)
    }
}

/// A runbook, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookSummary {
    /// Its name, or the ARN of one that is shared.
    pub name: String,
    /// Whose it is.
    pub owner: RunbookOwner,
    /// The account that owns it, or `Amazon`.
    pub owner_name: String,
    /// What it is for: Amazon's category, else what it acts on; empty where neither is said.
    pub category: String,
    /// What it does.
    pub description: String,
    /// The version used when none is named.
    pub default_version: String,
    /// When the portal last copied it from Systems Manager.
    pub synced_at: Timestamp,
}

/// Which runbooks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookQuery {
    /// Name or description contains.
    pub text: String,
    /// Only these.
    pub owner: Option<RunbookOwner>,
    /// Only this category.
    pub category: Option<String>,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// A page of runbooks, with what there is to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookPage {
    /// The rows.
    pub page: Page<RunbookSummary>,
    /// Categories with their number of runbooks, by name.
    pub categories: Vec<(String, u64)>,
    /// How many runbooks there are in all.
    pub total: u64,
    /// When the portal last copied the list; `None` when never.
    pub synced_at: Option<Timestamp>,
}

/// How one step leads to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// What comes next.
    Next,
    /// A choice of a branch.
    Choice,
    /// Where it goes on after a failure.
    Failure,
    /// Where it goes on when it is cancelled.
    Cancel,
}

/// A way from a step to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEdge {
    /// The step that it leads to.
    pub to: String,
    /// When.
    pub kind: EdgeKind,
}

/// A step as the document has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookStep {
    /// Its name.
    pub name: String,
    /// What it does: `aws:runCommand` …
    pub action: String,
    /// For people.
    pub description: String,
    /// Where it leads.
    pub edges: Vec<StepEdge>,
    /// Whether the execution ends after it.
    pub is_end: bool,
    /// Whether a failure of it makes the whole a failure.
    pub is_critical: bool,
    /// What happens when it fails: `Abort`, `Continue` or `step:NAME`.
    pub on_failure: String,
    /// Its inputs, as JSON.
    pub inputs: String,
}

/// A version of a runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookVersion {
    /// Its number.
    pub version: String,
    /// Its name, when it has one.
    pub version_name: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Whether it is used when none is named.
    pub is_default: bool,
}

/// A runbook in one version, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookDetail {
    /// The row.
    pub summary: RunbookSummary,
    /// The version on show.
    pub version: String,
    /// All versions, newest first.
    pub versions: Vec<RunbookVersion>,
    /// What this version does.
    pub description: String,
    /// Its parameters, in the order declared.
    pub parameters: Vec<DocumentParameter>,
    /// The parameter that the chosen nodes go to, where one takes nodes, and whether it takes several.
    pub node_parameter: Option<(String, bool)>,
    /// Its steps, in the order of the document.
    pub steps: Vec<RunbookStep>,
    /// What it tells in the end: `Step.Output`.
    pub outputs: Vec<String>,
    /// Its text.
    pub content: String,
    /// SHA-256 of the text, hexadecimal.
    pub content_hash: String,
    /// Its last executions, newest first, at most 10.
    pub recent: Vec<ExecutionSummary>,
    /// Whether the actor may start it somewhere.
    pub may_start: bool,
    /// The step because of which somebody whose role is for a part of the fleet may not start it; empty where it acts
    /// on no more than the nodes that it is given.
    pub reaches_further: String,
}

/// What one version says against what another says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionDiff {
    /// The version on the left.
    pub old: String,
    /// The version on the right.
    pub new: String,
    /// Stretches of lines that differ, each with some equal lines around.
    pub hunks: Vec<Vec<DiffLine>>,
    /// Lines only in the old.
    pub removed: u32,
    /// Lines only in the new.
    pub added: u32,
    /// Lines that differ but are not shown, because there are too many.
    pub hidden: u32,
}
