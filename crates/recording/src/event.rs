//! What happens in a session, and the limits on it.

use crate::RecordingError;
use bytes::Bytes;

/// An event holds at most this many bytes of output or input; what is longer is split by the recorder.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;
/// A participant's name or role has at most this many bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// A marker or an end's reason has at most this many bytes.
pub const MAX_TEXT_BYTES: usize = 4096;
/// A terminal has at most this many columns, and this many rows: larger sizes are recorded as this.
pub const MAX_SIDE: u16 = 1000;

/// Whether what is typed is kept. Keystrokes hold secrets, so keeping them is a policy's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputPolicy {
    /// Kept byte for byte.
    Keep,
    /// Only how many bytes were typed when, and whether Enter was among them.
    #[default]
    Drop,
}

/// A terminal's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Columns, 1 to [`MAX_SIDE`].
    pub cols: u16,
    /// Rows, 1 to [`MAX_SIDE`].
    pub rows: u16,
}

impl Size {
    /// The same, brought within 1 to [`MAX_SIDE`]: a browser's numbers must not decide how much memory a replay takes.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            cols: self.cols.clamp(1, MAX_SIDE),
            rows: self.rows.clamp(1, MAX_SIDE),
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes from the node, any bytes.
    Output(Bytes),
    /// Bytes that were typed. Under [`InputPolicy::Drop`] the recorder makes [`Event::InputDropped`] of it.
    Input(Bytes),
    /// So many bytes were typed and not kept.
    InputDropped {
        /// How many.
        bytes: u32,
        /// Whether Enter (CR or LF) was among them.
        enter: bool,
    },
    /// The terminal got another size.
    Resize(Size),
    /// Somebody came: the owner, a watcher.
    Join {
        /// Who, as people know them.
        name: String,
        /// What as: `owner`, `watcher`, ….
        role: String,
    },
    /// Somebody left.
    Leave {
        /// Who.
        name: String,
    },
    /// A remark at this point.
    Marker(String),
    /// The recorder was away: the portal was restarted. Wall-clock milliseconds since the Unix epoch.
    Gap {
        /// The last sign of the recorder before.
        from_ms: i64,
        /// When it went on.
        to_ms: i64,
    },
    /// The session ended; the last event of every finished recording.
    End(String),
}

impl Event {
    /// Checks lengths. Output and input are never too long: they are split.
    ///
    /// # Errors
    /// [`RecordingError::BadEvent`] with the field.
    pub fn check(&self) -> Result<(), RecordingError> {
        let within = |field, text: &str, max| {
            if text.len() > max {
                Err(RecordingError::BadEvent {
                    field,
                    reason: "is too long",
                })
            } else {
                Ok(())
            }
        };
        match self {
            Self::Join { name, role } => {
                within("name", name, MAX_NAME_BYTES)?;
                within("role", role, MAX_NAME_BYTES)
            }
            Self::Leave { name } => within("name", name, MAX_NAME_BYTES),
            Self::Marker(text) => within("marker", text, MAX_TEXT_BYTES),
            Self::End(reason) => within("reason", reason, MAX_TEXT_BYTES),
            Self::Output(_)
            | Self::Input(_)
            | Self::InputDropped { .. }
            | Self::Resize(_)
            | Self::Gap { .. } => Ok(()),
        }
    }

    /// How many bytes of output it holds.
    #[must_use]
    pub fn output_len(&self) -> usize {
        match self {
            Self::Output(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// An event with its place in the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedEvent {
    /// Microseconds since the recording began; never less than the event's before.
    pub at_us: u64,
    /// How many bytes of output came before it, counted over the whole recording.
    pub output_offset: u64,
    /// What happened.
    pub event: Event,
}

/// Where a recording stands after something was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Microseconds since the recording began.
    pub at_us: u64,
    /// Bytes of output recorded so far: the offset that the next output byte gets.
    pub output_end: u64,
}
