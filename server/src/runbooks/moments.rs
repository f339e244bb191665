//! From a schedule's timing to the moments at which it starts something. Pure.

use jiff::tz::TimeZone;
use muster_domain::error::FieldError;
use muster_domain::runbooks::{LocalTime, Timing};
use muster_domain::{PortalError, Timestamp};
use muster_schedule::{Context, Schedule, zone};

/// A timing, read.
#[derive(Clone, Debug)]
pub struct Moments {
    schedule: Schedule,
    context: Context,
    zone_name: String,
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX)
}

impl Moments {
    /// Reads a timing. Rates count from when the window was made.
    ///
    /// # Errors
    /// What cannot be read, at its field.
    pub fn read(timing: &Timing, made_at: Timestamp) -> Result<Self, PortalError> {
        let mut fields = Vec::new();
        let schedule = Schedule::parse(&timing.schedule)
            .map_err(|error| {
                fields.push(FieldError::new(
                    "schedule",
                    format!("It cannot be read: {error}."),
                ))
            })
            .ok();
        let zone_name = match timing.time_zone.trim() {
            "" => "UTC",
            name => name,
        };
        let zone = zone(zone_name)
            .map_err(|error| fields.push(FieldError::new("time_zone", format!("{error}."))))
            .ok();
        PortalError::from_fields(fields)?;
        let (Some(schedule), Some(zone)) = (schedule, zone) else {
            return Err(PortalError::invalid("schedule", "It cannot be read."));
        };
        Ok(Self {
            schedule,
            context: Context {
                zone,
                offset_days: 0,
                anchor: instant(made_at),
                at_anchor: false,
            },
            zone_name: zone_name.to_owned(),
        })
    }

    /// The same, waiting so many days after a cron expression's day.
    #[must_use]
    pub fn with_offset(mut self, days: u32) -> Self {
        self.context.offset_days = i32::try_from(days).unwrap_or_default();
        self
    }

    /// The first moment after `after`.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let next = self.schedule.next(instant(after), &self.context)?;
        Some(Timestamp(next.as_millisecond()))
    }

    /// The first moments after `after`, at most so many.
    pub fn after(&self, after: Timestamp, most: usize) -> impl Iterator<Item = Timestamp> {
        let mut last = after;
        std::iter::from_fn(move || {
            last = self.next(last)?;
            Some(last)
        })
        .take(most)
    }

    /// As a clock there shows it.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> LocalTime {
        LocalTime {
            at,
            local: local(at, &self.context.zone, &self.zone_name),
        }
    }
}

/// `Sun 2026-11-29 02:00 Europe/Berlin`.
fn local(at: Timestamp, zone: &TimeZone, name: &str) -> String {
    let zoned = instant(at).to_zoned(zone.clone());
    format!("{} {name}", zoned.strftime("%a %Y-%m-%d %H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(schedule: &str, zone: &str) -> Timing {
        Timing {
            schedule: schedule.into(),
            time_zone: zone.into(),
            duration_hours: 1,
            cutoff_hours: 0,
        }
    }

    #[test]
    fn starts_are_shown_in_their_time_zone() {
        let now = Timestamp::parse("2026-11-27T12:00").unwrap();
        let moments = Moments::read(&timing("cron(0 2 ? * SUN *)", "Europe/Berlin"), now).unwrap();
        let next: Vec<LocalTime> = moments.after(now, 2).map(|at| moments.local(at)).collect();
        assert_eq!(next[0].local, "Sun 2026-11-29 02:00 Europe/Berlin");
        assert_eq!(next[0].at, Timestamp::parse("2026-11-29T01:00").unwrap());
        assert_eq!(next[1].at.since_ms(next[0].at), 7 * 86_400_000);
        let once = Moments::read(&timing("at(2026-11-28T02:00:00)", ""), now).unwrap();
        assert_eq!(once.after(now, 3).count(), 1, "in UTC, and once");
        let error = Moments::read(&timing("every day", "Mars/Olympus"), now).unwrap_err();
        for field in ["schedule", "time_zone"] {
            assert!(error.about(field).is_some(), "{field}");
        }
    }
}
