//! `CreatePatchBaseline`.

use super::queries::{self, BaselineRow};
use super::shapes::{
    APPROVAL_RULES, APPROVED_LEVEL, APPROVED_NON_SECURITY, APPROVED_PATCHES, AVAILABLE_STATUS, BASELINE_NAME,
    DESCRIPTION, GLOBAL_FILTERS, OPERATING_SYSTEM, REJECTED_ACTION, REJECTED_PATCHES, SOURCES,
};
use super::{BaselineId, MAX_BASELINES, TAGS, check, fresh_baseline_id};
use crate::client_tokens::Once;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::{self, TagInput};
use crate::validation::{self, Member, optional, required, text};
use muster_patching::{Baseline, FilterGroup, RuleGroup, Source};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    optional("OperatingSystem", OPERATING_SYSTEM),
    required("Name", BASELINE_NAME),
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
    optional("ClientToken", text(1, 64)),
    optional("Tags", validation::TAGS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    operating_system: Option<String>,
    name: String,
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
    client_token: Option<String>,
    tags: Option<Vec<TagInput>>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<BaselineId> {
    let tags = tags::check_new(input.tags.unwrap_or_default())?;
    let baseline = Baseline {
        name: input.name,
        operating_system: input.operating_system.unwrap_or_else(|| "WINDOWS".into()),
        global_filters: input.global_filters.unwrap_or_default(),
        approval_rules: input.approval_rules.unwrap_or_default(),
        approved_patches: input.approved_patches.unwrap_or_default(),
        approved_patches_compliance_level: input
            .approved_patches_compliance_level
            .unwrap_or_else(|| "UNSPECIFIED".into()),
        approved_patches_enable_non_security: input.approved_patches_enable_non_security.unwrap_or_default(),
        rejected_patches: input.rejected_patches.unwrap_or_default(),
        rejected_patches_action: input
            .rejected_patches_action
            .unwrap_or_else(|| "ALLOW_AS_DEPENDENCY".into()),
        description: input.description,
        sources: input.sources.unwrap_or_default(),
        available_security_updates_compliance_status: input.available_security_updates_compliance_status,
    };
    check(&baseline)?;
    let once = Once::new("CreatePatchBaseline", input.client_token, &(&baseline, &tags))?;
    let row = BaselineRow {
        region: call.region.clone(),
        baseline_id: fresh_baseline_id(call),
        baseline,
        created_at: call.now,
        modified_at: call.now,
    };
    let mut transaction = plane.db.begin().await?;
    if let Some(baseline_id) = once.answered(&mut transaction, call).await? {
        return Ok(BaselineId { baseline_id });
    }
    let others = queries::baselines(&mut *transaction, &call.region).await?;
    if others.len() >= MAX_BASELINES {
        return Err(ApiError::new(
            "ResourceLimitExceededException",
            format!("A region has at most {MAX_BASELINES} patch baselines. Delete one that is not needed."),
        ));
    }
    queries::put(&mut *transaction, &row).await?;
    for tag in &tags {
        tags::queries::put(&mut *transaction, &call.region, TAGS, &row.baseline_id, tag).await?;
    }
    once.keep(&mut transaction, call, &row.baseline_id).await?;
    transaction.commit().await?;
    Ok(BaselineId {
        baseline_id: row.baseline_id,
    })
}
