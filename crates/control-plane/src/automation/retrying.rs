//! Retrying an execution that has ended badly, from the step that did: what came before stays as it is, with its outputs, and
//! the step is begun anew, under a new id. Written in one transaction; what comes next follows from that as always.

use super::queries::{self, ExecutionRow};
use super::rounds::executed;
use super::send_automation_signal::invalid;
use super::start_automation_execution::document;
use super::step_queries::{self, StepRow};
use super::{MOST_OPEN, values};
use crate::control_plane::ControlPlane;
use crate::documents::automation_content;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use muster_automation::{Action, Document, Executed, NoRetry, StepStatus, retry as place_of};
use serde_json::{Map, Value};

/// The variables as they were after these steps, without those that are retried.
fn variables(document: &Document, steps: &[StepRow]) -> Map<String, Value> {
    let defaults = document.variables.iter();
    let mut all: Map<String, Value> = defaults
        .map(|(name, variable)| (name.clone(), variable.default.clone().unwrap_or(Value::Null)))
        .collect();
    let updates = steps.iter().filter(|row| {
        row.action == Action::UpdateVariable.name() && row.status == StepStatus::Success && !row.retried
    });
    for row in updates {
        let name = values::text(&row.inputs, "Name").unwrap_or_default();
        let name = name.strip_prefix("variable:").unwrap_or(&name);
        if let Some(value) = row.inputs.get("Value").filter(|_| all.contains_key(name)) {
            all.insert(name.to_owned(), value.clone());
        }
    }
    all
}

fn refused(why: &NoRetry) -> ApiError {
    match why {
        NoRetry::NoSuchStep(_) | NoRetry::NotReached(_) => {
            ApiError::new("AutomationStepNotFoundException", why.to_string())
        }
        _ => invalid(why.to_string()),
    }
}

/// What can be said against retrying this execution at all.
async fn check(plane: &ControlPlane, execution: &ExecutionRow) -> ApiResult<()> {
    if !matches!(execution.status.as_str(), "Failed" | "TimedOut" | "Cancelled") {
        return Err(invalid(format!(
            "The execution has ended as {}.",
            execution.status
        )));
    }
    if !execution.parent_id.is_empty() {
        return Err(invalid(format!(
            "It was started by the execution {}: retry that one.",
            execution.parent_id
        )));
    }
    if execution.plan.is_some() {
        return Err(invalid(
            "It ran over targets, each of which is an execution of its own: start it again for those that failed.",
        ));
    }
    // It goes on as it was when it was started; one that nobody could look up any more does not.
    let version = Some(execution.document_version.as_str());
    document(plane, &execution.region, &execution.document, version)
        .await
        .map_err(|error| {
            invalid(format!(
                "Its runbook is not there any more. {}",
                error.message.unwrap_or_default()
            ))
        })?;
    Ok(())
}

/// Lets an execution that has ended badly go on from that step.
pub(super) async fn retry(plane: &ControlPlane, execution: ExecutionRow, name: &str) -> ApiResult<Empty> {
    let Some(ended_at) = execution.ended_at else {
        return Err(invalid("The execution has not ended."));
    };
    check(plane, &execution).await?;
    let content = automation_content::read(&execution.content)
        .map_err(|error| ApiError::internal(format!("a runbook cannot be read: {error:?}")))?;
    let mut transaction = plane.db.begin().await?;
    let mut steps = step_queries::steps(&mut *transaction, &execution.execution_id).await?;
    let done: Vec<Executed> = steps.iter().map(executed).collect();
    let from = place_of(&content.document, &done, name).map_err(|why| refused(&why))?;
    let position = steps
        .get(from)
        .map(|row| row.position)
        .ok_or_else(|| ApiError::internal("a step that was not begun is to be retried"))?;
    if queries::count_open(&mut *transaction).await? >= MOST_OPEN {
        return Err(ApiError::new(
            "AutomationExecutionLimitExceededException",
            format!(
                "There are {MOST_OPEN} executions that run or wait, which is the most: wait for some to end."
            ),
        ));
    }
    for row in steps.iter_mut().skip(from) {
        row.retried = true;
    }
    let row = ExecutionRow {
        status: "InProgress".into(),
        failure_message: String::new(),
        outputs: Given::new(),
        variables: variables(&content.document, &steps),
        // Whoever runs it step by step wants this one begun.
        permitted: name.to_owned(),
        ..execution
    };
    // Two at once: the second finds it running.
    if !queries::reopen(&mut *transaction, &row, ended_at).await? {
        return Err(invalid("Somebody else has retried it just now."));
    }
    step_queries::retry_from(&mut *transaction, &row.execution_id, position).await?;
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(Empty {})
}
