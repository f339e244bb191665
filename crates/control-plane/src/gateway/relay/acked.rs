//! Which messages of one direction were acknowledged, so that a repetition whose acknowledgement got lost
//! can be answered here. AWS's client never acknowledges twice, and AWS's agent repeats only its oldest
//! message: without this one lost acknowledgement would stop a session's repairs for good.

use std::collections::BTreeMap;

/// Gaps that are remembered at most. Acknowledgements come nearly in order; one that would need more room
/// is forgotten, which costs no more than not having this cache for that one message.
const MAX_RANGES: usize = 256;

/// Acknowledged numbers of one direction, as ranges: all of them below the first gap are one range. After a
/// restart the first range begins where the session was taken up again.
#[derive(Debug, Default)]
pub(crate) struct Acked {
    /// First number to the number behind the last.
    ranges: BTreeMap<i64, i64>,
    /// The number behind the highest message that was passed on.
    next: i64,
    /// Whether messages were passed on before, of which nothing is known here.
    is_resumed: bool,
}

impl Acked {
    /// Of a session that was taken up again: messages were passed on before.
    pub(crate) fn resumed() -> Self {
        Self {
            is_resumed: true,
            ..Self::default()
        }
    }

    /// Whether an acknowledgement is certainly of a message that was never passed on. There are clients that acknowledge
    /// everything that comes, also what has no number, as if it were the first output: believed by the node, that output
    /// would be lost.
    pub(crate) fn is_of_nothing(&self, number: i64) -> bool {
        !self.is_resumed && number >= self.next
    }

    /// Notes that a message is passed on; whether it is the first time.
    pub(crate) fn passed(&mut self, number: i64) -> bool {
        let is_new = number >= self.next;
        if is_new {
            self.next = number.saturating_add(1);
        }
        is_new
    }

    /// Whether it is the first that was not passed on yet.
    pub(crate) fn is_next(&self, number: i64) -> bool {
        number == self.next
    }

    /// Notes an acknowledgement. One for a message that was never passed on is not believed: it would make
    /// us swallow that message when it comes.
    pub(crate) fn acknowledged(&mut self, number: i64) {
        if number < 0 || number >= self.next || self.contains(number) {
            return;
        }
        let (mut from, mut to) = (number, number + 1);
        if let Some((&start, &end)) = self.ranges.range(..number).next_back()
            && end == number
        {
            self.ranges.remove(&start);
            from = start;
        }
        if let Some(end) = self.ranges.remove(&to) {
            to = end;
        }
        if self.ranges.len() < MAX_RANGES {
            self.ranges.insert(from, to);
        }
    }

    /// Whether that message was acknowledged.
    pub(crate) fn contains(&self, number: i64) -> bool {
        self.ranges
            .range(..=number)
            .next_back()
            .is_some_and(|(_, &end)| number < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_acknowledgement_of_what_was_never_passed_on_is_not_believed() {
        let mut acked = Acked::default();
        acked.acknowledged(0);
        assert!(!acked.contains(0));
        assert!(acked.is_of_nothing(0) && !Acked::resumed().is_of_nothing(0));
        assert!(acked.passed(0) && !acked.passed(0));
        assert!(acked.is_of_nothing(1) && !acked.is_of_nothing(0));
        acked.acknowledged(0);
        acked.acknowledged(-1);
        acked.acknowledged(i64::MAX);
        assert!(acked.contains(0) && !acked.contains(1) && !acked.contains(-1) && !acked.contains(i64::MAX));
    }

    #[test]
    fn a_hostile_end_makes_it_no_larger() {
        let mut acked = Acked::default();
        acked.passed(1_000_000);
        for number in (0..1_000_000).step_by(2) {
            acked.acknowledged(number);
        }
        assert_eq!(acked.ranges.len(), MAX_RANGES);
        assert!(acked.contains(0) && !acked.contains(1));
        // What is in order still has room, however many gaps there are.
        acked.acknowledged(1);
        assert!(acked.contains(1));
    }

    proptest! {
        #[test]
        fn it_knows_exactly_what_was_acknowledged(numbers in proptest::collection::vec(0_i64..200, 0..200)) {
            let mut acked = Acked::default();
            acked.passed(199);
            let mut expected = BTreeSet::new();
            for number in numbers {
                acked.acknowledged(number);
                expected.insert(number);
            }
            for number in 0..200 {
                prop_assert_eq!(acked.contains(number), expected.contains(&number));
            }
        }
    }
}
