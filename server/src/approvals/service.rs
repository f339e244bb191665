//! What can be done with requests for approval, behind the door.

use crate::access::passwords::Passwords;
use crate::approvals::Gate;
use crate::commands::CommandService;
use crate::deployments::DeploymentService;
use crate::door::Door;
use crate::error::store;
use crate::events::{EventBus, PortalEvent};
use crate::parameters::ParameterService;
use crate::patching::PatchingService;
use crate::runbooks::RunbookService;
use crate::sessions::SessionService;
use crate::windows::WindowService;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::approvals::{
    Approvals, Ask, Decide, DecideTogether, DelegationView, HandOver, Hypothetical, Meeting, OneOfSeveral,
    PoliciesView, RequestDetail, RequestQuery, RequestSummary, Review, WaitingCount,
};
use muster_domain::audit::Intent;
use muster_domain::ids::{DelegationId, RequestId};
use muster_domain::paging::Page;
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;
use tokio::sync::Notify;

/// The approvals' service.
#[derive(Clone)]
pub struct ApprovalService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// Wakes streams.
    pub bus: EventBus,
    /// What the policies say.
    pub gate: Gate,
    /// Checks the password that is asked for once more.
    pub passwords: Passwords,
    /// Runs what was approved.
    pub commands: CommandService,
    /// Starts what was approved.
    pub runbooks: RunbookService,
    /// Writes and deletes what was approved.
    pub parameters: ParameterService,
    /// Patch Manager.
    pub patching: PatchingService,
    /// Changes the maintenance windows that were approved.
    pub windows: WindowService,
    /// Deploys applications.
    pub deployments: DeploymentService,
    /// Opens what was approved.
    pub sessions: SessionService,
    /// Wakes whoever carries out.
    pub wake: Arc<Notify>,
}

pub(super) fn not_found(request: &RequestId) -> PortalError {
    PortalError::NotFound {
        what: format!("The request {request}"),
    }
}

/// The resource that a request is in the audit log.
pub(super) fn resource(request: &RequestId) -> String {
    format!("request:{request}")
}

#[async_trait]
impl Approvals for ApprovalService {
    async fn ask(&self, actor: &Actor, ask: Ask) -> Result<RequestId, PortalError> {
        self.ask_inner(actor, ask).await
    }

    async fn decide(&self, actor: &Actor, input: Decide) -> Result<RequestSummary, PortalError> {
        self.decide_inner(actor, input).await
    }

    async fn decide_together(
        &self,
        actor: &Actor,
        input: DecideTogether,
    ) -> Result<Vec<OneOfSeveral>, PortalError> {
        self.decide_together_inner(actor, input).await
    }

    async fn withdraw(&self, actor: &Actor, request: RequestId) -> Result<(), PortalError> {
        self.withdraw_inner(actor, &request).await
    }

    async fn remind(&self, actor: &Actor, request: RequestId) -> Result<(), PortalError> {
        self.remind_inner(actor, &request).await
    }

    async fn extend(&self, actor: &Actor, request: RequestId) -> Result<(), PortalError> {
        self.extend_inner(actor, &request).await
    }

    async fn review(&self, actor: &Actor, input: Review) -> Result<(), PortalError> {
        self.review_inner(actor, input).await
    }

    async fn list(&self, actor: &Actor, query: RequestQuery) -> Result<Page<RequestSummary>, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::ApprovalsRead, ""),
                Ok(()),
                async |pass| self.list_inner(actor, &query, &pass.scopes).await,
            )
            .await
    }

    async fn get(&self, actor: &Actor, request: RequestId) -> Result<RequestDetail, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::ApprovalsRead, resource(&request)),
                Ok(()),
                async |pass| self.detail(actor, &request, &pass.scopes).await,
            )
            .await
    }

    async fn waiting(&self, actor: &Actor) -> Result<WaitingCount, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::ApprovalsRead, ""),
                Ok(()),
                async |pass| self.waiting_inner(actor, &pass.scopes).await,
            )
            .await
    }

    async fn delegations(&self, actor: &Actor) -> Result<Vec<DelegationView>, PortalError> {
        let intent = Intent::new(Action::ApprovalsRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.delegations_inner(actor).await
            })
            .await
    }

    async fn hand_over(&self, actor: &Actor, input: HandOver) -> Result<DelegationId, PortalError> {
        self.hand_over_inner(actor, input).await
    }

    async fn end_delegation(&self, actor: &Actor, delegation: DelegationId) -> Result<(), PortalError> {
        self.end_delegation_inner(actor, &delegation).await
    }

    async fn policies(&self, actor: &Actor) -> Result<PoliciesView, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::ApprovalsReadPolicies, ""),
                Ok(()),
                async |_| self.policies_view(actor).await,
            )
            .await
    }

    async fn test_policies(&self, actor: &Actor, act: Hypothetical) -> Result<Meeting, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::ApprovalsReadPolicies, ""),
                act.proposal().map(|_| ()),
                async |_| self.test_inner(actor, &act).await,
            )
            .await
    }

    async fn change_policies(&self, actor: &Actor, text: String, was: String) -> Result<(), PortalError> {
        let intent = Intent::new(Action::ApprovalsChangePolicies, "policies")
            .with("was_sha256", was.clone())
            .with("sha256", super::policies::sha256(&text));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let planned = super::plan::of_policies(&self.gate.book, &text, &was, None).await?;
                self.gate.admit(actor, &planned.proposal).await?;
                let now = self.clock.now();
                self.gate.book.write(&text, &was, &actor.name, now).await?;
                self.bus.tell(PortalEvent::Approvals);
                Ok(())
            })
            .await
    }
}

impl ApprovalService {
    /// A request that the actor may know of.
    pub(super) async fn visible(
        &self,
        actor: &Actor,
        request: &RequestId,
        scopes: &[muster_domain::permission::Scope],
    ) -> Result<super::rows::RequestRow, PortalError> {
        let row = super::rows::get(&self.db, request)
            .await
            .map_err(store)?
            .ok_or_else(|| not_found(request))?;
        let policies = self.gate.book.current().await.map_err(store)?;
        let row = row.as_of(&policies.policies);
        let own = row.requester_id.is_some() && row.requester_id == actor.user_id;
        if own || super::list::may_see(&self.db, &row, scopes).await? {
            Ok(row)
        } else {
            Err(not_found(request))
        }
    }
}
