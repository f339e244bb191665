//! Schedules by their next moments: the guide's examples, time zones, offsets, and random rules against a search that
//! looks at every minute.

use super::*;
use jiff::ToSpan as _;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn next(schedule: &str, after: &str) -> String {
    let context = Context::utc(at("2020-01-01T00:00:00Z"));
    let found = Schedule::parse(schedule).unwrap().next(at(after), &context);
    found.map_or("never".to_owned(), |found| found.to_string())
}

#[test]
fn rules_of_the_calendar_say_their_next_moment() {
    for (schedule, after, expected) in [
        (
            "cron(0 2 ? * SUN *)",
            "2026-11-26T10:00:00Z",
            "2026-11-29T02:00:00Z",
        ),
        (
            "cron(0 2 ? * SUN *)",
            "2026-11-29T02:00:00Z",
            "2026-12-06T02:00:00Z",
        ),
        (
            "cron(15 10 ? * * *)",
            "2026-11-26T10:14:59Z",
            "2026-11-26T10:15:00Z",
        ),
        (
            "cron(0/5 10 ? * * *)",
            "2026-11-26T10:55:00Z",
            "2026-11-27T10:00:00Z",
        ),
        (
            "cron(0 18 ? * MON-FRI *)",
            "2026-11-27T18:00:00Z",
            "2026-11-30T18:00:00Z",
        ),
        (
            "cron(0 0 1 * ? *)",
            "2026-11-26T00:00:00Z",
            "2026-12-01T00:00:00Z",
        ),
        (
            "cron(0 0 L * ? *)",
            "2027-02-01T00:00:00Z",
            "2027-02-28T00:00:00Z",
        ),
        (
            "cron(0 0 LW * ? *)",
            "2026-10-01T00:00:00Z",
            "2026-10-30T00:00:00Z",
        ),
        (
            "cron(0 0 15W * ? *)",
            "2026-11-01T00:00:00Z",
            "2026-11-16T00:00:00Z",
        ),
        (
            "cron(0 0 1W * ? *)",
            "2026-08-01T00:00:00Z",
            "2026-08-03T00:00:00Z",
        ),
        (
            "cron(0 0 31W * ? *)",
            "2026-05-01T00:00:00Z",
            "2026-05-29T00:00:00Z",
        ),
        (
            "cron(30 23 ? * TUE#3 *)",
            "2026-11-01T00:00:00Z",
            "2026-11-17T23:30:00Z",
        ),
        (
            "cron(0 0 ? * 5L *)",
            "2026-11-01T00:00:00Z",
            "2026-11-26T00:00:00Z",
        ),
        (
            "cron(0 0 ? * L *)",
            "2026-11-26T00:00:00Z",
            "2026-11-28T00:00:00Z",
        ),
        (
            "cron(0 0 ? * FRI-MON *)",
            "2026-11-24T00:00:00Z",
            "2026-11-27T00:00:00Z",
        ),
        (
            "cron(10 0 4 ? JAN,jun FRI 2027)",
            "2026-11-24T00:00:00Z",
            "2027-01-01T04:00:10Z",
        ),
        (
            "cron(0 0 29 2 ? *)",
            "2026-11-24T00:00:00Z",
            "2028-02-29T00:00:00Z",
        ),
        ("cron(0 0 1 1 ? 2020)", "2026-11-24T00:00:00Z", "never"),
        ("cron(0 0 31 4 ? *)", "2026-11-24T00:00:00Z", "never"),
        (
            "at(2030-01-31T02:00:00)",
            "2026-11-24T00:00:00Z",
            "2030-01-31T02:00:00Z",
        ),
        ("at(2030-01-31T02:00:00)", "2030-01-31T02:00:00Z", "never"),
        ("rate(7 days)", "2020-01-01T00:00:00Z", "2020-01-08T00:00:00Z"),
        ("rate(1 hour)", "2026-11-24T10:30:00Z", "2026-11-24T11:00:00Z"),
        ("rate(90 minutes)", "2020-01-01T01:30:00Z", "2020-01-01T03:00:00Z"),
        ("rate(1 day)", "2019-01-01T00:00:00Z", "2020-01-02T00:00:00Z"),
    ] {
        assert_eq!(next(schedule, after), expected, "{schedule} after {after}");
    }
}

#[test]
fn clocks_that_change_lose_and_repeat_nothing() {
    let context = Context {
        zone: zone("Europe/Berlin").unwrap(),
        ..Context::utc(at("2020-01-01T00:00:00Z"))
    };
    let moments = |schedule: &str, from: &str, count: usize| {
        let schedule = Schedule::parse(schedule).unwrap();
        let mut after = at(from);
        let mut all = Vec::new();
        for _ in 0..count {
            after = schedule.next(after, &context).unwrap();
            all.push(after.to_string());
        }
        all
    };
    // Between two and three there is no half past two on that day: it happens an hour later by the clock.
    assert_eq!(
        moments("cron(30 2 ? * * *)", "2026-03-28T00:00:00Z", 3),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-30T00:30:00Z"
        ]
    );
    // There are two of them on this one.
    assert_eq!(
        moments("cron(30 2 ? * * *)", "2026-10-24T00:00:00Z", 3),
        [
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z"
        ]
    );
    assert_eq!(
        moments("cron(0 0/1 ? * * *)", "2026-03-29T00:00:00Z", 3),
        [
            "2026-03-29T01:00:00Z",
            "2026-03-29T02:00:00Z",
            "2026-03-29T03:00:00Z"
        ]
    );
    let summer = Schedule::parse("at(2030-07-01T12:00:00)").unwrap();
    let found = summer.next(at("2026-01-01T00:00:00Z"), &context).unwrap();
    assert_eq!(found, at("2030-07-01T10:00:00Z"));
    assert_eq!(
        zone("Mars/Olympus"),
        Err(ScheduleError::Zone("Mars/Olympus".to_owned()))
    );
}

#[test]
fn an_offset_waits_days_after_the_rules_own_day() {
    let schedule = Schedule::parse("cron(30 23 ? * TUE#3 *)").unwrap();
    let made = |anchor: &str| Context {
        offset_days: 2,
        ..Context::utc(at(anchor))
    };
    let after = |anchor: &str, after: &str| schedule.next(at(after), &made(anchor)).unwrap().to_string();
    assert_eq!(
        after("2026-11-01T00:00:00Z", "2026-11-18T00:00:00Z"),
        "2026-11-19T23:30:00Z"
    );
    // Made after the third Tuesday, it waits for the next one.
    assert_eq!(
        after("2026-11-18T00:00:00Z", "2026-11-18T00:00:00Z"),
        "2026-12-17T23:30:00Z"
    );
    assert_eq!(
        after("2026-11-01T00:00:00Z", "2026-11-19T23:30:00Z"),
        "2026-12-17T23:30:00Z"
    );
}

#[test]
fn a_rate_may_begin_at_its_anchor() {
    let schedule = Schedule::parse("rate(2 hours)").unwrap();
    let mut context = Context::utc(at("2026-11-26T10:00:00Z"));
    let before = at("2026-11-26T09:00:00Z");
    assert_eq!(schedule.next(before, &context), Some(at("2026-11-26T12:00:00Z")));
    context.at_anchor = true;
    assert_eq!(schedule.next(before, &context), Some(context.anchor));
    assert_eq!(
        schedule.next(context.anchor, &context),
        Some(at("2026-11-26T12:00:00Z"))
    );
}

#[test]
fn what_is_no_schedule_is_refused_with_its_part() {
    for (text, says) in [
        ("", "cron(…), rate(…) or at(…)"),
        ("cron", "cron(…), rate(…) or at(…)"),
        ("every(1 day)", "cron(…), rate(…) or at(…)"),
        ("cron(0 2 ? * SUN", "cron(…), rate(…) or at(…)"),
        ("cron(0 2 * * *)", "this one has 5"),
        (
            "cron(60 2 ? * SUN *)",
            "minutes cannot be \"60\": it takes 0 to 59",
        ),
        ("cron(0 24 ? * SUN *)", "hours cannot be \"24\""),
        (
            "cron(0 2 ? * SUNDAY *)",
            "day of week cannot be \"SUNDAY\": it takes 1 to 7, or SUN to SAT",
        ),
        (
            "cron(0 2 ? 13 SUN *)",
            "month cannot be \"13\": it takes 1 to 12, or JAN to DEC",
        ),
        ("cron(0 2 32 * ? *)", "day of month cannot be \"32\""),
        ("cron(0 2 ? * SUN 1969)", "year cannot be \"1969\""),
        ("cron(0 2 1 * SUN *)", "has to be ?"),
        ("cron(0 2 ? * ? *)", "has to be ?"),
        ("cron(0 2 ? * MON#6 *)", "behind # stands 1 to 5"),
        ("cron(0/0 2 ? * MON *)", "behind / stands a whole number"),
        ("cron(0,,1 2 ? * MON *)", "minutes cannot be \"\""),
        ("rate(0 days)", "a whole number from 1"),
        ("rate(1 days)", "minute, hour or day behind 1"),
        ("rate(2 day)", "minute, hour or day behind 1"),
        ("rate(2 weeks)", "rate(30 minutes)"),
        ("rate(2)", "rate(30 minutes)"),
        ("at(tomorrow)", "at(2030-01-31T02:00:00)"),
        ("at(2030-01-31)", "at(2030-01-31T02:00:00)"),
        ("at(2030-01-31T02:00:00+05:00)", "at(2030-01-31T02:00:00)"),
        ("at(2030-01-31T02:00:00[Asia/Tokyo])", "at(2030-01-31T02:00:00)"),
        ("at(2030-02-31T02:00:00)", "at(2030-01-31T02:00:00)"),
    ] {
        let message = Schedule::parse(text).unwrap_err().to_string();
        assert!(message.contains(says), "{text}: {message}");
    }
}

/// Fields as a rule may have them, each with the values that it takes, said once more in the plainest way.
fn rule() -> impl Strategy<Value = (String, Vec<u16>, Vec<u16>, Vec<u16>, Vec<u16>)> {
    let values = |min: u16, max: u16| proptest::collection::btree_set(min..=max, 1..4);
    (values(0, 59), values(0, 23), values(1, 7), values(1, 12)).prop_map(|(minutes, hours, week, months)| {
        let list = |values: &std::collections::BTreeSet<u16>| {
            values.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
        };
        let text = format!(
            "cron({} {} ? {} {} *)",
            list(&minutes),
            list(&hours),
            list(&months),
            list(&week)
        );
        let plain = |values: std::collections::BTreeSet<u16>| values.into_iter().collect();
        (text, plain(minutes), plain(hours), plain(week), plain(months))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_next_moment_is_the_first_that_fits((text, minutes, hours, week, months) in rule(), start in 0_i64..500_000) {
        let context = Context::utc(at("2020-01-01T00:00:00Z"));
        let after = at("2026-01-01T00:00:00Z").checked_add(start.minutes()).unwrap();
        let found = Schedule::parse(&text).unwrap().next(after, &context).unwrap();
        let mut looked = after.checked_add(1.minutes()).unwrap();
        loop {
            let zoned = looked.to_zoned(TimeZone::UTC);
            let number = |value: i8| u16::try_from(value).unwrap();
            let day = number(zoned.weekday().to_sunday_one_offset());
            if minutes.contains(&number(zoned.minute()))
                && hours.contains(&number(zoned.hour()))
                && week.contains(&day)
                && months.contains(&number(zoned.month()))
            {
                break;
            }
            looked = looked.checked_add(1.minutes()).unwrap();
        }
        prop_assert_eq!(found, looked, "{} after {}", text, after);
    }

    #[test]
    fn moments_go_forward_in_every_zone((text, ..) in rule(), name in prop::sample::select(vec![
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
    ]), offset in 0_i32..=6) {
        let context = Context { zone: zone(name).unwrap(), offset_days: offset, ..Context::utc(at("2026-01-01T00:00:00Z")) };
        let schedule = Schedule::parse(&text).unwrap();
        let mut after = context.anchor;
        for _ in 0..40 {
            let next = schedule.next(after, &context).unwrap();
            prop_assert!(next > after, "{text} in {name}: {after} then {next}");
            // Nothing lies between: asked from just before, the answer is the same.
            prop_assert_eq!(schedule.next(next.checked_sub(1.nanoseconds()).unwrap(), &context), Some(next));
            after = next;
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}", inside in "[0-9A-Z*?/,#LW -]{0,40}", kind in "(cron|rate|at)") {
        let context = Context::utc(at("2026-01-01T00:00:00Z"));
        for text in [text, format!("{kind}({inside})")] {
            if let Ok(schedule) = Schedule::parse(&text) {
                let _ = schedule.next(context.anchor, &context);
            }
        }
    }
}
