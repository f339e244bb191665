//! A deployment before policies, as a request, and done. It starts a runbook, so what policies say about starting that holds as
//! well: what they forbid is in no deployment, and what they want approved is in one that was approved.

use crate::approvals::plan::{Planned, runbook_proposal};
use crate::deployments::plan::{Prepared, nodes_of};
use crate::deployments::service::DeploymentService;
use crate::deployments::standing::{self, Standing};
use crate::deployments::write::NewDeployment;
use crate::door::Pass;
use crate::error::store;
use crate::runbooks::Order;
use muster_domain::approvals::{Effect, Plan, PlanSubject, ProposedAct, differences};
use muster_domain::deployments::{DeployRelease, DeploymentSummary};
use muster_domain::ids::{DeploymentId, ExecutionId, RequestId};
use muster_domain::permission::Scope;
use muster_domain::runbooks::StartPlan;
use muster_domain::{Actor, PortalError, Timestamp};

fn no_deployment() -> PortalError {
    PortalError::Conflict {
        message: "It is about no deployment.".into(),
    }
}

/// Why nothing is deployed now.
fn busy(open: &DeploymentSummary) -> PortalError {
    PortalError::Conflict {
        message: format!(
            "{} of {} is being deployed to {} now, by {}: one at a time. Nothing was started.",
            open.version, open.application, open.environment, open.requested_by
        ),
    }
}

impl DeploymentService {
    /// Refuses a deployment whose runbook its maker may not start, unless the deployment itself is approved.
    async fn may_run(
        &self,
        actor: &Actor,
        prepared: &Prepared,
        scopes: &[Scope],
        is_approved: bool,
    ) -> Result<(), PortalError> {
        let proposal = runbook_proposal(&self.runbooks, &prepared.meant.plan, scopes).await?;
        let meeting = self.gate.look(actor, &proposal).await?.meeting;
        let why = match meeting.effect {
            Effect::Allow => return Ok(()),
            Effect::Approve if is_approved => return Ok(()),
            Effect::Approve => {
                "Starting it needs approval, so deployments that start it have to be approved as well (deployments.deploy, \
                 deployments.roll_back): write that into the policies, and ask for this one then."
            }
            Effect::Deny => "So no deployment may start it either.",
        };
        Err(PortalError::Forbidden {
            message: format!(
                "{}: {} {why} Nothing was started.",
                prepared.planned.release.content.document, meeting.because
            ),
        })
    }

    /// Lets a deployment go on, or says what has to be asked for.
    pub(super) async fn admit(
        &self,
        actor: &Actor,
        prepared: &Prepared,
        scopes: &[Scope],
    ) -> Result<(), PortalError> {
        if let Some(open) = prepared.standing.open() {
            return Err(busy(open));
        }
        let effect = self.gate.look(actor, &prepared.proposal).await?.meeting.effect;
        self.may_run(actor, prepared, scopes, effect == Effect::Approve)
            .await?;
        self.gate.admit(actor, &prepared.proposal).await?;
        self.is_frozen(actor, &prepared.meant.plan, scopes).await
    }

    /// A freeze of starting runbooks stops deployments, too.
    async fn is_frozen(&self, actor: &Actor, plan: &StartPlan, scopes: &[Scope]) -> Result<(), PortalError> {
        let proposal = runbook_proposal(&self.runbooks, plan, scopes).await?;
        match self.gate.look(actor, &proposal).await?.freeze {
            None => Ok(()),
            Some((name, until)) => Err(PortalError::Conflict {
                message: format!("Nothing was started: the freeze “{name}” of runbooks holds until {until}."),
            }),
        }
    }

    /// Why what was approved has to wait: one runs there, or runbooks are frozen.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn held_up(
        &self,
        actor: &Actor,
        act: &ProposedAct,
        planned: &Planned,
        scopes: &[Scope],
    ) -> Result<Option<PortalError>, PortalError> {
        let (ProposedAct::Deployment { deployment }, Some(meant)) = (act, &planned.runbook) else {
            return Ok(None);
        };
        let key = (deployment.application.to_string(), deployment.environment.clone());
        let standings = standing::standings(&self.db, std::slice::from_ref(&deployment.application))
            .await
            .map_err(store)?;
        if let Some(open) = standings.get(&key).and_then(Standing::open) {
            return Ok(Some(busy(open)));
        }
        match self.is_frozen(actor, &meant.plan, scopes).await {
            Err(frozen @ PortalError::Conflict { .. }) => Ok(Some(frozen)),
            Err(other) => Err(other),
            Ok(()) => Ok(None),
        }
    }

    /// Makes sure that a deployment can be asked for.
    ///
    /// # Errors
    /// What is in its way already.
    pub(crate) async fn ready(
        &self,
        actor: &Actor,
        act: &ProposedAct,
        scopes: &[Scope],
    ) -> Result<(), PortalError> {
        let ProposedAct::Deployment { deployment } = act else {
            return Ok(());
        };
        let prepared = self.prepare(deployment, scopes).await?;
        self.may_run(actor, &prepared, scopes, true).await
    }

    fn plan_of(prepared: &Prepared, act: &ProposedAct, not_before: Option<Timestamp>) -> Plan {
        Plan {
            act: act.act(),
            subject: PlanSubject::Deployment {
                deployment: Box::new(prepared.planned.clone()),
            },
            targets: prepared.filter.chars().take(200).collect(),
            nodes: nodes_of(&prepared.meant.plan),
            not_before: not_before.map(|at| at.0),
        }
    }

    /// Plans a deployment, as things are now.
    ///
    /// # Errors
    /// What is wrong with it, or when Systems Manager does not answer.
    pub(crate) async fn plan(
        &self,
        act: &ProposedAct,
        scopes: &[Scope],
        not_before: Option<Timestamp>,
    ) -> Result<Planned, PortalError> {
        let ProposedAct::Deployment { deployment } = act else {
            return Err(no_deployment());
        };
        let prepared = self.prepare(deployment, scopes).await?;
        Ok(Planned {
            plan: Self::plan_of(&prepared, act, not_before),
            proposal: prepared.proposal,
            command: None,
            runbook: Some(prepared.meant),
        })
    }

    /// Does what was approved, as it was planned or not at all.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn carry_out(
        &self,
        actor: &Actor,
        act: &ProposedAct,
        plan: &Plan,
        id: &str,
        request: &RequestId,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let ProposedAct::Deployment { deployment } = act else {
            return Err(no_deployment());
        };
        let prepared = self.prepare(deployment, &pass.scopes).await?;
        let now = Self::plan_of(&prepared, act, plan.not_before.map(Timestamp));
        let changed = differences(plan, &now);
        if !changed.is_empty() {
            return Err(PortalError::Conflict {
                message: format!("Nothing was started: {}", changed.join(" ")),
            });
        }
        if let Some(open) = prepared.standing.open() {
            return Err(busy(open));
        }
        self.may_run(actor, &prepared, &pass.scopes, true).await?;
        let start = prepared.meant.clone().reporting(true)?;
        self.start(actor, deployment, &prepared, &start, id, Some(request), pass)
            .await
    }

    /// Starts the runbook, on the way on which all runbooks are.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is done, by whom, and where that is written down"
    )]
    pub(super) async fn start(
        &self,
        actor: &Actor,
        input: &DeployRelease,
        prepared: &Prepared,
        start: &StartPlan,
        id: &str,
        request: Option<&RequestId>,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let planned = &prepared.planned;
        pass.note("application", planned.application.as_str());
        pass.note("environment", planned.environment.as_str());
        pass.note("version", planned.release.version.as_str());
        pass.note("document_version", start.document_version.as_str());
        pass.note("content_hash", start.content_hash.as_str());
        pass.note("nodes", start.nodes().len() as u64);
        let order = Order {
            execution_id: ExecutionId::new(id),
            reason: format!("{}: {}", planned.title(), input.reason.trim()),
            requested_by: actor.name.clone(),
            requested_by_id: actor.user_id.clone(),
            deployment: Some(NewDeployment {
                id: DeploymentId::new(id),
                application_id: planned.application_id.clone(),
                revision: prepared.application.revision,
                application: planned.application.clone(),
                environment: planned.environment.clone(),
                kind: planned.kind,
                release_id: planned.release.release_id.clone(),
                number: planned.release.number,
                version: planned.release.version.clone(),
                replaces: planned.replaces.clone(),
                reason: input.reason.clone(),
                ticket: input.ticket.clone(),
                requested_by: actor.name.clone(),
                requested_by_id: actor.user_id.clone(),
                nodes: start.nodes().len(),
                request_id: request.cloned(),
            }),
        };
        self.runbooks.carry_out(start, order).await
    }
}
