//! What one end is set up with: its clock's zero, the seed of its message ids, and how much it may hold.
//! The timers' constants are in `rtt`.

use ring::digest::{SHA256, digest};
use uuid::{Builder, Uuid};

/// Bytes of data in one message, as both ends of AWS cut them (session protocol, sending rules).
pub const CHUNK: usize = 1024;
/// The same for what our own agent writes; readers take up to 142,000 bytes.
pub(crate) const OUTPUT_CHUNK: usize = 8 * 1024;

/// Milliseconds since a start that the caller chooses; only ever growing.
pub type Millis = u64;

/// How much one end holds at most. Everything that a peer can make grow has a number here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, headers included, that wait to be sent or acknowledged.
    pub send_bytes: usize,
    /// Messages that wait to be sent or acknowledged.
    pub send_messages: usize,
    /// Messages that are sent and not acknowledged. The ends of AWS have no such window; they store 10,000 (client)
    /// and 100,000 (agent) messages that came too early.
    pub window: u64,
    /// Bytes of messages that came too early.
    pub reorder_bytes: usize,
    /// How far ahead of the next message one may come and still be stored.
    pub reorder_messages: u64,
    /// Bytes of events that nobody has fetched yet. When they are full, stream messages are not acknowledged,
    /// which makes the other side keep and repeat them.
    pub event_bytes: usize,
    /// Events that nobody has fetched yet.
    pub events: usize,
    /// Acknowledgements that nobody has fetched for sending yet.
    pub acknowledgements: usize,
    /// Repetitions of one message after which the other side counts as silent; nothing means never. AWS's
    /// client gives up after 3,000, one each 100 ms: five minutes. At a timeout of a second that is 300.
    pub attempts: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            send_bytes: 1 << 20,
            send_messages: 8192,
            window: 512,
            reorder_bytes: 4 << 20,
            reorder_messages: 10_000,
            event_bytes: 1 << 20,
            events: 4096,
            acknowledgements: 4096,
            attempts: None,
        }
    }
}

/// What one end needs from outside, because it has neither clock nor randomness.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Seed of the ids of messages. Sixteen random bytes, fresh for each session and end.
    pub id_seed: Uuid,
    /// Unix time in milliseconds at the moment that the caller calls 0: messages carry the date.
    pub started_unix_ms: u64,
    /// How much is held at most.
    pub limits: Limits,
}

/// The ids of messages: different from each other, and the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct MessageIds {
    seed: Uuid,
    given: u64,
}

impl MessageIds {
    pub(crate) fn new(seed: Uuid) -> Self {
        Self { seed, given: 0 }
    }

    pub(crate) fn next(&mut self) -> Uuid {
        let mut input = [0_u8; 24];
        let (seed, count) = input.split_at_mut(16);
        seed.copy_from_slice(self.seed.as_bytes());
        count.copy_from_slice(&self.given.to_be_bytes());
        self.given = self.given.wrapping_add(1);
        let hash = digest(&SHA256, &input);
        let bytes = hash.as_ref().first_chunk::<16>().copied().unwrap_or_default();
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ_and_follow_from_the_seed() {
        let take = |seed: u128| {
            let mut ids = MessageIds::new(Uuid::from_u128(seed));
            (0..1000).map(|_| ids.next()).collect::<Vec<_>>()
        };
        let all = take(1);
        assert_eq!(all, take(1));
        assert_eq!(all.iter().chain(&take(2)).collect::<HashSet<_>>().len(), 2000);
        assert!(all.iter().all(|id| id.get_version_num() == 4));
    }
}
