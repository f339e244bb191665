//! From a window's definition to the moments at which it opens. Pure.

use super::Definition;
use crate::errors::{ApiError, ApiResult};
use jiff::tz::TimeZone;
use muster_domain::Timestamp;
use muster_schedule::{Context, Schedule, zone};

fn instant(at: Timestamp) -> jiff::Timestamp {
    // Every time that we have lies within the range of jiff's, which is ten thousand years each way.
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX)
}

fn millis(at: jiff::Timestamp) -> Timestamp {
    Timestamp(at.as_millisecond())
}

/// Reads `2021-04-07T14:29:00-07:00`, `2021-04-07T14:29Z`, the same without an offset (then in the window's time zone), or
/// a date alone.
fn date(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    // An offset stands behind the time, a date has two hyphens of its own.
    let has_offset = text.ends_with(['Z', 'z'])
        || text
            .get(10..)
            .is_some_and(|rest| rest.contains('+') || rest.contains('-'));
    if has_offset {
        return text.parse::<jiff::Timestamp>().ok().map(millis);
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(millis(local.to_zoned(zone.clone()).ok()?.timestamp()))
}

/// A window opens at most so often.
const MOST_OFTEN_MS: i64 = 60_000;

/// When a window opens.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    schedule: Schedule,
    context: Context,
    starts: Option<Timestamp>,
    ends: Option<Timestamp>,
    minutes_only: bool,
}

impl Moments {
    /// Reads what a definition says, or tells which member cannot be read.
    pub(crate) fn read(definition: &Definition, created_at: Timestamp) -> ApiResult<Self> {
        let bad =
            |member: &str, why: &dyn std::fmt::Display| ApiError::validation(format!("{member}: {why}"));
        let schedule = Schedule::parse(&definition.schedule).map_err(|error| bad("Schedule", &error))?;
        let zone = match definition.schedule_timezone.as_deref() {
            None | Some("") => TimeZone::UTC,
            Some(name) => zone(name).map_err(|error| bad("ScheduleTimezone", &error))?,
        };
        let is_cron = matches!(schedule, Schedule::Cron(_));
        if definition.schedule_offset.is_some() && !is_cron {
            return Err(ApiError::validation(
                "ScheduleOffset: days of offset go with a cron schedule only.",
            ));
        }
        if definition.duration <= definition.cutoff {
            return Err(ApiError::validation(format!(
                "Cutoff: it has to be less than the Duration of {} hours.",
                definition.duration
            )));
        }
        let day = |member: &str, text: &Option<String>| {
            match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => date(text, &zone).map(Some).ok_or_else(|| {
                bad(
                    member,
                    &"give a date and a time of ISO 8601, for example 2030-01-31T02:00:00Z or 2030-01-31T02:00:00-07:00.",
                )
            }),
        }
        };
        let starts = day("StartDate", &definition.start_date)?;
        let ends = day("EndDate", &definition.end_date)?;
        if let (Some(starts), Some(ends)) = (starts, ends)
            && ends <= starts
        {
            return Err(ApiError::validation(
                "EndDate: it has to be later than the StartDate.",
            ));
        }
        let moments = Self {
            context: Context {
                zone,
                offset_days: definition
                    .schedule_offset
                    .and_then(|days| i32::try_from(days).ok())
                    .unwrap_or_default(),
                anchor: instant(starts.unwrap_or(created_at)),
                at_anchor: starts.is_some(),
            },
            schedule,
            starts,
            ends,
            minutes_only: is_cron,
        };
        let first = moments.next(created_at);
        if let (Some(first), Some(second)) = (first, first.and_then(|first| moments.next(first)))
            && second.since_ms(first) < MOST_OFTEN_MS
        {
            return Err(ApiError::validation(
                "Schedule: a window opens at most once a minute.",
            ));
        }
        Ok(moments)
    }

    /// The first opening after `after`.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = match self.starts {
            Some(starts) if starts > after => starts.plus_ms(-1),
            _ => after,
        };
        let next = millis(self.schedule.next(instant(after), &self.context)?);
        self.ends.is_none_or(|ends| next < ends).then_some(next)
    }

    /// A moment as the service writes it: `2020-02-19T16:00Z`, in the window's time zone, with seconds where they are not
    /// zero or the schedule knows them.
    pub(crate) fn shown(&self, at: Timestamp) -> String {
        let zoned = instant(at).to_zoned(self.context.zone.clone());
        let form = if self.minutes_only && zoned.second() == 0 {
            "%Y-%m-%dT%H:%M"
        } else {
            "%Y-%m-%dT%H:%M:%S"
        };
        let offset = if zoned.offset() == jiff::tz::Offset::UTC {
            "Z".to_owned()
        } else {
            zoned.strftime("%:z").to_string()
        };
        format!("{}{offset}", zoned.strftime(form))
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
