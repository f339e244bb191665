//! Keeps schedules as they are meant: windows that were not made yet are made, those that are to go are deleted, and each is open
//! to start something exactly while somebody wants it and no policy stands against it. What they have started is found.

use crate::approvals::people;
use crate::aws::errors::CallError;
use crate::error::store;
use crate::runbooks::schedule_queries::{self as queries, Change, Schedule};
use crate::runbooks::schedule_ssm as windows;
use crate::runbooks::service::RunbookService;
use muster_domain::PortalError;

/// How long a window that could not be made is tried again, in ms: nobody knows how long its token is remembered.
const MADE_AGAIN_MS: i64 = 10 * 60_000;

/// How long after its beginning what a schedule has started is looked for among what was started outside, in ms.
const CLAIMED_MS: i64 = 10 * 60_000;

/// Why a schedule was not looked after.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Systems Manager did not answer, or refused.
    #[error("{0}")]
    Call(CallError),
    /// The database did not answer.
    #[error(transparent)]
    Portal(#[from] PortalError),
}

impl From<CallError> for ScheduleError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl RunbookService {
    /// Looks after all schedules once.
    pub async fn look_after_schedules(&self) {
        let all = match queries::list(&self.db, self.at()).await {
            Ok(all) => all,
            Err(error) => return tracing::error!(%error, "schedules could not be read"),
        };
        for schedule in all {
            if let Err(error) = self.look_after(&schedule).await {
                tracing::debug!(%error, schedule = %schedule.id, "a schedule could not be looked after");
            }
        }
    }

    async fn look_after(&self, schedule: &Schedule) -> Result<(), ScheduleError> {
        match schedule.state.as_str() {
            "making" => self.make_again(schedule).await,
            "deleting" => Ok(self.finish_deleting(schedule).await?),
            "made" => {
                self.hold(schedule).await?;
                self.follow_runs(schedule).await
            }
            _ => Ok(()),
        }
    }

    /// Makes a window that was not made when it was asked for.
    async fn make_again(&self, schedule: &Schedule) -> Result<(), ScheduleError> {
        let now = self.clock.now();
        let age = now.since_ms(schedule.created_at);
        // Whoever asked may still be waiting for the answer.
        if age < 5_000 {
            return Ok(());
        }
        let gone = async |why: &str| {
            queries::change(&self.db, &schedule.id, &Change::State("gone", why))
                .await
                .map_err(store)
        };
        if age > MADE_AGAIN_MS {
            gone("Systems Manager did not answer for ten minutes: delete this schedule, and make it anew.")
                .await?;
            return Ok(());
        }
        match self.make_window(schedule).await {
            Err(error) if error.refused && !error.is_throttled() && !error.unreachable => {
                gone(&error.to_portal().to_string()).await?;
                Ok(())
            }
            other => Ok(other?),
        }
    }

    /// Deletes the window, then the schedule.
    pub(super) async fn finish_deleting(&self, schedule: &Schedule) -> Result<(), CallError> {
        if let Some(window) = schedule.window_id.as_ref().filter(|_| schedule.state != "gone") {
            windows::delete_window(&self.ssm, window).await?;
        }
        if let Err(error) = queries::delete(&self.db, &schedule.id).await {
            tracing::error!(%error, "a deleted schedule could not be forgotten; it is tried again");
        }
        Ok(())
    }

    /// Why it may not start anything now, whoever wants it.
    async fn why_held(&self, schedule: &Schedule) -> Result<String, PortalError> {
        let now = self.clock.now();
        let actor = match &schedule.created_by_id {
            Some(user) => people::actor_now(&self.db, user, now).await?,
            None => None,
        };
        match actor {
            Some(actor) => self.held_by_policies(&actor, &schedule.plan).await,
            None => Ok(format!(
                "{} may not sign in any more: somebody else has to make it anew.",
                schedule.created_by
            )),
        }
    }

    async fn hold(&self, schedule: &Schedule) -> Result<(), ScheduleError> {
        let Some(window) = &schedule.window_id else {
            return Ok(());
        };
        let held = self.why_held(schedule).await?;
        if held != schedule.held {
            queries::change(&self.db, &schedule.id, &Change::Held(&held))
                .await
                .map_err(store)?;
        }
        let may_open = schedule.enabled && held.is_empty();
        match windows::is_enabled(&self.ssm, window).await? {
            None => {
                let why = "Its maintenance window was deleted at Systems Manager.";
                queries::change(&self.db, &schedule.id, &Change::State("gone", why))
                    .await
                    .map_err(store)?;
            }
            Some(is_open) if is_open != may_open => {
                windows::enable(&self.ssm, window, may_open).await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// How it went the last time, and what that has started.
    async fn follow_runs(&self, schedule: &Schedule) -> Result<(), ScheduleError> {
        let Some(window) = &schedule.window_id else {
            return Ok(());
        };
        let Some(run) = windows::last_run(&self.ssm, window).await? else {
            return Ok(());
        };
        let is_known = run.id == schedule.last_window_execution;
        let mut execution = if is_known {
            schedule.last_execution.clone()
        } else {
            String::new()
        };
        if execution.is_empty() {
            execution = windows::started(&self.ssm, &run.id).await?.unwrap_or_default();
        }
        let is_new = run.at.is_none_or(|at| self.clock.now().since_ms(at) < CLAIMED_MS);
        if !execution.is_empty() && is_new {
            // It may have been taken in as one from outside, or is only about to be.
            queries::claim(&self.db, &execution, schedule)
                .await
                .map_err(store)?;
        }
        if !is_known || run.status != schedule.last_status || execution != schedule.last_execution {
            let last = Change::Last {
                window_execution: &run.id,
                status: &run.status,
                at: run.at,
                execution: &execution,
            };
            queries::change(&self.db, &schedule.id, &last)
                .await
                .map_err(store)?;
        }
        Ok(())
    }
}
