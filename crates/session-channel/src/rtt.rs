//! How long to wait for an acknowledgement: a smoothed round trip, its variation, and the timeout they give.
//! Constants and formulas as both ends of AWS have them; when to sample and to back off is `outbound`'s.

use crate::limits::Millis;

/// The timeout before anything was measured, in milliseconds (session protocol, sending rules and timers).
pub(crate) const INITIAL_TIMEOUT: Millis = 200;
/// The longest timeout.
pub(crate) const MAX_TIMEOUT: Millis = 1000;
/// The shortest: both ends of AWS look only each 100 ms whether something is to be repeated.
pub(crate) const MIN_TIMEOUT: Millis = 100;
/// The clock's granularity.
pub(crate) const GRANULARITY: Millis = 10;

const INITIAL_ROUND_TRIP_US: u64 = 100_000;

/// The estimate of one direction.
#[derive(Clone, Debug)]
pub(crate) struct RoundTrip {
    // Microseconds: the gains of 1/8 and 1/4 would round small values away.
    smoothed_us: u64,
    variation_us: u64,
    timeout: Millis,
}

impl RoundTrip {
    pub(crate) fn new() -> Self {
        Self {
            smoothed_us: INITIAL_ROUND_TRIP_US,
            variation_us: 0,
            timeout: INITIAL_TIMEOUT,
        }
    }

    /// What a message that is sent now waits.
    pub(crate) fn timeout(&self) -> Millis {
        self.timeout
    }

    /// Takes a measured round trip. First the variation, then the average: the order is part of the protocol.
    pub(crate) fn sample(&mut self, took: Millis) {
        let took = took.min(60_000).saturating_mul(1000);
        self.variation_us = (3 * self.variation_us + self.smoothed_us.abs_diff(took)) / 4;
        self.smoothed_us = (7 * self.smoothed_us + took) / 8;
        let spread = (4 * self.variation_us).max(GRANULARITY * 1000);
        self.timeout = (self.smoothed_us + spread)
            .div_ceil(1000)
            .clamp(MIN_TIMEOUT, MAX_TIMEOUT);
    }

    /// A timeout has passed: wait twice as long, until something is measured again. Since repeated messages are
    /// not measured, a link slower than the estimate would otherwise never be found out.
    pub(crate) fn back_off(&mut self) {
        self.timeout = (2 * self.timeout).min(MAX_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_formulas_in_their_order() {
        let mut rtt = RoundTrip::new();
        assert_eq!(rtt.timeout(), 200);
        // var = 0 + |100 - 180| / 4 = 20; rtt = 7/8 * 100 + 180/8 = 110; rto = 110 + 80.
        rtt.sample(180);
        assert_eq!(
            (rtt.variation_us, rtt.smoothed_us, rtt.timeout()),
            (20_000, 110_000, 190)
        );
        // var = 15 + |110 - 30| / 4 = 35; rtt = 96.25 + 3.75 = 100; rto = 100 + 140.
        rtt.sample(30);
        assert_eq!(
            (rtt.variation_us, rtt.smoothed_us, rtt.timeout()),
            (35_000, 100_000, 240)
        );
    }

    #[test]
    fn stays_between_its_bounds() {
        let mut rtt = RoundTrip::new();
        for _ in 0..200 {
            rtt.sample(0);
        }
        assert_eq!(rtt.timeout(), MIN_TIMEOUT);
        for _ in 0..200 {
            rtt.sample(u64::MAX);
        }
        assert_eq!(rtt.timeout(), MAX_TIMEOUT);
    }

    #[test]
    fn a_steady_link_has_a_steady_timeout() {
        let mut rtt = RoundTrip::new();
        for _ in 0..200 {
            rtt.sample(300);
        }
        assert!((300..=320).contains(&rtt.timeout()), "{}", rtt.timeout());
    }

    #[test]
    fn backing_off_doubles_until_the_cap_and_a_sample_ends_it() {
        let mut rtt = RoundTrip::new();
        let seen: Vec<_> = (0..4)
            .map(|_| {
                rtt.back_off();
                rtt.timeout()
            })
            .collect();
        assert_eq!(seen, [400, 800, 1000, 1000]);
        rtt.sample(100);
        assert_eq!(rtt.timeout(), 110);
    }
}
