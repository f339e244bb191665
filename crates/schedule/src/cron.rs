//! `cron(…)`: the moments that a calendar rule says.

use crate::field::{Kind, Values};
use crate::{Context, ScheduleError};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

const SECONDS: Kind = Kind {
    name: "seconds",
    min: 0,
    max: 59,
    names: &[],
};
const MINUTES: Kind = Kind {
    name: "minutes",
    ..SECONDS
};
const HOURS: Kind = Kind {
    name: "hours",
    min: 0,
    max: 23,
    names: &[],
};
const DAY_OF_MONTH: Kind = Kind {
    name: "day of month",
    min: 1,
    max: 31,
    names: &[],
};
const MONTH: Kind = Kind {
    name: "month",
    min: 1,
    max: 12,
    names: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
};
const DAY_OF_WEEK: Kind = Kind {
    name: "day of week",
    min: 1,
    max: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};
const YEAR: Kind = Kind {
    name: "year",
    min: 1970,
    max: 2199,
    names: &[],
};

/// More days than anybody waits; the service takes six.
const MAX_OFFSET: i32 = 366;

/// Which days of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    /// These days of the month.
    OfMonth(Values),
    /// The last day of the month.
    Last,
    /// The last weekday (Monday to Friday) of the month.
    LastWeekday,
    /// The weekday of the month that is nearest to that day.
    NearestWeekday(u16),
    /// These days of the week; 1 is Sunday.
    OfWeek(Values),
    /// The last such day of the week in the month.
    LastOfWeek(u16),
    /// The first, second … such day of the week in the month.
    NthOfWeek(u16, u16),
}

/// A calendar rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    seconds: Values,
    minutes: Values,
    hours: Values,
    days: Days,
    months: Values,
    years: Values,
}

impl Cron {
    pub(crate) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let (seconds, rest) = match fields.as_slice() {
            [_, _, _, _, _, _] => ("0", fields.as_slice()),
            [seconds, rest @ ..] if rest.len() == 6 => (*seconds, rest),
            other => return Err(ScheduleError::Fields(other.len())),
        };
        let [minutes, hours, day, month, week, year] = rest else {
            return Err(ScheduleError::Fields(fields.len()));
        };
        Ok(Self {
            seconds: Values::parse(seconds, &SECONDS)?,
            minutes: Values::parse(minutes, &MINUTES)?,
            hours: Values::parse(hours, &HOURS)?,
            days: match (*day, *week) {
                ("?", "?") => return Err(ScheduleError::Days),
                ("?", week) => of_week(week)?,
                (day, "?") => of_month(day)?,
                _ => return Err(ScheduleError::Days),
            },
            months: Values::parse(month, &MONTH)?,
            years: Values::parse(year, &YEAR)?,
        })
    }

    /// Whether something happens on that day.
    fn has_day(&self, date: Date) -> bool {
        let number = |value: i8| u16::try_from(value).unwrap_or_default();
        let is_year = u16::try_from(date.year()).is_ok_and(|year| self.years.has(year));
        is_year && self.months.has(number(date.month())) && self.days.has(date)
    }

    /// The first moment on that day which is after `after`.
    fn on_day(&self, date: Date, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let mut best: Option<Timestamp> = None;
        let small = |value: u16| i8::try_from(value).unwrap_or_default();
        for hour in self.hours.iter() {
            let end = DateTime::from_parts(date, Time::constant(small(hour), 59, 59, 0));
            if end.to_zoned(zone.clone()).ok()?.timestamp() <= after {
                continue;
            }
            let mut found: Option<Timestamp> = None;
            for minute in self.minutes.iter() {
                for second in self.seconds.iter() {
                    let time = Time::constant(small(hour), small(minute), small(second), 0);
                    // What the clocks pass over in spring happens as much later, so that a later minute may come first;
                    // what they repeat in autumn happens the first time, and only then.
                    let at = DateTime::from_parts(date, time)
                        .to_zoned(zone.clone())
                        .ok()?
                        .timestamp();
                    if at > after && found.is_none_or(|found| at < found) {
                        found = Some(at);
                    }
                }
            }
            if let Some(found) = found {
                if best.is_some_and(|best| best <= found) {
                    break;
                }
                best = Some(found);
            } else if best.is_some() {
                break;
            }
        }
        best
    }

    pub(crate) fn next(&self, after: Timestamp, context: &Context) -> Option<Timestamp> {
        let offset = context.offset_days.clamp(0, MAX_OFFSET);
        // The day of the rule comes before the day on which it happens.
        let from = after.max(context.anchor).to_zoned(context.zone.clone()).date();
        // A day that a zone leaves out happens on the next one.
        let back: Span = (i64::from(offset) + 1).days();
        let anchor_day = context.anchor.to_zoned(context.zone.clone()).date();
        let mut date = from.checked_sub(back).ok()?.max(anchor_day);
        let last_year = i16::try_from(self.years.last()?).ok()?;
        while date.year() <= last_year {
            if self.has_day(date) {
                let day = date.checked_add(i64::from(offset).days()).ok()?;
                // The rule's own moment has to lie behind the anchor, too: a window that is made between the two waits.
                let floor = if offset > 0 {
                    after
                } else {
                    after.max(just_before(context.anchor))
                };
                if let Some(at) = self.on_day(day, &context.zone, floor)
                    && (offset == 0
                        || self
                            .on_day(date, &context.zone, just_before(context.anchor))
                            .is_some())
                {
                    return Some(at);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(1.nanoseconds()).unwrap_or(at)
}

fn of_month(text: &str) -> Result<Days, ScheduleError> {
    match text {
        "L" => Ok(Days::Last),
        "LW" => Ok(Days::LastWeekday),
        _ => match text.strip_suffix('W') {
            Some(day) => Ok(Days::NearestWeekday(DAY_OF_MONTH.value(day)?)),
            None => Ok(Days::OfMonth(Values::parse(text, &DAY_OF_MONTH)?)),
        },
    }
}

fn of_week(text: &str) -> Result<Days, ScheduleError> {
    if text == "L" {
        // The last day of the week, which begins on Sunday.
        return Ok(Days::OfWeek(Values::parse("7", &DAY_OF_WEEK)?));
    }
    if let Some(day) = text.strip_suffix('L') {
        return Ok(Days::LastOfWeek(DAY_OF_WEEK.value(day)?));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth
            .parse()
            .ok()
            .filter(|nth| (1..=5).contains(nth))
            .ok_or_else(|| DAY_OF_WEEK.refuse(text, "behind # stands 1 to 5, the week of the month"))?;
        return Ok(Days::NthOfWeek(DAY_OF_WEEK.value(day)?, nth));
    }
    Ok(Days::OfWeek(Values::parse(text, &DAY_OF_WEEK)?))
}

fn weekday(date: Date) -> u16 {
    u16::try_from(date.weekday().to_sunday_one_offset()).unwrap_or_default()
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl Days {
    fn has(&self, date: Date) -> bool {
        let day = u16::try_from(date.day()).unwrap_or_default();
        let last = u16::try_from(date.days_in_month()).unwrap_or_default();
        match self {
            Self::OfMonth(days) => days.has(day),
            Self::Last => day == last,
            Self::LastWeekday => {
                let mut at = date.last_of_month();
                while is_weekend(at) {
                    at = at.yesterday().unwrap_or(at);
                }
                at == date
            }
            Self::NearestWeekday(wanted) => nearest_weekday(date, *wanted, last) == Some(date),
            Self::OfWeek(days) => days.has(weekday(date)),
            Self::LastOfWeek(wanted) => weekday(date) == *wanted && day + 7 > last,
            Self::NthOfWeek(wanted, nth) => weekday(date) == *wanted && (day - 1) / 7 + 1 == *nth,
        }
    }
}

/// The weekday of that date's month that is nearest to a day of it, never in another month.
fn nearest_weekday(date: Date, wanted: u16, last: u16) -> Option<Date> {
    if wanted > last {
        return None;
    }
    let at = Date::new(date.year(), date.month(), i8::try_from(wanted).ok()?).ok()?;
    let days = match at.weekday() {
        Weekday::Saturday if wanted == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if wanted == last => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    at.checked_add(i64::from(days).days()).ok()
}
