//! `GetAutomationExecution`.

use super::shown::{self, Counters, ShownExecution, ShownStep};
use super::{EXECUTION_ID, find, queries, step_queries, target_queries, targets};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Given;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use muster_automation::texts_of;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("AutomationExecutionId", EXECUTION_ID)];
/// Targets in one answer.
const MOST_SHOWN: i64 = 100;
/// Steps in one answer; `DescribeAutomationStepExecutions` tells the rest.
const MOST_STEPS: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    automation_execution_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    #[serde(flatten)]
    execution: ShownExecution,
    step_executions: Vec<ShownStep>,
    step_executions_truncated: bool,
    parameters: Given,
    variables: Given,
    progress_counters: Counters,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    automation_execution: Whole,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, &input.automation_execution_id).await?;
    let rows = step_queries::steps(plane.db.reader(), &row.execution_id).await?;
    let mut execution = shown::execution(&row);
    let (steps, counters) = match &row.plan {
        // Each target is an execution of its own, with steps of its own.
        Some(plan) => {
            let given = target_queries::first(plane.db.reader(), &row.execution_id, MOST_SHOWN).await?;
            execution.resolved_targets = shown::Resolved {
                truncated: plan.count > MOST_SHOWN,
                parameter_values: given.iter().map(targets::told).collect(),
            };
            let children = queries::children(&plane.db, &row.execution_id).await?;
            (Vec::new(), shown::target_counters(plan, &children))
        }
        None => {
            let steps = shown::steps(&row, &shown::document(&row)?, &rows);
            let counters = shown::counters(steps.len(), &rows);
            (steps, counters)
        }
    };
    let total = steps.len();
    let mut steps = steps;
    steps.truncate(MOST_STEPS);
    let variables = row.variables.iter();
    Ok(Output {
        automation_execution: Whole {
            step_executions_truncated: total > MOST_STEPS,
            step_executions: steps,
            parameters: row.parameters.clone(),
            variables: variables
                .map(|(name, value)| (name.clone(), texts_of(value)))
                .collect(),
            progress_counters: counters,
            execution,
        },
    })
}
