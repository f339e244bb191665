//! Stream messages on their way out: numbered, kept until each is acknowledged, repeated when it is not.
//! What they carry and whether the connection stands is the channel's business.

use std::collections::BTreeMap;

use crate::limits::{Limits, Millis};
use crate::rtt::RoundTrip;
use crate::violation::Violation;

struct Entry {
    // The whole frame: a repetition is byte for byte the first one (id, date and number included).
    frame: Vec<u8>,
    sent: u32,
    last_sent: Millis,
    timeout: Millis,
    // Sent on a connection that is gone: due at once on the next one.
    again: bool,
}

impl Entry {
    fn due(&self) -> Millis {
        if self.again {
            0
        } else {
            self.last_sent.saturating_add(self.timeout)
        }
    }
}

pub(crate) struct Outbound {
    // By number. Those before `unsent` are under way; acknowledgements take single ones out.
    entries: BTreeMap<u64, Entry>,
    next: u64,
    unsent: u64,
    bytes: usize,
    // How many messages that came too early the other side stores at most.
    peer_stores: u64,
    rtt: RoundTrip,
    most_sent: u32,
}

impl Outbound {
    /// The next message has the number `next`; the other side stores at most `peer_stores` that came too early.
    pub(crate) fn at(next: u64, peer_stores: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            next,
            unsent: next,
            bytes: 0,
            peer_stores,
            rtt: RoundTrip::new(),
            most_sent: 0,
        }
    }

    /// The number of the message that [`Self::push`] takes next.
    pub(crate) fn next_number(&self) -> u64 {
        self.next
    }

    /// Everything before this was acknowledged.
    pub(crate) fn first_unacknowledged(&self) -> u64 {
        self.entries.keys().next().copied().unwrap_or(self.next)
    }

    /// Whether so many messages with so many bytes in all would fit.
    pub(crate) fn fits(&self, messages: usize, bytes: usize, limits: &Limits) -> bool {
        self.entries.len().saturating_add(messages) <= limits.send_messages
            && self.bytes.saturating_add(bytes) <= limits.send_bytes
    }

    /// Takes a frame that carries [`Self::next_number`].
    pub(crate) fn push(&mut self, frame: Vec<u8>) {
        self.bytes += frame.len();
        let entry = Entry {
            frame,
            sent: 0,
            last_sent: 0,
            timeout: 0,
            again: false,
        };
        self.entries.insert(self.next, entry);
        self.next += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How often the most repeated message was repeated.
    pub(crate) fn repetitions(&self) -> u32 {
        self.most_sent.saturating_sub(1)
    }

    /// One message has arrived. Acknowledgements are not cumulative: exactly this one is done with.
    pub(crate) fn acknowledge(&mut self, number: i64, now: Millis) -> Result<(), Violation> {
        let number = u64::try_from(number)
            .ok()
            .filter(|n| *n < self.unsent)
            .ok_or(Violation::AckOfUnsent(number))?;
        if let Some(entry) = self.entries.remove(&number) {
            self.bytes -= entry.frame.len();
            // A repeated message is not measured: nobody knows which of its copies was acknowledged.
            if entry.sent == 1 {
                self.rtt.sample(now.saturating_sub(entry.last_sent));
            }
            if entry.sent >= self.most_sent {
                self.count_repetitions();
            }
        }
        self.settle();
        Ok(())
    }

    fn count_repetitions(&mut self) {
        self.most_sent = self.under_way().map(|(_, entry)| entry.sent).max().unwrap_or(0);
    }

    /// How many messages are sent and not acknowledged.
    fn in_flight(&self) -> u64 {
        let never_sent = self.next - self.unsent;
        u64::try_from(self.entries.len())
            .unwrap_or(u64::MAX)
            .saturating_sub(never_sent)
    }

    /// Lets go of messages that have arrived although nobody said so. AWS's client never acknowledges a duplicate,
    /// so an acknowledgement that was lost with its connection never comes again. But a message that came too early
    /// is acknowledged only when it is stored: once more of those behind the oldest were acknowledged than the other
    /// side can store, the oldest was there.
    fn settle(&mut self) {
        while let Some((&oldest, _)) = self.entries.range(..self.unsent).next() {
            let acknowledged_behind = (self.unsent - oldest).saturating_sub(self.in_flight());
            if acknowledged_behind <= self.peer_stores {
                return;
            }
            if let Some(entry) = self.entries.remove(&oldest) {
                self.bytes -= entry.frame.len();
            }
            self.count_repetitions();
        }
    }

    /// The connection is gone: whatever was under way may be lost and is sent first on the next one.
    pub(crate) fn connection_lost(&mut self) {
        let unsent = self.unsent;
        for (_, entry) in self.entries.range_mut(..unsent) {
            entry.again = true;
        }
    }

    fn under_way(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.entries
            .range(..self.unsent)
            .map(|(number, entry)| (*number, entry))
    }

    fn may_send_new(&self, limits: &Limits) -> bool {
        self.unsent < self.next && self.in_flight() < limits.window
    }

    /// The next frame to write: first what is overdue, oldest first, then what is new and fits the window.
    pub(crate) fn poll(&mut self, now: Millis, limits: &Limits) -> Option<Vec<u8>> {
        // Every overdue message, not only the oldest: AWS's client never acknowledges a duplicate, so the oldest
        // may stay unacknowledged although it has arrived, and would keep the others from being repaired.
        let overdue = self
            .under_way()
            .find(|(_, entry)| entry.due() <= now)
            .map(|(number, _)| number);
        let oldest = self.entries.keys().next().copied();
        let number = match overdue {
            Some(number) => number,
            None if self.may_send_new(limits) => self.unsent,
            None => return None,
        };
        let entry = self.entries.get_mut(&number)?;
        // Once per timeout of the oldest, not once per message: a burst lost together is one event.
        if entry.sent > 0 && !entry.again && oldest == Some(number) {
            self.rtt.back_off();
        }
        entry.again = false;
        entry.sent = entry.sent.saturating_add(1);
        entry.last_sent = now;
        entry.timeout = self.rtt.timeout();
        self.most_sent = self.most_sent.max(entry.sent);
        if number == self.unsent {
            self.unsent += 1;
        }
        Some(entry.frame.clone())
    }

    /// When something becomes overdue.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        self.under_way().map(|(_, entry)| entry.due()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(messages: u8) -> Outbound {
        let mut out = Outbound::at(0, 20);
        for n in 0..messages {
            out.push(vec![n; 10]);
        }
        out
    }

    fn drain(out: &mut Outbound, now: Millis) -> Vec<u8> {
        std::iter::from_fn(|| out.poll(now, &Limits::default()))
            .map(|frame| frame[0])
            .collect()
    }

    #[test]
    fn a_repeated_message_is_never_measured() {
        let mut out = filled(2);
        assert_eq!(drain(&mut out, 0), [0, 1]);
        assert!(drain(&mut out, 199).is_empty());
        assert_eq!(drain(&mut out, 200), [0, 1]);
        let backed_off = out.rtt.timeout();
        assert_eq!(backed_off, 400, "once for the burst, not once for each message");
        out.acknowledge(0, 205).unwrap();
        out.acknowledge(1, 205).unwrap();
        assert_eq!(
            out.rtt.timeout(),
            backed_off,
            "neither 5 ms nor 205 ms was measured"
        );
        out.push(vec![2; 10]);
        assert_eq!(drain(&mut out, 300), [2]);
        out.acknowledge(2, 400).unwrap();
        assert_eq!(out.rtt.timeout(), 110);
    }

    #[test]
    fn an_unacknowledged_oldest_message_does_not_block_the_repair_of_later_ones() {
        let mut out = filled(4);
        assert_eq!(drain(&mut out, 0), [0, 1, 2, 3]);
        out.acknowledge(1, 50).unwrap();
        assert_eq!(drain(&mut out, 200), [0, 2, 3]);
    }

    #[test]
    fn acknowledgements_are_not_cumulative() {
        let mut out = filled(3);
        drain(&mut out, 0);
        out.acknowledge(2, 10).unwrap();
        assert_eq!(drain(&mut out, 500), [0, 1]);
        assert_eq!(out.bytes(), 20);
    }

    #[test]
    fn acknowledgements_of_unsent_messages_are_refused() {
        let mut out = filled(3);
        let limits = Limits {
            window: 1,
            ..Limits::default()
        };
        assert!(out.poll(0, &limits).is_some() && out.poll(0, &limits).is_none());
        for number in [1, 2, 3, i64::MAX, -1, i64::MIN] {
            assert_eq!(out.acknowledge(number, 0), Err(Violation::AckOfUnsent(number)));
        }
        assert_eq!(out.acknowledge(0, 0), Ok(()));
        assert_eq!(
            out.acknowledge(0, 0),
            Ok(()),
            "once more is what a lost duplicate looks like"
        );
    }

    #[test]
    fn the_window_counts_what_is_not_acknowledged() {
        let mut out = filled(10);
        let limits = Limits {
            window: 3,
            ..Limits::default()
        };
        assert_eq!(std::iter::from_fn(|| out.poll(0, &limits)).count(), 3);
        assert!(out.poll(1, &limits).is_none());
        out.acknowledge(1, 1).unwrap();
        out.acknowledge(2, 1).unwrap();
        assert_eq!(std::iter::from_fn(|| out.poll(1, &limits)).count(), 2);
    }

    #[test]
    fn a_message_whose_acknowledgement_never_comes_holds_nothing_up() {
        let limits = Limits {
            window: 3,
            ..Limits::default()
        };
        let mut out = filled(100);
        assert_eq!(out.poll(0, &limits).map(|frame| frame[0]), Some(0));
        // All arrive at once; only the acknowledgement of the first is lost, and a repetition brings none.
        for number in 1..100_u8 {
            assert_eq!(out.poll(0, &limits).map(|frame| frame[0]), Some(number));
            out.acknowledge(i64::from(number), 1).unwrap();
            // The other side stores 20: only behind 21 is it certain that the first was there.
            assert_eq!(out.first_unacknowledged() == 0, number <= 20);
        }
        assert!(out.is_empty());
        assert_eq!((out.bytes(), out.repetitions(), out.next_timeout()), (0, 0, None));
        assert_eq!(out.acknowledge(0, 2), Ok(()), "late is no violation");
    }

    #[test]
    fn a_new_connection_repeats_at_once_and_without_backing_off() {
        let mut out = filled(3);
        drain(&mut out, 0);
        out.acknowledge(1, 1).unwrap();
        let before = out.rtt.timeout();
        out.connection_lost();
        assert_eq!(out.next_timeout(), Some(0));
        assert_eq!(drain(&mut out, 2), [0, 2]);
        assert_eq!(out.rtt.timeout(), before);
        out.acknowledge(0, 3).unwrap();
        assert_eq!(out.rtt.timeout(), before, "no measure across connections");
        assert!(drain(&mut out, 3).is_empty());
    }

    #[test]
    fn repetitions_are_counted_and_forgotten_with_the_message() {
        let mut out = filled(2);
        for round in 0..5 {
            drain(&mut out, round * 2000);
        }
        assert_eq!(out.repetitions(), 4);
        out.acknowledge(0, 9000).unwrap();
        assert_eq!(out.repetitions(), 4);
        out.acknowledge(1, 9000).unwrap();
        assert_eq!((out.repetitions(), out.is_empty(), out.bytes()), (0, true, 0));
    }
}
