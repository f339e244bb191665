//! What a peer does that no honest peer does, and why something cannot be sent.
//! The decision to close a connection stays with the caller.

use crate::message::MessageError;

/// A breach of the protocol by the other side. Nothing of the offending frame is used beyond its place in the
/// order, and the channel stays usable; a caller will usually close the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The frame is no message.
    #[error("the frame is no message: {0}")]
    Frame(#[from] MessageError),
    /// A body is not the JSON that it should be.
    #[error("the body of the {what} cannot be read")]
    Body {
        /// Which.
        what: &'static str,
    },
    /// A JSON body is longer than any that is sent.
    #[error("the body of the {what} has {length} bytes, more than any sender writes")]
    BodyTooLong {
        /// Which.
        what: &'static str,
        /// Its length.
        length: usize,
    },
    /// A stream message's number is negative or leaps ahead of anything that could be under way.
    #[error("the message number {number} is out of any order (expected {expected})")]
    Sequence {
        /// The number.
        number: i64,
        /// The number that is next.
        expected: u64,
    },
    /// An acknowledgement of a message that was never sent.
    #[error("message {0} was acknowledged but never sent")]
    AckOfUnsent(i64),
    /// A message of the handshake at a time when none can come.
    #[error("a {what} came when none was due")]
    Unexpected {
        /// Which.
        what: &'static str,
    },
    /// Far more messages than can be stored keep coming while the one that is due does not.
    #[error("messages keep coming out of order while message {expected} is missing")]
    Flood {
        /// The number that is missing.
        expected: u64,
    },
}

/// Why something was not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too much waits to be acknowledged: try again after the other side has.
    #[error("too much waits to be acknowledged")]
    Full,
    /// The other side would lose it now: wait for the event that says that the session has started.
    #[error("the session has not started yet")]
    NotStarted,
    /// The session is over.
    #[error("the session is over")]
    Over,
}
