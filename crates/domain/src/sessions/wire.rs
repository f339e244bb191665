//! What a browser's terminal and the portal say to each other over `/sessions/{id}/socket`: text frames hold one
//! [`ClientMessage`] or [`ServerMessage`] as JSON, binary frames hold bytes of the terminal behind an offset.
//!
//! Both directions count bytes from the session's start (output) or from the page's (input), so that after a lost
//! connection each side goes on exactly where the other stopped: nothing is lost and nothing comes twice. The
//! browser says how much output it has worked off ([`ClientMessage::Consumed`]); the portal never has more than
//! [`OUTPUT_WINDOW`] under way to it, and the browser never more than [`INPUT_WINDOW`] of input.

use crate::sessions::{EndReason, SessionSummary};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of output that may be under way to a browser.
pub const OUTPUT_WINDOW: u64 = 512 * 1024;
/// Bytes of input that may be under way from a browser.
pub const INPUT_WINDOW: u64 = 32 * 1024;
/// Bytes of input in one frame at most.
pub const INPUT_FRAME: usize = 4 * 1024;
/// Bytes of a text frame at most.
pub const MAX_TEXT: usize = 8 * 1024;

/// From the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message on every connection.
    Attach {
        /// Names this page: the same on every connection of one page, another after a reload.
        client: String,
        /// Only to look on.
        watch: bool,
        /// All output before this is here; `None` on a new page.
        cursor: Option<u64>,
        /// The terminal's size.
        cols: u16,
        /// The terminal's size.
        rows: u16,
    },
    /// The terminal has another size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// All output before this has been worked off.
    Consumed {
        /// The offset.
        offset: u64,
    },
    /// Answered at once with [`ServerMessage::Pong`]; `took_ms` is how long the last answer took.
    Ping {
        /// Given back.
        token: u32,
        /// The last round trip, once it is known.
        took_ms: Option<u32>,
    },
}

/// From the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to [`ClientMessage::Attach`].
    Attached {
        /// The session.
        session: Box<SessionSummary>,
        /// Whether what is typed here reaches the node.
        may_type: bool,
        /// The offset of the next byte of output. When it is not the cursor of the browser, the terminal is to be
        /// emptied first: what follows brings it to the state of that moment.
        from: u64,
        /// Whether the terminal is to be emptied first.
        reset: bool,
        /// The size that the terminal on the node has.
        cols: u16,
        /// The size that the terminal on the node has.
        rows: u16,
        /// Input of this page up to here has arrived.
        input: u64,
    },
    /// Everything until the next output brings the terminal to a state; it is no output and has no offset.
    Snapshot {
        /// What to write into the emptied terminal.
        text: String,
    },
    /// The terminal on the node has this size now.
    Resized {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Input of this page up to here has gone to the node.
    Taken {
        /// The offset.
        input: u64,
    },
    /// The session stands differently: status, limits, watchers, bytes.
    Changed {
        /// The session.
        session: Box<SessionSummary>,
        /// Whether what is typed here reaches the node now.
        may_type: bool,
        /// Why it does not, when it could.
        waits_for: Option<String>,
    },
    /// It will end soon unless something is done.
    Warning {
        /// When.
        ends_at: Timestamp,
        /// Why.
        reason: EndReason,
        /// Whether more time can be asked for.
        may_ask: bool,
    },
    /// A line from the node's agent or the portal, for the person.
    Notice {
        /// The line.
        text: String,
    },
    /// The answer to a ping.
    Pong {
        /// As it came.
        token: u32,
        /// The portal's time.
        now: Timestamp,
    },
    /// The session is over. The last message.
    Ended {
        /// The session.
        session: Box<SessionSummary>,
    },
    /// This connection cannot go on, and coming back will not help. The last message.
    Refused {
        /// Why, for the person.
        message: String,
    },
}

/// A binary frame: the offset of the first byte, then the bytes. The same both ways.
#[must_use]
pub fn encode_bytes(offset: u64, bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(8 + bytes.len());
    frame.extend_from_slice(&offset.to_be_bytes());
    frame.extend_from_slice(bytes);
    frame
}

/// Reads a binary frame; `None` when it is none.
#[must_use]
pub fn decode_bytes(frame: &[u8]) -> Option<(u64, &[u8])> {
    let (offset, bytes) = frame.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*offset), bytes))
}

/// What is new in bytes that begin at `offset`, when everything before `have` is here already. `None` when there is
/// a hole between.
#[must_use]
pub fn beyond(have: u64, offset: u64, bytes: &[u8]) -> Option<&[u8]> {
    if offset > have {
        return None;
    }
    let known = usize::try_from(have - offset).unwrap_or(usize::MAX);
    Some(bytes.get(known..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_their_type() {
        let text = serde_json::to_string(&ClientMessage::Ping {
            token: 7,
            took_ms: None,
        })
        .unwrap();
        assert_eq!(text, r#"{"type":"ping","token":7,"took_ms":null}"#);
        let read: ClientMessage =
            serde_json::from_str(r#"{"type":"attach","client":"c","watch":false,"cols":80,"rows":24}"#)
                .unwrap();
        assert!(matches!(read, ClientMessage::Attach { cursor: None, .. }));
    }

    #[test]
    fn bytes_are_read_as_written_and_short_frames_are_none() {
        assert_eq!(decode_bytes(&encode_bytes(9, b"ls\r")), Some((9, &b"ls\r"[..])));
        assert_eq!(decode_bytes(b"1234567"), None);
    }

    #[test]
    fn what_comes_again_is_cut_off_and_a_hole_is_seen() {
        assert_eq!(beyond(5, 3, b"abcdef"), Some(&b"cdef"[..]));
        assert_eq!(beyond(5, 5, b"x"), Some(&b"x"[..]));
        assert_eq!(beyond(5, 1, b"ab"), Some(&b""[..]));
        assert_eq!(beyond(5, 6, b"x"), None);
    }
}
