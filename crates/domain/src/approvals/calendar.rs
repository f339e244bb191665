//! What is to come: windows in which approved acts may run, freezes, openings of maintenance windows, approved requests that wait
//! for their time, and the next starts of schedules.

use crate::actor::Actor;
use crate::error::PortalError;
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A day, in ms.
pub const DAY_MS: i64 = 86_400_000;
/// Days that are shown without a month.
const COMING_DAYS: i64 = 28;

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Month {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// Reads `2026-11`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.trim().split_once('-')?;
        let is_number = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(year, 4) || !is_number(month, 2) {
            return None;
        }
        let found = Self {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
        };
        ((1..=12).contains(&found.month) && (1971..=9998).contains(&found.year)).then_some(found)
    }

    /// The month of a moment, in UTC.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let (year, month, ..) = at.civil();
        Self { year, month }
    }

    /// The one before it.
    #[must_use]
    pub const fn before(self) -> Self {
        if self.month == 1 {
            Self {
                year: self.year - 1,
                month: 12,
            }
        } else {
            Self {
                month: self.month - 1,
                ..self
            }
        }
    }

    /// The one after it.
    #[must_use]
    pub const fn after(self) -> Self {
        if self.month == 12 {
            Self {
                year: self.year + 1,
                month: 1,
            }
        } else {
            Self {
                month: self.month + 1,
                ..self
            }
        }
    }

    /// Its first moment, UTC.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        Timestamp::parse(&format!("{self}-01")).unwrap_or_default()
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// From when until when a calendar is: that month, or the coming four weeks from today on.
#[must_use]
pub fn span(month: Option<Month>, now: Timestamp) -> (Timestamp, Timestamp) {
    match month {
        Some(month) => (month.begins(), month.after().begins()),
        None => {
            let today = Timestamp(now.0.div_euclid(DAY_MS) * DAY_MS);
            (today, today.plus_ms(COMING_DAYS * DAY_MS))
        }
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A freeze: nothing is done.
    Freeze,
    /// A window in which what was approved may run.
    Window,
    /// A maintenance window is open.
    Maintenance,
    /// What was approved, and waits for its time.
    Request,
    /// A start of a schedule.
    Schedule,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Freeze,
        Self::Window,
        Self::Maintenance,
        Self::Request,
        Self::Schedule,
    ];

    /// The word in class names.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Window => "window",
            Self::Maintenance => "maintenance",
            Self::Request => "request",
            Self::Schedule => "schedule",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Freeze => "Freeze",
            Self::Window => "Window",
            Self::Maintenance => "Maintenance",
            Self::Request => "Approved",
            Self::Schedule => "Schedule",
        }
    }
}

/// Something that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarEntry {
    /// What it is.
    pub kind: EntryKind,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` for what only begins.
    pub until: Option<Timestamp>,
    /// What it is called.
    pub title: String,
    /// More of it.
    pub detail: String,
    /// Its page.
    pub href: String,
    /// The freezes in which it falls and that do not stop it, by name.
    #[serde(default)]
    pub freezes: Vec<String>,
}

impl CalendarEntry {
    /// Whether it is on, or begins, between two moments.
    #[must_use]
    pub fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        match self.until {
            Some(end) => self.from < until && end > from,
            None => from <= self.from && self.from < until,
        }
    }
}

/// What a calendar shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarPage {
    /// The month that was asked for.
    pub month: Option<Month>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The portal's time.
    pub now: Timestamp,
    /// Entries, by their beginning.
    pub entries: Vec<CalendarEntry>,
    /// What comes more often than it is shown, by name.
    pub shortened: Vec<String>,
}

/// What is to come.
#[async_trait]
pub trait Calendar: Send + Sync {
    /// The calendar of a month, or of the coming four weeks.
    async fn calendar(&self, actor: &Actor, month: Option<Month>) -> Result<CalendarPage, PortalError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_and_have_their_days() {
        let december = Month::parse("2026-12").unwrap();
        assert_eq!(december.after(), Month::parse("2027-01").unwrap());
        assert_eq!(december.after().before(), december);
        assert_eq!(december.to_string(), "2026-12");
        let now = Timestamp::parse("2026-11-27T17:20").unwrap();
        assert_eq!(Month::of(now), december.before());
        let day = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(span(Some(december), now), (day("2026-12-01"), day("2027-01-01")));
        assert_eq!(span(None, now), (day("2026-11-27"), day("2026-12-25")));
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-1",
            "26-11",
            "2026-11-01",
            "20x6-11",
            "0000-01",
        ] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_entry_is_on_each_day_that_it_touches() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let mut entry = CalendarEntry {
            kind: EntryKind::Freeze,
            from: at("2026-12-20T22:00"),
            until: Some(at("2026-12-22")),
            title: String::new(),
            detail: String::new(),
            href: String::new(),
            freezes: Vec::new(),
        };
        let on = |entry: &CalendarEntry, day: &str| entry.touches(at(day), at(day).plus_ms(DAY_MS));
        assert!(!on(&entry, "2026-12-19") && on(&entry, "2026-12-20") && on(&entry, "2026-12-21"));
        assert!(!on(&entry, "2026-12-22"), "it ends with the day before");
        entry.until = None;
        assert!(on(&entry, "2026-12-20") && !on(&entry, "2026-12-21"));
    }
}
