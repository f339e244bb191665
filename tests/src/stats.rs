//! Figures out of samples: percentiles, as every benchmark prints them.

use crate::portal::Fallible;
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

/// Milliseconds of processor time that a process has had.
///
/// # Errors
/// When there is no such process.
pub fn cpu_ms(pid: u32) -> Fallible<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: f64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|text| text.parse::<f64>().ok())
        .sum();
    // Linux tells processor time in hundredths of a second, whatever its own clock.
    Ok(ticks * 10.0)
}
