//! What can be done with runbooks and executions, behind the door.

use crate::approvals::Gate;
use crate::approvals::plan::runbook_proposal;
use crate::aws::Ssm;
use crate::door::Door;
use crate::error::store;
use crate::events::{EventBus, PortalEvent};
use crate::runbooks::carry_out::Order;
use crate::runbooks::queries::{self, ExecutionRow, Viewer};
use crate::runbooks::{catalogue, content, copy, detail, diff, retry, ssm, steps};
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::commands::check_confirmed;
use muster_domain::fleet::{NodeSelection, ResolvedTargets};
use muster_domain::ids::ExecutionId;
use muster_domain::paging::Page;
use muster_domain::permission::Scope;
use muster_domain::runbooks::{
    ExecutionDetail, ExecutionQuery, ExecutionSummary, RetryExecution, RunbookDetail, RunbookPage,
    RunbookQuery, Runbooks, SendSignal, Signal, StartRunbook, StopExecution, VersionDiff, WaitsFor,
};
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;
use tokio::sync::Notify;

/// The runbooks' service.
#[derive(Clone)]
pub struct RunbookService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Whether one may be started at once.
    pub gate: Gate,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and tokens.
    pub random: Arc<dyn Random>,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Wakes streams.
    pub bus: EventBus,
    /// Wakes whoever follows executions.
    pub queued: Arc<Notify>,
}

/// Why somebody may not decide on an execution, beyond their role; empty where nothing stands in the way.
pub(super) fn own_execution(actor: &Actor, row: &ExecutionRow) -> &'static str {
    if row.requested_by_id.is_some() && row.requested_by_id == actor.user_id {
        "You started this execution, so somebody else decides on it."
    } else {
        ""
    }
}

impl RunbookService {
    /// What stands in the audit log of starting a runbook.
    pub(crate) fn intent_to_start(id: &ExecutionId, input: &StartRunbook) -> Intent {
        Intent::new(Action::RunbooksStart, format!("execution:{id}"))
            .with("document", input.document.clone())
            .with("version", input.version.clone())
            .with("parameters", serde_json::json!(input.parameters))
            .with("selection", serde_json::json!(input.selection))
            .with("reason", input.reason.clone())
            .with("confirmed_nodes", serde_json::json!(input.confirmed_nodes))
    }

    /// Whether somebody may decide on a step here: by the rules of its request, and only where no further decision is needed.
    async fn may_answer(&self, actor: &Actor, step: &str, signal: Signal) -> Result<(), PortalError> {
        let Some(request) = crate::approvals::rows::of_outcome(&self.db, step)
            .await
            .map_err(store)?
        else {
            return Ok(());
        };
        let policies = self.gate.book.current().await.map_err(store)?;
        let request = request.as_of(&policies.policies);
        let nodes = crate::approvals::decide::nodes(&request);
        let (name, grants) = (&actor.name, &actor.grants);
        let voter =
            crate::approvals::people::voter(&self.db, name, grants, &nodes, &policies.policies).await?;
        request
            .standing
            .counts_for(&voter, self.clock.now())
            .map_err(crate::approvals::decide::refused)?;
        let (given, needed) = request.standing.count();
        if signal == Signal::Approve && given + 1 < needed {
            return Err(PortalError::Conflict {
                message: format!(
                    "It takes {needed} approvals: decide on {} under Approvals.",
                    request.id
                ),
            });
        }
        Ok(())
    }

    pub(super) async fn row(
        &self,
        actor: &Actor,
        execution: &ExecutionId,
        scopes: &[Scope],
    ) -> Result<ExecutionRow, PortalError> {
        let viewer = Viewer {
            scopes,
            user: actor.user_id.as_ref(),
        };
        queries::get(&self.db, execution, &viewer)
            .await
            .map_err(store)?
            .ok_or_else(|| PortalError::NotFound {
                what: format!("The execution {execution}"),
            })
    }

    /// An execution that has not ended, with Systems Manager's id of it.
    async fn running(
        &self,
        actor: &Actor,
        execution: &ExecutionId,
        scopes: &[Scope],
    ) -> Result<(ExecutionRow, String), PortalError> {
        let row = self.row(actor, execution, scopes).await?;
        if row.state == "done" {
            return Err(PortalError::Conflict {
                message: format!(
                    "This execution has already ended ({}).",
                    row.summary.status.label()
                ),
            });
        }
        match row.ssm_execution_id.clone() {
            Some(id) => Ok((row, id)),
            None => Err(PortalError::Conflict {
                message: "This execution is still being sent to Systems Manager. Try again in a few seconds."
                    .into(),
            }),
        }
    }

    pub(super) fn changed(&self, execution: ExecutionId) {
        self.queued.notify_one();
        self.bus.tell(PortalEvent::Execution(execution));
    }
}

#[async_trait]
impl Runbooks for RunbookService {
    async fn list(&self, actor: &Actor, query: RunbookQuery) -> Result<RunbookPage, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                catalogue::list(&self.db, self.ssm.connection.id.as_str(), &query)
                    .await
                    .map_err(store)
            })
            .await
    }

    async fn get(
        &self,
        actor: &Actor,
        name: String,
        version: Option<String>,
    ) -> Result<RunbookDetail, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, format!("document:{name}"));
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                detail::runbook(self, actor, &name, version, &pass.scopes).await
            })
            .await
    }

    async fn diff(
        &self,
        actor: &Actor,
        name: String,
        old: String,
        new: String,
    ) -> Result<VersionDiff, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, format!("document:{name}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                copy::known(&self.db, &self.ssm, &name, self.clock.now()).await?;
                let (_, before) = copy::text(&self.db, &self.ssm, &name, &old).await?;
                let (_, after) = copy::text(&self.db, &self.ssm, &name, &new).await?;
                // Comparing may take a processor for seconds: not on a thread that others wait for.
                tokio::task::spawn_blocking(move || diff::differences((&old, &before), (&new, &after)))
                    .await
                    .map_err(|_| PortalError::Unavailable {
                        message: "The comparison was interrupted: the server is stopping. Try again.".into(),
                    })
            })
            .await
    }

    async fn resolve(
        &self,
        actor: &Actor,
        name: String,
        version: Option<String>,
        selection: NodeSelection,
    ) -> Result<ResolvedTargets, PortalError> {
        // What a start would act on, so with that right.
        let scopes = actor.scopes_for(Action::RunbooksStart);
        let intent = Intent::new(Action::RunbooksRead, format!("document:{name}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let summary = copy::known(&self.db, &self.ssm, &name, self.clock.now()).await?;
                let version = version.unwrap_or(summary.default_version);
                let (_, text) = copy::text(&self.db, &self.ssm, &name, &version).await?;
                let content = content::read(&text);
                match content.node_parameters.first() {
                    Some(parameter) => {
                        let resolved = self.resolved(parameter, &selection, &scopes).await?;
                        Ok(resolved.preview())
                    }
                    None => Ok(ResolvedTargets::default()),
                }
            })
            .await
    }

    async fn start(&self, actor: &Actor, input: StartRunbook) -> Result<ExecutionId, PortalError> {
        let id = ExecutionId::new(self.random.uuid());
        let intent = Self::intent_to_start(&id, &input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let meant = self.plan(&input, &pass.scopes).await?;
                pass.note("document_version", meant.plan.document_version.as_str());
                pass.note("content_hash", meant.plan.content_hash.as_str());
                // Everybody who is meant counts for the policies, whether they report now or not.
                let proposal = runbook_proposal(self, &meant.plan, &pass.scopes).await?;
                self.gate.admit(actor, &proposal).await?;
                let plan = meant.reporting(false)?;
                let nodes = plan.nodes().len() as u64;
                pass.note("nodes", nodes);
                check_confirmed(input.confirmed_nodes, nodes, plan.in_production())?;
                let order = Order {
                    execution_id: id.clone(),
                    reason: input.reason.clone(),
                    requested_by: actor.name.clone(),
                    requested_by_id: actor.user_id.clone(),
                    deployment: None,
                };
                self.carry_out(&plan, order).await?;
                Ok(id)
            })
            .await
    }

    async fn again(&self, actor: &Actor, execution: ExecutionId) -> Result<StartRunbook, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, format!("execution:{execution}"));
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.row(actor, &execution, &pass.scopes).await?;
                let mut parameters = row.parameters;
                let selection = match row.targets.filter(|targets| !targets.nodes.is_empty()) {
                    Some(targets) => {
                        parameters.remove(&targets.parameter);
                        NodeSelection::Nodes {
                            nodes: targets.nodes.into_iter().map(|node| node.node_id).collect(),
                        }
                    }
                    None => NodeSelection::Nothing,
                };
                Ok(StartRunbook {
                    document: row.summary.document,
                    version: row.summary.document_version,
                    parameters,
                    selection,
                    max_concurrency: row.max_concurrency,
                    max_errors: row.max_errors,
                    reason: row.summary.reason,
                    // Whoever starts it again is asked again.
                    confirmed_nodes: None,
                })
            })
            .await
    }

    async fn stop(&self, actor: &Actor, input: StopExecution) -> Result<(), PortalError> {
        let id = input.execution;
        let intent =
            Intent::new(Action::RunbooksStop, format!("execution:{id}")).with("kind", input.kind.as_str());
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let (_, ssm_id) = self.running(actor, &id, &pass.scopes).await?;
                ssm::stop(&self.ssm, &ssm_id, input.kind)
                    .await
                    .map_err(|error| error.to_portal())?;
                self.changed(id);
                Ok(())
            })
            .await
    }

    async fn retry(&self, actor: &Actor, input: RetryExecution) -> Result<(), PortalError> {
        retry::retry(self, actor, input).await
    }

    async fn signal(&self, actor: &Actor, input: SendSignal) -> Result<(), PortalError> {
        let id = input.execution.clone();
        let action = if input.signal.is_decision() {
            Action::RunbooksDecide
        } else {
            Action::RunbooksSignal
        };
        let intent = Intent::new(action, format!("execution:{id}"))
            .with("signal", input.signal.as_str())
            .with("step", input.step.clone())
            .with("comment", input.comment.clone());
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let (row, ssm_id) = self.running(actor, &id, &pass.scopes).await?;
                let own = own_execution(actor, &row);
                if input.signal.is_decision() && !own.is_empty() {
                    return Err(PortalError::Forbidden { message: own.into() });
                }
                let steps = steps::steps(self.db.reader(), &id).await.map_err(store)?;
                let waits = match input.signal {
                    Signal::Approve | Signal::Reject => WaitsFor::Decision,
                    Signal::Resume => WaitsFor::Resume,
                };
                let step = steps
                    .iter()
                    .find(|step| step.step_execution_id == input.step)
                    .filter(|step| step.waits_for() == Some(waits))
                    .ok_or_else(|| PortalError::Conflict {
                        message:
                            "That step does not wait for this any more. Look at how the execution stands now."
                                .into(),
                    })?;
                if input.signal.is_decision() {
                    self.may_answer(actor, &input.step, input.signal).await?;
                }
                // Everybody's decision reaches Systems Manager as the portal's: who it was stands in the comment.
                let comment = match input.comment.trim() {
                    "" => format!("{} (through Muster)", actor.name),
                    comment => format!("{} (through Muster): {comment}", actor.name),
                };
                ssm::signal(&self.ssm, &ssm_id, input.signal, &step.name, &comment)
                    .await
                    .map_err(|error| error.to_portal())?;
                self.changed(id);
                Ok(())
            })
            .await
    }

    async fn executions(
        &self,
        actor: &Actor,
        query: ExecutionQuery,
    ) -> Result<Page<ExecutionSummary>, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let viewer = Viewer {
                    scopes: &pass.scopes,
                    user: actor.user_id.as_ref(),
                };
                queries::list(&self.db, &query, &viewer).await.map_err(store)
            })
            .await
    }

    async fn execution(&self, actor: &Actor, execution: ExecutionId) -> Result<ExecutionDetail, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, format!("execution:{execution}"));
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.row(actor, &execution, &pass.scopes).await?;
                detail::execution(self, actor, row, &pass.scopes).await
            })
            .await
    }
}
