//! Aggregators of `GetInventory`: how many nodes have which value of an attribute, or are in which group of filters. All
//! nodes of the region are looked at, a bounded number at a time.

use super::get_inventory::{Data, Entity, type_of};
use super::list_inventory_entries::{FILTERS, Filter};
use super::node_data::NodeData;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::{nodes, nodes_sql};
use crate::operations::Call;
use crate::validation::{Shape, list, optional, required, text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const GROUPS: Shape = list(
    1,
    15,
    &Shape::Record(&[required("Name", text(1, 200)), required("Filters", FILTERS)]),
);
/// The model's own shape contains itself; two levels are read.
const INNER: Shape = list(
    1,
    10,
    &Shape::Record(&[optional("Expression", text(1, 1000)), optional("Groups", GROUPS)]),
);
pub(crate) const AGGREGATORS: Shape = list(
    1,
    10,
    &Shape::Record(&[
        optional("Expression", text(1, 1000)),
        optional("Aggregators", INNER),
        optional("Groups", GROUPS),
    ]),
);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    name: String,
    filters: Vec<Filter>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Aggregator {
    expression: Option<String>,
    aggregators: Option<Vec<Aggregator>>,
    groups: Option<Vec<Group>>,
}

fn invalid(why: &str) -> ApiError {
    ApiError::new("InvalidAggregatorException", why)
}

/// The types that an aggregator and those inside it speak of.
fn types(aggregator: &Aggregator, into: &mut BTreeSet<String>) -> ApiResult<()> {
    if let Some(expression) = &aggregator.expression {
        let name =
            type_of(expression).map_err(|error| invalid(error.message.as_deref().unwrap_or_default()))?;
        into.insert(name.to_owned());
    }
    for group in aggregator.groups.iter().flatten() {
        for filter in &group.filters {
            into.insert(type_of(filter.key())?.to_owned());
        }
    }
    if aggregator.expression.is_none() && aggregator.groups.is_none() {
        return Err(invalid("An aggregator needs an Expression or Groups."));
    }
    for inner in aggregator.aggregators.iter().flatten() {
        types(inner, into)?;
    }
    Ok(())
}

/// The values under which a node is counted; with more than one level, each combination.
fn keys(aggregator: &Aggregator, node: &NodeData) -> ApiResult<Vec<Vec<(String, String)>>> {
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    if let Some(expression) = &aggregator.expression {
        let name = type_of(expression)?;
        let attribute = expression.rsplit_once('.').map_or("", |(_, attribute)| attribute);
        for entry in node.entries(name) {
            if let Some(value) = entry.get(attribute) {
                found.insert((attribute.to_owned(), value.clone()));
            }
        }
    }
    for group in aggregator.groups.iter().flatten() {
        let is_in = node.fits(&group.filters)?;
        found.insert((group.name.clone(), is_in.to_string()));
    }
    let Some(inner) = &aggregator.aggregators else {
        return Ok(found.into_iter().map(|pair| vec![pair]).collect());
    };
    let mut all = Vec::new();
    for pair in found {
        for aggregator in inner {
            for mut rest in keys(aggregator, node)? {
                rest.insert(0, pair.clone());
                all.push(rest);
            }
        }
    }
    Ok(all)
}

/// Nodes that are looked at in one go.
const AT_ONCE: usize = 100;
/// Values that are counted at most: an attribute with a value of its own on every node counts nothing.
const MOST_VALUES: usize = 10_000;

/// Counts.
pub(crate) async fn count(
    plane: &ControlPlane,
    call: &Call,
    filters: &[Filter],
    aggregators: &[Aggregator],
) -> ApiResult<Vec<Entity>> {
    let mut wanted = BTreeSet::new();
    for aggregator in aggregators {
        types(aggregator, &mut wanted)?;
    }
    for filter in filters {
        wanted.insert(type_of(filter.key())?.to_owned());
    }
    let mut counts: Vec<BTreeMap<Vec<(String, String)>, i64>> =
        aggregators.iter().map(|_| BTreeMap::new()).collect();
    let mut after = String::new();
    loop {
        let mut sql = nodes_sql();
        sql.push("where n.region = ").text(&call.region);
        sql.push(" and n.node_id > ").text(&after);
        sql.push(" order by n.node_id limit ").int(AT_ONCE as i64);
        let rows = nodes(sql, plane.db.reader()).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.node_id);
        for row in rows {
            let node = NodeData::read(plane, row, &wanted).await?;
            if !node.fits(filters)? {
                continue;
            }
            for (aggregator, counts) in aggregators.iter().zip(&mut counts) {
                for key in keys(aggregator, &node)? {
                    if counts.len() < MOST_VALUES || counts.contains_key(&key) {
                        *counts.entry(key).or_default() += 1;
                    }
                }
            }
        }
    }
    let mut data = BTreeMap::new();
    for (aggregator, counts) in aggregators.iter().zip(counts) {
        let name = match &aggregator.expression {
            Some(expression) => type_of(expression)?.to_owned(),
            None => wanted.first().cloned().unwrap_or_default(),
        };
        let content = counts.into_iter().map(|(key, count)| {
            let mut entry: BTreeMap<String, String> = key.into_iter().collect();
            entry.insert("Count".into(), count.to_string());
            entry
        });
        data.entry(name.clone())
            .or_insert_with(|| Data {
                type_name: name,
                schema_version: "1.0".into(),
                capture_time: String::new(),
                content_hash: String::new(),
                content: Vec::new(),
            })
            .content
            .extend(content);
    }
    Ok(vec![Entity {
        id: String::new(),
        data,
    }])
}
