//! The data channels of sessions: two websockets each, one of the node and one of the client, and the
//! frames between them. Frames go through untouched; both ends number, acknowledge and repeat for
//! themselves. Who may open a channel, and when a session ends, is decided in `data_channel` and `sessions`.

pub(crate) mod acked;
pub(crate) mod due;
pub(crate) mod early;
pub(crate) mod hub;
pub(crate) mod leg;
pub(crate) mod live;
pub(crate) mod outbox;
pub(crate) mod route;

/// Which end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The node's agent.
    Agent,
    /// The person's or portal's client.
    Client,
}

impl Role {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Agent => Self::Client,
            Self::Client => Self::Agent,
        }
    }

    /// For logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Client => "client",
        }
    }
}
