//! What becomes of one message from one leg: passed on, answered here, or dropped. Pure of sockets.

use super::Role;
use super::live::{Live, State};
use super::outbox::Outbox;
use bytes::Bytes;
use muster_domain::Timestamp;
use muster_session_channel::Message;
use muster_session_channel::body::{Acknowledge, AgentSessionState, SessionState};
use muster_session_channel::kind::{ACKNOWLEDGE, AGENT_SESSION_STATE, INPUT_STREAM_DATA, OUTPUT_STREAM_DATA};

/// The longest body of an acknowledgement or state that is read; real ones have 200 bytes.
const MAX_BODY: usize = 4_096;

/// Where a message goes.
pub(crate) enum Route {
    /// To the other leg as it came; nothing when there is none. Its sender repeats it.
    Relay(Option<Outbox>),
    /// It was acknowledged long ago: tell its sender again.
    Answer(Acknowledge),
    /// The node says that the session ends by itself.
    Terminating,
    /// Nowhere.
    Drop,
    /// Nowhere, and no honest end sends it.
    Bad(&'static str),
}

fn stream_of(role: Role) -> &'static str {
    match role {
        Role::Agent => OUTPUT_STREAM_DATA,
        Role::Client => INPUT_STREAM_DATA,
    }
}

impl State {
    fn direction(&mut self, from: Role) -> &mut super::live::Direction {
        match from {
            Role::Agent => &mut self.output,
            Role::Client => &mut self.input,
        }
    }

    /// Keeps a client's message for the agent's first leg. Only in order, and each once: most clients repeat.
    fn keep_early(&mut self, message: &Message, frame: &Bytes) {
        let is_next = self.input.acked.is_next(message.sequence);
        if is_next && self.early.as_mut().is_some_and(|early| early.keep(frame)) {
            self.input.acked.passed(message.sequence);
            self.input.bytes += i64::try_from(message.payload.len()).unwrap_or(i64::MAX);
        }
    }
}

impl Live {
    /// Judges a message that came from the leg of that role.
    /// `frame` is the message as it came.
    pub(crate) fn route(&self, from: Role, message: &Message, frame: &Bytes, steady: Timestamp) -> Route {
        let mut state = self.state();
        match message.message_type.as_str() {
            stream if stream == stream_of(from) => {
                let number = message.sequence;
                if number < 0 {
                    return Route::Bad("a stream message has a negative number");
                }
                if state.direction(from).acked.contains(number) {
                    return Route::Answer(Acknowledge::of(stream_of(from), message.id, number));
                }
                let Some(outbox) = state.outbox(from.other()) else {
                    if from == Role::Client {
                        state.keep_early(message, frame);
                    }
                    return Route::Relay(None);
                };
                let direction = state.direction(from);
                if direction.acked.passed(number) {
                    // Repetitions are no traffic: they would keep a session of two sleeping ends alive.
                    direction.bytes += i64::try_from(message.payload.len()).unwrap_or(i64::MAX);
                    if state.outbox(Role::Client).is_some() {
                        state.last_traffic = steady;
                    }
                }
                Route::Relay(Some(outbox))
            }
            ACKNOWLEDGE => {
                let Some(ack) = read::<Acknowledge>(message) else {
                    return Route::Bad("an acknowledgement cannot be read");
                };
                let number = ack.acknowledged_message_sequence_number;
                let acked = &mut state.direction(from.other()).acked;
                if acked.is_of_nothing(number) {
                    return Route::Drop;
                }
                // Remembered also when it cannot be passed on: the repetition is then answered here.
                acked.acknowledged(number);
                Route::Relay(state.outbox(from.other()))
            }
            AGENT_SESSION_STATE if from == Role::Agent => match read::<AgentSessionState>(message) {
                Some(told) if told.session_state == SessionState::Terminating => Route::Terminating,
                Some(_) => Route::Drop,
                None => Route::Bad("a session's state cannot be read"),
            },
            // Also what only a gateway may say: channel_closed, pause and start of publication.
            _ => Route::Drop,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(message: &Message) -> Option<T> {
    (message.payload.len() <= MAX_BODY)
        .then(|| serde_json::from_slice(&message.payload).ok())
        .flatten()
}
