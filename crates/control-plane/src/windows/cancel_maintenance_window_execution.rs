//! `CancelMaintenanceWindowExecution`: what has not begun never does, what runs is cancelled. The next round does it.

use super::UUID;
use super::execution_queries as executions;
use super::get_maintenance_window_execution::find;
use super::progress::Status;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
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
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, &input.window_execution_id).await?;
    let cancelling = (Status::Cancelling, "");
    // One that has ended stays as it is.
    executions::set_execution(
        plane.db.writer(),
        &call.region,
        &row.execution_id,
        cancelling,
        call.now,
    )
    .await?;
    plane.wake.notify_one();
    Ok(Output {
        window_execution_id: row.execution_id,
    })
}
