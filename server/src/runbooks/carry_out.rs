//! Carrying out a plan, now or long after it was made: what would run is held against the plan, written down, and sent under
//! a token that was written down before. Whatever happens in between, it is started once.

use crate::deployments::NewDeployment;
use crate::error::store;
use crate::events::PortalEvent;
use crate::runbooks::insert::{self, NewExecution};
use crate::runbooks::queries::{self, ExecutionRow};
use crate::runbooks::reach::reaches_further;
use crate::runbooks::service::RunbookService;
use crate::runbooks::{content, content_hash, ssm};
use muster_domain::PortalError;
use muster_domain::ids::{ExecutionId, UserId};
use muster_domain::runbooks::{ExecutionStatus, ExecutionSummary, StartPlan};
use std::collections::BTreeMap;

/// Who has a plan carried out, and why.
#[derive(Clone, Debug)]
pub struct Order {
    /// The execution's id: with the same one a plan is carried out once.
    pub execution_id: ExecutionId,
    /// What it is for.
    pub reason: String,
    /// Who asked, by name.
    pub requested_by: String,
    /// Who asked, by account.
    pub requested_by_id: Option<UserId>,
    /// The deployment that it is, where it is one.
    pub deployment: Option<NewDeployment>,
}

impl RunbookService {
    /// Carries out a plan as it stands. Answers when Systems Manager has taken it, or when it is written down and will be
    /// sent as soon as Systems Manager answers.
    ///
    /// # Errors
    /// When the runbook's text is another one than the plan's, or Systems Manager refuses; nothing was started then.
    pub async fn carry_out(&self, plan: &StartPlan, order: Order) -> Result<(), PortalError> {
        let fresh = ssm::text(&self.ssm, &plan.document, Some(&plan.document_version))
            .await
            .map_err(|error| error.to_portal())?;
        if content_hash(&fresh.content) != plan.content_hash {
            return Err(PortalError::Conflict {
                message: format!(
                    "Version {} of {} is another text by now than the one that was planned. Nothing was started.",
                    plan.document_version, plan.document
                ),
            });
        }
        let read = content::read(&fresh.content);
        let now = self.clock.now();
        let row = ExecutionRow {
            summary: ExecutionSummary {
                execution_id: order.execution_id.clone(),
                document: plan.document.clone(),
                document_version: plan.document_version.clone(),
                reason: order.reason.trim().to_owned(),
                requested_by: order.requested_by,
                requested_at: now,
                ended_at: None,
                status: ExecutionStatus::Pending,
                current_step: String::new(),
                failure_message: String::new(),
                steps: u32::try_from(read.steps.len()).unwrap_or(u32::MAX),
                steps_ended: 0,
                steps_failed: 0,
                synced_at: now,
            },
            ssm_execution_id: None,
            client_token: self.random.uuid(),
            content_hash: plan.content_hash.clone(),
            parameters: plan.parameters.clone(),
            targets: plan.targets.clone(),
            max_concurrency: plan.max_concurrency.clone(),
            max_errors: plan.max_errors.clone(),
            reaches_further: !reaches_further(&read).is_empty(),
            requested_by_id: order.requested_by_id,
            executed_by: String::new(),
            outputs: BTreeMap::new(),
            parent_ssm_id: String::new(),
            state: "sending".into(),
            problem: String::new(),
            next_event: 1,
        };
        let new = NewExecution {
            row,
            connection_id: self.ssm.connection.id.to_string(),
            nodes: plan.nodes().to_vec(),
            deployment: order.deployment,
        };
        let nothing = |what: &str| PortalError::Conflict {
            message: format!("{what} Nothing was started."),
        };
        match insert::insert(&self.db, &new).await {
            Ok(true) => {}
            Ok(false) => {
                return Err(nothing(
                    "The application, or what runs in this environment, has changed this moment: look at it again.",
                ));
            }
            Err(error) if error.is_unique_violation() => {
                let is_there = queries::is_there(&self.db, &order.execution_id)
                    .await
                    .map_err(store)?;
                return if is_there {
                    // This order was carried out before.
                    Ok(())
                } else {
                    Err(nothing(
                        "This application is being deployed to this environment now: one at a time.",
                    ))
                };
            }
            Err(error) => return Err(store(error)),
        }
        let token = &new.row.client_token;
        match ssm::start(&self.ssm, plan, token).await {
            Ok(id) => {
                queries::sent(&self.db, &order.execution_id, &id)
                    .await
                    .map_err(store)?;
            }
            // Too fast is no refusal: it is sent as soon as that is allowed.
            Err(error) if error.refused && !error.is_throttled() && !error.unreachable => {
                // Certainly nothing was started: take it back, so that the form can be corrected.
                queries::remove_unsent(&self.db, &order.execution_id)
                    .await
                    .map_err(store)?;
                return Err(error.to_portal());
            }
            // Nobody knows whether it was taken: it stays, and is sent again under the same token.
            Err(error) => {
                tracing::warn!(%error, execution.id = %order.execution_id, "an execution will be sent again")
            }
        }
        self.bus.tell(PortalEvent::Execution(order.execution_id));
        self.queued.notify_one();
        Ok(())
    }
}
