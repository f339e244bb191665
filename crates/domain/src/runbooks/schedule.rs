//! Schedules on which runbooks are started. Systems Manager does it, by a maintenance window of its own for each; the portal
//! keeps what it is for, whose it is, and how it went.

use super::{PlannedNode, StartRunbook};
use crate::actor::Actor;
use crate::error::{FieldError, PortalError};
use crate::ids::{ExecutionId, ScheduleId};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Hours that a window is open at most.
const MOST_HOURS: u32 = 24;

/// When something is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// `cron(…)`, `rate(…)` or `at(…)`, as in maintenance windows.
    pub schedule: String,
    /// The time zone's name, in which cron and at are meant.
    pub time_zone: String,
    /// For how many hours the window is open.
    pub duration_hours: u32,
    /// How many hours before its end nothing is begun any more.
    pub cutoff_hours: u32,
}

/// A moment, as a clock in some time zone shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// When.
    pub at: Timestamp,
    /// `Sun 2026-11-29 02:00 Europe/Berlin`.
    pub local: String,
}

/// Input: have a runbook started on a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRunbook {
    /// 1 to 80 characters.
    pub name: String,
    /// When.
    pub timing: Timing,
    /// What, and on which nodes: those that it comes to now.
    pub start: StartRunbook,
    /// The timing whose next starts the person was shown; see [`Timing::key`].
    pub seen: String,
}

impl Timing {
    /// By what it is known that the next starts were shown of this timing and no other.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} | {}", self.schedule.trim(), self.time_zone.trim())
    }

    fn check(&self, fields: &mut Vec<FieldError>) {
        if self.schedule.trim().is_empty() {
            fields.push(FieldError::new(
                "schedule",
                "Say when: cron(0 2 ? * SUN *), rate(7 days) or at(2030-01-31T02:00:00).",
            ));
        }
        if !(1..=MOST_HOURS).contains(&self.duration_hours) {
            fields.push(FieldError::new(
                "duration_hours",
                "The window is open for 1 to 24 hours.",
            ));
        } else if self.cutoff_hours >= self.duration_hours {
            fields.push(FieldError::new(
                "cutoff_hours",
                "It has to be less than the hours for which the window is open; 0 begins until its end.",
            ));
        }
    }
}

impl ScheduleRunbook {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = match self.start.check() {
            Err(PortalError::Invalid { fields }) => fields,
            other => {
                other?;
                Vec::new()
            }
        };
        let count = self.name.trim().chars().count();
        if !(1..=80).contains(&count) || self.name.chars().any(char::is_control) {
            fields.push(FieldError::new(
                "schedule_name",
                "Give the schedule a name of 1 to 80 characters, on one line.",
            ));
        }
        self.timing.check(&mut fields);
        PortalError::from_fields(fields)
    }
}

/// How a schedule went the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// How it stands, in Systems Manager's words for windows: `SUCCESS`, `FAILED` …
    pub status: String,
    /// When the window opened.
    pub at: Timestamp,
    /// The execution that it started, where that is known.
    pub execution: Option<ExecutionId>,
}

/// A schedule, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// Which.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// The runbook.
    pub document: String,
    /// Its version.
    pub document_version: String,
    /// The nodes that it is given.
    pub nodes: Vec<PlannedNode>,
    /// What it is for.
    pub reason: String,
    /// When.
    pub timing: Timing,
    /// Who made it.
    pub created_by: String,
    /// Whether somebody wants it to be started.
    pub enabled: bool,
    /// Why it is not started all the same, for now; empty where nothing holds it.
    pub held: String,
    /// What is wrong with it; empty where nothing is.
    pub problem: String,
    /// The maintenance window at Systems Manager; `None` until it was made.
    pub window_id: Option<String>,
    /// The next start, where there is one and nothing holds it.
    pub next: Option<LocalTime>,
    /// The last one.
    pub last: Option<LastRun>,
    /// Whether the actor may pause and delete it.
    pub may_change: bool,
}

/// What can be done with schedules. One is shown to whoever may see all nodes that it is given.
#[async_trait]
pub trait RunbookSchedules: Send + Sync {
    /// All that the actor may see, by their next start.
    async fn schedules(&self, actor: &Actor) -> Result<Vec<ScheduleRow>, PortalError>;
    /// Has a runbook started on a schedule. Refused, with the next starts in it, until those were shown.
    async fn schedule(&self, actor: &Actor, input: ScheduleRunbook) -> Result<ScheduleId, PortalError>;
    /// Pauses a schedule, or lets it go on.
    async fn enable_schedule(&self, actor: &Actor, id: ScheduleId, enabled: bool) -> Result<(), PortalError>;
    /// Deletes a schedule. What it has started goes on.
    async fn delete_schedule(&self, actor: &Actor, id: ScheduleId) -> Result<(), PortalError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::NodeSelection;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let good = ScheduleRunbook {
            name: "Sundays".into(),
            timing: Timing {
                schedule: "rate(7 days)".into(),
                time_zone: "UTC".into(),
                duration_hours: 2,
                cutoff_hours: 0,
            },
            start: StartRunbook {
                document: "Own-A".into(),
                version: String::new(),
                parameters: BTreeMap::new(),
                selection: NodeSelection::Nothing,
                max_concurrency: "10".into(),
                max_errors: "0".into(),
                reason: "nightly".into(),
                confirmed_nodes: None,
            },
            seen: String::new(),
        };
        assert_eq!(good.check(), Ok(()));
        let mut bad = good.clone();
        bad.name = " ".into();
        bad.timing.schedule = String::new();
        bad.timing.duration_hours = 25;
        bad.start.reason = String::new();
        let error = bad.check().unwrap_err();
        for field in ["schedule_name", "schedule", "duration_hours", "reason"] {
            assert!(error.about(field).is_some(), "{field}");
        }
        let mut late = good;
        late.timing.cutoff_hours = 2;
        assert!(late.check().unwrap_err().about("cutoff_hours").is_some());
    }
}
