//! Schedules behind the door. Systems Manager starts what they say, so what policies say is asked before it may: when a schedule
//! is made, when it is let go on, and again and again while it stands (`schedule_sync`). Written down before its window is
//! made, under tokens, so that after a stop it is made once.

use crate::approvals::plan::runbook_proposal;
use crate::error::store;
use crate::fleet::queries::by_ids;
use crate::runbooks::moments::Moments;
use crate::runbooks::schedule_queries::{self as queries, Change, MOST, Schedule};
use crate::runbooks::schedule_ssm as windows;
use crate::runbooks::service::RunbookService;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::approvals::Effect;
use muster_domain::audit::Intent;
use muster_domain::commands::check_confirmed;
use muster_domain::ids::{ExecutionId, NodeId, ScheduleId};
use muster_domain::permission::Scope;
use muster_domain::runbooks::{
    LastRun, LocalTime, RunbookSchedules, ScheduleRow, ScheduleRunbook, StartPlan,
};
use muster_domain::{Actor, PortalError, Timestamp};

/// Next starts that are shown before a schedule is made.
const SHOWN_STARTS: usize = 3;

fn missing() -> PortalError {
    PortalError::NotFound {
        what: "The schedule".into(),
    }
}

/// The next starts in words: in the schedule's time zone, and in UTC.
fn in_words(starts: &[LocalTime]) -> String {
    let one = |start: &LocalTime| {
        if start.local.ends_with(" UTC") {
            start.local.clone()
        } else {
            format!("{} ({})", start.local, start.at.readable())
        }
    };
    starts.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What has to be shown before a schedule is made: its next starts.
fn shown_first(input: &ScheduleRunbook, now: Timestamp) -> Result<(), PortalError> {
    let moments = Moments::read(&input.timing, now)?;
    let starts: Vec<LocalTime> = moments
        .after(now, SHOWN_STARTS)
        .map(|at| moments.local(at))
        .collect();
    if starts.is_empty() {
        return Err(PortalError::invalid(
            "schedule",
            "It would never start: that time is over.",
        ));
    }
    if input.seen.trim() != input.timing.key() {
        return Err(PortalError::invalid("schedule_seen", in_words(&starts)));
    }
    Ok(())
}

impl RunbookService {
    pub(super) fn at(&self) -> &str {
        self.ssm.connection.id.as_str()
    }

    /// Why policies hold up a start of this plan by that person now; empty where they let it go on.
    pub(super) async fn held_by_policies(
        &self,
        actor: &Actor,
        plan: &StartPlan,
    ) -> Result<String, PortalError> {
        let scopes = actor.scopes_for(Action::RunbooksStart);
        if scopes.is_empty() {
            return Ok(format!("{} may not start runbooks any more.", actor.name));
        }
        let proposal = runbook_proposal(self, plan, &scopes).await?;
        let finding = self.gate.look(actor, &proposal).await?;
        if let Some((name, until)) = &finding.freeze {
            return Ok(format!("The freeze “{name}” holds until {until}."));
        }
        Ok(match finding.meeting.effect {
            Effect::Allow => String::new(),
            Effect::Approve => format!(
                "{} It needs approval each time, which nobody gives a schedule.",
                finding.meeting.because
            ),
            Effect::Deny => finding.meeting.because.clone(),
        })
    }

    /// Refuses to schedule what policies do not let start at once.
    async fn admit_to_schedule(&self, actor: &Actor, plan: &StartPlan) -> Result<(), PortalError> {
        let held = self.held_by_policies(actor, plan).await?;
        if held.is_empty() {
            return Ok(());
        }
        Err(PortalError::Forbidden {
            message: format!(
                "{held} So it cannot be started by a schedule: start it now instead, and ask for approval there, with the \
                 time before which it shall not run."
            ),
        })
    }

    /// Whether a schedule acts on nothing but nodes of these scopes.
    async fn is_within(&self, plan: &StartPlan, scopes: &[Scope]) -> Result<bool, PortalError> {
        if scopes.contains(&Scope::All) {
            return Ok(true);
        }
        let ids: Vec<NodeId> = plan.nodes().iter().map(|node| node.node_id.clone()).collect();
        if ids.is_empty() || plan.reaches_further {
            return Ok(false);
        }
        let known = by_ids(&self.db, &ids, scopes).await.map_err(store)?;
        Ok(ids.iter().all(|id| known.iter().any(|node| &node.node_id == id)))
    }

    /// One that may be changed by somebody with these scopes.
    async fn changeable(&self, id: &ScheduleId, scopes: &[Scope]) -> Result<Schedule, PortalError> {
        let schedule = queries::get(&self.db, self.at(), id)
            .await
            .map_err(store)?
            .ok_or_else(missing)?;
        if self.is_within(&schedule.plan, scopes).await? {
            Ok(schedule)
        } else {
            Err(missing())
        }
    }

    /// Makes the window of a schedule and puts the task into it, each under its token.
    pub(super) async fn make_window(&self, schedule: &Schedule) -> Result<(), crate::aws::errors::CallError> {
        let window = match &schedule.window_id {
            Some(window) => window.clone(),
            None => windows::create_window(&self.ssm, schedule).await?,
        };
        let noted = queries::change(&self.db, &schedule.id, &Change::Window(&window)).await;
        if let Err(error) = noted {
            // The token finds it again.
            tracing::error!(%error, "a schedule's window could not be noted; it is looked for again");
            return Ok(());
        }
        let put = windows::register_task(&self.ssm, schedule, &window).await;
        if put
            .as_ref()
            .is_err_and(|error| error.refused && !error.is_throttled())
        {
            windows::delete_window(&self.ssm, &window).await?;
        }
        put?;
        if let Err(error) = queries::change(&self.db, &schedule.id, &Change::State("made", "")).await {
            tracing::error!(%error, "a schedule could not be noted as made; it is tried again");
        }
        Ok(())
    }

    async fn row_of(
        &self,
        schedule: Schedule,
        may_change: &[Scope],
        now: Timestamp,
    ) -> Result<ScheduleRow, PortalError> {
        let is_on = schedule.enabled && schedule.held.is_empty() && schedule.state != "gone";
        let next = Moments::read(&schedule.timing, schedule.created_at)
            .ok()
            .filter(|_| is_on)
            .and_then(|moments| moments.next(now).map(|at| moments.local(at)));
        let execution = match schedule.last_execution.as_str() {
            "" => None,
            id => crate::runbooks::queries::of_ssm(&self.db, id)
                .await
                .map_err(store)?,
        };
        let last = schedule.last_at.map(|at| LastRun {
            status: schedule.last_status.clone(),
            at,
            execution: execution.map(|row| ExecutionId::new(row.summary.execution_id.as_str())),
        });
        let may_change = !may_change.is_empty() && self.is_within(&schedule.plan, may_change).await?;
        Ok(ScheduleRow {
            id: schedule.id,
            name: schedule.name,
            nodes: schedule.plan.nodes().to_vec(),
            document: schedule.plan.document,
            document_version: schedule.plan.document_version,
            reason: schedule.reason,
            timing: schedule.timing,
            created_by: schedule.created_by,
            enabled: schedule.enabled,
            held: schedule.held,
            problem: schedule.problem,
            window_id: schedule.window_id,
            next,
            last,
            may_change,
        })
    }

    /// Schedules that somebody with these scopes sees.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn seen_schedules(&self, scopes: &[Scope]) -> Result<Vec<Schedule>, PortalError> {
        let mut seen = Vec::new();
        for schedule in queries::list(&self.db, self.at()).await.map_err(store)? {
            if schedule.state != "deleting" && self.is_within(&schedule.plan, scopes).await? {
                seen.push(schedule);
            }
        }
        Ok(seen)
    }
}

#[async_trait]
impl RunbookSchedules for RunbookService {
    async fn schedules(&self, actor: &Actor) -> Result<Vec<ScheduleRow>, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let may_change = actor.scopes_for(Action::RunbooksSchedule);
                let now = self.clock.now();
                let mut rows = Vec::new();
                for schedule in self.seen_schedules(&pass.scopes).await? {
                    rows.push(self.row_of(schedule, &may_change, now).await?);
                }
                rows.sort_by_key(|row| {
                    let next = row.next.as_ref().map(|next| next.at);
                    (next.is_none(), next, row.name.to_lowercase())
                });
                Ok(rows)
            })
            .await
    }

    async fn schedule(&self, actor: &Actor, input: ScheduleRunbook) -> Result<ScheduleId, PortalError> {
        let id = ScheduleId::new(self.random.uuid());
        let intent = Intent::new(Action::RunbooksSchedule, format!("schedule:{id}"))
            .with("name", input.name.trim().to_owned())
            .with("schedule", input.timing.schedule.clone())
            .with("time_zone", input.timing.time_zone.clone())
            .with("document", input.start.document.clone())
            .with("version", input.start.version.clone())
            .with("parameters", serde_json::json!(input.start.parameters))
            .with("selection", serde_json::json!(input.start.selection))
            .with("reason", input.start.reason.clone())
            .with("confirmed_nodes", serde_json::json!(input.start.confirmed_nodes));
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let now = self.clock.now();
                shown_first(&input, now)?;
                // Everybody who is meant: who does not report now may when it starts.
                let plan = self.plan(&input.start, &pass.scopes).await?.plan;
                if plan.targets.as_ref().is_some_and(|targets| targets.one_each) {
                    return Err(PortalError::invalid(
                        "targets",
                        "It takes one node, and a schedule makes no execution for each of several: choose one.",
                    ));
                }
                pass.note("document_version", plan.document_version.as_str());
                pass.note("content_hash", plan.content_hash.as_str());
                pass.note("nodes", plan.nodes().len() as u64);
                self.admit_to_schedule(actor, &plan).await?;
                check_confirmed(
                    input.start.confirmed_nodes,
                    plan.nodes().len() as u64,
                    plan.in_production(),
                )?;
                let many = queries::list(&self.db, self.at()).await.map_err(store)?.len();
                if i64::try_from(many).unwrap_or(i64::MAX) >= MOST {
                    return Err(PortalError::Conflict {
                        message: format!("There are {MOST} schedules, which is the most: delete one that is not needed."),
                    });
                }
                let schedule = Schedule {
                    id: id.clone(),
                    name: input.name.trim().to_owned(),
                    plan,
                    reason: input.start.reason.trim().to_owned(),
                    timing: input.timing.clone(),
                    window_token: self.random.uuid(),
                    task_token: self.random.uuid(),
                    window_id: None,
                    state: "making".into(),
                    enabled: true,
                    held: String::new(),
                    problem: String::new(),
                    created_by: actor.name.clone(),
                    created_by_id: actor.user_id.clone(),
                    created_at: now,
                    last_window_execution: String::new(),
                    last_status: String::new(),
                    last_at: None,
                    last_execution: String::new(),
                };
                queries::insert(&self.db, self.at(), &schedule)
                    .await
                    .map_err(store)?;
                match self.make_window(&schedule).await {
                    Ok(()) => Ok(id),
                    // Certainly nothing was made: it is taken back, so that the form can be corrected.
                    Err(error) if error.refused && !error.is_throttled() && !error.unreachable => {
                        queries::delete(&self.db, &id).await.map_err(store)?;
                        Err(error.to_portal())
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a schedule's window will be made later");
                        Ok(id)
                    }
                }
            })
            .await
    }

    async fn enable_schedule(&self, actor: &Actor, id: ScheduleId, enabled: bool) -> Result<(), PortalError> {
        let act = if enabled { "resume" } else { "pause" };
        let intent = Intent::new(Action::RunbooksSchedule, format!("schedule:{id}")).with("act", act);
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let schedule = self.changeable(&id, &pass.scopes).await?;
                pass.note("name", schedule.name.as_str());
                if enabled {
                    // Whoever lets it go on has it started.
                    self.admit_to_schedule(actor, &schedule.plan).await?;
                }
                if let Some(window) = &schedule.window_id {
                    let may_open = enabled && schedule.held.is_empty();
                    windows::enable(&self.ssm, window, may_open)
                        .await
                        .map_err(|error| error.to_portal())?;
                }
                queries::change(&self.db, &id, &Change::Enabled(enabled))
                    .await
                    .map_err(store)?;
                Ok(())
            })
            .await
    }

    async fn delete_schedule(&self, actor: &Actor, id: ScheduleId) -> Result<(), PortalError> {
        let intent = Intent::new(Action::RunbooksSchedule, format!("schedule:{id}")).with("act", "delete");
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let schedule = self.changeable(&id, &pass.scopes).await?;
                pass.note("name", schedule.name.as_str());
                // Noted first: what is not deleted now is deleted by the next round.
                queries::change(&self.db, &id, &Change::State("deleting", ""))
                    .await
                    .map_err(store)?;
                self.finish_deleting(&schedule)
                    .await
                    .map_err(|error| error.to_portal())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_said_in_both_clocks() {
        let at = Timestamp::parse("2026-11-29T01:00").unwrap();
        let local = |text: &str| LocalTime {
            at,
            local: text.into(),
        };
        assert_eq!(
            in_words(&[
                local("Sun 2026-11-29 02:00 Europe/Berlin"),
                local("Sun 2026-11-29 01:00 UTC")
            ]),
            "Sun 2026-11-29 02:00 Europe/Berlin (2026-11-29 01:00:00 UTC); Sun 2026-11-29 01:00 UTC"
        );
    }
}
