//! Parameter Store's calls to Systems Manager, and its shapes turned into ours.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use aws_sdk_ssm::types::{
    ParameterHistory, ParameterInlinePolicy, ParameterMetadata, ParameterStringFilter,
    ParameterTier as SdkTier, ParameterType, ResourceTypeForTagging, Tag as SdkTag,
};
use muster_domain::fleet::Tag;
use muster_domain::parameters::{
    DeleteParameter, LabelVersion, ParameterKind, ParameterSummary, ParameterTier, ParameterVersion,
    PutParameter, Value,
};
use muster_domain::{PortalError, Timestamp};

/// Pages of one parameter's history at most: a hundred versions are kept, and a page holds fifty.
const MOST_PAGES: usize = 5;

fn stamp(at: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    at.and_then(|at| at.to_millis().ok()).map(Timestamp)
}

fn given(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn policies(all: &[ParameterInlinePolicy]) -> Vec<String> {
    all.iter().map(|policy| owned(policy.policy_text())).collect()
}

fn summary(found: &ParameterMetadata, now: Timestamp) -> Option<ParameterSummary> {
    Some(ParameterSummary {
        name: found.name()?.to_owned(),
        kind: ParameterKind::parse(found.r#type()?.as_str())?,
        tier: found
            .tier()
            .and_then(|tier| ParameterTier::parse(tier.as_str()))
            .unwrap_or(ParameterTier::Standard),
        data_type: found.data_type().unwrap_or("text").to_owned(),
        version: found.version(),
        modified_at: stamp(found.last_modified_date()).unwrap_or(Timestamp(0)),
        modified_by: owned(found.last_modified_user()),
        description: owned(found.description()),
        key_id: owned(found.key_id()),
        allowed_pattern: owned(found.allowed_pattern()),
        policies: policies(found.policies()),
        synced_at: now,
    })
}

/// A page of all parameters, with the token of the next one.
///
/// # Errors
/// [`CallError`].
pub async fn list(
    ssm: &Ssm,
    token: Option<String>,
    now: Timestamp,
) -> Result<(Vec<ParameterSummary>, Option<String>), CallError> {
    let request = ssm
        .client
        .describe_parameters()
        .max_results(50)
        .set_next_token(token);
    let answer = ssm.call("DescribeParameters", request.send()).await?;
    let found = answer.parameters().iter().filter_map(|one| summary(one, now));
    Ok((found.collect(), given(answer.next_token())))
}

/// What one parameter is now; nothing where there is none.
///
/// # Errors
/// [`CallError`].
pub async fn describe(ssm: &Ssm, name: &str, now: Timestamp) -> Result<Option<ParameterSummary>, CallError> {
    let filter = ParameterStringFilter::builder()
        .key("Name")
        .option("Equals")
        .values(name)
        .build()
        .map_err(|error| CallError {
            operation: "DescribeParameters",
            code: "ValidationException".into(),
            message: error.to_string(),
            refused: true,
            unreachable: false,
        })?;
    let mut token = None;
    // A page may be empty and yet not the last.
    for _ in 0..MOST_PAGES {
        let request = ssm
            .client
            .describe_parameters()
            .parameter_filters(filter.clone())
            .set_next_token(token);
        let answer = ssm.call("DescribeParameters", request.send()).await?;
        if let Some(found) = answer.parameters().first() {
            return Ok(summary(found, now));
        }
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    Ok(None)
}

/// A version with its value, which is encrypted where it is a secret.
#[derive(Clone, Debug)]
pub struct Version {
    /// What it is.
    pub version: ParameterVersion,
    /// Its value.
    pub value: Value,
}

fn version(found: &ParameterHistory) -> Version {
    Version {
        version: ParameterVersion {
            version: found.version(),
            modified_at: stamp(found.last_modified_date()),
            modified_by: owned(found.last_modified_user()),
            labels: found.labels().to_vec(),
            description: owned(found.description()),
            tier: owned(found.tier().map(SdkTier::as_str)),
        },
        value: Value(owned(found.value())),
    }
}

/// The versions that are kept, newest first. Secrets stay encrypted.
///
/// # Errors
/// [`CallError`].
pub async fn history(ssm: &Ssm, name: &str) -> Result<Vec<Version>, CallError> {
    let mut all = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let request = ssm
            .client
            .get_parameter_history()
            .name(name)
            .with_decryption(false)
            .max_results(50)
            .set_next_token(token);
        let answer = ssm.call("GetParameterHistory", request.send()).await?;
        all.extend(answer.parameters().iter().map(version));
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.version.version));
    Ok(all)
}

/// The value of a version, of the newest where none is named, in the clear, and which version it is.
///
/// # Errors
/// [`CallError`].
pub async fn value(ssm: &Ssm, name: &str, version: Option<i64>) -> Result<(i64, Value), CallError> {
    let named = match version {
        Some(version) => format!("{name}:{version}"),
        None => name.to_owned(),
    };
    let request = ssm.client.get_parameter().name(named).with_decryption(true);
    let answer = ssm.call("GetParameter", request.send()).await?;
    let found = answer.parameter();
    Ok((
        found.map_or(0, aws_sdk_ssm::types::Parameter::version),
        Value(owned(found.and_then(|found| found.value()))),
    ))
}

/// Writes a version. Answers its number.
///
/// # Errors
/// [`CallError`]; when it says `refused`, nothing was written.
pub async fn put(ssm: &Ssm, name: &str, input: &PutParameter, value: &Value) -> Result<i64, CallError> {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let is_new = input.replaces.is_none();
    // What was there stays where nothing is said, so what is emptied has to be said. `[{}]` is Systems Manager's word for
    // no policies.
    let emptied = |text: &Option<String>| if is_new { some(text) } else { text.clone() };
    let policies = input.policies.as_deref().map(str::trim);
    let policies = match (policies, is_new) {
        (Some(""), false) => Some("[{}]".to_owned()),
        (Some("") | None, _) => None,
        (Some(text), _) => Some(text.to_owned()),
    };
    let request = ssm
        .client
        .put_parameter()
        .name(name)
        .value(&value.0)
        .r#type(ParameterType::from(input.kind.as_str()))
        .overwrite(!is_new)
        .set_tier(input.tier.map(|tier| SdkTier::from(tier.as_str())))
        .set_data_type(some(&input.data_type))
        .set_key_id(some(&input.key_id))
        .set_description(emptied(&input.description))
        .set_allowed_pattern(emptied(&input.allowed_pattern))
        .set_policies(policies);
    // Said twice it would be two versions.
    let request = request.customize().config_override(Ssm::once());
    let answer = ssm
        .call("PutParameter", request.send())
        .await
        .map_err(|mut error| {
            // The service quotes what it refuses.
            if !value.0.is_empty() && error.message.contains(&value.0) {
                error.message = error.message.replace(&value.0, "…");
            }
            error
        })?;
    Ok(answer.version())
}

/// Deletes a parameter.
///
/// # Errors
/// [`CallError`].
pub async fn delete(ssm: &Ssm, input: &DeleteParameter) -> Result<(), CallError> {
    let request = ssm.client.delete_parameter().name(&input.name);
    ssm.call("DeleteParameter", request.send()).await.map(|_| ())
}

/// Gives a version labels. Answers those that are none.
///
/// # Errors
/// [`CallError`].
pub async fn label(ssm: &Ssm, name: &str, input: &LabelVersion) -> Result<Vec<String>, CallError> {
    let request = ssm
        .client
        .label_parameter_version()
        .name(name)
        .parameter_version(input.version)
        .set_labels(Some(input.labels.clone()));
    let answer = ssm.call("LabelParameterVersion", request.send()).await?;
    Ok(answer.invalid_labels().to_vec())
}

/// Takes a label from a version. Answers the labels that it had not.
///
/// # Errors
/// [`CallError`].
pub async fn unlabel(ssm: &Ssm, name: &str, version: i64, label: &str) -> Result<Vec<String>, CallError> {
    let request = ssm
        .client
        .unlabel_parameter_version()
        .name(name)
        .parameter_version(version)
        .labels(label);
    let answer = ssm.call("UnlabelParameterVersion", request.send()).await?;
    Ok(answer.invalid_labels().to_vec())
}

/// The tags of a parameter, by key.
///
/// # Errors
/// [`CallError`].
pub async fn tags(ssm: &Ssm, name: &str) -> Result<Vec<Tag>, CallError> {
    let request = ssm
        .client
        .list_tags_for_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name);
    let answer = ssm.call("ListTagsForResource", request.send()).await?;
    let mut tags: Vec<Tag> = answer
        .tag_list()
        .iter()
        .map(|tag| Tag {
            key: tag.key().to_owned(),
            value: tag.value().to_owned(),
        })
        .collect();
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(tags)
}

/// Sets a tag.
///
/// # Errors
/// What is wrong with it, or what Systems Manager says.
pub async fn tag(ssm: &Ssm, name: &str, key: &str, value: &str) -> Result<(), PortalError> {
    let tag = SdkTag::builder()
        .key(key)
        .value(value)
        .build()
        .map_err(|error| PortalError::invalid("key", error.to_string()))?;
    let request = ssm
        .client
        .add_tags_to_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name)
        .tags(tag);
    let done = ssm.call("AddTagsToResource", request.send()).await;
    done.map(|_| ()).map_err(|error| to_portal(&error, name))
}

/// Removes a tag.
///
/// # Errors
/// [`CallError`].
pub async fn untag(ssm: &Ssm, name: &str, key: &str) -> Result<(), CallError> {
    let request = ssm
        .client
        .remove_tags_from_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name)
        .tag_keys(key);
    ssm.call("RemoveTagsFromResource", request.send())
        .await
        .map(|_| ())
}

/// That a parameter is not there.
#[must_use]
pub fn missing(name: &str) -> PortalError {
    PortalError::NotFound {
        what: format!("The parameter {name}"),
    }
}

/// Whether Systems Manager says that there is no such parameter.
#[must_use]
pub fn is_missing(error: &CallError) -> bool {
    matches!(error.code.as_str(), "ParameterNotFound" | "InvalidResourceId")
}

/// What a refusal means to a person, at the field that it is about.
#[must_use]
pub fn to_portal(error: &CallError, name: &str) -> PortalError {
    let said =
        |field: &str| PortalError::invalid(field, format!("Systems Manager refused it: {}", error.message));
    match error.code.as_str() {
        "ParameterNotFound" | "InvalidResourceId" => missing(name),
        "ParameterVersionNotFound" => PortalError::NotFound {
            what: format!("That version of the parameter {name}"),
        },
        "ParameterAlreadyExists" => PortalError::invalid(
            "name",
            format!("There is a parameter {name} already: open it to change it, or choose another name."),
        ),
        "HierarchyLevelLimitExceededException" | "HierarchyTypeMismatchException" => said("name"),
        "ParameterPatternMismatchException" => said("value"),
        "InvalidAllowedPatternException" => said("allowed_pattern"),
        "InvalidKeyId" => said("key_id"),
        "InvalidPolicyTypeException"
        | "InvalidPolicyAttributeException"
        | "PoliciesLimitExceededException"
        | "IncompatiblePolicyException" => said("policies"),
        "ParameterVersionLabelLimitExceeded" => said("labels"),
        "ParameterMaxVersionLimitExceeded" => PortalError::Conflict {
            message: format!(
                "{} Take the label from that version under Versions.",
                error.message
            ),
        },
        "ParameterLimitExceeded" => said("tier"),
        "ValidationException" if error.message.contains("tier") => said("tier"),
        "ValidationException" if error.message.contains("data type") => said("data_type"),
        "ValidationException" if error.message.contains("Parameter name") => said("name"),
        _ => error.to_portal(),
    }
}
