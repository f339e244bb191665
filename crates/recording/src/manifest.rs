//! What is said about chunks and about a whole recording: index lines, and the signed manifest.

use crate::{InputPolicy, RecordingId, Size};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of output in one second, for a heat map; seconds without output are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity(
    /// The second, counted from the recording's beginning.
    pub u64,
    /// Bytes of output in it.
    pub u64,
);

/// A line of plain text, as it was when it scrolled out of the screen (or stood on it at the end).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// When it was last written to, in microseconds since the recording began.
    pub at_us: u64,
    /// Its text, without the blanks at its end.
    pub text: String,
}

/// What was typed at a prompt, read from the terminal's own echo. Best effort: programs may draw as they like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// When Enter was pressed, in microseconds since the recording began.
    pub at_us: u64,
    /// The text. What the terminal did not echo, a password say, is not in it.
    pub text: String,
}

/// One chunk, as the index and the manifest name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkEntry {
    /// 0, 1, 2, ….
    pub index: u64,
    /// Time of its first event, in microseconds since the recording began.
    pub start_us: u64,
    /// Time of its last event.
    pub end_us: u64,
    /// Bytes of output before it.
    pub output_offset: u64,
    /// Bytes of output in it.
    pub output_bytes: u64,
    /// Events in it.
    pub events: u64,
    /// Size of the object as stored.
    pub stored_bytes: u64,
    /// Size of its content uncompressed; reading stops there, whatever the object holds.
    pub plain_bytes: u64,
    /// SHA-256 of the object as stored, hexadecimal.
    pub sha256: String,
    /// The `sha256` of the chunk before it; 64 zeros for the first.
    pub previous: String,
    /// Output per second.
    pub activity: Vec<Activity>,
}

/// Sums over a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Chunks.
    pub chunks: u64,
    /// Events.
    pub events: u64,
    /// Bytes of output.
    pub output_bytes: u64,
    /// Bytes of all chunks as stored.
    pub stored_bytes: u64,
    /// Time of the last event, in microseconds since the recording began.
    pub duration_us: u64,
}

impl Totals {
    /// The sums over `chunks`.
    #[must_use]
    pub fn of(chunks: &[ChunkEntry]) -> Self {
        let sum = |of: fn(&ChunkEntry) -> u64| chunks.iter().map(of).fold(0, u64::saturating_add);
        Self {
            chunks: chunks.len() as u64,
            events: sum(|chunk| chunk.events),
            output_bytes: sum(|chunk| chunk.output_bytes),
            stored_bytes: sum(|chunk| chunk.stored_bytes),
            duration_us: chunks.last().map_or(0, |chunk| chunk.end_us),
        }
    }
}

/// Said when a recording was finished by [`crate::Recordings::recover`] rather than by its recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Bytes at the end of the last tail that were no whole event and were cut off. They were never acknowledged.
    pub cut_bytes: u64,
}

/// The whole recording in one statement. Its signed form is [`SignedManifest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format's version, [`Manifest::FORMAT`].
    pub format: u32,
    /// Which recording.
    pub recording: RecordingId,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// When it was finished, in milliseconds since the Unix epoch.
    pub finished_at_ms: i64,
    /// What the caller said of the session.
    pub facts: BTreeMap<String, String>,
    /// Whether keystrokes are in it.
    pub input: InputPolicy,
    /// The terminal's size at the beginning.
    pub size: Size,
    /// Every chunk, in order.
    pub chunks: Vec<ChunkEntry>,
    /// Sums over them.
    pub totals: Totals,
    /// Why the session ended.
    pub end_reason: String,
    /// Whether it was finished by recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
}

impl Manifest {
    /// The version that this crate writes and reads.
    pub const FORMAT: u32 = 1;
}

/// A manifest as stored: the exact bytes that were signed, as a string, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedManifest {
    /// A [`Manifest`] in JSON; signed byte for byte as it stands.
    pub body: String,
    /// The first 16 digits of the public key.
    pub key_id: String,
    /// Ed25519 over `body`, hexadecimal.
    pub signature: String,
}
