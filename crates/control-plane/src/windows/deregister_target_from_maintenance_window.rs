//! `DeregisterTargetFromMaintenanceWindow`: with `Safe` only when no task names it.

use super::task::Task;
use super::{TargetDefinition, UUID, WINDOW_ID, missing, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    required("WindowTargetId", UUID),
    optional("Safe", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    window_target_id: String,
    safe: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_id: String,
    window_target_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (region, window_id, id) = (&call.region, &input.window_id, &input.window_target_id);
    let mut transaction = plane.db.begin().await?;
    if input.safe == Some(true) {
        let tasks = queries::registered::<Task>(&mut *transaction, region, window_id).await?;
        let names = |task: &Task| {
            task.window_targets()
                .is_some_and(|ids| ids.contains(&id.as_str()))
        };
        if let Some((task_id, _)) = tasks.iter().find(|(_, task)| names(task)) {
            return Err(ApiError::new(
                "TargetInUseException",
                format!("The target {id} is used by the task {task_id}."),
            ));
        }
    }
    if !queries::delete_registered::<TargetDefinition>(&mut *transaction, region, window_id, id).await? {
        return Err(missing("Maintenance window target", id));
    }
    transaction.commit().await?;
    Ok(Output {
        window_id: input.window_id,
        window_target_id: input.window_target_id,
    })
}
