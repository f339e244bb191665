//! A schedule in words, as people say it. Only what can be said shortly is: the rest stays as it is written.

use crate::{Schedule, Unit};

const DAYS: [(&str, &str); 7] = [
    ("SUN", "Sunday"),
    ("MON", "Monday"),
    ("TUE", "Tuesday"),
    ("WED", "Wednesday"),
    ("THU", "Thursday"),
    ("FRI", "Friday"),
    ("SAT", "Saturday"),
];

/// A day of the week; 1 is Sunday.
fn day(text: &str) -> Option<&'static str> {
    let number = text
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1));
    let found = match number {
        Some(at) => DAYS.get(at),
        None => DAYS.iter().find(|(short, _)| short.eq_ignore_ascii_case(text)),
    };
    found.map(|(_, name)| *name)
}

fn ordinal(text: &str) -> Option<&'static str> {
    ["first", "second", "third", "fourth", "fifth"]
        .get(text.parse::<usize>().ok()?.checked_sub(1)?)
        .copied()
}

/// Which days of the week, from that field alone.
fn of_week(text: &str) -> Option<String> {
    if let Some((name, nth)) = text.split_once('#') {
        return Some(format!("on the {} {} of each month", ordinal(nth)?, day(name)?));
    }
    if let Some(name) = text.strip_suffix(['L', 'l']) {
        return Some(format!("on the last {} of each month", day(name)?));
    }
    if let Some((first, last)) = text.split_once('-') {
        return Some(format!("{} to {}", day(first)?, day(last)?));
    }
    let names: Option<Vec<&str>> = text.split(',').map(day).collect();
    match names?.as_slice() {
        [one] => Some(format!("every {one}")),
        [several @ .., last] => Some(format!("every {} and {last}", several.join(", "))),
        [] => None,
    }
}

/// `02:30`, from the two fields, where each is one number.
fn clock(minutes: &str, hours: &str) -> Option<String> {
    let (minutes, hours): (u8, u8) = (minutes.parse().ok()?, hours.parse().ok()?);
    Some(format!("{hours:02}:{minutes:02}"))
}

fn cron(inside: &str) -> Option<String> {
    let fields: Vec<&str> = inside.split_whitespace().collect();
    // Seven begin with seconds.
    let fields = match fields.as_slice() {
        ["0", rest @ ..] if rest.len() == 6 => rest,
        all if all.len() == 6 => all,
        _ => return None,
    };
    let [minutes, hours, of_month, month, week, year] = fields else {
        return None;
    };
    if *month != "*" || *year != "*" {
        return None;
    }
    let is_any = |text: &str| matches!(text, "*" | "?");
    let every_day = is_any(of_month) && is_any(week);
    let step = |text: &str| {
        let step = text.strip_prefix("*/").or_else(|| text.strip_prefix("0/"))?;
        step.parse::<u32>().ok().filter(|step| *step > 0)
    };
    if every_day {
        match (step(minutes), *hours) {
            (Some(1), "*") => return Some("every minute".into()),
            (Some(count), "*") => return Some(format!("every {count} minutes")),
            _ => {}
        }
        if let (Ok(minute), Some(count)) = (minutes.parse::<u8>(), step(hours)) {
            return Some(format!("every {count} hours, {minute} minutes past"));
        }
        if let (Ok(minute), "*") = (minutes.parse::<u8>(), *hours) {
            return Some(format!("every hour, {minute} minutes past"));
        }
    }
    let at = clock(minutes, hours)?;
    let days = if every_day {
        "every day".to_owned()
    } else if is_any(of_month) {
        of_week(week)?
    } else if of_month.eq_ignore_ascii_case("L") {
        "on the last day of each month".to_owned()
    } else {
        format!("on day {} of each month", of_month.parse::<u8>().ok()?)
    };
    Some(format!("{days} at {at}"))
}

/// A schedule in words; nothing where it is none, or there are no short words for it.
#[must_use]
pub fn words(text: &str) -> Option<String> {
    let text = text.trim();
    match Schedule::parse(text).ok()? {
        Schedule::Rate(rate) => {
            let unit = match rate.unit {
                Unit::Minutes => "minute",
                Unit::Hours => "hour",
                Unit::Days => "day",
            };
            Some(match rate.value {
                1 => format!("every {unit}"),
                value => format!("every {value} {unit}s"),
            })
        }
        Schedule::At(at) => Some(format!("once, on {}", at.strftime("%Y-%m-%d at %H:%M"))),
        Schedule::Cron(_) => cron(text.strip_prefix("cron(")?.strip_suffix(')')?),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn what_can_be_said_shortly_is_said() {
        for (schedule, said) in [
            ("rate(1 day)", "every day"),
            ("rate(30 minutes)", "every 30 minutes"),
            ("at(2030-01-31T02:05:00)", "once, on 2030-01-31 at 02:05"),
            ("cron(0 2 ? * SUN *)", "every Sunday at 02:00"),
            ("cron(0 2 ? * 1 *)", "every Sunday at 02:00"),
            ("cron(0 0 2 ? * SUN *)", "every Sunday at 02:00"),
            ("cron(30 23 ? * MON-FRI *)", "Monday to Friday at 23:30"),
            (
                "cron(0 2 ? * MON,WED,FRI *)",
                "every Monday, Wednesday and Friday at 02:00",
            ),
            (
                "cron(15 4 ? * TUE#3 *)",
                "on the third Tuesday of each month at 04:15",
            ),
            ("cron(0 2 1 * ? *)", "on day 1 of each month at 02:00"),
            ("cron(0 2 L * ? *)", "on the last day of each month at 02:00"),
            ("cron(0 2 * * ? *)", "every day at 02:00"),
            ("cron(0/15 * * * ? *)", "every 15 minutes"),
            ("cron(5 * * * ? *)", "every hour, 5 minutes past"),
        ] {
            assert_eq!(words(schedule).as_deref(), Some(said), "{schedule}");
        }
        for schedule in [
            "cron(0 2 ? JAN SUN *)",
            "cron(0 2,14 ? * SUN *)",
            "every day",
            "cron(0 2)",
        ] {
            assert_eq!(words(schedule), None, "{schedule}");
        }
    }
}
