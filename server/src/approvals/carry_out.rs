//! Doing what was approved: everything is resolved again and compared, the approvers are looked at again, then the request
//! is taken, once, and the act is done by the same services and through the same door as any other.

use crate::access::users;
use crate::approvals::decide::runs_itself;
use crate::approvals::people;
use crate::approvals::plan::Planned;
use crate::approvals::rows::{self, RequestRow};
use crate::approvals::service::ApprovalService;
use crate::approvals::store::{self as requests, Change, Guard};
use crate::approvals::times;
use crate::approvals::{delegations, lease};
use crate::error::store;
use crate::events::PortalEvent;
use muster_domain::approvals::{
    Act, Demand, Effect, Event, ProposedAct, RequestState, Voter, differences, step,
};
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::{Sql, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MINUTE_MS: i64 = 60_000;
/// How often it is looked for what is due, when nobody wakes.
const EVERY: Duration = Duration::from_secs(1);
/// Requests that are looked at in one round.
const AT_ONCE: i64 = 50;

/// What looking again has found.
pub(super) struct Again {
    /// What would run now.
    pub(super) planned: Planned,
    /// In what it differs from what was approved.
    pub(super) changed: Vec<String>,
    /// What the policies ask for now, where they ask for something.
    pub(super) demand: Option<Demand>,
}

/// Why something approved is not done now.
enum NotNow {
    /// It does not fit what was approved any more, or may not be done: it fails.
    Fails(PortalError),
    /// What it needs is away: it is tried again.
    Later(PortalError, Option<Timestamp>),
}

impl From<PortalError> for NotNow {
    fn from(error: PortalError) -> Self {
        match error {
            PortalError::Unavailable { .. }
            | PortalError::Internal { .. }
            | PortalError::TooManyRequests { .. } => Self::Later(error, None),
            other => Self::Fails(other),
        }
    }
}

impl ApprovalService {
    /// Carries out what is due, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "requests for approval were not looked at");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    pub(super) async fn found(&self, sql: Sql) -> Result<Vec<RequestRow>, StoreError> {
        let found = sql.all(self.db.reader()).await?;
        let requests = found.iter().map(rows::request).collect::<Result<Vec<_>, _>>()?;
        let policies = self.gate.book.current().await?;
        let rows = rows::with_decisions(&self.db, requests).await?;
        Ok(rows
            .into_iter()
            .map(|row| row.as_of(&policies.policies))
            .collect())
    }

    /// Lets end what has run out, and does what is due.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn round(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut sql = rows::of(&self.db);
        sql.push(" and r.is_open = 1 and r.state = 'waiting' and r.expires_at <= ")
            .int(now.0)
            .push(" order by r.expires_at, r.number limit ")
            .int(AT_ONCE);
        for row in self.found(sql).await? {
            self.expire(&row, "Nobody decided in time.").await?;
        }
        let mut sql = rows::of(&self.db);
        sql.push(" and r.state = 'approved' and r.usable_until <= ")
            .int(now.0)
            .push(" limit ")
            .int(AT_ONCE);
        for row in self.found(sql).await? {
            self.expire(&row, "The approval was not used in time.").await?;
        }
        self.recover().await?;
        let desk = &self.gate.desk;
        let mut sql = rows::of(&self.db);
        sql.push(" and r.state = 'approved' and r.runs_at <= ")
            .int(now.0)
            .push(" and ");
        lease::push_free(&mut sql, desk, "r.");
        sql.push(" order by r.runs_at limit ").int(AT_ONCE);
        let due = self.found(sql).await?;
        futures::future::join_all(due.iter().map(async |row| {
            if let Err(error) = self.carry_out_alone(row).await {
                tracing::warn!(request = %row.id, %error, "what was approved was not carried out");
            }
        }))
        .await;
        self.steps_round().await?;
        self.warn().await?;
        users::clear_loans(&self.db, now).await?;
        delegations::end_in_time(&self.db, now).await?;
        Ok(())
    }

    async fn expire(&self, row: &RequestRow, what: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Ok(next) = step(&row.standing, Event::Tick, now)
            && next.state != row.standing.state
        {
            let change = Change {
                who: "muster".into(),
                what: what.to_owned(),
                ..Change::default()
            };
            if requests::change(&self.gate.desk, row, &next, &change, Guard::Anytime, now).await? {
                self.bus.tell(PortalEvent::Approvals);
            }
        }
        Ok(())
    }

    /// Carries a request out, if no other portal does.
    async fn carry_out_alone(&self, row: &RequestRow) -> Result<(), PortalError> {
        let desk = &self.gate.desk;
        if !lease::hold(desk, row).await.map_err(store)? {
            return Ok(());
        }
        let done = lease::holding(desk, &row.id, self.carry_out(row)).await;
        // Nothing may have become of it.
        lease::let_go(desk, &row.id).await.map_err(store)?;
        done
    }

    /// After a stop, of this portal or of another one: what had been begun was done if it is there, and was not if it is not.
    async fn recover(&self) -> Result<(), StoreError> {
        let mut sql = rows::of(&self.db);
        sql.push(" and r.state = 'running' and ");
        lease::push_free(&mut sql, &self.gate.desk, "r.");
        sql.push(" limit ").int(AT_ONCE);
        for row in self.found(sql).await? {
            let was_done = self.was_done(&row).await?;
            let now = self.clock.now();
            let event = if was_done {
                Event::End { well: true }
            } else {
                Event::Lost
            };
            let Ok(next) = step(&row.standing, event, now) else {
                continue;
            };
            let change = Change {
                who: "muster".into(),
                what: if was_done {
                    "It had been done when the portal stopped."
                } else {
                    "The portal stopped before it was done."
                }
                .to_owned(),
                runs_at: (!was_done && runs_itself(&row)).then_some(now),
                ..Change::default()
            };
            requests::change(&self.gate.desk, &row, &next, &change, Guard::Free, now).await?;
        }
        Ok(())
    }

    /// Whether what a request was to become is there.
    async fn was_done(&self, row: &RequestRow) -> Result<bool, StoreError> {
        if let (ProposedAct::Role { role, scope, .. }, Some(user)) = (&row.proposed, &row.requester_id)
            && let Ok(scope) = Scope::of_role(scope)
        {
            return users::holds(&self.db, user, *role, &scope, &row.outcome_id).await;
        }
        let mut sql = match row.act {
            Act::RunCommand => Sql::new("select 1 as found from commands where command_id = "),
            Act::OpenTerminal | Act::OpenTunnel => {
                Sql::new("select 1 as found from sessions where session_id = ")
            }
            Act::ChangePolicies => Sql::new(
                "select 1 as found from (select sha256 from approval_policies order by version desc limit 1) newest where \
                 newest.sha256 = ",
            ),
            Act::StartRunbook => Sql::new("select 1 as found from executions where execution_id = "),
            Act::Deploy | Act::RollBack => {
                Sql::new("select 1 as found from deployments where deployment_id = ")
            }
            // Told again, it is looked first whether the step still waits. A role without who asked for it is nobody's. A
            // parameter that was written has another version now, and one that was deleted is gone: then what was approved
            // does not hold any more. So it is with baselines and maintenance windows; one that is made is made once under the
            // id of this.
            Act::AnswerStep
            | Act::HoldRole
            | Act::PutParameter
            | Act::DeleteParameter
            | Act::ChangeBaseline
            | Act::DeleteBaseline
            | Act::ChangeWindow
            | Act::DeleteWindow => return Ok(false),
            Act::GrantException => Sql::new(
                "select 1 as found from patch_exceptions where state in ('holding', 'ended') and exception_id = ",
            ),
            // Whether it was seen nobody knows: it is not shown twice.
            Act::RevealParameter => return Ok(true),
        };
        sql.text(&row.outcome_id).push(" limit 1");
        Ok(sql.first(self.db.reader()).await?.is_some())
    }

    /// Those who approved, as they are now.
    pub(super) async fn approvers(&self, row: &RequestRow) -> Result<Vec<Voter>, PortalError> {
        let policies = self.gate.book.current().await.map_err(store)?;
        people::approvers(&self.db, row, &policies.policies, self.clock.now()).await
    }

    async fn carry_out(&self, row: &RequestRow) -> Result<(), PortalError> {
        if row.act == Act::AnswerStep {
            return self.carry_out_step(row).await;
        }
        let actor = match &row.requester_id {
            Some(user) => people::actor_now(&self.db, user, self.clock.now()).await?,
            None => None,
        };
        let Some(mut actor) = actor else {
            let gone = PortalError::Forbidden {
                message: format!("{} may not sign in any more.", row.standing.requester),
            };
            return self.give_up(row, &gone).await;
        };
        actor.origin.address.clone_from(&row.address);
        match self.look_again(&actor, row).await {
            Ok(again) => self.begin(&actor, row, again).await,
            Err(NotNow::Fails(error)) => self.give_up(row, &error).await,
            Err(NotNow::Later(error, at)) => self.put_off(row, &error, at).await,
        }
    }

    /// What would run now, and in what it differs from what was approved.
    async fn look_again(&self, actor: &Actor, row: &RequestRow) -> Result<Again, NotNow> {
        let now = self.clock.now();
        let scopes = actor.scopes_for(super::asks::action_of(row.act));
        if scopes.is_empty() {
            return Err(NotNow::Fails(PortalError::Forbidden {
                message: format!("{} may not do this any more.", row.standing.requester),
            }));
        }
        let planned = self.plan(&row.proposed, &scopes, row.not_before).await?;
        let finding = self.gate.look(actor, &planned.proposal).await?;
        if finding.meeting.effect == Effect::Deny {
            return Err(NotNow::Fails(PortalError::Forbidden {
                message: finding.meeting.because.clone(),
            }));
        }
        if let Some((name, until)) = &finding.freeze
            && !row.standing.glass_broken
        {
            let error = PortalError::Conflict {
                message: format!("The freeze “{name}” holds until {until}."),
            };
            return Err(NotNow::Later(error, Timestamp::parse(until)));
        }
        if !row.standing.glass_broken
            && let Some((opens_at, _)) = times::first_fit(&row.demand.windows, now)
            && opens_at > now
        {
            let error = PortalError::Conflict {
                message: "The window in which this may run is closed.".into(),
            };
            return Err(NotNow::Later(error, Some(opens_at)));
        }
        let held_up = self.deployments.held_up(actor, &row.proposed, &planned, &scopes);
        if let Some(error) = held_up.await?
            && !row.standing.glass_broken
        {
            return Err(NotNow::Later(error, None));
        }
        let mut changed = differences(&row.plan, &planned.plan);
        let now_asked = &finding.meeting.demand;
        if finding.meeting.effect == Effect::Approve
            && (now_asked.tracks != row.demand.tracks
                || now_asked.windows != row.demand.windows
                || now_asked.tickets != row.demand.tickets)
        {
            changed.push("The policies ask for something else now.".into());
        }
        Ok(Again {
            planned,
            changed,
            demand: (finding.meeting.effect == Effect::Approve).then_some(finding.meeting.demand),
        })
    }

    async fn begin(&self, actor: &Actor, row: &RequestRow, again: Again) -> Result<(), PortalError> {
        let now = self.clock.now();
        let voters = self.approvers(row).await?;
        let until = now.plus_ms(i64::from(row.demand.expires_minutes) * MINUTE_MS);
        let is_changed = !again.changed.is_empty();
        let begin = Event::Begin {
            voters: &voters,
            changed: is_changed,
            until,
        };
        let Ok(next) = step(&row.standing, begin, now) else {
            // It has run out meanwhile, or somebody took it back: the next round sees it as it is.
            return Ok(());
        };
        if next.state != RequestState::Running {
            return self.void(actor, row, next, again).await;
        }
        // One that was taken before keeps its id: what was done under it then is not done again.
        let outcome_id = match &row.proposed {
            ProposedAct::Policies { text, .. } => super::policies::sha256(text),
            _ if !row.outcome_id.is_empty() => row.outcome_id.clone(),
            _ => self.random.uuid(),
        };
        let change = Change {
            who: "muster".into(),
            what: if is_changed {
                "The glass was broken: it is done as it is now."
            } else {
                "Nothing has changed since it was approved: it is being done."
            }
            .to_owned(),
            // With a broken glass what runs is what stands there, also where that has changed meanwhile.
            plan: is_changed.then(|| {
                let plan = again.planned.plan.clone();
                let digest = super::plan::digest(&plan);
                (plan, digest, again.changed.clone())
            }),
            outcome_id: Some(outcome_id.clone()),
            ..Change::default()
        };
        // From here on it is taken: whoever comes second finds another version.
        if !requests::change(&self.gate.desk, row, &next, &change, Guard::Usable, now)
            .await
            .map_err(store)?
        {
            return Ok(());
        }
        let taken = self.again(&row.id).await?;
        let done = self.act(actor, &taken, again.planned, &outcome_id).await;
        self.end(&taken, done, "Done.").await
    }
}
