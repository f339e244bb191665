//! Patch Manager: baselines, which of them holds for which node, and how nodes stand. One file per operation. What a
//! baseline means is in the crate `muster-patching`; the nodes do the patching and report it as inventory.

pub(crate) mod available_queries;
pub(crate) mod create_patch_baseline;
pub(crate) mod defaults;
pub(crate) mod delete_patch_baseline;
pub(crate) mod deregister_patch_baseline_for_patch_group;
pub(crate) mod describe_available_patches;
pub(crate) mod describe_effective_patches_for_patch_baseline;
pub(crate) mod describe_instance_patch_states;
pub(crate) mod describe_instance_patch_states_for_patch_group;
pub(crate) mod describe_instance_patches;
pub(crate) mod describe_patch_baselines;
pub(crate) mod describe_patch_group_state;
pub(crate) mod describe_patch_groups;
pub(crate) mod describe_patch_properties;
pub(crate) mod get_default_patch_baseline;
pub(crate) mod get_patch_baseline;
pub(crate) mod get_patch_baseline_for_patch_group;
pub(crate) mod queries;
pub(crate) mod register_default_patch_baseline;
pub(crate) mod register_patch_baseline_for_patch_group;
pub(crate) mod reported;
pub(crate) mod shapes;
pub(crate) mod snapshot;
pub(crate) mod state_queries;
pub(crate) mod update_patch_baseline;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use muster_domain::Timestamp;
use muster_patching::Baseline;
use queries::BaselineRow;
use serde::Serialize;

/// The word in `resource_type` for a baseline's tags.
pub(crate) const TAGS: &str = "PatchBaseline";
/// Baselines of a region at most (service quotas).
pub(crate) const MAX_BASELINES: usize = 50;

/// The answer of operations that name a baseline.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BaselineId {
    pub(crate) baseline_id: String,
}

/// The id of a baseline that this call makes.
pub(crate) fn fresh_baseline_id(call: &Call) -> String {
    let hex: String = call.fresh_id.chars().filter(|c| *c != '-').take(17).collect();
    format!("pb-{hex}")
}

/// The form of a date in an approval rule.
fn is_date(text: &str) -> bool {
    text.len() == 10 && Timestamp::parse(text).is_some()
}

/// That a baseline does not contradict itself.
pub(crate) fn check(baseline: &Baseline) -> ApiResult<()> {
    for (at, rule) in baseline.approval_rules.patch_rules.iter().enumerate() {
        let place = format!("ApprovalRules.PatchRules.{}", at + 1);
        if rule.approve_after_days.is_some() && rule.approve_until_date.is_some() {
            return Err(ApiError::validation(format!(
                "{place}: give either ApproveAfterDays or ApproveUntilDate, not both."
            )));
        }
        if rule
            .approve_until_date
            .as_deref()
            .is_some_and(|date| !is_date(date))
        {
            return Err(ApiError::validation(format!(
                "{place}: ApproveUntilDate has to be a date of the form 2030-01-31."
            )));
        }
        let keys: std::collections::BTreeSet<&str> = rule
            .patch_filter_group
            .patch_filters
            .iter()
            .map(|filter| filter.key.as_str())
            .collect();
        if keys.len() != rule.patch_filter_group.patch_filters.len() {
            return Err(ApiError::validation(format!(
                "{place}: a filter key is given twice; put all its values into one filter."
            )));
        }
    }
    let both = baseline
        .approved_patches
        .iter()
        .find(|patch| baseline.rejected_patches.contains(patch));
    if let Some(patch) = both {
        return Err(ApiError::validation(format!(
            "{patch} is in ApprovedPatches and in RejectedPatches; it can only be in one of them."
        )));
    }
    Ok(())
}

fn missing(id: &str) -> ApiError {
    ApiError::new(
        "DoesNotExistException",
        format!("Patch Baseline {id} does not exist."),
    )
}

/// The id in an ARN of the account's own; anything else as it is.
pub(crate) fn own_id<'a>(plane: &ControlPlane, region: &str, named: &'a str) -> &'a str {
    let own = format!("arn:aws:ssm:{region}:{}:patchbaseline/", plane.config.account);
    named.strip_prefix(&own).unwrap_or(named)
}

/// A baseline of the call's region, one that somebody made or one that comes with the control plane; by id or ARN.
pub(crate) async fn find(plane: &ControlPlane, region: &str, named: &str) -> ApiResult<BaselineRow> {
    if let Some(row) = defaults::by_id(region, named) {
        return Ok(row);
    }
    queries::baseline(plane.db.reader(), region, own_id(plane, region, named))
        .await?
        .ok_or_else(|| missing(named))
}

/// The id of the baseline that holds for an operating system where nothing else is said.
pub(crate) async fn default_of(
    plane: &ControlPlane,
    region: &str,
    operating_system: &str,
) -> ApiResult<String> {
    let chosen = queries::default_of(plane.db.reader(), region, operating_system).await?;
    Ok(chosen.unwrap_or_else(|| defaults::id(region, operating_system)))
}
