//! The calls to Systems Manager that are about patch baselines, and its shapes as ours.

use crate::approvals::policies::sha256;
use crate::aws::Ssm;
use crate::aws::errors::CallError;
use aws_sdk_ssm::operation::get_patch_baseline::GetPatchBaselineOutput;
use aws_sdk_ssm::types::{
    PatchAction, PatchComplianceLevel, PatchFilter as SdkFilter, PatchFilterGroup, PatchFilterKey, PatchRule,
    PatchRuleGroup,
};
use muster_domain::patching::{ApprovalRule, BaselineContent, PatchFilter, PatchSource};
use muster_domain::{PortalError, Timestamp};
use std::collections::BTreeMap;

/// A baseline in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub baseline_id: String,
    /// Whether it holds for its operating system.
    pub is_default: bool,
}

/// A baseline as Systems Manager answers it.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its id.
    pub baseline_id: String,
    /// What it says.
    pub content: BaselineContent,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// As it was answered: what no form says is written back from here.
    raw: Box<GetPatchBaselineOutput>,
}

impl Live {
    /// SHA-256 of what it says.
    #[must_use]
    pub fn sha256(&self) -> String {
        hash(&self.content)
    }
}

#[cfg(test)]
impl Live {
    /// One that nobody answered.
    pub(super) fn of(baseline_id: &str, content: BaselineContent, modified_at: Timestamp) -> Self {
        Self {
            baseline_id: baseline_id.to_owned(),
            content,
            modified_at,
            raw: Box::new(GetPatchBaselineOutput::builder().build()),
        }
    }
}

/// SHA-256 of what a baseline says.
#[must_use]
pub fn hash(content: &BaselineContent) -> String {
    sha256(&content.canonical())
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn filters(group: Option<&PatchFilterGroup>) -> Vec<PatchFilter> {
    let all = group.map(PatchFilterGroup::patch_filters).unwrap_or_default();
    all.iter()
        .map(|filter| PatchFilter {
            key: filter.key().as_str().to_owned(),
            values: filter.values().to_vec(),
        })
        .collect()
}

fn rule(found: &PatchRule) -> ApprovalRule {
    ApprovalRule {
        filters: filters(found.patch_filter_group()),
        compliance_level: found
            .compliance_level()
            .map_or("UNSPECIFIED", PatchComplianceLevel::as_str)
            .to_owned(),
        approve_after_days: found
            .approve_after_days()
            .and_then(|days| u32::try_from(days).ok()),
        approve_until_date: found
            .approve_until_date()
            .filter(|date| !date.is_empty())
            .map(str::to_owned),
        enable_non_security: found.enable_non_security().unwrap_or_default(),
    }
}

fn content(found: &GetPatchBaselineOutput) -> BaselineContent {
    let rules = found.approval_rules().map(PatchRuleGroup::patch_rules);
    BaselineContent {
        name: owned(found.name()),
        operating_system: found
            .operating_system()
            .map_or("WINDOWS", |system| system.as_str())
            .to_owned(),
        description: owned(found.description()),
        global_filters: filters(found.global_filters()),
        rules: rules.unwrap_or_default().iter().map(rule).collect(),
        approved_patches: found.approved_patches().to_vec(),
        approved_level: found
            .approved_patches_compliance_level()
            .map_or("UNSPECIFIED", PatchComplianceLevel::as_str)
            .to_owned(),
        approved_non_security: found.approved_patches_enable_non_security().unwrap_or_default(),
        rejected_patches: found.rejected_patches().to_vec(),
        rejected_action: found
            .rejected_patches_action()
            .map_or("ALLOW_AS_DEPENDENCY", PatchAction::as_str)
            .to_owned(),
        sources: found
            .sources()
            .iter()
            .map(|source| PatchSource {
                name: source.name().to_owned(),
                products: source.products().to_vec(),
                configuration_sha256: sha256(source.configuration()),
            })
            .collect(),
        available_security_updates: found
            .available_security_updates_compliance_status()
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default(),
    }
}

/// All baselines, in short.
///
/// # Errors
/// [`CallError`].
pub async fn list(ssm: &Ssm) -> Result<Vec<Listed>, CallError> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let request = ssm
            .client
            .describe_patch_baselines()
            .max_results(100)
            .set_next_token(token);
        let answer = ssm.call("DescribePatchBaselines", request.send()).await?;
        all.extend(answer.baseline_identities().iter().filter_map(|one| {
            Some(Listed {
                baseline_id: one.baseline_id()?.to_owned(),
                is_default: one.default_baseline(),
            })
        }));
        token = answer
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// The patch groups of each baseline, by its id.
///
/// # Errors
/// [`CallError`].
pub async fn groups(ssm: &Ssm) -> Result<BTreeMap<String, Vec<String>>, CallError> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut token = None;
    loop {
        let request = ssm
            .client
            .describe_patch_groups()
            .max_results(100)
            .set_next_token(token);
        let answer = ssm.call("DescribePatchGroups", request.send()).await?;
        for mapping in answer.mappings() {
            let id = mapping.baseline_identity().and_then(|one| one.baseline_id());
            if let (Some(id), Some(group)) = (id, mapping.patch_group()) {
                all.entry(id.to_owned()).or_default().push(group.to_owned());
            }
        }
        token = answer
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    all.values_mut().for_each(|groups| groups.sort());
    Ok(all)
}

/// What a baseline is now; nothing where there is none.
///
/// # Errors
/// [`CallError`].
pub async fn get(ssm: &Ssm, baseline_id: &str) -> Result<Option<Live>, CallError> {
    let request = ssm.client.get_patch_baseline().baseline_id(baseline_id);
    match ssm.call("GetPatchBaseline", request.send()).await {
        Ok(found) => Ok(Some(Live {
            baseline_id: found.baseline_id().unwrap_or(baseline_id).to_owned(),
            content: content(&found),
            modified_at: Timestamp(
                found
                    .modified_date()
                    .and_then(|at| at.to_millis().ok())
                    .unwrap_or_default(),
            ),
            raw: Box::new(found),
        })),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn cannot_be_sent(error: &aws_sdk_ssm::error::BuildError) -> CallError {
    CallError {
        operation: "UpdatePatchBaseline",
        code: "ValidationException".into(),
        message: error.to_string(),
        refused: true,
        unreachable: false,
    }
}

fn sdk_filters(filters: &[PatchFilter]) -> Result<PatchFilterGroup, CallError> {
    let filters = filters
        .iter()
        .map(|filter| {
            SdkFilter::builder()
                .key(PatchFilterKey::from(filter.key.as_str()))
                .set_values(Some(filter.values.clone()))
                .build()
                .map_err(|error| cannot_be_sent(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    PatchFilterGroup::builder()
        .set_patch_filters(Some(filters))
        .build()
        .map_err(|error| cannot_be_sent(&error))
}

fn sdk_rules(rules: &[ApprovalRule]) -> Result<PatchRuleGroup, CallError> {
    let rules = rules
        .iter()
        .map(|rule| {
            Ok(PatchRule::builder()
                .patch_filter_group(sdk_filters(&rule.filters)?)
                .compliance_level(PatchComplianceLevel::from(rule.compliance_level.as_str()))
                .set_approve_after_days(rule.approve_after_days.and_then(|days| i32::try_from(days).ok()))
                .set_approve_until_date(rule.approve_until_date.clone())
                .enable_non_security(rule.enable_non_security)
                .build())
        })
        .collect::<Result<Vec<_>, CallError>>()?;
    PatchRuleGroup::builder()
        .set_patch_rules(Some(rules))
        .build()
        .map_err(|error| cannot_be_sent(&error))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Makes a baseline; under the same token only one. Answers its id.
///
/// # Errors
/// [`CallError`].
pub async fn create(ssm: &Ssm, content: &BaselineContent, token: &str) -> Result<String, CallError> {
    let request = ssm
        .client
        .create_patch_baseline()
        .name(&content.name)
        .operating_system(content.operating_system.as_str().into())
        .set_description(some(&content.description))
        .approval_rules(sdk_rules(&content.rules)?)
        .set_approved_patches(Some(content.approved_patches.clone()))
        .approved_patches_compliance_level(content.approved_level.as_str().into())
        .approved_patches_enable_non_security(content.approved_non_security)
        .set_rejected_patches(Some(content.rejected_patches.clone()))
        .rejected_patches_action(content.rejected_action.as_str().into())
        .client_token(token);
    let answer = ssm.call("CreatePatchBaseline", request.send()).await?;
    Ok(owned(answer.baseline_id()))
}

/// Lets a baseline say something else. What no form says is written back as it was.
///
/// # Errors
/// [`CallError`].
pub async fn update(ssm: &Ssm, now: &Live, content: &BaselineContent) -> Result<(), CallError> {
    let raw = now.raw.as_ref();
    let request = ssm
        .client
        .update_patch_baseline()
        .baseline_id(&now.baseline_id)
        .replace(true)
        .name(&content.name)
        .set_description(some(&content.description))
        .set_global_filters(raw.global_filters().cloned())
        .approval_rules(sdk_rules(&content.rules)?)
        .set_approved_patches(Some(content.approved_patches.clone()))
        .approved_patches_compliance_level(content.approved_level.as_str().into())
        .approved_patches_enable_non_security(content.approved_non_security)
        .set_rejected_patches(Some(content.rejected_patches.clone()))
        .rejected_patches_action(content.rejected_action.as_str().into())
        .set_sources(Some(raw.sources().to_vec()))
        .set_available_security_updates_compliance_status(
            raw.available_security_updates_compliance_status().cloned(),
        );
    ssm.call("UpdatePatchBaseline", request.send()).await.map(|_| ())
}

/// Lets a baseline hold for its operating system.
///
/// # Errors
/// [`CallError`].
pub async fn set_default(ssm: &Ssm, baseline_id: &str) -> Result<(), CallError> {
    let request = ssm
        .client
        .register_default_patch_baseline()
        .baseline_id(baseline_id);
    ssm.call("RegisterDefaultPatchBaseline", request.send())
        .await
        .map(|_| ())
}

/// Lets a baseline hold for a patch group.
///
/// # Errors
/// [`CallError`].
pub async fn add_group(ssm: &Ssm, baseline_id: &str, group: &str) -> Result<(), CallError> {
    let request = ssm
        .client
        .register_patch_baseline_for_patch_group()
        .baseline_id(baseline_id)
        .patch_group(group);
    ssm.call("RegisterPatchBaselineForPatchGroup", request.send())
        .await
        .map(|_| ())
}

/// Lets a baseline hold for a patch group no longer.
///
/// # Errors
/// [`CallError`].
pub async fn remove_group(ssm: &Ssm, baseline_id: &str, group: &str) -> Result<(), CallError> {
    let request = ssm
        .client
        .deregister_patch_baseline_for_patch_group()
        .baseline_id(baseline_id)
        .patch_group(group);
    ssm.call("DeregisterPatchBaselineForPatchGroup", request.send())
        .await
        .map(|_| ())
}

/// Deletes a baseline.
///
/// # Errors
/// [`CallError`].
pub async fn delete(ssm: &Ssm, baseline_id: &str) -> Result<(), CallError> {
    let request = ssm.client.delete_patch_baseline().baseline_id(baseline_id);
    ssm.call("DeletePatchBaseline", request.send()).await.map(|_| ())
}

/// That a baseline is not there.
#[must_use]
pub fn missing(baseline_id: &str) -> PortalError {
    PortalError::NotFound {
        what: format!("The patch baseline {baseline_id}"),
    }
}

/// Whether Systems Manager says that there is no such baseline.
#[must_use]
pub fn is_missing(error: &CallError) -> bool {
    matches!(error.code.as_str(), "DoesNotExistException" | "InvalidResourceId")
}

/// What a refusal means to a person, at the field that it is about.
#[must_use]
pub fn to_portal(error: &CallError, name: &str) -> PortalError {
    match error.code.as_str() {
        "DoesNotExistException" | "InvalidResourceId" => missing(name),
        "AlreadyExistsException" => PortalError::invalid(
            "group",
            "Another baseline for this operating system holds for that patch group: take the group from it first.",
        ),
        "ResourceInUseException" => PortalError::Conflict {
            message: format!("Nothing was deleted: {} Take it from there first.", error.message),
        },
        "ResourceLimitExceededException" => PortalError::Conflict {
            message: format!("Nothing was changed: {}", error.message),
        },
        "ValidationException" => PortalError::Conflict {
            message: format!(
                "Nothing was changed. Systems Manager refused it: {}",
                error.message
            ),
        },
        _ => error.to_portal(),
    }
}
