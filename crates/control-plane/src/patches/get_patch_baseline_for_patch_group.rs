//! `GetPatchBaselineForPatchGroup`: the group's, else the default of the operating system.

use super::shapes::{OPERATING_SYSTEM, PATCH_GROUP};
use super::{default_of, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("PatchGroup", PATCH_GROUP),
    optional("OperatingSystem", OPERATING_SYSTEM),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    patch_group: String,
    operating_system: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    baseline_id: String,
    patch_group: String,
    operating_system: String,
}

/// The baseline of a group's nodes of one operating system.
pub(crate) async fn of_group(
    plane: &ControlPlane,
    region: &str,
    patch_group: &str,
    operating_system: &str,
) -> ApiResult<String> {
    let group = queries::group(plane.db.reader(), region, patch_group, operating_system).await?;
    match group {
        Some(group) => Ok(group.baseline_id),
        None => default_of(plane, region, operating_system).await,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let operating_system = input.operating_system.unwrap_or_else(|| "WINDOWS".into());
    let baseline_id = of_group(plane, &call.region, &input.patch_group, &operating_system).await?;
    Ok(Output {
        baseline_id,
        patch_group: input.patch_group,
        operating_system,
    })
}
