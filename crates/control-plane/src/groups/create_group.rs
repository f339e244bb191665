//! `CreateGroup`.

use super::queries::{self, About, GroupRow};
use super::query::ResourceQuery;
use super::shapes::{
    CONFIGURATION, CRITICALITY, DESCRIPTION, DISPLAY_NAME, NEW_NAME, OWNER, RESOURCE_QUERY, TAGS,
};
use super::{ShownGroup, bad, check_tags, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags;
use crate::validation::{Member, optional, required};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    required("Name", NEW_NAME),
    DESCRIPTION,
    optional("ResourceQuery", RESOURCE_QUERY),
    optional("Tags", TAGS),
    CONFIGURATION,
    CRITICALITY,
    OWNER,
    DISPLAY_NAME,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    resource_query: Option<ResourceQuery>,
    tags: Option<BTreeMap<String, String>>,
    configuration: Option<Vec<Value>>,
    #[serde(flatten)]
    about: About,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    group: ShownGroup,
    resource_query: ResourceQuery,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if input.configuration.is_some_and(|all| !all.is_empty()) {
        return Err(bad(
            "Configuration: groups of this control plane are queries, give a ResourceQuery.",
        ));
    }
    let lower = input.name.to_ascii_lowercase();
    if lower.starts_with("aws") {
        return Err(bad("Name: names of groups do not begin with AWS."));
    }
    let query = input
        .resource_query
        .ok_or_else(|| bad("ResourceQuery: a group of this control plane is a query for nodes."))?;
    query.read()?;
    let tags = input.tags.unwrap_or_default();
    check_tags(&tags)?;
    let row = GroupRow {
        region: call.region.clone(),
        name: input.name,
        about: input.about,
        query,
    };
    let mut transaction = plane.db.begin().await?;
    if !queries::insert(&mut *transaction, &row, call.now).await? {
        return Err(bad(format!("A group with name {} already exists.", row.name)));
    }
    tags::queries::remove(&mut *transaction, &call.region, super::TAGS, &row.name, None).await?;
    for pair in tags.clone() {
        tags::queries::put(&mut *transaction, &call.region, super::TAGS, &row.name, &pair).await?;
    }
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(Output {
        group: shown(plane, &row),
        resource_query: row.query,
        tags,
    })
}
