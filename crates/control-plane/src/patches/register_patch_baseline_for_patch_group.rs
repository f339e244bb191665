//! `RegisterPatchBaselineForPatchGroup`: one baseline of each operating system for a group.

use super::queries::{self, GroupRow};
use super::shapes::{BASELINE_ID, PATCH_GROUP};
use super::{defaults, find, missing};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

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

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(super) baseline_id: String,
    pub(super) patch_group: String,
}

/// Groups of a baseline at most (service quotas).
const MAX_GROUPS: usize = 25;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (region, patch_group) = (&call.region, &input.patch_group);
    let row = find(plane, region, &input.baseline_id).await?;
    let system = &row.baseline.operating_system;
    let mut transaction = plane.db.begin().await?;
    let is_own = defaults::by_id(region, &row.baseline_id).is_none();
    // It may have been deleted since it was looked at.
    if is_own && !queries::lock(&mut *transaction, region, &row.baseline_id).await? {
        return Err(missing(&input.baseline_id));
    }
    if queries::group(&mut *transaction, region, patch_group, system)
        .await?
        .is_some()
    {
        return Err(ApiError::new(
            "AlreadyExistsException",
            format!("Patch Group baseline already has a baseline registered for OperatingSystem {system}."),
        ));
    }
    let others = queries::groups_of(&mut *transaction, region, &row.baseline_id).await?;
    if others.len() >= MAX_GROUPS {
        return Err(ApiError::new(
            "ResourceLimitExceededException",
            format!("A patch baseline has at most {MAX_GROUPS} patch groups."),
        ));
    }
    let group = GroupRow {
        patch_group: patch_group.clone(),
        operating_system: system.clone(),
        baseline_id: row.baseline_id.clone(),
    };
    queries::insert_group(&mut *transaction, region, &group).await?;
    transaction.commit().await?;
    Ok(Output {
        baseline_id: row.baseline_id,
        patch_group: input.patch_group,
    })
}
