//! `DeregisterTaskFromMaintenanceWindow`. An execution that has begun still does it.

use super::task::Task;
use super::{UUID, WINDOW_ID, missing, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("WindowId", WINDOW_ID), required("WindowTaskId", UUID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    window_task_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_id: String,
    window_task_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (window_id, id) = (&input.window_id, &input.window_task_id);
    if !queries::delete_registered::<Task>(plane.db.writer(), &call.region, window_id, id).await? {
        return Err(missing("Maintenance window task", id));
    }
    Ok(Output {
        window_id: input.window_id,
        window_task_id: input.window_task_id,
    })
}
