//! Resource groups beside Systems Manager: saved queries for nodes by their tags, which commands, windows and associations
//! name as their targets. One file per operation; how calls come over the wire is `rest.rs`.

pub(crate) mod create_group;
pub(crate) mod delete_group;
pub(crate) mod get_group;
pub(crate) mod get_group_query;
pub(crate) mod get_tags;
pub(crate) mod list_group_resources;
pub(crate) mod list_groups;
pub(crate) mod members;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod rest;
pub(crate) mod search_resources;
pub(crate) mod shapes;
pub(crate) mod tag;
pub(crate) mod untag;
pub(crate) mod update_group;
pub(crate) mod update_group_query;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags;
use crate::validation::is_tag_text;
use queries::GroupRow;
use serde::Serialize;
use sqlx::{Any, Transaction};
use std::collections::BTreeMap;

/// The word in `resource_type` for a group's tags.
pub(crate) const TAGS: &str = "ResourceGroup";

/// What is asked is not possible.
pub(crate) fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new("BadRequestException", message)
}

/// The ARN of a group.
pub(crate) fn arn(plane: &ControlPlane, region: &str, name: &str) -> String {
    format!(
        "arn:aws:resource-groups:{region}:{}:group/{name}",
        plane.config.account
    )
}

/// The name of the group that is meant: by name, or by the ARN of a group of this region and account.
pub(crate) fn name_of<'a>(plane: &ControlPlane, region: &str, named: &'a str) -> Option<&'a str> {
    if named.starts_with("arn:") {
        named
            .strip_prefix(arn(plane, region, "").as_str())
            .filter(|name| !name.is_empty())
    } else {
        Some(named)
    }
}

/// The group that a call names in `Group`, or in the older `GroupName`.
pub(crate) async fn find(
    plane: &ControlPlane,
    call: &Call,
    group: Option<&str>,
    group_name: Option<&str>,
) -> ApiResult<GroupRow> {
    let (name, missing) = named(plane, call, group, group_name)?;
    queries::group(plane.db.reader(), &call.region, &name)
        .await?
        .ok_or(missing)
}

/// The same in a transaction in which nobody else changes it.
pub(crate) async fn locked(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    call: &Call,
    group: Option<&str>,
    group_name: Option<&str>,
) -> ApiResult<GroupRow> {
    let (name, missing) = named(plane, call, group, group_name)?;
    if !queries::lock(&mut **transaction, &call.region, &name).await? {
        return Err(missing);
    }
    queries::group(&mut **transaction, &call.region, &name)
        .await?
        .ok_or(missing)
}

/// The name, and what is said when there is no such group.
fn named(
    plane: &ControlPlane,
    call: &Call,
    group: Option<&str>,
    group_name: Option<&str>,
) -> ApiResult<(String, ApiError)> {
    let named = match (group, group_name) {
        (Some(group), None) | (None, Some(group)) => group,
        (None, None) => return Err(bad("Group has to name a group, or GroupName.")),
        (Some(_), Some(_)) => return Err(bad("Group and GroupName cannot be given together.")),
    };
    let missing = ApiError {
        status: 404,
        ..ApiError::new("NotFoundException", format!("Cannot find group {named}."))
    };
    match name_of(plane, &call.region, named) {
        Some(name) => Ok((name.to_owned(), missing)),
        None => Err(missing),
    }
}

/// Tags as they are sent: what the model says of their keys too.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> ApiResult<()> {
    let is_key = |key: &String| (1..=128).contains(&key.chars().count()) && is_tag_text(key);
    if let Some(key) = tags.keys().find(|key| !is_key(key)) {
        let shown: String = key.chars().take(40).filter(|c| !c.is_control()).collect();
        return Err(bad(format!(
            "Tags: the key {shown:?} has to have 1 to 128 letters, digits, spaces and _.:/=+-@."
        )));
    }
    let pairs: Vec<(String, String)> = tags.clone().into_iter().collect();
    tags::check_keys(&pairs)?;
    if pairs.len() > tags::MAX_TAGS {
        return Err(bad(format!("Tags: at most {} of them.", tags::MAX_TAGS)));
    }
    Ok(())
}

/// A group as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownGroup {
    group_arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    criticality: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

pub(crate) fn shown(plane: &ControlPlane, row: &GroupRow) -> ShownGroup {
    ShownGroup {
        group_arn: arn(plane, &row.region, &row.name),
        name: row.name.clone(),
        description: row.about.description.clone(),
        criticality: row.about.criticality,
        owner: row.about.owner.clone(),
        display_name: row.about.display_name.clone(),
    }
}

/// An answer that is a group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupOutput {
    pub(crate) group: ShownGroup,
}
