//! What a [`super::Link`] asks to be done, and what it has to say to the person.

use muster_domain::Timestamp;
use muster_domain::sessions::{EndReason, SessionSummary};

/// How the connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Never attached yet.
    #[default]
    Connecting,
    /// Attached.
    Live,
    /// Broken; this is the n-th try to get it back.
    Reconnecting(u32),
    /// The session is over.
    Ended,
    /// The portal refuses, for this reason.
    Refused(String),
}

/// What is to be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Do {
    /// Open a new socket, after this many milliseconds. Replaces one that is waiting.
    Connect(u64),
    /// Close the socket there is.
    Close,
    /// Send a text frame.
    Text(String),
    /// Send a binary frame.
    Bytes(Vec<u8>),
    /// Empty the terminal.
    Reset,
    /// Give the terminal this size.
    Size(u16, u16),
    /// Write what brings the terminal to a state; it is no output.
    Restore(String),
    /// Write output.
    Write {
        /// The bytes.
        bytes: Vec<u8>,
        /// The offset of their end, to be told to [`super::Link::worked_off`].
        end: u64,
        /// Whether this was output before the page was there: what it asks of a terminal was answered then.
        is_old: bool,
    },
    /// Show something to the person.
    Tell(Tell),
}

/// What the person is to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// How the connection stands.
    Phase(Phase),
    /// How the session stands, whether typing reaches it, and what that waits for.
    Session(Box<SessionSummary>, bool, Option<String>),
    /// The session will end.
    Warning {
        /// When.
        ends_at: Timestamp,
        /// Why.
        reason: EndReason,
        /// Whether more time can be asked for.
        may_ask: bool,
    },
    /// A line for the person.
    Notice(String),
    /// The last round trip in milliseconds.
    RoundTrip(u32),
    /// More of the input has gone to the node.
    Taken,
}

/// Whether a terminal says this by itself, when it is asked who or where it is. Nobody types it.
pub(in super::super) fn is_answer(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('\x1b') else {
        return false;
    };
    match rest.chars().next() {
        Some(']' | 'P') => rest.len() > 1,
        Some('[') => {
            let body = rest
                .trim_start_matches('[')
                .trim_end_matches(|c: char| c.is_ascii_alphabetic());
            !body.is_empty() && rest.ends_with(['c', 'R', 'n', 'y', 't'])
        }
        _ => false,
    }
}
