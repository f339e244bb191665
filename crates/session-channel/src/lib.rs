//! The binary messages of Session Manager's data channel and of the agent's control channel.
//! No socket, no clock and no randomness in here: bytes in, bytes out.

pub mod message;

pub use message::{Message, MessageError};
