//! `GetMaintenanceWindowExecutionTaskInvocation`.

use super::describe_maintenance_window_execution_task_invocations::{Identity, shown};
use super::get_maintenance_window_execution::{find_task, of_task};
use super::{UUID, missing};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("WindowExecutionId", UUID),
    required("TaskId", UUID),
    required("InvocationId", UUID),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_execution_id: String,
    task_id: String,
    invocation_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Identity> {
    let task = find_task(plane, call, &input.window_execution_id, &input.task_id).await?;
    let rows = of_task(plane, &task).await?;
    let row = rows
        .into_iter()
        .find(|row| row.invocation_id == input.invocation_id)
        .ok_or_else(|| {
            missing(
                "Maintenance window execution task invocation",
                &input.invocation_id,
            )
        })?;
    Ok(shown(row, &task.task.kind))
}
