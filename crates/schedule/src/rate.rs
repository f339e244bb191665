//! `rate(value unit)`: again and again after the same time.

use crate::{Context, ScheduleError};
use jiff::{SignedDuration, Timestamp};

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of 60 seconds.
    Minutes,
    /// Of 60 minutes.
    Hours,
    /// Of 24 hours, whatever the clocks do.
    Days,
}

/// So many of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least one.
    pub value: u32,
    /// Of these.
    pub unit: Unit,
}

const FORM: &str = "rate(…) takes a whole number from 1 and minute, hour or day, as in rate(30 minutes)";

impl Rate {
    pub(crate) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let mut words = text.split_whitespace();
        let (Some(value), Some(unit), None) = (words.next(), words.next(), words.next()) else {
            return Err(ScheduleError::Rate(FORM));
        };
        let is_number = value.bytes().all(|b| b.is_ascii_digit());
        let value: u32 = value
            .parse()
            .ok()
            .filter(|value| is_number && (1..=1_000_000).contains(value))
            .ok_or(ScheduleError::Rate(FORM))?;
        let (unit, is_singular) = match unit {
            "minute" => (Unit::Minutes, true),
            "minutes" => (Unit::Minutes, false),
            "hour" => (Unit::Hours, true),
            "hours" => (Unit::Hours, false),
            "day" => (Unit::Days, true),
            "days" => (Unit::Days, false),
            _ => return Err(ScheduleError::Rate(FORM)),
        };
        if is_singular != (value == 1) {
            return Err(ScheduleError::Rate(
                "in rate(…) the unit is minute, hour or day behind 1, and minutes, hours or days behind every other number",
            ));
        }
        Ok(Self { value, unit })
    }

    /// How long it is.
    #[must_use]
    pub fn period(&self) -> SignedDuration {
        let seconds = match self.unit {
            Unit::Minutes => 60,
            Unit::Hours => 3_600,
            Unit::Days => 86_400,
        };
        SignedDuration::from_secs(i64::from(self.value) * seconds)
    }

    pub(crate) fn next(&self, after: Timestamp, context: &Context) -> Option<Timestamp> {
        let period = self.period().as_secs();
        let since = after.duration_since(context.anchor);
        if since < SignedDuration::ZERO && context.at_anchor {
            return Some(context.anchor);
        }
        // Whole periods that have passed, of which the one after is the next.
        let passed = since.as_secs().max(0) / period;
        let ahead = SignedDuration::from_secs(period.checked_mul(passed.checked_add(1)?)?);
        context.anchor.checked_add(ahead).ok()
    }
}
