//! From what a caller names to nodes: instance ids, tags, tag keys, resource groups. Rate limits and delivery are not here.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::{NodeRow, nodes, nodes_sql};
use crate::groups;
use crate::groups::query::{TagQuery, listed_as};
use crate::validation::is_instance_id;
use muster_domain::Timestamp;
use muster_store::Db;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Ids in one statement: well below the number of placeholders that either engine takes.
pub(crate) const IDS_AT_ONCE: usize = 400;

/// A key and values; several keys must all hold, of the values one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Target {
    #[serde(default)]
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) values: Vec<String>,
}

/// The nodes of these ids, all registered here and online, or the service's refusal naming all that are not.
pub(crate) async fn by_ids(
    db: &Db,
    region: &str,
    account: &str,
    ids: &[String],
    online_since: Timestamp,
) -> ApiResult<Vec<NodeRow>> {
    let unique: BTreeSet<&String> = ids.iter().collect();
    if unique.len() != ids.len() {
        return Err(ApiError::bare("DuplicateInstanceId"));
    }
    let mut sql = nodes_sql();
    sql.push("where n.region = ")
        .text(region)
        .push(" and n.node_id in (")
        .texts(ids)
        .push(")");
    let found: BTreeMap<String, NodeRow> = nodes(sql, db.reader())
        .await?
        .into_iter()
        .filter(|node| node.last_ping_at >= online_since)
        .map(|node| (node.node_id.clone(), node))
        .collect();
    let bad: Vec<&str> = ids
        .iter()
        .filter(|id| !found.contains_key(*id))
        .map(String::as_str)
        .collect();
    if !bad.is_empty() {
        return Err(ApiError::new(
            "InvalidInstanceId",
            format!(
                "Instances [[{}]] not in a valid state for account {account}",
                bad.join(", ")
            ),
        ));
    }
    Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
}

const GROUP_NAME: &str = "resource-groups:name";

/// What the groups that targets name are queries for.
async fn groups_of(
    plane: &ControlPlane,
    region: &str,
    targets: &[Target],
) -> ApiResult<BTreeMap<String, TagQuery>> {
    let mut found = BTreeMap::new();
    let named = targets
        .iter()
        .filter(|target| target.key.to_ascii_lowercase() == GROUP_NAME);
    for name in named.flat_map(|target| &target.values) {
        // Also by its ARN, of this region and account.
        let Some(bare) = groups::name_of(plane, region, name) else {
            continue;
        };
        if let Some(row) = groups::queries::group(plane.db.reader(), region, bare).await? {
            found.insert(name.clone(), row.query.read()?);
        }
    }
    Ok(found)
}

/// The nodes that all targets match, by id; none is no fault here.
pub(crate) async fn by_targets(
    plane: &ControlPlane,
    region: &str,
    targets: &[Target],
) -> ApiResult<Vec<NodeRow>> {
    let groups = groups_of(plane, region, targets).await?;
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(region);
    for target in targets {
        let values = &target.values;
        let lower = target.key.to_ascii_lowercase();
        if values.is_empty() {
            return Err(ApiError::validation(format!(
                "The target {} has no values.",
                target.key
            )));
        }
        if let Some(key) = target.key.strip_prefix("tag:") {
            if key.is_empty() {
                return Err(ApiError::validation("The target tag: names no tag."));
            }
            sql.push(" and exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
            sql.push(" and t.resource_id = n.node_id and t.tag_key = ")
                .text(key);
            sql.push(" and t.tag_value in (").texts(values).push("))");
        } else if lower == "tag-key" {
            sql.push(" and exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
            sql.push(" and t.resource_id = n.node_id and t.tag_key in (")
                .texts(values)
                .push("))");
        } else if lower == "instanceids" {
            // `*` means all nodes, as in associations.
            if values.iter().any(|value| value == "*") {
                continue;
            }
            if let Some(bad) = values.iter().find(|value| !is_instance_id(value)) {
                return Err(ApiError::new(
                    "InvalidInstanceId",
                    format!("{bad} is not a valid instance ID"),
                ));
            }
            sql.push(" and n.node_id in (").texts(values).push(")");
        } else if lower == GROUP_NAME {
            // What is in one of them; nothing is in a group that is not there.
            sql.push(" and (1 = 0");
            for query in values.iter().filter_map(|name| groups.get(name)) {
                sql.push(" or (");
                query.push(&mut sql);
                sql.push(")");
            }
            sql.push(")");
        } else if lower == "resource-groups:resourcetypefilters" {
            if listed_as(&[values]).is_none() {
                sql.push(" and 1 = 0");
            }
        } else {
            return Err(ApiError::validation(format!(
                "The target key {} is not one of InstanceIds, tag:<name>, tag-key, resource-groups:Name, \
                 resource-groups:ResourceTypeFilters.",
                target.key
            )));
        }
    }
    sql.push(" order by n.node_id");
    nodes(sql, plane.db.reader()).await
}
