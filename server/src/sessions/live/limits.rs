//! How long a session may go on, out of what the wall's clock says. That clock is asked once, when a session's task begins: at its
//! start, and when a portal goes on with it after a restart. From then on only the clock that never jumps counts, so a wall clock
//! that is set forward or back neither ends a session nor keeps it.

use muster_domain::Timestamp;
use std::time::Duration;

/// How long a session has that was asked for at `started` and ends at `ends`. A clock that was set back while no portal ran gives
/// it no more than its whole time once more.
pub(super) fn left(started: Timestamp, ends: Timestamp, now: Timestamp) -> Duration {
    let whole = ends.since_ms(started).max(0);
    let left = ends.since_ms(now).clamp(0, whole);
    Duration::from_millis(u64::try_from(left).unwrap_or_default())
}

/// By how many milliseconds a session can be made longer that lasts from `started` to `ends`: by `more`, as long as it lasts no
/// longer than `most`. Nothing when it does already.
pub(super) fn longer(
    started: Timestamp,
    ends: Timestamp,
    more: Duration,
    most: Duration,
) -> Option<Duration> {
    let lasts = u64::try_from(ends.since_ms(started)).unwrap_or_default();
    let room = most.checked_sub(Duration::from_millis(lasts))?;
    Some(more.min(room)).filter(|more| !more.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const MINUTE: Duration = Duration::from_secs(60);

    fn at(hours: i64) -> Timestamp {
        Timestamp(hours * HOUR)
    }

    #[test]
    fn what_is_left_is_never_more_than_the_whole_and_never_less_than_nothing() {
        let left = |now: Timestamp| left(at(10), at(11), now);
        assert_eq!(left(at(10)), 60 * MINUTE);
        assert_eq!(left(at(10).plus_ms(HOUR / 2)), 30 * MINUTE);
        assert_eq!(left(at(9)), 60 * MINUTE, "set back by an hour");
        assert_eq!(left(at(12)), Duration::ZERO, "set forward by two");
    }

    #[test]
    fn more_time_is_a_duration_whatever_the_clock_says() {
        let longer = |ends: Timestamp| longer(at(10), ends, 30 * MINUTE, 100 * MINUTE);
        assert_eq!(longer(at(11)), Some(30 * MINUTE));
        assert_eq!(
            longer(at(11).plus_ms(HOUR / 2)),
            Some(10 * MINUTE),
            "up to the limit"
        );
        assert_eq!(longer(at(10).plus_ms(100 * 60_000)), None);
        assert_eq!(
            longer(at(13)),
            None,
            "an approval may give more than anybody can ask for"
        );
    }
}
