//! `DescribeInstanceInformation`: registered nodes, with both forms of filters.

use super::queries::{NodeRow, nodes, nodes_sql};
use super::seconds;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{
    Member, NEXT_TOKEN, Shape, is_instance_id, list, one_of, optional, required, text, whole,
};
use muster_store::Sql;
use serde::{Deserialize, Serialize};

const VALUE: Shape = text(1, usize::MAX);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "InstanceInformationFilterList",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required(
                    "key",
                    one_of(&[
                        "InstanceIds",
                        "AgentVersion",
                        "PingStatus",
                        "PlatformTypes",
                        "ActivationIds",
                        "IamRole",
                        "ResourceType",
                        "AssociationStatus",
                    ]),
                ),
                required("valueSet", list(1, 100, &VALUE)),
            ]),
        ),
    ),
    optional(
        "Filters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", text(1, usize::MAX)),
                required("Values", list(1, 100, &VALUE)),
            ]),
        ),
    ),
    optional("MaxResults", whole(5, 50)),
    optional("NextToken", NEXT_TOKEN),
];

/// Either form of a filter.
#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(alias = "Key")]
    key: String,
    #[serde(alias = "valueSet", alias = "Values")]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_information_filter_list: Option<Vec<Filter>>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceInformation {
    instance_id: String,
    ping_status: &'static str,
    last_ping_date_time: f64,
    agent_version: String,
    is_latest_version: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    platform_type: String,
    platform_name: String,
    platform_version: String,
    activation_id: String,
    iam_role: String,
    registration_date: f64,
    resource_type: &'static str,
    name: String,
    #[serde(rename = "IPAddress", skip_serializing_if = "String::is_empty")]
    ip_address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    computer_name: String,
    source_id: String,
    source_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    instance_information_list: Vec<InstanceInformation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Each may hold 100 values, and all of them become placeholders of one query.
const MAX_FILTERS: usize = 20;
const RESOURCE_TYPE: &str = "ManagedInstance";

/// Adds a condition to the query; nodes are `n`.
fn add(sql: &mut Sql, filter: &Filter, online_since: i64) -> ApiResult<()> {
    let values = &filter.values;
    let has = |word: &str| values.iter().any(|value| value == word);
    if let Some(key) = filter.key.strip_prefix("tag:") {
        sql.push(" and exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
        sql.push(" and t.resource_id = n.node_id and t.tag_key = ")
            .text(key);
        sql.push(" and t.tag_value in (").texts(values).push("))");
        return Ok(());
    }
    let column = match filter.key.as_str() {
        "tag-key" => {
            sql.push(" and exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
            sql.push(" and t.resource_id = n.node_id and t.tag_key in (")
                .texts(values)
                .push("))");
            return Ok(());
        }
        "InstanceIds" => {
            if let Some(bad) = values.iter().find(|value| !is_instance_id(value)) {
                return Err(ApiError::new(
                    "InvalidInstanceId",
                    format!("{bad} is not a valid instance ID"),
                ));
            }
            " and n.node_id in ("
        }
        "AgentVersion" => " and n.agent_version in (",
        "PlatformTypes" => " and n.platform_type in (",
        "ActivationIds" => " and n.activation_id in (",
        "IamRole" => " and n.iam_role in (",
        "PingStatus" => {
            if values
                .iter()
                .any(|v| !matches!(v.as_str(), "Online" | "ConnectionLost" | "Inactive"))
            {
                return Err(ApiError::new(
                    "InvalidInstanceInformationFilterValue",
                    "PingStatus is one of Online, ConnectionLost, Inactive.",
                ));
            }
            match (has("Online"), has("ConnectionLost")) {
                (true, true) => {}
                (true, false) => {
                    sql.push(" and n.last_ping_at >= ").int(online_since);
                }
                (false, true) => {
                    sql.push(" and n.last_ping_at < ").int(online_since);
                }
                (false, false) => {
                    sql.push(" and 1 = 0");
                }
            }
            return Ok(());
        }
        "ResourceType" | "SourceType" | "SourceIds" => {
            let all = match filter.key.as_str() {
                "ResourceType" => has(RESOURCE_TYPE),
                "SourceType" => has("AWS::SSM::ManagedInstance"),
                _ => {
                    sql.push(" and n.node_id in (").texts(values).push(")");
                    return Ok(());
                }
            };
            sql.push(if all { " and 1 = 1" } else { " and 1 = 0" });
            return Ok(());
        }
        "AssociationStatus" => {
            // No node has an association yet.
            sql.push(" and 1 = 0");
            return Ok(());
        }
        _ => return Err(ApiError::bare("InvalidFilterKey")),
    };
    sql.push(column).texts(values).push(")");
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let by_list = input.instance_information_filter_list.unwrap_or_default();
    let by_string = input.filters.unwrap_or_default();
    if !by_list.is_empty() && !by_string.is_empty() {
        return Err(ApiError::validation(
            "Filters and InstanceInformationFilterList cannot be used together: use one of them.",
        ));
    }
    let is_tag = |filter: &Filter| filter.key.starts_with("tag:") || filter.key == "tag-key";
    if by_string.iter().any(is_tag) && !by_string.iter().all(is_tag) {
        return Err(ApiError::validation(
            "Filters by tag cannot be combined with other filters in one request.",
        ));
    }
    let online_since = call.now.plus_ms(-plane.config.connection_lost_after_ms).0;
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(&call.region);
    if by_list.len() + by_string.len() > MAX_FILTERS {
        return Err(ApiError::validation(format!(
            "Use at most {MAX_FILTERS} filters in one request."
        )));
    }
    for filter in by_list.iter().chain(&by_string) {
        add(&mut sql, filter, online_since)?;
    }
    let scope = format!("DescribeInstanceInformation|{}", call.region);
    if let Some(token) = &input.next_token {
        let position = plane.tokens.open(&scope, token)?;
        sql.push(" and n.node_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by n.node_id limit ").int(limit as i64 + 1);
    let rows = nodes(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.node_id.clone()]
    });
    let shown = |row: NodeRow| InstanceInformation {
        ping_status: if row.last_ping_at.0 >= online_since {
            "Online"
        } else {
            "ConnectionLost"
        },
        last_ping_date_time: seconds(row.last_ping_at),
        agent_version: row.agent_version,
        is_latest_version: true,
        platform_type: row.platform_type,
        platform_name: row.platform_name,
        platform_version: row.platform_version,
        activation_id: row.activation_id,
        iam_role: row.iam_role,
        registration_date: seconds(row.registered_at),
        resource_type: RESOURCE_TYPE,
        name: row.name,
        ip_address: row.ip_address,
        computer_name: row.computer_name,
        source_id: row.node_id.clone(),
        source_type: "AWS::SSM::ManagedInstance",
        instance_id: row.node_id,
    };
    Ok(Output {
        instance_information_list: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
