//! Retrying an execution that has ended badly, from the step that did. It acts on the same nodes as starting it, so it passes
//! the same gate; what Systems Manager says to it is told as it says it.

use crate::approvals::plan::runbook_proposal;
use crate::error::store;
use crate::fleet::queries::by_ids;
use crate::fleet::resolve::environment;
use crate::runbooks::content::Content;
use crate::runbooks::queries::{self, ExecutionRow, Viewer};
use crate::runbooks::service::RunbookService;
use crate::runbooks::{apply, ssm, steps};
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::commands::{check_confirmed, is_production};
use muster_domain::ids::NodeId;
use muster_domain::permission::Scope;
use muster_domain::runbooks::{ExecutionStatus, RetryExecution, Signal, StepExecution};
use muster_domain::{Actor, PortalError};

fn has_ended_badly(status: ExecutionStatus) -> bool {
    matches!(
        status,
        ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Cancelled
    )
}

/// Whether an execution is one that can be retried at all.
fn is_retriable(row: &ExecutionRow) -> bool {
    row.state == "done"
        && has_ended_badly(row.summary.status)
        && row.ssm_execution_id.is_some()
        && row.parent_ssm_id.is_empty()
        && row.problem.is_empty()
        && !row.targets.as_ref().is_some_and(|targets| targets.one_each)
}

/// The steps from which it can be retried, by their places: they did not succeed, and all before them did, or may fail.
fn places(steps: &[StepExecution], content: &Content) -> Vec<u32> {
    let declared = |step: &StepExecution| content.steps.iter().find(|one| one.name == step.name);
    let mut found = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        // What is within a loop is retried with it.
        let Some(document_step) = declared(step) else {
            continue;
        };
        let is_again = steps
            .iter()
            .skip(at + 1)
            .any(|later| later.name == step.name && later.status != ExecutionStatus::Pending);
        if step.status == ExecutionStatus::Success || is_again {
            continue;
        }
        if has_ended_badly(step.status) {
            found.push(step.position);
        }
        if document_step.is_critical || !step.status.has_failed() {
            break;
        }
    }
    found
}

/// The steps from which the actor may do an execution again, by their places.
///
/// # Errors
/// When the database does not answer.
pub async fn retry_from(
    service: &RunbookService,
    actor: &Actor,
    row: &ExecutionRow,
    steps: &[StepExecution],
    content: &Content,
) -> Result<Vec<u32>, PortalError> {
    let scopes = actor.scopes_for(Action::RunbooksRetry);
    if is_deployment(service, row).await? {
        return Ok(Vec::new());
    }
    if !is_retriable(row) || scopes.is_empty() || visible(service, row, &scopes).await?.is_none() {
        return Ok(Vec::new());
    }
    Ok(places(steps, content))
}

/// Whether it is a deployment: that is deployed again, as a whole and through what policies say of deployments.
async fn is_deployment(service: &RunbookService, row: &ExecutionRow) -> Result<bool, PortalError> {
    let id = &row.summary.execution_id;
    let found = crate::deployments::queries::of_execution(&service.db, id).await;
    Ok(found.map_err(store)?.is_some())
}

/// The execution, where it acts on nodes of these scopes alone; whoever started it is no exception.
async fn visible(
    service: &RunbookService,
    row: &ExecutionRow,
    scopes: &[Scope],
) -> Result<Option<ExecutionRow>, PortalError> {
    let viewer = Viewer { scopes, user: None };
    queries::get(&service.db, &row.summary.execution_id, &viewer)
        .await
        .map_err(store)
}

fn conflict(message: impl Into<String>) -> PortalError {
    PortalError::Conflict {
        message: message.into(),
    }
}

/// Policies and freezes hold for a retry as for a start. It cannot be asked for: what would be approved is the rest of
/// something that has begun, which no plan holds.
async fn admit(
    service: &RunbookService,
    actor: &Actor,
    row: &ExecutionRow,
    scopes: &[Scope],
) -> Result<(), PortalError> {
    let proposal = runbook_proposal(service, &row.plan(), scopes).await?;
    match service.gate.admit(actor, &proposal).await {
        Err(PortalError::ApprovalNeeded { message, .. }) => Err(PortalError::Forbidden {
            message: format!(
                "{message} A retry cannot be asked for: choose “Start again”, and ask for approval of that."
            ),
        }),
        other => other,
    }
}

/// On how many nodes it acts, and how many of them are in production by now.
async fn counts(service: &RunbookService, row: &ExecutionRow) -> Result<(u64, u64), PortalError> {
    let plan = row.plan();
    let ids: Vec<NodeId> = plan.nodes().iter().map(|node| node.node_id.clone()).collect();
    let known = by_ids(&service.db, &ids, &[Scope::All]).await.map_err(store)?;
    let production = known
        .iter()
        .filter(|node| environment(node).is_some_and(is_production));
    Ok((ids.len() as u64, production.count() as u64))
}

/// Retries an execution.
///
/// # Errors
/// What stands against it; what Systems Manager says.
pub async fn retry(
    service: &RunbookService,
    actor: &Actor,
    input: RetryExecution,
) -> Result<(), PortalError> {
    let id = input.execution.clone();
    let intent = Intent::new(Action::RunbooksRetry, format!("execution:{id}"))
        .with("step", input.step.clone())
        .with("confirmed_nodes", serde_json::json!(input.confirmed_nodes));
    service
        .door
        .pass(actor, intent, input.check(), async |pass| {
            let row = service.row(actor, &id, &pass.scopes).await?;
            if visible(service, &row, &pass.scopes).await?.is_none() {
                return Err(PortalError::Forbidden {
                    message: "It acts on more than the part of the fleet that your role is for.".into(),
                });
            }
            let Some(ssm_id) = row.ssm_execution_id.clone().filter(|_| is_retriable(&row)) else {
                return Err(conflict(format!(
                    "This execution cannot be retried ({}): only one that has failed, timed out or was cancelled, and that \
                     was not started by another one, can.",
                    row.summary.status.label()
                )));
            };
            if is_deployment(service, &row).await? {
                return Err(conflict(
                    "This execution is a deployment: deploy the release again instead, under Deployments.",
                ));
            }
            let all = steps::steps(service.db.reader(), &id).await.map_err(store)?;
            let step = all
                .iter()
                .find(|step| step.step_execution_id == input.step)
                .filter(|step| has_ended_badly(step.status))
                .ok_or_else(|| conflict("That step did not fail. Look at how the execution stands now."))?;
            pass.note("name", step.name.as_str());
            pass.note("document", row.summary.document.as_str());
            pass.note("document_version", row.summary.document_version.as_str());
            admit(service, actor, &row, &pass.scopes).await?;
            let (nodes, in_production) = counts(service, &row).await?;
            check_confirmed(input.confirmed_nodes, nodes, in_production)?;
            // Written down before it is sent: whatever happens in between, it is followed again.
            let by = Some((step.name.as_str(), actor.name.as_str()));
            let Some(before) = apply::reopen(&service.db, &id, by, service.clock.now())
                .await
                .map_err(store)?
            else {
                return Err(conflict("Somebody else has retried it just now."));
            };
            let sent = ssm::signal(&service.ssm, &ssm_id, Signal::Resume, &step.name, "").await;
            if let Err(error) = &sent
                && error.refused
            {
                apply::put_back(&service.db, &before, service.clock.now())
                    .await
                    .map_err(store)?;
            }
            service.changed(id.clone());
            sent.map_err(|error| error.to_portal())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbooks::content::read;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn steps(all: &[(&str, ExecutionStatus)]) -> Vec<StepExecution> {
        (0..)
            .zip(all)
            .map(|(position, (name, status))| StepExecution {
                position,
                step_execution_id: format!("s{position}"),
                name: (*name).to_owned(),
                action: "aws:pause".into(),
                status: *status,
                started_at: None,
                ended_at: None,
                response_code: String::new(),
                failure_message: String::new(),
                inputs: BTreeMap::new(),
                outputs: BTreeMap::new(),
            })
            .collect()
    }

    #[test]
    fn a_step_that_failed_can_be_retried_where_all_before_it_are_done() {
        use ExecutionStatus::{Cancelled, Failed, Pending, Success, TimedOut};
        let content = read(
            &json!({"schemaVersion": "0.3", "mainSteps": [
                {"name": "a", "action": "aws:pause", "isCritical": false, "onFailure": "Continue"},
                {"name": "b", "action": "aws:pause", "onFailure": "step:mend"},
                {"name": "c", "action": "aws:pause"},
                {"name": "mend", "action": "aws:pause"}]})
            .to_string(),
        );
        let found = |all: &[(&str, ExecutionStatus)]| places(&steps(all), &content);
        assert_eq!(
            found(&[("a", Success), ("b", Failed), ("mend", Success), ("c", Pending)]),
            [1]
        );
        assert_eq!(found(&[("a", Success), ("b", Failed), ("mend", Failed)]), [1]);
        assert_eq!(found(&[("a", Failed), ("b", TimedOut)]), [0, 1], "a may fail");
        assert_eq!(found(&[("a", Cancelled), ("b", Pending)]), [0]);
        // The second time it is the newer one, and what is within a loop is none of its own.
        assert_eq!(
            found(&[
                ("a", Success),
                ("b", Failed),
                ("mend", Success),
                ("b", Failed),
                ("c", Pending)
            ]),
            [3]
        );
        assert_eq!(found(&[("inner", Failed), ("c", Failed)]), [1]);
        assert!(found(&[("a", Success), ("b", Success), ("c", Pending)]).is_empty());
    }
}
