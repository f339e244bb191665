//! Figures out of samples: percentiles, as every benchmark prints them.

use std::time::Duration;

/// The value below which `percent` of the samples lie. Zero when there are none.
#[must_use]
pub fn percentile(samples: &mut [Duration], percent: usize) -> Duration {
    samples.sort_unstable();
    let last = samples.len().saturating_sub(1);
    samples.get(last * percent / 100).copied().unwrap_or_default()
}

/// Milliseconds with two digits.
#[must_use]
pub fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1_000.0)
}
