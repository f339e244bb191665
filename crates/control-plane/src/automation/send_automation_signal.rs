//! `SendAutomationSignal`: decisions of approvers, going on after a pause, and retrying what has ended badly.

use super::acting::{Standing, end, is_approver};
use super::queries::{self, ExecutionRow};
use super::start_automation_execution::caller_arn;
use super::step_queries::{self, StepRow};
use super::{EXECUTION_ID, PARAMETERS, find, retrying, watching};
use crate::control_plane::ControlPlane;
use crate::documents::automation_content;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, one_of, optional, required};
use muster_automation::{Action, StepStatus, text_of, texts_of};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) const INPUT: &[Member] = &[
    required("AutomationExecutionId", EXECUTION_ID),
    required(
        "SignalType",
        one_of(&["Approve", "Reject", "StartStep", "StopStep", "Resume", "Revoke"]),
    ),
    optional("Payload", PARAMETERS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    automation_execution_id: String,
    signal_type: String,
    payload: Option<Given>,
}

/// What one approver has said.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decision {
    approver: String,
    decision: String,
    comment: String,
    at: String,
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidAutomationSignalException", message)
}

/// Notes a decision; the step ends when it was the last one that was needed.
fn decide(
    plane: &ControlPlane,
    call: &Call,
    row: &mut StepRow,
    is_approved: bool,
    comment: String,
) -> ApiResult<()> {
    let approver = caller_arn(plane, call);
    let user = approver.rsplit('/').next().unwrap_or_default();
    let approvers = row.inputs.get("Approvers").map(texts_of).unwrap_or_default();
    if !approvers.iter().any(|entry| is_approver(entry, user)) {
        return Err(invalid(format!(
            "{approver} is not among the approvers of step {}: {}.",
            row.name,
            approvers.join(", ")
        )));
    }
    let mut decisions: Vec<Decision> = serde_json::from_str(&row.work).map_err(ApiError::internal)?;
    if decisions.iter().any(|one| one.approver == approver) {
        return Err(invalid(format!(
            "{approver} has decided on step {} already.",
            row.name
        )));
    }
    decisions.push(Decision {
        approver,
        decision: if is_approved { "Approve" } else { "Reject" }.to_owned(),
        comment,
        at: call.now.rfc3339(),
    });
    row.work = serde_json::to_string(&decisions).map_err(ApiError::internal)?;
    let needed: usize = row
        .inputs
        .get("MinRequiredApprovals")
        .and_then(|value| text_of(value).trim().parse().ok())
        .unwrap_or(1);
    let approvals = decisions.iter().filter(|one| one.decision == "Approve").count();
    row.outputs.insert("ApproverDecisions".into(), json!(row.work));
    if !is_approved {
        row.outputs.insert("ApprovalStatus".into(), json!("Rejected"));
        let why = format!("Step {} was rejected.", row.name);
        end(row, StepStatus::Failed, &why, call.now);
    } else if approvals >= needed {
        row.outputs.insert("ApprovalStatus".into(), json!("Approved"));
        end(row, StepStatus::Success, "", call.now);
    }
    Ok(())
}

/// Whether a step waits in a pause.
async fn is_paused(plane: &ControlPlane, execution: &ExecutionRow) -> ApiResult<bool> {
    let last = step_queries::last(plane.db.reader(), &execution.execution_id).await?;
    Ok(last.is_some_and(|row| row.status == StepStatus::Waiting && row.action == "aws:pause"))
}

fn ended(execution: &ExecutionRow) -> ApiError {
    invalid(format!("The execution has ended as {}.", execution.status))
}

/// Lets the step that waits be begun.
async fn start_step(
    plane: &ControlPlane,
    execution: &ExecutionRow,
    name: Option<String>,
) -> ApiResult<Empty> {
    if execution.ended_at.is_some() {
        return Err(ended(execution));
    }
    if execution.mode != "Interactive" {
        return Err(invalid("This execution runs by itself (Auto), not step by step."));
    }
    let last = step_queries::last(plane.db.reader(), &execution.execution_id).await?;
    let is_running = last.is_some_and(|row| !row.status.is_final() && row.action != Action::Loop.name());
    if is_running || execution.status != "Waiting" {
        return Err(invalid("No step waits to be started."));
    }
    if let Some(name) = name.filter(|name| *name != execution.current_step) {
        return Err(ApiError::new(
            "AutomationStepNotFoundException",
            format!("The step {name} does not wait; {} does.", execution.current_step),
        ));
    }
    if !queries::permit(plane.db.writer(), execution, &execution.current_step).await? {
        return Err(ended(execution));
    }
    plane.wake.notify_one();
    Ok(Empty {})
}

/// Stops the step that runs, and with it the execution.
async fn stop_step(plane: &ControlPlane, execution: &ExecutionRow, id: Option<String>) -> ApiResult<Empty> {
    if execution.ended_at.is_some() {
        return Err(ended(execution));
    }
    let id = id.ok_or_else(|| invalid("StopStep needs the StepExecutionId in its Payload."))?;
    let steps = step_queries::steps(plane.db.reader(), &execution.execution_id).await?;
    let content = automation_content::read(&execution.content)
        .map_err(|error| ApiError::internal(format!("a runbook cannot be read: {error:?}")))?;
    let row = steps
        .last()
        .filter(|row| {
            row.step_execution_id == id && !row.status.is_final() && row.action != Action::Loop.name()
        })
        .ok_or_else(|| {
            ApiError::new(
                "AutomationStepNotFoundException",
                format!("The step execution {id} does not run."),
            )
        })?;
    let at = usize::try_from(row.step).unwrap_or(usize::MAX);
    let step = content
        .document
        .steps
        .get(at)
        .ok_or_else(|| ApiError::internal("a step that is not in the document runs"))?;
    let standing = Standing {
        execution,
        document: &content.document,
        declared: &content.parameters,
        steps: &steps,
    };
    watching::cancel(plane, &standing, step, row).await?;
    plane.wake.notify_one();
    Ok(Empty {})
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let execution = find(plane, call, &input.automation_execution_id).await?;
    let payload = input.payload.unwrap_or_default();
    let first = |name: &str| payload.get(name).and_then(|values| values.first()).cloned();
    let action = match input.signal_type.as_str() {
        "StopStep" => return stop_step(plane, &execution, first("StepExecutionId")).await,
        "StartStep" => return start_step(plane, &execution, first("StepName")).await,
        "Resume" if execution.ended_at.is_some() => {
            let Some(name) = first("StepName") else {
                return Err(ended(&execution));
            };
            return retrying::retry(plane, execution, &name).await;
        }
        // One that waits in a pause goes on with that; one that is run step by step with its next step.
        "Resume" if execution.mode == "Interactive" && !is_paused(plane, &execution).await? => {
            return start_step(plane, &execution, first("StepName")).await;
        }
        "Approve" | "Reject" => "aws:approve",
        "Resume" => "aws:pause",
        other => {
            return Err(invalid(format!(
                "{other} is for access requests; this execution is none."
            )));
        }
    };
    let mut transaction = plane.db.begin().await?;
    // Two signals at once take turns.
    if execution.ended_at.is_some() || !queries::lock(&mut *transaction, &execution).await? {
        return Err(ended(&execution));
    }
    let last = step_queries::last(&mut *transaction, &execution.execution_id).await?;
    let mut row = last
        .filter(|row| row.status == StepStatus::Waiting && row.action == action)
        .ok_or_else(|| {
            invalid(format!(
                "No step of the action {action} waits for {}.",
                input.signal_type
            ))
        })?;
    if let Some(name) = first("StepName").filter(|name| *name != row.name) {
        return Err(ApiError::new(
            "AutomationStepNotFoundException",
            format!("The step {name} does not wait; {} does.", row.name),
        ));
    }
    match input.signal_type.as_str() {
        "Resume" => end(&mut row, StepStatus::Success, "", call.now),
        kind => decide(
            plane,
            call,
            &mut row,
            kind == "Approve",
            first("Comment").unwrap_or_default(),
        )?,
    }
    if !step_queries::put_step(&mut *transaction, &row, Some(StepStatus::Waiting)).await? {
        return Err(invalid(format!("Step {} does not wait any more.", row.name)));
    }
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(Empty {})
}
