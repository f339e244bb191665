//! Schedules as Systems Manager writes them: `cron(0 2 ? * SUN *)`, `rate(7 days)`, `at(2030-01-31T02:00:00)`, in time
//! zones. Reading one refuses with the part that is wrong; from a schedule and a moment follows the next one. Pure: no
//! clock inside. Facts: the user guide's "Reference: Cron and rate expressions for Systems Manager".

mod cron;
mod field;
mod rate;
mod words;

pub use cron::Cron;
pub use rate::{Rate, Unit};
pub use words::words;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It begins with none of the three words.
    #[error(
        "a schedule is cron(…), rate(…) or at(…), for example cron(0 2 ? * SUN *), rate(7 days) or at(2030-01-31T02:00:00)"
    )]
    Kind,
    /// A cron expression has six fields, or seven with seconds.
    #[error(
        "cron has six fields (minutes, hours, day of month, month, day of week, year), or seven with seconds before them; this one has {0}"
    )]
    Fields(usize),
    /// A field cannot be read.
    #[error("{field} cannot be \"{text}\": {why}")]
    Field {
        /// `minutes`, `day of week` …
        field: &'static str,
        /// What stands there.
        text: String,
        /// What may.
        why: String,
    },
    /// Both days are said, or neither.
    #[error("one of day of month and day of week has to be ?, and only one")]
    Days,
    /// A rate is not a number and a unit.
    #[error("{0}")]
    Rate(&'static str),
    /// A moment is not a date and a time.
    #[error("at(…) takes a date and a time, as in at(2030-01-31T02:00:00)")]
    At,
    /// A time zone that is not known.
    #[error("the time zone {0} is not known: give a name of the IANA database, as Europe/Berlin")]
    Zone(String),
}

/// When something is to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At the moments that a calendar rule says.
    Cron(Box<Cron>),
    /// Again and again after the same time.
    Rate(Rate),
    /// Once, at a local date and time.
    At(DateTime),
}

/// What a schedule's moments also depend on.
#[derive(Clone, Debug)]
pub struct Context {
    /// In which the fields of a cron expression and of `at` are meant.
    pub zone: TimeZone,
    /// Days that are waited after a cron expression's day.
    pub offset_days: i32,
    /// What a rate counts from; a cron expression's days before it do not count.
    pub anchor: Timestamp,
    /// Whether a rate also happens at the anchor itself.
    pub at_anchor: bool,
}

impl Context {
    /// UTC, without offset, counted from `anchor`.
    #[must_use]
    pub fn utc(anchor: Timestamp) -> Self {
        Self {
            zone: TimeZone::UTC,
            offset_days: 0,
            anchor,
            at_anchor: false,
        }
    }
}

/// The time zone of a name of the IANA database.
///
/// # Errors
/// When there is none of that name.
pub fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::Zone(name.chars().take(64).collect()))
}

/// Exactly `2030-01-31T02:00:00`: an offset or a zone behind it would say something else than what is done.
fn moment(text: &str) -> Option<DateTime> {
    let has_form = text.len() == 19
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            10 => b == b'T',
            13 | 16 => b == b':',
            _ => b.is_ascii_digit(),
        });
    text.parse().ok().filter(|_| has_form)
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// With the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let (kind, rest) = text.trim().split_once('(').ok_or(ScheduleError::Kind)?;
        let inside = rest.strip_suffix(')').ok_or(ScheduleError::Kind)?;
        match kind {
            "cron" => Ok(Self::Cron(Box::new(Cron::parse(inside)?))),
            "rate" => Ok(Self::Rate(Rate::parse(inside)?)),
            "at" => moment(inside.trim()).map(Self::At).ok_or(ScheduleError::At),
            _ => Err(ScheduleError::Kind),
        }
    }

    /// The first moment after `after`; `None` when there is none any more.
    #[must_use]
    pub fn next(&self, after: Timestamp, context: &Context) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next(after, context),
            Self::Rate(rate) => rate.next(after, context),
            Self::At(at) => {
                let at = at.to_zoned(context.zone.clone()).ok()?.timestamp();
                (at > after).then_some(at)
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
