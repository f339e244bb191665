//! Stream messages on their way in: put in order, the early ones stored within bounds, the rest dropped.
//! Acknowledging them is the channel's business, understanding them the ends'.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::violation::Violation;

/// No honest sender is further ahead: the largest buffer of unacknowledged messages that exists, AWS's agent's,
/// holds 100,000, and beyond it a message is sent once.
const LEAP: u64 = 1_000_000;
/// Dropped messages without any progress after which there is no honest explanation.
const FLOOD: u32 = 200_000;
/// What a stored message costs beside its payload, roughly.
const OVERHEAD: usize = 64;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Delivered or stored already: acknowledge again.
    Duplicate,
    /// It is its turn: [`Inbound::advance`] when it was taken.
    Next,
    /// It came early and is stored now: acknowledge.
    Stored,
    /// It came early and there is no room: do not acknowledge, so that it comes again.
    Dropped,
}

pub(crate) struct Inbound {
    expected: u64,
    stored: BTreeMap<u64, (u32, Vec<u8>)>,
    bytes: usize,
    dropped: u32,
}

impl Inbound {
    pub(crate) fn new() -> Self {
        Self::at(0)
    }

    /// The next message has this number.
    pub(crate) fn at(expected: u64) -> Self {
        Self {
            expected,
            stored: BTreeMap::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    pub(crate) fn expected(&self) -> u64 {
        self.expected
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Finds the place of a message; one that came early is stored here.
    pub(crate) fn place(
        &mut self,
        number: i64,
        payload_type: u32,
        payload: &[u8],
        limits: &Limits,
    ) -> Result<Place, Violation> {
        let out_of_order = Violation::Sequence {
            number,
            expected: self.expected,
        };
        let Ok(number) = u64::try_from(number) else {
            return Err(out_of_order);
        };
        if number < self.expected || self.stored.contains_key(&number) {
            return Ok(Place::Duplicate);
        }
        let ahead = number - self.expected;
        if ahead == 0 {
            return Ok(Place::Next);
        }
        if ahead > LEAP {
            return Err(out_of_order);
        }
        let size = payload.len() + OVERHEAD;
        if ahead > limits.reorder_messages || self.bytes + size > limits.reorder_bytes {
            self.dropped = self.dropped.saturating_add(1);
            if self.dropped > FLOOD {
                return Err(Violation::Flood {
                    expected: self.expected,
                });
            }
            return Ok(Place::Dropped);
        }
        self.bytes += size;
        self.stored.insert(number, (payload_type, payload.to_vec()));
        Ok(Place::Stored)
    }

    /// Keeps the message whose turn it is for later, if there is room. It counts as stored from then on.
    pub(crate) fn keep(&mut self, payload_type: u32, payload: Vec<u8>, limits: &Limits) {
        let size = payload.len() + OVERHEAD;
        if self.bytes + size <= limits.reorder_bytes {
            self.bytes += size;
            self.stored.insert(self.expected, (payload_type, payload));
        }
    }

    /// The message whose turn it was has been taken.
    pub(crate) fn advance(&mut self) {
        self.expected += 1;
        self.dropped = 0;
    }

    /// The payload type of the stored message whose turn it is.
    pub(crate) fn stored_type(&self) -> Option<u32> {
        self.stored
            .get(&self.expected)
            .map(|(payload_type, _)| *payload_type)
    }

    /// Takes the stored message whose turn it is.
    pub(crate) fn take_stored(&mut self) -> Option<(u32, Vec<u8>)> {
        let taken = self.stored.remove(&self.expected)?;
        self.bytes -= taken.1.len() + OVERHEAD;
        self.advance();
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(inbound: &mut Inbound, number: i64, limits: &Limits) -> Place {
        inbound.place(number, 1, &[0; 100], limits).unwrap()
    }

    #[test]
    fn early_messages_wait_for_their_turn() {
        let limits = Limits::default();
        let mut inbound = Inbound::new();
        assert_eq!(place(&mut inbound, 2, &limits), Place::Stored);
        assert_eq!(place(&mut inbound, 2, &limits), Place::Duplicate);
        assert_eq!(place(&mut inbound, 1, &limits), Place::Stored);
        assert!(inbound.take_stored().is_none());
        assert_eq!(place(&mut inbound, 0, &limits), Place::Next);
        inbound.advance();
        assert!(inbound.take_stored().is_some() && inbound.take_stored().is_some());
        assert!(inbound.take_stored().is_none());
        assert_eq!(place(&mut inbound, 1, &limits), Place::Duplicate);
        assert_eq!(
            (place(&mut inbound, 3, &limits), inbound.bytes()),
            (Place::Next, 0)
        );
    }

    #[test]
    fn what_is_too_far_ahead_is_dropped() {
        let limits = Limits {
            reorder_messages: 5,
            ..Limits::default()
        };
        let mut inbound = Inbound::new();
        assert_eq!(place(&mut inbound, 5, &limits), Place::Stored);
        assert_eq!(place(&mut inbound, 6, &limits), Place::Dropped);
        assert_eq!(place(&mut inbound, 1_000_000, &limits), Place::Dropped);
    }

    #[test]
    fn absurd_numbers_are_a_violation() {
        let mut inbound = Inbound::new();
        for number in [-1, i64::MIN, i64::MAX, 1_000_001] {
            let result = inbound.place(number, 1, b"x", &Limits::default());
            assert_eq!(result, Err(Violation::Sequence { number, expected: 0 }));
        }
    }

    #[test]
    fn a_flood_is_bounded_and_then_a_violation() {
        let limits = Limits {
            reorder_bytes: 10_000,
            ..Limits::default()
        };
        let mut inbound = Inbound::new();
        let violation = (0..400_000_i64).find_map(|n| {
            let result = inbound.place(1 + n % 9000, 1, &[0; 100], &limits);
            assert!(inbound.bytes() <= 10_000);
            result.err()
        });
        assert_eq!(violation, Some(Violation::Flood { expected: 0 }));
    }
}
