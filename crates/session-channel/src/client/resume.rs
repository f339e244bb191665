//! A client that was restarted and goes on with a session: its numbers are those it had noted down.
//! What is noted where and when is the caller's.

use crate::body::{self, Size};
use crate::client::{ClientChannel, ClientConfig, Phase};
use crate::kind::{PayloadType, SessionType};

/// How far a session has come, in the numbers of its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The number of the next output; everything before was told as an event.
    pub output: u64,
    /// The number that the next input gets.
    pub input: u64,
    /// Everything before this input was acknowledged.
    pub acknowledged: u64,
}

impl ClientChannel {
    /// How far this session has come.
    #[must_use]
    pub fn position(&self) -> Position {
        let (output, input, acknowledged) = self.channel.position();
        Position {
            output,
            input,
            acknowledged,
        }
    }

    /// A session that another process has begun, whose handshake is over. `position` may be older than the truth
    /// for [`Position::acknowledged`], must be exact for [`Position::output`] or older, and must not be older for
    /// [`Position::input`]: between the last two numbers of input the agent may wait for messages that nobody has
    /// any more. They are filled with the terminal's size, which does no harm however often it comes; an agent that
    /// has had the real ones only acknowledges them again.
    #[must_use]
    pub fn resumed(
        config: ClientConfig,
        session_type: SessionType,
        agent_version: &str,
        position: Position,
    ) -> Self {
        let mut this = Self::new(config);
        this.phase = Phase::Running(session_type, agent_version.to_owned());
        let first = position.acknowledged.min(position.input);
        this.channel.resume_at(position.output, first);
        let size: Size = this.config.size;
        for _ in first..position.input {
            let _ = this
                .channel
                .send_always(PayloadType::Size, body::write(&size), this.now);
        }
        this
    }
}
