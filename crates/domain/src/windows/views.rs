//! What pages are given of windows.

use super::state::WindowState;
use crate::ids::{NodeId, WindowId};
use crate::paging::{Cursor, Page};
use crate::runbooks::LocalTime;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Which windows to list, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowQuery {
    /// Name, description or id contains.
    pub text: String,
    /// Only those that may open, or only those that may not.
    pub enabled: Option<bool>,
    /// Only those that went like this the last time.
    pub standing: Option<WindowStanding>,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// How a window went the last time, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowStanding {
    /// Well.
    Success,
    /// Not well.
    Failed,
    /// It is open now.
    Running,
    /// It has not opened yet.
    Never,
}

impl WindowStanding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failed, Self::Running, Self::Never];

    /// The word in the URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Never => "never",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::Running => "In progress",
            Self::Never => "Not yet",
        }
    }

    /// Reads the word in the URL.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Systems Manager's words for it; none where a window has never opened.
    #[must_use]
    pub const fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Success => &["SUCCESS"],
            Self::Failed => &["FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED_OVERLAPPING"],
            Self::Running => &["PENDING", "IN_PROGRESS", "CANCELLING"],
            Self::Never => &[""],
        }
    }
}

/// How a window went once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRun {
    /// The id of its execution.
    pub id: String,
    /// How it stands, in Systems Manager's words: `SUCCESS`, `FAILED` …
    pub status: String,
    /// More about that.
    pub details: String,
    /// When it opened.
    pub at: Option<Timestamp>,
    /// When it was done.
    pub ended_at: Option<Timestamp>,
}

/// A window, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSummary {
    /// Which.
    pub id: WindowId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it opens at all.
    pub enabled: bool,
    /// As Systems Manager writes it.
    pub schedule: String,
    /// The same in words; empty where there are no short ones.
    pub schedule_words: String,
    /// In which time zone.
    pub time_zone: String,
    /// For how many hours it is open.
    pub duration_hours: u32,
    /// How many hours before its end nothing is begun any more.
    pub cutoff_hours: u32,
    /// When it opens next.
    pub next: Option<LocalTime>,
    /// How many targets it has, once that was looked up.
    pub targets: Option<u32>,
    /// How many tasks it has, once that was looked up.
    pub tasks: Option<u32>,
    /// How it went the last time.
    pub last: Option<WindowRun>,
    /// When it was copied.
    pub synced_at: Timestamp,
}

/// A page of windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowPage {
    /// The windows.
    pub page: Page<WindowSummary>,
    /// How many there are in all.
    pub total: u64,
    /// When all of them were last copied; nothing before the first time.
    pub synced_at: Option<Timestamp>,
    /// Whether the actor may make one.
    pub may_change: bool,
}

/// What was done on some nodes for a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowInvocation {
    /// How it stands, in Systems Manager's words.
    pub status: String,
    /// More about that.
    pub details: String,
    /// When it began.
    pub at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The registered target that it is for; empty where it is none.
    pub target: String,
    /// What it started, at Systems Manager.
    pub execution: String,
    /// The page of that, where the portal has one.
    pub href: Option<String>,
    /// The node, where it is for one.
    pub node: Option<NodeId>,
}

/// How a task went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowTaskExecution {
    /// What it ran.
    pub document: String,
    /// `RUN_COMMAND` …
    pub kind: String,
    /// How it stands, in Systems Manager's words.
    pub status: String,
    /// More about that.
    pub details: String,
    /// When it began.
    pub at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What was done for it.
    pub invocations: Vec<WindowInvocation>,
}

/// One execution of a window, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowExecution {
    /// Which.
    pub id: String,
    /// Its tasks.
    pub tasks: Vec<WindowTaskExecution>,
}

/// What Systems Manager says of a window when its page is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveWindow {
    /// What it is.
    pub state: WindowState,
    /// Its next openings.
    pub next: Vec<LocalTime>,
    /// Its newest executions, the newest first.
    pub runs: Vec<WindowRun>,
    /// One of them, in full.
    pub execution: Option<WindowExecution>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub modified_at: Option<Timestamp>,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowDetail {
    /// As a row.
    pub summary: WindowSummary,
    /// What Systems Manager says of it now, or why that is not known.
    pub live: Result<LiveWindow, String>,
    /// The schedule of a runbook that it belongs to: then it is changed there.
    pub schedule: Option<String>,
    /// Whether the actor may change it.
    pub may_change: bool,
    /// Whether the actor may delete it.
    pub may_delete: bool,
}
