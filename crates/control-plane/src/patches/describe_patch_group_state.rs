//! `DescribePatchGroupState`: how many nodes of a group have patches in which state. It counts nodes, not patches.

use super::shapes::PATCH_GROUP;
use super::state_queries::of_group;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("PatchGroup", PATCH_GROUP)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    patch_group: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    instances: i64,
    instances_with_installed_patches: i64,
    instances_with_installed_other_patches: i64,
    instances_with_installed_pending_reboot_patches: i64,
    instances_with_installed_rejected_patches: i64,
    instances_with_missing_patches: i64,
    instances_with_failed_patches: i64,
    instances_with_not_applicable_patches: i64,
    instances_with_unreported_not_applicable_patches: i64,
    instances_with_critical_non_compliant_patches: i64,
    instances_with_security_non_compliant_patches: i64,
    instances_with_other_non_compliant_patches: i64,
    instances_with_available_security_updates: i64,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let counts = of_group(plane.db.reader(), &call.region, &input.patch_group).await?;
    Ok(Output {
        instances: counts.nodes,
        instances_with_installed_patches: counts.installed,
        instances_with_installed_other_patches: counts.installed_other,
        instances_with_installed_pending_reboot_patches: counts.pending_reboot,
        instances_with_installed_rejected_patches: counts.rejected,
        instances_with_missing_patches: counts.missing,
        instances_with_failed_patches: counts.failed,
        // Only Windows knows patches that do not apply.
        instances_with_not_applicable_patches: 0,
        instances_with_unreported_not_applicable_patches: 0,
        instances_with_critical_non_compliant_patches: counts.critical,
        instances_with_security_non_compliant_patches: counts.security,
        instances_with_other_non_compliant_patches: counts.other,
        instances_with_available_security_updates: counts.available,
    })
}
