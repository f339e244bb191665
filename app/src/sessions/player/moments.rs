//! Moments of a recording outside of it: in an address, and the markers that somebody set. Pure.

/// Markers of one recording at most.
const MOST_MARKS: usize = 100;

/// Seconds in an address as milliseconds.
pub(super) fn start_of(text: Option<&str>) -> f64 {
    text.and_then(|text| text.parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        .map_or(0.0, |seconds| seconds * 1_000.0)
}

/// The markers as they are kept: times in milliseconds.
pub(super) fn read_marks(text: &str) -> Vec<u64> {
    let mut marks: Vec<u64> = text
        .split(',')
        .filter_map(|one| one.parse().ok())
        .take(MOST_MARKS)
        .collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// With a marker at `at`, or without the one that is within half a second of it.
pub(super) fn toggled(marks: &[u64], at: u64) -> Vec<u64> {
    let near = |one: &u64| one.abs_diff(at) <= 500;
    let mut next: Vec<u64> = marks.iter().copied().filter(|one| !near(one)).collect();
    if next.len() == marks.len() && marks.len() < MOST_MARKS {
        next.push(at);
        next.sort_unstable();
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_moment_is_in_seconds_and_nonsense_is_the_beginning() {
        assert_eq!(start_of(Some("12.5")), 12_500.0);
        for text in [None, Some("-3"), Some("inf"), Some("soon")] {
            assert_eq!(start_of(text), 0.0);
        }
    }

    #[test]
    fn marks_come_and_go() {
        assert_eq!(read_marks("900,5,x,5"), [5, 900]);
        assert_eq!(toggled(&[900], 5_000), [900, 5_000]);
        assert_eq!(toggled(&[900, 5_000], 5_300), [900]);
    }
}
