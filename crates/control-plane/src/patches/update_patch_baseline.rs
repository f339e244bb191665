//! `UpdatePatchBaseline`: what is not given stays, with `Replace` it becomes empty. The operating system stays.

use super::get_patch_baseline::{Whole, whole};
use super::queries;
use super::shapes::{
    APPROVAL_RULES, APPROVED_LEVEL, APPROVED_NON_SECURITY, APPROVED_PATCHES, AVAILABLE_STATUS, BASELINE_ID,
    BASELINE_NAME, DESCRIPTION, GLOBAL_FILTERS, REJECTED_ACTION, REJECTED_PATCHES, SOURCES,
};
use super::{check, defaults, find, missing};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, optional, required};
use muster_patching::{Baseline, FilterGroup, RuleGroup, Source};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("BaselineId", BASELINE_ID),
    optional("Name", BASELINE_NAME),
    GLOBAL_FILTERS,
    APPROVAL_RULES,
    APPROVED_PATCHES,
    APPROVED_LEVEL,
    APPROVED_NON_SECURITY,
    REJECTED_PATCHES,
    REJECTED_ACTION,
    DESCRIPTION,
    SOURCES,
    AVAILABLE_STATUS,
    optional("Replace", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    baseline_id: String,
    name: Option<String>,
    global_filters: Option<FilterGroup>,
    approval_rules: Option<RuleGroup>,
    approved_patches: Option<Vec<String>>,
    approved_patches_compliance_level: Option<String>,
    approved_patches_enable_non_security: Option<bool>,
    rejected_patches: Option<Vec<String>>,
    rejected_patches_action: Option<String>,
    description: Option<String>,
    sources: Option<Vec<Source>>,
    available_security_updates_compliance_status: Option<String>,
    replace: Option<bool>,
}

fn changed(input: Input, old: Baseline) -> ApiResult<Baseline> {
    let replaces = input.replace.unwrap_or_default();
    if replaces && input.name.is_none() {
        return Err(ApiError::validation(
            "Name: with Replace every member that a baseline cannot be without has to be given.",
        ));
    }
    // What everything begins from that is not given.
    let base = if replaces {
        Baseline {
            name: old.name,
            operating_system: old.operating_system,
            approved_patches_compliance_level: "UNSPECIFIED".into(),
            rejected_patches_action: "ALLOW_AS_DEPENDENCY".into(),
            ..Baseline::default()
        }
    } else {
        old
    };
    Ok(Baseline {
        name: input.name.unwrap_or(base.name),
        operating_system: base.operating_system,
        global_filters: input.global_filters.unwrap_or(base.global_filters),
        approval_rules: input.approval_rules.unwrap_or(base.approval_rules),
        approved_patches: input.approved_patches.unwrap_or(base.approved_patches),
        approved_patches_compliance_level: input
            .approved_patches_compliance_level
            .unwrap_or(base.approved_patches_compliance_level),
        approved_patches_enable_non_security: input
            .approved_patches_enable_non_security
            .unwrap_or(base.approved_patches_enable_non_security),
        rejected_patches: input.rejected_patches.unwrap_or(base.rejected_patches),
        rejected_patches_action: input
            .rejected_patches_action
            .unwrap_or(base.rejected_patches_action),
        description: input.description.or(base.description),
        sources: input.sources.unwrap_or(base.sources),
        available_security_updates_compliance_status: input
            .available_security_updates_compliance_status
            .or(base.available_security_updates_compliance_status),
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Whole> {
    let named = input.baseline_id.clone();
    if defaults::by_id(&call.region, &named).is_some() {
        return Err(ApiError::validation(format!(
            "BaselineId: {named} comes with the control plane and cannot be changed; make a baseline of your own."
        )));
    }
    let id = find(plane, &call.region, &named).await?.baseline_id;
    let mut transaction = plane.db.begin().await?;
    let mut row = queries::baseline(&mut *transaction, &call.region, &id)
        .await?
        .ok_or_else(|| missing(&named))?;
    row.baseline = changed(input, row.baseline)?;
    check(&row.baseline)?;
    row.modified_at = call.now;
    queries::put(&mut *transaction, &row).await?;
    transaction.commit().await?;
    Ok(whole(row))
}
