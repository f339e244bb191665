//! `DescribeOpsItems`: newest first. What stands in an item's own data is filtered after it was read: a page may be short.

use super::queries::{OpsItemRow, items, items_sql};
use super::{DataValue, Definition};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::{from_seconds, seconds};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{ANY_TEXT, Member, Shape, list, one_of, optional, required, whole};
use muster_domain::Timestamp;
use muster_store::Sql;
use muster_store::sql::contains_pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const KEY: Shape = one_of(&[
    "Status",
    "CreatedBy",
    "Source",
    "Priority",
    "Title",
    "OpsItemId",
    "CreatedTime",
    "LastModifiedTime",
    "ActualStartTime",
    "ActualEndTime",
    "PlannedStartTime",
    "PlannedEndTime",
    "OperationalData",
    "OperationalDataKey",
    "OperationalDataValue",
    "ResourceId",
    "AutomationId",
    "Category",
    "Severity",
    "OpsItemType",
    "AccessRequestByRequesterArn",
    "AccessRequestByRequesterId",
    "AccessRequestByApproverArn",
    "AccessRequestByApproverId",
    "AccessRequestBySourceAccountId",
    "AccessRequestBySourceOpsItemId",
    "AccessRequestBySourceRegion",
    "AccessRequestByIsReplica",
    "AccessRequestByTargetResourceId",
    "ChangeRequestByRequesterArn",
    "ChangeRequestByRequesterName",
    "ChangeRequestByApproverArn",
    "ChangeRequestByApproverName",
    "ChangeRequestByTemplate",
    "ChangeRequestByTargetsResourceGroup",
    "InsightByType",
    "AccountId",
]);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "OpsItemFilters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", KEY),
                required("Values", list(0, usize::MAX, &ANY_TEXT)),
                required(
                    "Operator",
                    one_of(&["Equal", "Contains", "GreaterThan", "LessThan"]),
                ),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", ANY_TEXT),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    values: Vec<String>,
    operator: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ops_item_filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    created_by: String,
    created_time: f64,
    last_modified_by: String,
    last_modified_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    source: String,
    status: String,
    ops_item_id: String,
    title: String,
    operational_data: BTreeMap<String, DataValue>,
    #[serde(skip_serializing_if = "String::is_empty")]
    category: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    severity: String,
    ops_item_type: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    ops_item_summaries: Vec<Summary>,
}

/// Filters and their values at most.
const MOST: usize = 100;

fn time(filter: &Filter) -> ApiResult<Timestamp> {
    let first = filter.values.first().and_then(|value| Timestamp::parse(value));
    first.ok_or_else(|| {
        ApiError::validation(format!(
            "The filter {} needs a time of the form 2026-11-23T09:41:07Z.",
            filter.key
        ))
    })
}

/// What the database is asked. `false` when the filter is about what stands in the item's own data.
fn add(sql: &mut Sql, filter: &Filter) -> ApiResult<bool> {
    let column = match filter.key.as_str() {
        "Status" => " and o.status in (",
        "Source" => " and o.source in (",
        "OpsItemId" => " and o.ops_item_id in (",
        "Category" => " and o.category in (",
        "Severity" => " and o.severity in (",
        "OpsItemType" => " and o.ops_item_type in (",
        "CreatedBy" => " and o.created_by in (",
        "Title" => {
            for (at, value) in filter.values.iter().enumerate() {
                sql.push(if at == 0 { " and (" } else { " or " });
                if filter.operator == "Contains" {
                    sql.push("lower(o.title) like ")
                        .text(contains_pattern(value))
                        .push(" escape '\\'");
                } else {
                    sql.push("o.title = ").text(value);
                }
            }
            sql.push(")");
            return Ok(true);
        }
        "Priority" => {
            for (at, value) in filter.values.iter().enumerate() {
                let number = value
                    .parse()
                    .map_err(|_| ApiError::validation("The filter Priority needs a number from 1 to 5."))?;
                sql.push(if at == 0 { " and o.priority in (" } else { ", " })
                    .int(number);
            }
            sql.push(")");
            return Ok(true);
        }
        "CreatedTime" | "LastModifiedTime" => {
            sql.push(if filter.key == "CreatedTime" {
                " and o.created_at"
            } else {
                " and o.modified_at"
            });
            sql.push(match filter.operator.as_str() {
                "GreaterThan" => " > ",
                "LessThan" => " < ",
                _ => " = ",
            });
            sql.int(time(filter)?.0);
            return Ok(true);
        }
        _ => return Ok(false),
    };
    sql.push(column).texts(&filter.values).push(")");
    Ok(true)
}

/// Whether a time that an item may have lies where the filter says. `check` has read the filter's own time.
fn within(filter: &Filter, at: Option<f64>) -> bool {
    let (Some(at), Ok(wanted)) = (at, time(filter)) else {
        return false;
    };
    let at = from_seconds(at).0;
    match filter.operator.as_str() {
        "GreaterThan" => at > wanted.0,
        "LessThan" => at < wanted.0,
        _ => at == wanted.0,
    }
}

/// That a filter has values, and an operator that its key knows (API reference, `OpsItemFilter`).
fn check(filter: &Filter) -> ApiResult<()> {
    if filter.values.is_empty() || filter.values.len() > MOST {
        return Err(ApiError::validation(format!(
            "The filter {} needs 1 to {MOST} values.",
            filter.key
        )));
    }
    let known: &[&str] = match filter.key.as_str() {
        key if key.ends_with("Time") => {
            time(filter)?;
            &["Equal", "GreaterThan", "LessThan"]
        }
        "Title" | "OperationalDataValue" | "ResourceId" => &["Equal", "Contains"],
        _ => &["Equal"],
    };
    if known.contains(&filter.operator.as_str()) {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "The filter {} knows the operators {}, not {}.",
        filter.key,
        known.join(", "),
        filter.operator
    )))
}

/// Whether what stands in an item's own data fits.
fn holds(filter: &Filter, definition: &Definition, account: &str) -> bool {
    let is = |text: &str| {
        filter.values.iter().any(|wanted| match filter.operator.as_str() {
            "Contains" => text.to_lowercase().contains(&wanted.to_lowercase()),
            _ => text == wanted,
        })
    };
    let data = &definition.operational_data;
    let value = |key: &str| {
        data.get(key)
            .and_then(|value| value.value.as_deref())
            .unwrap_or_default()
    };
    match filter.key.as_str() {
        "OperationalDataKey" => data.keys().any(|key| is(key)),
        "OperationalDataValue" => data.values().any(|value| value.value.as_deref().is_some_and(&is)),
        // `{"key":"disk","value":"full"}`
        "OperationalData" => filter.values.iter().any(|wanted| {
            let wanted: serde_json::Value = serde_json::from_str(wanted).unwrap_or_default();
            let word = |name: &str| {
                wanted
                    .get(name)
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default()
            };
            !word("key").is_empty() && value(word("key")) == word("value")
        }),
        "ResourceId" => filter
            .values
            .iter()
            .any(|id| value("/aws/resources").contains(id.as_str())),
        "AutomationId" => filter
            .values
            .iter()
            .any(|id| value("/aws/automations").contains(id.as_str())),
        "AccountId" => is(account),
        "ActualStartTime" => within(filter, definition.actual_start_time),
        "ActualEndTime" => within(filter, definition.actual_end_time),
        "PlannedStartTime" => within(filter, definition.planned_start_time),
        "PlannedEndTime" => within(filter, definition.planned_end_time),
        // Requests for changes and for access are not made here, so no item fits.
        _ => false,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = input.ops_item_filters.unwrap_or_default();
    if filters.len() > MOST {
        return Err(ApiError::validation(format!(
            "OpsItemFilters: at most {MOST} filters."
        )));
    }
    let mut sql = items_sql(&call.region);
    let mut of_data = Vec::new();
    for filter in &filters {
        check(filter)?;
        if !add(&mut sql, filter)? {
            of_data.push(filter);
        }
    }
    let question: Vec<(&str, &str, &[String])> = filters
        .iter()
        .map(|filter| {
            (
                filter.key.as_str(),
                filter.operator.as_str(),
                filter.values.as_slice(),
            )
        })
        .collect();
    let scope = format!("DescribeOpsItems|{}|{question:?}", call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        sql.push(" and (o.created_at < ")
            .int(at)
            .push(" or (o.created_at = ")
            .int(at);
        sql.push(" and o.ops_item_id < ")
            .text(position.get(1).cloned().unwrap_or_default())
            .push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by o.created_at desc, o.ops_item_id desc limit ")
        .int(limit as i64 + 1);
    let rows = items(sql, plane.db.reader()).await?;
    let position = |row: &OpsItemRow| vec![row.created_at.0.to_string(), row.id.clone()];
    let (mut rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    rows.retain(|row| {
        of_data
            .iter()
            .all(|filter| holds(filter, &row.definition, &plane.config.account))
    });
    let shown = |row: OpsItemRow| Summary {
        created_by: row.created_by,
        created_time: seconds(row.created_at),
        last_modified_by: row.modified_by,
        last_modified_time: seconds(row.modified_at),
        priority: row.priority,
        source: row.source,
        status: row.status,
        ops_item_id: row.id,
        title: row.title,
        // Only what may be searched is told in lists.
        operational_data: row
            .definition
            .operational_data
            .into_iter()
            .filter(|(_, value)| value.kind.as_deref() == Some("SearchableString"))
            .collect(),
        category: row.category,
        severity: row.severity,
        ops_item_type: row.kind,
    };
    Ok(Output {
        next_token,
        ops_item_summaries: rows.into_iter().map(shown).collect(),
    })
}
