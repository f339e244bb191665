//! `GetInventory`: nodes with what they have of a type, or how many nodes have what. It counts before it filters, so a page
//! may be short, or empty with a token.

use super::TYPE_NAME;
use super::aggregators::{self, AGGREGATORS, Aggregator};
use super::list_inventory_entries::{Entry, FILTERS, Filter};
use super::node_data::NodeData;
use super::schemas::INSTANCE_INFORMATION;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::{nodes, nodes_sql};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, optional, required, whole};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const INPUT: &[Member] = &[
    optional("Filters", FILTERS),
    optional("Aggregators", AGGREGATORS),
    optional(
        "ResultAttributes",
        list(1, 1, &Shape::Record(&[required("TypeName", TYPE_NAME)])),
    ),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    type_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    aggregators: Option<Vec<Aggregator>>,
    result_attributes: Option<Vec<Attribute>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Data {
    pub(crate) type_name: String,
    pub(crate) schema_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) capture_time: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) content_hash: String,
    pub(crate) content: Vec<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entity {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    pub(crate) data: BTreeMap<String, Data>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    entities: Vec<Entity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The type that a filter speaks of: `AWS:Application.Name` is about applications.
pub(crate) fn type_of(key: &str) -> ApiResult<&str> {
    match key.rsplit_once('.') {
        Some((name, attribute)) if name.contains(':') && !attribute.is_empty() => Ok(name),
        _ => Err(ApiError::new(
            "InvalidFilter",
            format!(
                "The filter key {key} has to be a type and an attribute, as AWS:InstanceInformation.InstanceId."
            ),
        )),
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        type_of(filter.key())?;
    }
    let given = input.aggregators.unwrap_or_default();
    if !given.is_empty() {
        if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
            // Counts are answered all at once, so there is no token that goes on with them.
            plane.tokens.open("GetInventory of counts", token)?;
        }
        let entities = aggregators::count(plane, call, &filters, &given).await?;
        return Ok(Output {
            entities,
            next_token: None,
        });
    }
    let wanted = input
        .result_attributes
        .and_then(|attributes| attributes.into_iter().next())
        .map_or_else(
            || INSTANCE_INFORMATION.to_owned(),
            |attribute| attribute.type_name,
        );
    let scope = format!("GetInventory|{}|{filters:?}|{wanted}", call.region);
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(50);
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(&call.region);
    sql.push(" and n.node_id > ").text(after);
    sql.push(" order by n.node_id limit ").int(limit as i64 + 1);
    let rows = nodes(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.node_id.clone()]
    });
    let mut types: BTreeSet<String> = BTreeSet::from([wanted.clone()]);
    for filter in &filters {
        types.insert(type_of(filter.key())?.to_owned());
    }
    let mut entities = Vec::new();
    for row in rows {
        let id = row.node_id.clone();
        let mut data = NodeData::read(plane, row, &types).await?;
        if !data.fits(&filters)? {
            continue;
        }
        let mut told = BTreeMap::new();
        if let Some(found) = data.take(&wanted) {
            told.insert(wanted.clone(), found);
        }
        entities.push(Entity { id, data: told });
    }
    Ok(Output { entities, next_token })
}
