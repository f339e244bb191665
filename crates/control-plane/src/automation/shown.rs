//! Executions and their steps as they are answered.

use super::api_call;
use super::queries::{Children, ExecutionRow};
use super::step_queries::StepRow;
use super::targets::Plan;
use crate::commands::targets::Target;
use crate::documents::automation_content;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use muster_automation::{Action, Document, Iterations, Step, StepStatus, text_of, texts_of};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The document of an execution.
pub(crate) fn document(row: &ExecutionRow) -> ApiResult<Document> {
    automation_content::read(&row.content)
        .map(|content| content.document)
        .map_err(|error| ApiError::internal(format!("a runbook cannot be read: {error:?}")))
}

/// `StepExecution`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownStep {
    pub(crate) step_name: String,
    pub(crate) action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<u64>,
    on_failure: String,
    max_attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution_start_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_end_time: Option<f64>,
    pub(crate) step_status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    response_code: String,
    inputs: BTreeMap<String, String>,
    outputs: Given,
    #[serde(skip_serializing_if = "String::is_empty")]
    failure_message: String,
    pub(crate) step_execution_id: String,
    is_end: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    next_step: String,
    is_critical: bool,
    valid_next_steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_step_details: Option<ParentStep>,
}

/// `ParentStepDetails`: the loop that a step was begun in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ParentStep {
    pub(crate) step_execution_id: String,
    step_name: String,
    action: String,
    pub(crate) iteration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iterator_value: Option<String>,
}

fn parent_of(row: &StepRow, rows: &[StepRow]) -> Option<ParentStep> {
    let parent = rows
        .iter()
        .find(|one| Some(one.position) == row.parent_position)?;
    let iterations = Iterations::read(&parent.inputs).ok();
    let iteration = usize::try_from(row.parent_iteration).unwrap_or_default();
    let value = iterations.as_ref().and_then(|all| all.value(iteration));
    Some(ParentStep {
        step_execution_id: parent.step_execution_id.clone(),
        step_name: parent.name.clone(),
        action: parent.action.clone(),
        iteration: row.parent_iteration,
        iterator_value: value.map(text_of),
    })
}

/// Inputs as JSON in texts: `"[\"i-1\"]"`, `"\"running\""`.
fn encoded(inputs: &Value) -> BTreeMap<String, String> {
    let members = inputs.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect()
}

fn outputs(values: &Map<String, Value>) -> Given {
    values
        .iter()
        .map(|(name, value)| (name.clone(), texts_of(value)))
        .collect()
}

/// What the document says of a step, as one that was not reached.
fn pending(document: &Document, at: usize, step: &Step) -> ShownStep {
    let following = document.after(at).and_then(|next| document.steps.get(next));
    let following = following.map(|next| next.name.clone());
    let mut valid: Vec<String> = Vec::new();
    {
        let choices = step.inputs.get("Choices").and_then(Value::as_array);
        let named = choices
            .into_iter()
            .flatten()
            .filter_map(|one| one.get("NextStep")?.as_str());
        valid.extend(named.map(str::to_owned));
        valid.extend(
            step.inputs
                .get("Default")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        if valid.is_empty() && !step.is_end {
            valid.extend(step.next_step.clone().or(following));
        }
        valid.dedup();
    }
    ShownStep {
        step_name: step.name.clone(),
        action: step.action.name().to_owned(),
        timeout_seconds: step.timeout_seconds,
        on_failure: step.on_failure.text(),
        max_attempts: step.max_attempts,
        step_status: "Pending",
        is_end: step.is_end,
        next_step: step.next_step.clone().unwrap_or_default(),
        is_critical: step.is_critical,
        valid_next_steps: valid,
        ..ShownStep::default()
    }
}

/// A step that was begun.
pub(crate) fn step(document: &Document, row: &StepRow, rows: &[StepRow]) -> ShownStep {
    let at = usize::try_from(row.step).unwrap_or(usize::MAX);
    let known = document.steps.get(at).map(|step| pending(document, at, step));
    let known = known.unwrap_or_default();
    ShownStep {
        step_name: row.name.clone(),
        action: row.action.clone(),
        execution_start_time: Some(seconds(row.started_at)),
        execution_end_time: row.ended_at.map(seconds),
        step_status: row.status.as_str(),
        response_code: row.response_code.clone(),
        inputs: if row.action == Action::ExecuteAwsApi.name() {
            encoded(&api_call::masked(&row.inputs))
        } else {
            encoded(&row.inputs)
        },
        outputs: outputs(&row.outputs),
        failure_message: row.failure_message.clone(),
        step_execution_id: row.step_execution_id.clone(),
        parent_step_details: parent_of(row, rows),
        ..known
    }
}

/// Steps that were begun, in their order, also those that were retried, and those that were not reached; of a loop what is within it is told when it is
/// begun.
pub(crate) fn steps(execution: &ExecutionRow, document: &Document, rows: &[StepRow]) -> Vec<ShownStep> {
    let mut all: Vec<ShownStep> = rows.iter().map(|row| step(document, row, rows)).collect();
    for (at, one) in document.steps.iter().enumerate() {
        if one.parent.is_none() && rows.iter().all(|row| row.retried || row.name != one.name) {
            all.push(ShownStep {
                // The same one whenever it is asked for.
                step_execution_id: format!("{}-{at}", execution.execution_id),
                ..pending(document, at, one)
            });
        }
    }
    all
}

/// `ProgressCounters`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Counters {
    total_steps: usize,
    success_steps: usize,
    failed_steps: usize,
    cancelled_steps: usize,
    timed_out_steps: usize,
}

/// How many steps have come to what.
pub(crate) fn counters(total: usize, rows: &[StepRow]) -> Counters {
    let count = |status: StepStatus| {
        rows.iter()
            .filter(|row| row.status == status && !row.retried)
            .count()
    };
    Counters {
        total_steps: total,
        success_steps: count(StepStatus::Success),
        failed_steps: count(StepStatus::Failed),
        cancelled_steps: count(StepStatus::Cancelled),
        timed_out_steps: count(StepStatus::TimedOut),
    }
}

/// The same of executions that stand for targets.
pub(crate) fn target_counters(plan: &Plan, found: &Children) -> Counters {
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    Counters {
        total_steps: count(plan.count),
        success_steps: count(found.ended - found.errors - found.cancelled),
        failed_steps: count(found.errors),
        cancelled_steps: count(found.cancelled),
        timed_out_steps: 0,
    }
}

/// What lists and single answers share.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownExecution {
    automation_execution_id: String,
    document_name: String,
    document_version: String,
    automation_execution_status: String,
    execution_start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_end_time: Option<f64>,
    executed_by: String,
    outputs: Given,
    mode: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    parent_automation_execution_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    current_step_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    current_action: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    failure_message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target_parameter_name: String,
    targets: Vec<Target>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    target_maps: Vec<Given>,
    #[serde(skip_serializing_if = "String::is_empty")]
    max_concurrency: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    max_errors: String,
    pub(crate) resolved_targets: Resolved,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Resolved {
    pub(crate) parameter_values: Vec<String>,
    pub(crate) truncated: bool,
}

pub(crate) fn execution(row: &ExecutionRow) -> ShownExecution {
    let is_open = row.ended_at.is_none();
    let plan = row.plan.as_ref();
    let current = |text: &String| if is_open { text.clone() } else { String::new() };
    ShownExecution {
        automation_execution_id: row.execution_id.clone(),
        document_name: row.document.clone(),
        document_version: row.document_version.clone(),
        automation_execution_status: row.status.clone(),
        execution_start_time: seconds(row.started_at),
        execution_end_time: row.ended_at.map(seconds),
        executed_by: row.executed_by.clone(),
        outputs: row.outputs.clone(),
        mode: row.mode.clone(),
        parent_automation_execution_id: row.parent_id.clone(),
        current_step_name: current(&row.current_step),
        current_action: current(&row.current_action),
        failure_message: row.failure_message.clone(),
        target: row.target.clone(),
        target_parameter_name: plan
            .map(|plan| plan.target_parameter_name.clone())
            .unwrap_or_default(),
        targets: plan.map(|plan| plan.targets.clone()).unwrap_or_default(),
        target_maps: plan.map(|plan| plan.target_maps.clone()).unwrap_or_default(),
        max_concurrency: plan.map(|plan| plan.max_concurrency.clone()).unwrap_or_default(),
        max_errors: plan.map(|plan| plan.max_errors.clone()).unwrap_or_default(),
        // Lists name none of them.
        resolved_targets: Resolved {
            parameter_values: Vec::new(),
            truncated: plan.is_some_and(|plan| plan.count > 0),
        },
    }
}
