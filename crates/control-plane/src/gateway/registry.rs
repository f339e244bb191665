//! Which nodes are connected now, what was written to their channels, and the tokens with which channels
//! are opened. All of it is gone after a restart and comes again by itself.

use crate::commands::delivery::Reach;
use axum::extract::ws;
use muster_agent_protocol::signing::sha256_hex;
use muster_domain::Timestamp;
use muster_session_channel::Message;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Frames that may wait for one node; more are left for later.
const WAITING_FRAMES: usize = 64;
/// Tokens of one node that hold at once.
const TOKENS_PER_NODE: usize = 4;
/// How long a token holds.
const TOKEN_MS: i64 = 60_000;

struct Channel {
    generation: u64,
    outgoing: mpsc::Sender<ws::Message>,
    stop: CancellationToken,
    /// Commands written to this channel, and when.
    sent: HashMap<String, Timestamp>,
    /// Commands whose cancellation was written to it.
    cancelled: HashMap<String, Timestamp>,
    /// The id of a cancelling job to the command that it cancels.
    cancels: HashMap<String, String>,
}

#[derive(Default)]
struct State {
    channels: HashMap<String, Channel>,
    tokens: HashMap<String, VecDeque<(String, Timestamp)>>,
    generations: u64,
}

/// The open end of a channel that was just registered.
pub(crate) struct Opened {
    pub(crate) generation: u64,
    pub(crate) frames: mpsc::Receiver<ws::Message>,
    pub(crate) stop: CancellationToken,
}

/// All open channels.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    closed: CancellationToken,
}

fn frame(message_type: &str, id: Uuid, payload: Vec<u8>, now: Timestamp) -> Option<ws::Message> {
    let created = u64::try_from(now.0).unwrap_or(1).max(1);
    let bytes = Message::control(message_type, id, created, payload)
        .encode()
        .ok()?;
    Some(ws::Message::Binary(bytes.into()))
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a token with which the node may open one channel, once and soon.
    pub(crate) fn add_token(&self, node_id: &str, token: &str, now: Timestamp) {
        let mut state = self.state();
        let tokens = state.tokens.entry(node_id.to_owned()).or_default();
        tokens.retain(|(_, until)| *until > now);
        if tokens.len() >= TOKENS_PER_NODE {
            tokens.pop_front();
        }
        tokens.push_back((sha256_hex(token.as_bytes()), now.plus_ms(TOKEN_MS)));
    }

    /// Whether the token is one of that node's; it is used up by this.
    pub(crate) fn take_token(&self, node_id: &str, token: &str, now: Timestamp) -> bool {
        let given = sha256_hex(token.as_bytes());
        let mut state = self.state();
        let Some(tokens) = state.tokens.get_mut(node_id) else {
            return false;
        };
        tokens.retain(|(_, until)| *until > now);
        let Some(at) = tokens.iter().position(|(known, _)| *known == given) else {
            return false;
        };
        tokens.remove(at);
        true
    }

    /// Registers a node's channel. One that was open before is closed: the newer one is the live one.
    pub(crate) fn open(&self, node_id: &str) -> Opened {
        let (outgoing, frames) = mpsc::channel(WAITING_FRAMES);
        let stop = self.closed.child_token();
        let mut state = self.state();
        state.generations += 1;
        let generation = state.generations;
        let channel = Channel {
            generation,
            outgoing,
            stop: stop.clone(),
            sent: HashMap::new(),
            cancelled: HashMap::new(),
            cancels: HashMap::new(),
        };
        if let Some(older) = state.channels.insert(node_id.to_owned(), channel) {
            older.stop.cancel();
        }
        Opened {
            generation,
            frames,
            stop,
        }
    }

    /// Forgets a channel that has ended, unless a newer one has taken its place.
    pub(crate) fn remove(&self, node_id: &str, generation: u64) {
        let mut state = self.state();
        if state
            .channels
            .get(node_id)
            .is_some_and(|channel| channel.generation == generation)
        {
            state.channels.remove(node_id);
        }
    }

    /// Closes a node's channel.
    pub(crate) fn close(&self, node_id: &str) {
        let mut state = self.state();
        state.tokens.remove(node_id);
        if let Some(channel) = state.channels.remove(node_id) {
            channel.stop.cancel();
        }
    }

    /// Closes all of them, for good.
    pub(crate) fn close_all(&self) {
        self.closed.cancel();
    }

    /// Waits until all are closed for good.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    pub(crate) fn is_open(&self, node_id: &str) -> bool {
        self.state().channels.contains_key(node_id)
    }

    /// What was written to a node's channel about a command; `None` when the node is not connected.
    pub(crate) fn reach(&self, node_id: &str, command_id: &str) -> Option<Reach> {
        let state = self.state();
        let channel = state.channels.get(node_id)?;
        Some(Reach {
            sent_at: channel.sent.get(command_id).copied(),
            cancel_sent: channel.cancelled.contains_key(command_id),
        })
    }

    /// Writes a job to a node's channel, when it is open and takes it.
    pub(crate) fn send_job(
        &self,
        node_id: &str,
        command_id: &str,
        kind: &str,
        payload: Vec<u8>,
        now: Timestamp,
    ) -> bool {
        let mut state = self.state();
        let Some(channel) = state.channels.get_mut(node_id) else {
            return false;
        };
        // The message's id is the command's: an acknowledgement then names what it is for.
        let id = Uuid::parse_str(command_id).unwrap_or_else(|_| Uuid::from_u128(1));
        let sent =
            frame(kind, id, payload, now).is_some_and(|frame| channel.outgoing.try_send(frame).is_ok());
        if sent {
            channel.sent.insert(command_id.to_owned(), now);
        }
        sent
    }

    /// Writes the cancellation of a command to a node's channel; `own_id` is the cancelling job's own id.
    pub(crate) fn send_cancel(
        &self,
        node_id: &str,
        command_id: &str,
        own_id: &str,
        kind: &str,
        payload: Vec<u8>,
        now: Timestamp,
    ) -> bool {
        let mut state = self.state();
        let Some(channel) = state.channels.get_mut(node_id) else {
            return false;
        };
        let id = Uuid::parse_str(own_id).unwrap_or_else(|_| Uuid::from_u128(1));
        let sent =
            frame(kind, id, payload, now).is_some_and(|frame| channel.outgoing.try_send(frame).is_ok());
        if sent {
            channel.cancelled.insert(command_id.to_owned(), now);
            channel.cancels.insert(own_id.to_owned(), command_id.to_owned());
        }
        sent
    }

    /// Writes a message to a node's channel, when it is open and takes it.
    pub(crate) fn send_message(&self, node_id: &str, message: &Message) -> bool {
        let Ok(bytes) = message.encode() else {
            return false;
        };
        self.state().channels.get(node_id).is_some_and(|channel| {
            channel
                .outgoing
                .try_send(ws::Message::Binary(bytes.into()))
                .is_ok()
        })
    }

    /// The command that a cancelling job of this node cancels.
    pub(crate) fn cancelled_by(&self, node_id: &str, own_id: &str) -> Option<String> {
        self.state().channels.get(node_id)?.cancels.get(own_id).cloned()
    }

    /// Forgets what was written about a command that is over.
    pub(crate) fn ended(&self, node_id: &str, command_id: &str) {
        if let Some(channel) = self.state().channels.get_mut(node_id) {
            channel.sent.remove(command_id);
            channel.cancelled.remove(command_id);
            channel.cancels.retain(|_, cancelled| cancelled != command_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_token_opens_one_channel_of_its_own_node_and_soon() {
        let registry = Registry::default();
        registry.add_token("mi-1", "t", NOW);
        assert!(!registry.take_token("mi-2", "t", NOW));
        assert!(!registry.take_token("mi-1", "x", NOW));
        assert!(registry.take_token("mi-1", "t", NOW));
        assert!(!registry.take_token("mi-1", "t", NOW));
        registry.add_token("mi-1", "late", NOW);
        assert!(!registry.take_token("mi-1", "late", NOW.plus_ms(TOKEN_MS)));
        for at in 0..100 {
            registry.add_token("mi-1", &at.to_string(), NOW);
        }
        assert!(!registry.take_token("mi-1", "95", NOW) && registry.take_token("mi-1", "96", NOW));
    }

    #[test]
    fn a_newer_channel_takes_the_place_of_the_older() {
        let registry = Registry::default();
        let older = registry.open("mi-1");
        let newer = registry.open("mi-1");
        assert!(older.stop.is_cancelled() && !newer.stop.is_cancelled());
        registry.remove("mi-1", older.generation);
        assert!(registry.is_open("mi-1"));
        registry.remove("mi-1", newer.generation);
        assert!(!registry.is_open("mi-1"));
    }

    #[test]
    fn a_channel_that_does_not_drain_takes_no_more() {
        let registry = Registry::default();
        let _opened = registry.open("mi-1");
        let sent =
            (0..1_000).filter(|at| registry.send_job("mi-1", &at.to_string(), "agent_job", Vec::new(), NOW));
        assert_eq!(sent.count(), WAITING_FRAMES);
        assert_eq!(
            registry.reach("mi-1", "999"),
            Some(Reach {
                sent_at: None,
                cancel_sent: false
            })
        );
    }
}
