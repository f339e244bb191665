//! What pages show of sessions and recordings. Never a token, never what was typed without echo.

use crate::fleet::Tag;
use crate::ids::{NodeId, NodeSessionId, RequestId, UserId};
use crate::paging::Cursor;
use crate::sessions::document::ShellDocument;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the database, in filters and in the audit log.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// The word for people.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// What a session is for.
    SessionKind {
        /// A shell in a terminal.
        Shell = "Terminal",
        /// A connection to a port.
        Port = "Tunnel",
    }
}

words! {
    /// How a session stands.
    SessionStatus {
        /// The node is being asked.
        Connecting = "Connecting",
        /// It goes on.
        Connected = "Connected",
        /// The way to the node is broken; the portal tries to find it again.
        Reconnecting = "Reconnecting",
        /// It has ended.
        Ended = "Ended",
        /// It never began, or broke.
        Failed = "Failed",
    }
}

impl SessionStatus {
    /// Whether nothing comes any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed)
    }
}

words! {
    /// Why a session is over.
    EndReason {
        /// The shell on the node ended by itself.
        Exited = "The shell ended",
        /// Session Manager or the node's agent ended it, and said why.
        EndedThere = "Ended by Session Manager",
        /// Its owner ended it.
        EndedByOwner = "Ended by its owner",
        /// Somebody else ended it.
        EndedByOther = "Ended by somebody else",
        /// Nothing was typed or shown for too long.
        IdleTimeout = "Idle for too long",
        /// Its time was up.
        TimeUp = "Its time was up",
        /// Its owner may not do this any more, or may not sign in any more.
        PermissionEnded = "The permission ended",
        /// The node was not heard of any more.
        NodeLost = "The node was lost",
        /// The recorder could not write.
        RecorderFailed = "The recorder failed",
        /// It could not be started.
        NotStarted = "It could not be started",
    }
}

words! {
    /// How a recording stands.
    RecordingState {
        /// It is being written.
        Recording = "Recording",
        /// It is whole and signed.
        Signed = "Signed",
        /// The recorder failed: it ends before the session did.
        Broken = "Broken off",
        /// There is none.
        None = "Not recorded",
    }
}

words! {
    /// What somebody does in a session.
    ParticipantRole {
        /// Types.
        Owner = "Owner",
        /// Only looks.
        Watcher = "Watcher",
    }
}

/// One session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// Which.
    pub session_id: NodeSessionId,
    /// Systems Manager's own id; empty before it was given.
    pub ssm_session_id: String,
    /// What for.
    pub kind: SessionKind,
    /// How it stands.
    pub status: SessionStatus,
    /// Where.
    pub node_id: NodeId,
    /// The node's name at the time.
    pub node_name: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The Session document that it was opened with; empty for one that was opened before that was kept.
    #[serde(default)]
    pub document: String,
    /// The version of that document; empty where the account had saved no preferences.
    #[serde(default)]
    pub document_version: String,
    /// Who one is on the node; empty until the node has said so.
    pub os_user: String,
    /// Whose it is.
    pub owner_id: Option<UserId>,
    /// The owner's name.
    pub owner: String,
    /// What for.
    pub reason: String,
    /// Whether the node belongs to production: its frame is coloured.
    pub is_production: bool,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When it ends at the latest.
    pub ends_at: Option<Timestamp>,
    /// When something was last typed or shown.
    pub active_at: Timestamp,
    /// Bytes that the node wrote.
    pub bytes_out: u64,
    /// Bytes that were typed.
    pub bytes_in: u64,
    /// Why it is over.
    pub end_reason: Option<EndReason>,
    /// More about that, in words.
    pub end_message: String,
    /// Who ended it, when somebody did.
    pub ended_by: String,
    /// How the recording stands.
    pub recording: RecordingState,
    /// People who look on now.
    pub watchers: Vec<String>,
    /// Whether it is the reader's own.
    pub is_own: bool,
    /// The approval under which it was opened, where it needed one.
    #[serde(default)]
    pub request: Option<RequestId>,
}

/// Some of the sessions that go on, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivePage {
    /// The rows of this page.
    pub sessions: Vec<SessionSummary>,
    /// How many are asked for, on all pages.
    pub matching: u64,
    /// How many go on.
    pub open: u64,
    /// How many of those are being recorded.
    pub recorded: u64,
    /// The next page, when there is one.
    pub next: Option<Cursor>,
}

/// Somebody who was in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The name.
    pub name: String,
    /// As what.
    pub role: ParticipantRole,
    /// From where.
    pub address: String,
    /// Since when.
    pub joined_at: Timestamp,
    /// Until when.
    pub left_at: Option<Timestamp>,
}

/// One session with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDetail {
    /// The session.
    pub summary: SessionSummary,
    /// The node's tags now.
    pub tags: Vec<Tag>,
    /// Who was in it, in order.
    pub participants: Vec<Participant>,
    /// SHA-256 of the signed manifest, in hexadecimal; empty before that.
    pub recording_sha256: String,
    /// Whether the reader may type in it.
    pub may_type: bool,
    /// Whether the reader may look on.
    pub may_watch: bool,
    /// Whether the reader may end it.
    pub may_end: bool,
    /// Whether the reader may play the recording.
    pub may_play: bool,
}

/// What can be chosen before a session is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOptions {
    /// Where.
    pub node_id: NodeId,
    /// Its name.
    pub node_name: String,
    /// Whether it can be reached now.
    pub is_online: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether a reason has to be given.
    pub needs_reason: bool,
    /// Whether it belongs to production.
    pub is_production: bool,
    /// Whether somebody has to look on before anything is typed.
    pub needs_watcher: bool,
    /// Whether it is recorded.
    pub is_recorded: bool,
    /// Whether what is typed is kept in the recording.
    pub keeps_input: bool,
    /// Minutes without traffic after which it ends.
    pub idle_minutes: u32,
    /// Minutes after which it ends in any case, unless more are asked for.
    pub max_minutes: u32,
    /// Who one was on this node before, latest first.
    pub recent_os_users: Vec<String>,
    /// The Session documents with which one can be opened, the default first.
    pub documents: Vec<ShellDocument>,
}

/// A recording, before its chunks are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingView {
    /// The session.
    pub session: SessionSummary,
    /// How long it is, in milliseconds.
    pub duration_ms: u64,
    /// Its chunks: when each begins, in milliseconds, and the bytes of output in it.
    pub chunks: Vec<(u64, u64)>,
    /// Bytes of output in each of equal parts of the whole, at most 240: what is drawn under the bar.
    pub activity: Vec<u64>,
    /// Spans in which nothing happened, in milliseconds from the start.
    pub idle: Vec<(u64, u64)>,
    /// What was typed, as far as that can be told from the screen.
    pub commands: Vec<RecordedCommand>,
    /// Who came and went.
    pub participants: Vec<Participant>,
    /// From when on it is written but not sealed yet, in milliseconds: the last of its chunks, while it is being made.
    #[serde(default)]
    pub unsealed_ms: Option<u64>,
    /// Whether its end is signed already.
    pub is_signed: bool,
    /// Whether it was put back together after a crash.
    pub is_recovered: bool,
}

/// A command, as far as it can be told from the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCommand {
    /// When, in milliseconds from the start.
    pub at_ms: u64,
    /// What stood on the line.
    pub text: String,
}

/// A part of a recording: the screen as it was at its beginning, and what happened since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedChunk {
    /// Which.
    pub index: u32,
    /// When it begins, in milliseconds from the start.
    pub start_ms: u64,
    /// Columns at its beginning.
    pub cols: u16,
    /// Rows at its beginning.
    pub rows: u16,
    /// What brings an empty terminal to the state at its beginning.
    pub keyframe: String,
    /// What happened, in order.
    pub events: Vec<RecordedEvent>,
}

/// Something that happened. Times are milliseconds from the start, with fractions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordedEvent {
    /// The node wrote (text where it is UTF-8).
    Output(f64, String),
    /// The node wrote bytes that are no text, as base64.
    Bytes(f64, String),
    /// Something was typed, so many bytes.
    Input(f64, u32),
    /// The terminal has another size: columns, rows.
    Resize(f64, u16, u16),
    /// Somebody came or went, or something is to be known, in words.
    Note(f64, String),
}

// Times come from whole microseconds: they compare as they are.
impl Eq for RecordedEvent {}

/// A line that stood on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// When it was complete, in milliseconds from the start.
    pub at_ms: u64,
    /// Its text.
    pub text: String,
}

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// When, in milliseconds from the start.
    pub at_ms: u64,
    /// The line.
    pub line: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(*reason));
        }
        assert_eq!(SessionStatus::parse("Unheard"), None);
        assert!(SessionStatus::Failed.is_over() && !SessionStatus::Reconnecting.is_over());
    }
}
