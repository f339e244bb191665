//! `GetMaintenanceWindowExecution`. Also how executions and what belongs to them are found.

use super::execution_queries::{self as executions, ExecutionRow, InvocationRow, TaskRow};
use super::{UUID, missing};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("WindowExecutionId", UUID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_execution_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_execution_id: String,
    task_ids: Vec<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_details: String,
    start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
}

/// An execution of the call's region.
pub(crate) async fn find(plane: &ControlPlane, call: &Call, id: &str) -> ApiResult<ExecutionRow> {
    executions::execution(plane.db.reader(), &call.region, id)
        .await?
        .ok_or_else(|| missing("Maintenance window execution", id))
}

/// A task of an execution.
pub(crate) async fn find_task(
    plane: &ControlPlane,
    call: &Call,
    execution_id: &str,
    task_execution_id: &str,
) -> ApiResult<TaskRow> {
    let execution = find(plane, call, execution_id).await?;
    let tasks = executions::tasks(plane.db.reader(), &execution.execution_id).await?;
    tasks
        .into_iter()
        .find(|task| task.task_execution_id == task_execution_id)
        .ok_or_else(|| missing("Maintenance window execution task", task_execution_id))
}

/// The invocations of a task.
pub(crate) async fn of_task(plane: &ControlPlane, task: &TaskRow) -> ApiResult<Vec<InvocationRow>> {
    let id = Some(task.task_execution_id.as_str());
    executions::invocations(plane.db.reader(), &task.execution_id, id).await
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, &input.window_execution_id).await?;
    let tasks = executions::tasks(plane.db.reader(), &row.execution_id).await?;
    Ok(Output {
        window_execution_id: row.execution_id,
        task_ids: tasks.into_iter().map(|task| task.task_execution_id).collect(),
        status: row.status.as_str(),
        status_details: row.status_details,
        start_time: seconds(row.starts_at),
        end_time: row.ended_at.map(seconds),
    })
}
