//! What needs a look first when a command runs or has run on several nodes.

use super::{InvocationView, OutputStream};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A node on which it failed or was not done in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedNode {
    /// Its part.
    pub invocation: InvocationView,
    /// The last lines of its errors, or of its output when it wrote no errors.
    pub last_lines: String,
    /// Where they stand.
    pub stream: OutputStream,
}

/// A node that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedNode {
    /// Its part.
    pub invocation: InvocationView,
    /// When the node was heard last, as far as the portal knows.
    pub heard_at: Option<Timestamp>,
    /// Whether it counts as gone: Systems Manager says so some minutes after it was heard last.
    pub is_silent: bool,
    /// When it is given up at the latest: for not having taken the command, or for not having ended. Not known of
    /// documents that say nothing about how long they may take.
    pub given_up_at: Option<Timestamp>,
}

/// The nodes of a command that need a look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    /// The first that failed, by name.
    pub failed: Vec<FailedNode>,
    /// How many failed.
    pub failed_count: u32,
    /// The first that are not done: those that do not report first, then by name.
    pub unfinished: Vec<UnfinishedNode>,
    /// How many are not done.
    pub unfinished_count: u32,
    /// How many of those do not report any more.
    pub silent_count: u32,
}
