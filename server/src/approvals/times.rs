//! Hours of the week, windows and freezes: what policies say about time, read and answered for a moment.

use jiff::tz::TimeZone;
use muster_domain::Timestamp;
use muster_domain::approvals::{Freeze, Hours, Window};
use muster_schedule::{Context, Schedule, zone};

/// Days ahead in which a window is looked for.
const LOOKED_AHEAD_MS: i64 = 370 * 86_400_000;
/// Hours of a window at most.
const MAX_WINDOW_HOURS: u32 = 168;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `Mon-Fri 08:00-18:00`: from a day to a day, from a minute to a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    days: (usize, usize),
    minutes: (u32, u32),
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    if hour > 24 || minute >= 60 {
        return None;
    }
    let all = hour * 60 + minute;
    (all <= 24 * 60).then_some(all)
}

fn span(text: &str) -> Option<Span> {
    let (days, hours) = text.trim().split_once(' ')?;
    let day = |text: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(text.trim()));
    let days = match days.split_once('-') {
        Some((from, to)) => (day(from)?, day(to)?),
        None => (day(days)?, day(days)?),
    };
    let (from, to) = hours.split_once('-')?;
    let minutes = (minute(from)?, minute(to)?);
    (minutes.0 != minutes.1).then_some(Span { days, minutes })
}

/// What is wrong with hours, if anything.
pub(super) fn complaint_about_hours(hours: &Hours) -> Option<String> {
    if hours.hours.split(',').any(|part| span(part).is_none()) {
        return Some(format!(
            "hours cannot be \"{}\": write days and times like Mon-Fri 08:00-18:00, several separated by commas",
            hours.hours
        ));
    }
    zone(&hours.time_zone).err().map(|error| error.to_string())
}

fn moment(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default()
}

/// Whether it is within these hours, not asking whether the policy means outside.
pub(super) fn is_within(hours: &Hours, now: Timestamp) -> bool {
    let zone = zone(&hours.time_zone).unwrap_or(TimeZone::UTC);
    let local = moment(now).to_zoned(zone);
    let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
    let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default();
    let on = |days: (usize, usize), day: usize| {
        if days.0 <= days.1 {
            (days.0..=days.1).contains(&day)
        } else {
            day >= days.0 || day <= days.1
        }
    };
    hours.hours.split(',').filter_map(span).any(|span| {
        let (from, to) = span.minutes;
        if from < to {
            on(span.days, day) && (from..to).contains(&minute)
        } else {
            // Over midnight: what is early in the day belongs to the day before.
            (on(span.days, day) && minute >= from) || (on(span.days, (day + 6) % 7) && minute < to)
        }
    })
}

/// What is wrong with a window, if anything.
pub(super) fn complaint_about_window(window: &Window) -> Option<String> {
    if !(1..=MAX_WINDOW_HOURS).contains(&window.hours) {
        return Some(format!("a window is open for 1 to {MAX_WINDOW_HOURS} hours"));
    }
    if let Err(error) = Schedule::parse(&window.schedule) {
        return Some(error.to_string());
    }
    zone(&window.time_zone).err().map(|error| error.to_string())
}

/// The first time from `now` on at which a window is open, and when it closes then.
pub(super) fn next_open(window: &Window, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let schedule = Schedule::parse(&window.schedule).ok()?;
    let length = i64::from(window.hours) * 3_600_000;
    let context = Context {
        zone: zone(&window.time_zone).ok()?,
        offset_days: 0,
        // Rates count from a fixed moment, so that they do not depend on when somebody asks.
        anchor: jiff::Timestamp::UNIX_EPOCH,
        at_anchor: true,
    };
    // A window that opened within its length before now may still be open; the last such one counts.
    let mut after = moment(now.plus_ms(-length));
    loop {
        let opens = schedule.next(after, &context)?;
        let opens_at = Timestamp(opens.as_millisecond());
        let closes_at = opens_at.plus_ms(length);
        if closes_at > now {
            return Some((opens_at.max(now), closes_at));
        }
        after = opens;
    }
}

/// The first time from `from` on that is within one window of each policy, and when the first of those closes. No
/// windows mean at once, for ever.
///
/// None when there is no such time within a year.
pub(crate) fn first_fit(windows: &[Vec<Window>], from: Timestamp) -> Option<(Timestamp, Option<Timestamp>)> {
    let mut at = from;
    loop {
        if at.since_ms(from) > LOOKED_AHEAD_MS {
            return None;
        }
        let mut latest = at;
        let mut closes: Option<Timestamp> = None;
        for any_of in windows {
            let (opens_at, closes_at) = any_of.iter().filter_map(|window| next_open(window, at)).min()?;
            latest = latest.max(opens_at);
            closes = Some(closes.map_or(closes_at, |now| now.min(closes_at)));
        }
        if latest == at {
            return Some((at, closes));
        }
        at = latest;
    }
}

/// As [`first_fit`], and outside all of these freezes: when one ends, it is looked again from there.
pub(super) fn first_free(
    windows: &[Vec<Window>],
    freezes: &[&Freeze],
    from: Timestamp,
) -> Option<(Timestamp, Option<Timestamp>)> {
    let mut at = from;
    while at.since_ms(from) <= LOOKED_AHEAD_MS {
        let (opens_at, closes_at) = first_fit(windows, at)?;
        let holding = freezes.iter().filter(|freeze| is_frozen(freeze, opens_at));
        let ends: Option<Vec<Timestamp>> = holding.map(|freeze| Timestamp::parse(&freeze.until)).collect();
        match ends?.into_iter().max() {
            None => return Some((opens_at, closes_at)),
            Some(end) => at = end,
        }
    }
    None
}

/// What is wrong with a freeze, if anything.
pub(super) fn complaint_about_freeze(freeze: &Freeze) -> Option<String> {
    let (Some(from), Some(until)) = (Timestamp::parse(&freeze.from), Timestamp::parse(&freeze.until)) else {
        return Some("from and until are moments in UTC like 2026-12-20T00:00Z".into());
    };
    (from >= until).then(|| "from has to be before until".into())
}

/// Whether a freeze holds at a moment.
pub(super) fn is_frozen(freeze: &Freeze, now: Timestamp) -> bool {
    match (Timestamp::parse(&freeze.from), Timestamp::parse(&freeze.until)) {
        (Some(from), Some(until)) => from <= now && now < until,
        // One that cannot be read never gets this far; if it did, nothing would be done.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn hours(text: &str, time_zone: &str) -> Hours {
        Hours {
            hours: text.into(),
            time_zone: time_zone.into(),
            outside: false,
        }
    }

    fn window(schedule: &str, hours: u32) -> Window {
        Window {
            schedule: schedule.into(),
            hours,
            time_zone: "UTC".into(),
        }
    }

    #[test]
    fn hours_are_meant_in_their_time_zone_and_over_midnight() {
        // 2026-11-27 is a Friday.
        let office = hours("Mon-Fri 08:00-18:00", "Europe/Berlin");
        assert!(is_within(&office, at("2026-11-27T07:00")));
        assert!(!is_within(&office, at("2026-11-27T06:59")));
        assert!(!is_within(&office, at("2026-11-27T17:00")), "18:00 in Berlin");
        assert!(!is_within(&office, at("2026-11-28T10:00")), "a Saturday");
        let night = hours("Fri 22:00-06:00", "UTC");
        assert!(is_within(&night, at("2026-11-27T23:00")));
        assert!(is_within(&night, at("2026-11-28T05:59")));
        assert!(
            !is_within(&night, at("2026-11-27T05:59")),
            "that is Thursday's night"
        );
        let weekend = hours("Sat-Mon 00:00-24:00", "UTC");
        assert!(is_within(&weekend, at("2026-11-30T12:00")) && !is_within(&weekend, at("2026-12-01T12:00")));
        for wrong in [
            "",
            "Mon",
            "Mon-Fri",
            "Mon-Fri 8-18",
            "Foo 08:00-09:00",
            "Mon 08:61-09:00",
            "Mon 25:00-26:00",
        ] {
            assert!(complaint_about_hours(&hours(wrong, "UTC")).is_some(), "{wrong}");
        }
        assert!(complaint_about_hours(&hours("Mon 08:00-09:00", "Mars/Olympus")).is_some());
        assert!(complaint_about_hours(&office).is_none());
    }

    #[test]
    fn an_open_window_is_now_and_a_closed_one_later() {
        let sunday = window("cron(0 2 ? * SUN *)", 4);
        let fit = |windows: &[Vec<Window>], now: &str| first_fit(windows, at(now));
        // 2026-11-29 is a Sunday.
        let one = vec![vec![sunday.clone()]];
        assert_eq!(
            fit(&one, "2026-11-29T03:30"),
            Some((at("2026-11-29T03:30"), Some(at("2026-11-29T06:00"))))
        );
        assert_eq!(
            fit(&one, "2026-11-29T06:00"),
            Some((at("2026-12-06T02:00"), Some(at("2026-12-06T06:00"))))
        );
        assert_eq!(fit(&[], "2026-11-29T06:00"), Some((at("2026-11-29T06:00"), None)));
        let daily = window("cron(0 5 * * ? *)", 2);
        let both = vec![vec![sunday.clone()], vec![daily]];
        assert_eq!(
            fit(&both, "2026-11-27T10:00"),
            Some((at("2026-11-29T05:00"), Some(at("2026-11-29T06:00"))))
        );
        let never = vec![vec![sunday], vec![window("cron(0 12 ? * MON *)", 1)]];
        assert_eq!(fit(&never, "2026-11-27T10:00"), None);
        assert!(complaint_about_window(&window("cron(nonsense)", 1)).is_some());
        assert!(complaint_about_window(&window("rate(1 day)", 0)).is_some());
    }

    #[test]
    fn what_is_frozen_fits_when_the_last_freeze_has_ended_and_a_window_is_open() {
        let freeze = |from: &str, until: &str| Freeze {
            name: format!("{from} to {until}"),
            from: from.into(),
            until: until.into(),
            acts: Vec::new(),
            nodes: String::new(),
            break_glass: Vec::new(),
        };
        let (week, month) = (
            freeze("2026-12-20", "2026-12-27"),
            freeze("2026-12-26", "2027-01-20"),
        );
        let sunday = vec![vec![window("cron(0 2 ? * SUN *)", 4)]];
        let free =
            |windows: &[Vec<Window>], freezes: &[&Freeze], now: &str| first_free(windows, freezes, at(now));
        let none: &[Vec<Window>] = &[];
        assert_eq!(
            free(none, &[&week], "2026-12-19"),
            Some((at("2026-12-19"), None)),
            "it has not begun"
        );
        assert_eq!(
            free(none, &[&month, &week], "2026-12-21"),
            Some((at("2027-01-20"), None)),
            "one begins before the other ends"
        );
        // 2027-01-24 is the first Sunday after the second freeze.
        assert_eq!(
            free(&sunday, &[&week, &month], "2026-12-21"),
            Some((at("2027-01-24T02:00"), Some(at("2027-01-24T06:00"))))
        );
        // A freeze that ends within a window leaves the rest of it.
        let early = freeze("2026-12-01", "2026-12-06T05:00");
        assert_eq!(
            free(&sunday, &[&early], "2026-12-02"),
            Some((at("2026-12-06T05:00"), Some(at("2026-12-06T06:00"))))
        );
        let long = freeze("2026-12-01", "2029-01-01");
        assert_eq!(free(none, &[&long], "2026-12-02"), None);
    }

    #[test]
    fn a_freeze_holds_from_its_first_moment_and_not_at_its_last() {
        let freeze = Freeze {
            name: "year's end".into(),
            from: "2026-12-20T00:00Z".into(),
            until: "2027-01-04T00:00Z".into(),
            acts: Vec::new(),
            nodes: String::new(),
            break_glass: Vec::new(),
        };
        assert!(complaint_about_freeze(&freeze).is_none());
        assert!(is_frozen(&freeze, at("2026-12-20")) && !is_frozen(&freeze, at("2027-01-04")));
        let backwards = Freeze {
            until: "2026-12-01".into(),
            ..freeze
        };
        assert!(complaint_about_freeze(&backwards).is_some());
    }
}
