//! `GetAutomationExecution`.

use super::shown::{self, Counters, ShownExecution, ShownStep};
use super::{EXECUTION_ID, find, queries};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Given;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use muster_automation::texts_of;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("AutomationExecutionId", EXECUTION_ID)];
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
    let rows = queries::steps(plane.db.reader(), &row.execution_id).await?;
    let document = shown::document(&row)?;
    let mut steps = shown::steps(&row, &document, &rows);
    let total = steps.len();
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
            progress_counters: shown::counters(total, &rows),
            execution: shown::execution(&row),
        },
    })
}
