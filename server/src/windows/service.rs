//! What can be done with maintenance windows, behind the door.

use crate::approvals::Gate;
use crate::aws::Ssm;
use crate::commands::parts::command_of_ssm;
use crate::door::Door;
use crate::error::store;
use crate::parameters::Seal;
use crate::runbooks::moments::Moments;
use crate::windows::copy::{self, CopyError};
use crate::windows::{queries, runs, ssm};
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::WindowId;
use muster_domain::parameters::Value;
use muster_domain::runbooks::{LocalTime, without_secrets};
use muster_domain::time::{Clock, Random};
use muster_domain::windows::{
    ChangeWindow, LiveWindow, WindowDetail, WindowExecution, WindowPage, WindowQuery, WindowSettings,
    WindowState, WindowSummary, Windows,
};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::Db;
use std::sync::Arc;

/// Openings that are shown before a window is changed.
const SHOWN_NEXT: usize = 5;

/// The windows' service.
#[derive(Clone)]
pub struct WindowService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes tokens.
    pub random: Arc<dyn Random>,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Whether an act may be done at once.
    pub gate: Gate,
    /// Refers to secrets, by which they can be compared without being shown.
    pub seal: Seal,
}

/// The resource that a window is in the audit log.
pub(crate) fn resource(id: &str) -> String {
    format!("window:{id}")
}

pub(super) fn copying(error: CopyError, id: &str) -> PortalError {
    match error {
        CopyError::Store(error) => store(error),
        CopyError::Call(error) => ssm::to_portal(&error, id),
    }
}

/// The end of a window's time, where it can be read.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text.trim())
}

impl WindowService {
    pub(super) fn connection(&self) -> &str {
        self.ssm.connection.id.as_str()
    }

    /// The openings that these settings come to.
    ///
    /// # Errors
    /// What of the schedule cannot be read, at its field.
    pub(super) fn openings(&self, settings: &WindowSettings) -> Result<Vec<LocalTime>, PortalError> {
        let now = self.clock.now();
        let moments = Moments::read(&queries::timing(settings), now)?.with_offset(settings.offset_days);
        let from = moment(&settings.starts)
            .filter(|starts| *starts > now)
            .map_or(now, |starts| starts.plus_ms(-1));
        let ends = moment(&settings.ends);
        let next = moments
            .after(from, SHOWN_NEXT)
            .take_while(|at| ends.is_none_or(|ends| *at < ends))
            .map(|at| moments.local(at))
            .collect();
        Ok(next)
    }

    /// A window without the secrets that its tasks are given: a reference stands for each, which is the same for the same
    /// secret and for nothing else.
    pub(super) fn masked(&self, mut state: WindowState) -> Result<WindowState, PortalError> {
        for task in &mut state.tasks {
            for name in without_secrets(&task.parameters).1 {
                if let Some(values) = task.parameters.get_mut(&name) {
                    let secret = Value(values.join("\n"));
                    let reference = self.seal.reference(&format!("window task {name}"), &secret)?;
                    *values = vec![format!("hidden ({})", reference.get(..12).unwrap_or_default())];
                }
            }
        }
        Ok(state)
    }

    /// What a window is now, and what the list says of it.
    pub(super) async fn now(&self, id: &str) -> Result<(ssm::Got, WindowState), PortalError> {
        // Many calls in one: on the heap, because whoever asks for this asks for much else too.
        let found = Box::pin(ssm::state(&self.ssm, id))
            .await
            .map_err(|error| ssm::to_portal(&error, id))?;
        match found {
            Some((got, state)) => Ok((got, self.masked(state)?)),
            None => {
                queries::forget(&self.db, self.connection(), id)
                    .await
                    .map_err(store)?;
                Err(ssm::missing(id))
            }
        }
    }

    /// The row of a window; looked up where the copy does not have it yet.
    async fn known(&self, id: &str) -> Result<WindowSummary, PortalError> {
        if let Some(found) = queries::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?
        {
            return Ok(found);
        }
        copy::one(&self.db, &self.ssm, id, self.clock.now())
            .await
            .map_err(|error| copying(error, id))?;
        queries::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?
            .ok_or_else(|| ssm::missing(id))
    }

    /// One execution, with the pages of what it has started.
    async fn execution(&self, run: &str) -> Result<WindowExecution, PortalError> {
        let mut tasks = runs::run_tasks(&self.ssm, run)
            .await
            .map_err(|error| ssm::to_portal(&error, run))?;
        for invocation in tasks.iter_mut().flat_map(|task| &mut task.invocations) {
            let id = invocation.execution.as_str();
            if id.is_empty() {
                continue;
            }
            if let Some(command) = command_of_ssm(&self.db, id).await.map_err(store)? {
                invocation.href = Some(format!("/commands/{command}"));
            } else if let Some(row) = crate::runbooks::queries::of_ssm(&self.db, id)
                .await
                .map_err(store)?
            {
                invocation.href = Some(format!("/executions/{}", row.summary.execution_id));
            }
        }
        Ok(WindowExecution {
            id: run.to_owned(),
            tasks,
        })
    }

    async fn live(&self, id: &str, execution: Option<&str>) -> Result<LiveWindow, PortalError> {
        let failed = |error: &crate::aws::errors::CallError| ssm::to_portal(error, id);
        let (now, next, runs) = tokio::join!(
            self.now(id),
            Box::pin(ssm::next(&self.ssm, id)),
            Box::pin(runs::runs(&self.ssm, id))
        );
        let (got, state) = now?;
        let runs = runs.map_err(|error| failed(&error))?;
        // Only what is this window's: another's execution is another page.
        let shown = runs
            .iter()
            .find(|run| execution.is_none_or(|wanted| wanted == run.id))
            .or(runs.first());
        let execution = match shown {
            Some(run) => Some(self.execution(&run.id).await?),
            None => None,
        };
        let zone = state.settings.time_zone.as_str();
        let next = next.map_err(|error| failed(&error))?;
        Ok(LiveWindow {
            next: next.into_iter().map(|at| queries::local(at, zone)).collect(),
            state,
            runs,
            execution,
            created_at: got.created_at,
            modified_at: got.modified_at,
        })
    }
}

#[async_trait]
impl Windows for WindowService {
    async fn list(&self, actor: &Actor, query: WindowQuery) -> Result<WindowPage, PortalError> {
        let intent = Intent::new(Action::WindowsRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let mut page = queries::list(&self.db, self.connection(), &query)
                    .await
                    .map_err(store)?;
                page.may_change = actor.may(Action::WindowsChange);
                Ok(page)
            })
            .await
    }

    async fn get(
        &self,
        actor: &Actor,
        window: WindowId,
        execution: Option<String>,
    ) -> Result<WindowDetail, PortalError> {
        let id = window.as_str();
        let intent = Intent::new(Action::WindowsRead, resource(id));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let summary = self.known(id).await?;
                let live = match Box::pin(self.live(id, execution.as_deref())).await {
                    Err(error @ PortalError::NotFound { .. }) => return Err(error),
                    other => other.map_err(|error| error.to_string()),
                };
                let schedule = queries::schedule_of(&self.db, self.connection(), id)
                    .await
                    .map_err(store)?;
                let is_free = schedule.is_none();
                Ok(WindowDetail {
                    summary,
                    live,
                    schedule,
                    may_change: is_free && actor.may(Action::WindowsChange),
                    may_delete: is_free && actor.may(Action::WindowsDelete),
                })
            })
            .await
    }

    async fn preview(&self, actor: &Actor, settings: WindowSettings) -> Result<Vec<LocalTime>, PortalError> {
        let intent = Intent::new(Action::WindowsRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| self.openings(&settings))
            .await
    }

    async fn change(&self, actor: &Actor, input: ChangeWindow) -> Result<WindowId, PortalError> {
        let intent = Self::intent_of(&input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let (now, becomes) = Box::pin(self.stand(&input)).await?;
                Box::pin(self.admit(actor, &input, now.as_ref(), becomes.as_ref())).await?;
                let token = self.random.uuid();
                Box::pin(self.change_now(&input, now.as_ref(), becomes.as_ref(), &token, &pass)).await
            })
            .await
    }
}
