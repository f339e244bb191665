//! What nodes write while they run a command: pieces of it, groups of equal output, and differences.

use super::{CommandStatus, InvocationView};
use crate::ids::NodeId;
use serde::{Deserialize, Serialize};

/// The two streams of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputStream {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// The stream of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "stdout" => Some(Self::Stdout),
            "stderr" => Some(Self::Stderr),
            _ => None,
        }
    }
}

/// A piece of a node's output. Bytes that are no UTF-8 are shown as `�`; a download keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputPiece {
    /// Which stream.
    pub stream: OutputStream,
    /// Where in the stream it begins, in bytes.
    pub offset: i64,
    /// The byte after it.
    pub end: i64,
    /// Its text.
    pub text: String,
    /// Bytes kept of this stream in all.
    pub total: i64,
}

/// Which piece of an output is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputRange {
    /// From this byte on.
    From(i64),
    /// So many bytes at the end.
    Last(i64),
    /// What ends just before this byte.
    Before(i64),
}

/// Nodes that ended alike and wrote the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputGroup {
    /// How they ended, or stand.
    pub status: CommandStatus,
    /// Their exit code; -1 while there is none.
    pub response_code: i32,
    /// SHA-256 of what they wrote; empty while they run, and when they wrote nothing.
    pub output_hash: String,
    /// How many they are.
    pub nodes: u32,
    /// Some of them by id and name, the first by name first.
    pub some: Vec<(NodeId, String)>,
    /// How their output begins, or their errors when there is no output.
    pub beginning: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiffKind {
    /// In both.
    Same,
    /// Only in the old.
    Removed,
    /// Only in the new.
    Added,
}

/// One line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// What became of it.
    pub kind: DiffKind,
    /// Its number in the old, from 1.
    pub old: Option<u32>,
    /// Its number in the new, from 1.
    pub new: Option<u32>,
    /// Its text, without the line break.
    pub text: String,
}

/// What one node wrote against what another wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The node on the left.
    pub old: InvocationView,
    /// The node on the right.
    pub new: InvocationView,
    /// Which stream.
    pub stream: OutputStream,
    /// Stretches of lines that differ, each with some equal lines around.
    pub hunks: Vec<Vec<DiffLine>>,
    /// Lines only in the old.
    pub removed: u32,
    /// Lines only in the new.
    pub added: u32,
    /// Lines that differ but are not shown, because there are too many.
    pub hidden: u32,
    /// Whether only the beginnings were compared, because the outputs are too large.
    pub cut: bool,
}
