//! `DeregisterPatchBaselineForPatchGroup`.

use super::register_patch_baseline_for_patch_group::Output;
use super::shapes::{BASELINE_ID, PATCH_GROUP};
use super::{find, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("BaselineId", BASELINE_ID),
    required("PatchGroup", PATCH_GROUP),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    baseline_id: String,
    patch_group: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, &call.region, &input.baseline_id)
        .await
        .map_err(|error| match error.code {
            // In the words that clients know.
            "DoesNotExistException" => ApiError::new(
                "DoesNotExistException",
                "Patch Baseline to be retrieved does not exist.",
            ),
            _ => error,
        })?;
    queries::delete_group(
        plane.db.writer(),
        &call.region,
        &input.patch_group,
        &row.baseline_id,
    )
    .await?;
    Ok(Output {
        baseline_id: row.baseline_id,
        patch_group: input.patch_group,
    })
}
