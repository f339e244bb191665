//! Session Manager's data channel, and the layout of messages that the agent's control channel shares with it.
//! No socket, no clock and no randomness in here: bytes, times and ids in, bytes and events out.
//!
//! [`Message`] is the codec. [`ClientChannel`] is what AWS's session-manager-plugin is, [`AgentChannel`] what its
//! agent is on a node; both number, acknowledge, repeat and order their stream messages, so that each byte arrives
//! once and in order over connections that come and go. "Session protocol" in the comments means what both ends of
//! AWS write on the wire, as their open sources and recorded sessions show it.

pub mod body;
pub mod kind;
pub mod message;
pub mod mux;
pub mod version;

mod agent;
mod answer;
mod channel;
mod client;
mod events;
mod inbound;
mod limits;
mod outbound;
mod rtt;
mod utf8;
mod violation;

pub use agent::{AgentChannel, AgentConfig, AgentEvent, FINISH_TIMEOUT, HANDSHAKE_TIMEOUT};
pub use client::{ClientChannel, ClientConfig, ClientEvent, Position, Started, Termination};
pub use kind::{Flag, PayloadType, SessionType};
pub use limits::{CHUNK, Limits, Millis, Setup};
pub use message::{Message, MessageError};
pub use violation::{SendError, Violation};
