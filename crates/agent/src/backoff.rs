//! How long to wait before trying again: doubling, with a ceiling, spread out so that a fleet does not
//! come back all at once.

use muster_domain::time::Random;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);

/// A row of growing waits.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Default for Backoff {
    /// 1, 2, 4 … 60 seconds.
    fn default() -> Self {
        Self::new(FIRST, MOST)
    }
}

impl Backoff {
    /// Begins with `first` and doubles up to `most`.
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            failures: 0,
        }
    }

    /// The next wait: between half and all of what the row says.
    pub(crate) fn next(&mut self, random: &dyn Random) -> Duration {
        let whole = self
            .first
            .saturating_mul(1 << self.failures.min(16))
            .min(self.most);
        self.failures = self.failures.saturating_add(1);
        whole / 2 + spread(whole / 2, random)
    }

    /// It worked: the next wait is short again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A random part of `range`.
pub(crate) fn spread(range: Duration, random: &dyn Random) -> Duration {
    let mut bytes = [0_u8; 4];
    random.fill(&mut bytes);
    range.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::system::SeededRandom;

    #[test]
    fn waits_double_up_to_a_minute_and_differ() {
        let (mut backoff, random) = (Backoff::default(), SeededRandom::new(3));
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next(&random)).collect();
        for (n, wait) in waits.iter().enumerate() {
            let whole = Duration::from_secs((1 << n.min(6)).min(60));
            assert!(*wait >= whole / 2 && *wait <= whole, "{n}: {wait:?}");
        }
        assert_ne!(waits[10], waits[11]);
        backoff.reset();
        assert!(backoff.next(&random) <= FIRST);
    }
}
