//! One session that goes on: its two legs, its tokens, what is known of its traffic, and what is due.
//! Nothing here waits or writes: sockets are `leg`'s, the database is `sessions`'.

use super::Role;
use super::acked::Acked;
use super::early::Early;
use super::outbox::{Item, Outbox};
use crate::sessions::status::Status;
use muster_agent_protocol::signing::sha256_hex;
use muster_domain::Timestamp;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Tokens of one role that hold at once.
const TOKENS: usize = 4;
/// How long a token holds. It is used at once by every known end; a minute leaves room for a slow proxy or
/// a prompt in between, and little for whoever finds it later.
pub(crate) const TOKEN_MS: i64 = 60_000;

/// What never changes.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) session_id: String,
    pub(crate) region: String,
    pub(crate) node_id: String,
    pub(crate) idle_ms: i64,
    /// How long it may last, and when that is over by the clock that never jumps.
    pub(crate) max: Option<(i64, Timestamp)>,
}

struct Leg {
    generation: u64,
    outbox: Outbox,
    stop: CancellationToken,
}

/// One direction: from the leg of that role to the other.
pub(super) struct Direction {
    pub(super) acked: Acked,
    pub(super) bytes: i64,
}

/// How a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// `Terminated` or `Failed`.
    pub(crate) status: Status,
    /// What the client is shown; empty when all went as it should.
    pub(crate) output: String,
    /// What is kept about it, for people who look later.
    pub(crate) details: String,
    /// Whether the node has said it itself, and need not be told.
    pub(crate) node_knows: bool,
}

pub(super) struct State {
    pub(super) status: Status,
    version: i64,
    agent: Option<Leg>,
    client: Option<Leg>,
    generations: u64,
    agent_tokens: VecDeque<(String, Timestamp)>,
    client_tokens: VecDeque<(String, Timestamp)>,
    pub(super) output: Direction,
    pub(super) input: Direction,
    /// Until the node's agent has come for the first time.
    pub(super) early: Option<Early>,
    pub(super) last_traffic: Timestamp,
    pub(super) since: Timestamp,
    pub(super) client_gone: Option<Timestamp>,
    pub(super) terminating: Option<Timestamp>,
    pub(super) ended: Option<(Ending, Timestamp)>,
    pub(super) is_kept: bool,
}

impl State {
    fn leg(&mut self, role: Role) -> &mut Option<Leg> {
        match role {
            Role::Agent => &mut self.agent,
            Role::Client => &mut self.client,
        }
    }

    fn tokens(&mut self, role: Role) -> &mut VecDeque<(String, Timestamp)> {
        match role {
            Role::Agent => &mut self.agent_tokens,
            Role::Client => &mut self.client_tokens,
        }
    }

    pub(super) fn set(&mut self, status: Status) -> bool {
        let is_new = self.status != status && self.ended.is_none();
        if is_new {
            self.status = status;
            self.version += 1;
        }
        is_new
    }

    pub(super) fn outbox(&self, role: Role) -> Option<Outbox> {
        let leg = match role {
            Role::Agent => &self.agent,
            Role::Client => &self.client,
        };
        leg.as_ref().map(|leg| leg.outbox.clone())
    }
}

/// A leg that has just been attached.
pub(crate) struct Attached {
    pub(crate) generation: u64,
    pub(crate) outbox: Outbox,
    pub(crate) items: mpsc::Receiver<Item>,
    pub(crate) stop: CancellationToken,
    /// Whether the session's status has changed.
    pub(crate) changed: bool,
}

/// The state of a session as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) status: Status,
    pub(crate) version: i64,
    pub(crate) input_bytes: i64,
    pub(crate) output_bytes: i64,
}

/// A session that goes on, or has just ended.
pub(crate) struct Live {
    pub(crate) about: About,
    state: Mutex<State>,
    left: Notify,
}

impl Live {
    /// `steady` is now, by the clock that never jumps; so are all others here.
    pub(crate) fn new(about: About, written: Written, steady: Timestamp) -> Self {
        let is_new = written.status == Status::Connecting;
        let direction = |bytes| Direction {
            bytes,
            acked: if is_new {
                Acked::default()
            } else {
                Acked::resumed()
            },
        };
        Self {
            about,
            state: Mutex::new(State {
                status: written.status,
                version: written.version,
                agent: None,
                client: None,
                generations: 0,
                agent_tokens: VecDeque::new(),
                client_tokens: VecDeque::new(),
                output: direction(written.output_bytes),
                input: direction(written.input_bytes),
                early: is_new.then(Early::default),
                last_traffic: steady,
                since: steady,
                client_gone: Some(steady),
                terminating: None,
                ended: None,
                is_kept: false,
            }),
            left: Notify::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a token with which one channel of that role may be opened. Only its hash is kept.
    pub(crate) fn add_token(&self, role: Role, token: &str, steady: Timestamp) {
        let mut state = self.state();
        let tokens = state.tokens(role);
        tokens.retain(|(_, until)| *until > steady);
        if tokens.len() >= TOKENS {
            tokens.pop_front();
        }
        tokens.push_back((sha256_hex(token.as_bytes()), steady.plus_ms(TOKEN_MS)));
    }

    /// Whose token this is; it is used up by this. All of them are looked at, each in constant time.
    pub(crate) fn take_token(&self, token: &str, steady: Timestamp) -> Option<Role> {
        let given = sha256_hex(token.as_bytes());
        let mut state = self.state();
        let mut found = None;
        for role in [Role::Client, Role::Agent] {
            let tokens = state.tokens(role);
            tokens.retain(|(_, until)| *until > steady);
            for (at, (known, _)) in tokens.iter().enumerate() {
                if bool::from(subtle::ConstantTimeEq::ct_eq(known.as_bytes(), given.as_bytes())) {
                    found = Some((role, at));
                }
            }
        }
        let (role, at) = found?;
        state.tokens(role).remove(at);
        Some(role)
    }

    /// A leg stands. An older one of the same role is closed: the newer is the live one.
    ///
    /// # Errors
    /// What the client is to be shown, when the session is over.
    pub(crate) fn attach(&self, role: Role, steady: Timestamp) -> Result<Attached, String> {
        let mut state = self.state();
        if let Some((ending, _)) = &state.ended {
            return Err(ending.output.clone());
        }
        let (outbox, items) = Outbox::new();
        let stop = CancellationToken::new();
        state.generations += 1;
        let generation = state.generations;
        let leg = Leg {
            generation,
            outbox: outbox.clone(),
            stop: stop.clone(),
        };
        if let Some(older) = state.leg(role).replace(leg) {
            older.stop.cancel();
        }
        if role == Role::Client {
            state.client_gone = None;
            state.last_traffic = steady;
        } else if let Some(early) = state.early.take() {
            for frame in early.into_frames() {
                // The outbox is empty, and larger than all of these.
                let _ = outbox.try_send(frame);
            }
        }
        let changed = match (role, state.status) {
            (Role::Agent, Status::Connecting) | (Role::Client, Status::Disconnected) => {
                state.set(Status::Connected)
            }
            _ => false,
        };
        Ok(Attached {
            generation,
            outbox,
            items,
            stop,
            changed,
        })
    }

    /// A leg is gone, unless a newer one has taken its place.
    pub(crate) fn detach(&self, role: Role, generation: u64, steady: Timestamp) {
        let mut state = self.state();
        let leg = state.leg(role);
        if leg.as_ref().is_none_or(|leg| leg.generation != generation) {
            return;
        }
        *leg = None;
        if role == Role::Client {
            state.client_gone = Some(steady);
        }
        self.left.notify_waiters();
    }

    /// The node says that the session ends by itself; whether that is new.
    pub(crate) fn terminating(&self, steady: Timestamp) -> bool {
        let mut state = self.state();
        state.terminating.get_or_insert(steady);
        state.set(Status::Terminating)
    }

    /// Ends it in memory: no leg is attached and no token given any more. The first ending holds; whether
    /// this is it.
    pub(crate) fn end(&self, ending: Ending, steady: Timestamp) -> bool {
        let mut state = self.state();
        if state.ended.is_some() {
            return false;
        }
        state.set(ending.status);
        state.ended = Some((ending, steady));
        state.agent_tokens.clear();
        true
    }

    /// That the end is written down.
    pub(crate) fn kept(&self) {
        self.state().is_kept = true;
    }

    /// How it has ended, if it has.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.state().ended.as_ref().map(|(ending, _)| ending.clone())
    }

    /// Whether its end is written down.
    pub(crate) fn is_kept(&self) -> bool {
        self.state().is_kept
    }

    /// What is to be written down now.
    pub(crate) fn written(&self) -> Written {
        let state = self.state();
        Written {
            status: state.status,
            version: state.version,
            input_bytes: state.input.bytes,
            output_bytes: state.output.bytes,
        }
    }

    /// How the other leg is reached.
    pub(crate) fn outbox(&self, role: Role) -> Option<Outbox> {
        self.state().outbox(role)
    }

    /// Waits until the leg of that role is gone; not at all when there is none.
    pub(crate) async fn gone(&self, role: Role) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Before looking: a leg that goes in between would not be noticed otherwise.
            left.as_mut().enable();
            if self.outbox(role).is_none() {
                return;
            }
            left.await;
        }
    }

    /// Closes both legs at once, without a word.
    pub(crate) fn drop_legs(&self) {
        let state = self.state();
        for leg in [&state.agent, &state.client].into_iter().flatten() {
            leg.stop.cancel();
        }
    }

    /// How many legs stand, and how many bytes wait for them.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let state = self.state();
        [&state.agent, &state.client]
            .into_iter()
            .flatten()
            .fold((0, 0), |(legs, bytes), leg| {
                (legs + 1, bytes + leg.outbox.queued())
            })
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
