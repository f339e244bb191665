//! Openings of windows: dates that bound them, time zones, offsets, and how they are written.

use super::*;

fn definition(schedule: &str) -> Definition {
    Definition {
        name: "w-1".into(),
        description: None,
        start_date: None,
        end_date: None,
        schedule: schedule.into(),
        schedule_timezone: None,
        schedule_offset: None,
        duration: 4,
        cutoff: 1,
        allow_unassociated_targets: true,
        enabled: true,
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn openings(definition: &Definition, count: usize) -> Vec<String> {
    let created = at("2026-11-25T10:00:00Z");
    let moments = Moments::read(definition, created).unwrap();
    let mut after = created;
    let mut all = Vec::new();
    while let Some(next) = moments.next(after) {
        all.push(moments.shown(next));
        after = next;
        if all.len() == count {
            break;
        }
    }
    all
}

#[test]
fn the_windows_of_the_guide_open_on_sundays() {
    assert_eq!(
        openings(&definition("cron(0 2 ? * SUN *)"), 2),
        ["2026-11-29T02:00Z", "2026-12-06T02:00Z"]
    );
}

#[test]
fn times_are_meant_in_the_windows_zone_over_the_change_of_clocks() {
    let mut window = definition("cron(0 2 ? * SUN *)");
    window.schedule_timezone = Some("America/New_York".into());
    window.start_date = Some("2027-03-01T00:00:00".into());
    window.end_date = Some("2027-03-22T00:00:00-04:00".into());
    // On 14 March 2027 two o'clock does not exist there.
    let all = openings(&window, 9);
    assert_eq!(all.first().map(String::as_str), Some("2027-03-07T02:00-05:00"));
    assert_eq!(all.last().map(String::as_str), Some("2027-03-21T02:00-04:00"));
}

#[test]
fn a_rate_counts_from_its_start_or_from_when_it_was_made() {
    assert_eq!(
        openings(&definition("rate(7 days)"), 2),
        ["2026-12-02T10:00:00Z", "2026-12-09T10:00:00Z"]
    );
    let mut window = definition("rate(7 days)");
    window.start_date = Some("2026-12-01T00:00Z".into());
    assert_eq!(openings(&window, 1), ["2026-12-01T00:00:00Z"]);
}

#[test]
fn an_offset_waits_days_behind_the_rules_own() {
    let mut window = definition("cron(30 23 ? * TUE#3 *)");
    window.schedule_offset = Some(2);
    assert_eq!(openings(&window, 1), ["2026-12-17T23:30Z"]);
}

#[test]
fn once_is_once() {
    assert_eq!(openings(&definition("at(2026-11-26T02:00:00)"), 5).len(), 1);
    assert!(openings(&definition("at(2026-11-01T02:00:00)"), 5).is_empty());
}

#[test]
fn what_cannot_be_read_is_named() {
    let message = |change: &dyn Fn(&mut Definition)| {
        let mut window = definition("rate(1 day)");
        change(&mut window);
        Moments::read(&window, at("2026-11-25T10:00:00Z"))
            .unwrap_err()
            .message
            .unwrap()
    };
    for (member, change) in [
        (
            "Schedule",
            (&|w: &mut Definition| w.schedule = "daily".into()) as &dyn Fn(&mut Definition),
        ),
        ("ScheduleTimezone", &|w| {
            w.schedule_timezone = Some("Mars/Base".into())
        }),
        ("ScheduleOffset", &|w| w.schedule_offset = Some(1)),
        ("Cutoff", &|w| w.cutoff = 4),
        ("StartDate", &|w| w.start_date = Some("tomorrow".into())),
        ("EndDate", &|w| {
            w.start_date = Some("2030-01-02T00:00Z".into());
            w.end_date = Some("2030-01-01".into());
        }),
    ] {
        assert!(message(change).starts_with(&format!("{member}: ")), "{member}");
    }
}
