//! `DescribeAssociationExecutions`: newest first.

use super::run_queries::{Counts, ExecutionRow, executions, executions_sql};
use super::{ASSOCIATION_ID, find};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("AssociationId", ASSOCIATION_ID),
    optional(
        "Filters",
        list(
            1,
            usize::MAX,
            &Shape::Record(&[
                required("Key", one_of(&["ExecutionId", "Status", "CreatedTime"])),
                required("Value", text(1, usize::MAX)),
                required("Type", one_of(&["EQUAL", "LESS_THAN", "GREATER_THAN"])),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    value: String,
    #[serde(rename = "Type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    association_id: String,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    association_id: String,
    association_version: String,
    execution_id: String,
    status: String,
    detailed_status: String,
    created_time: f64,
    last_execution_date: f64,
    resource_count_by_status: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    association_executions: Vec<Execution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `{Success=3, Failed=1}`.
fn counted(counts: &Counts) -> String {
    let each: Vec<String> = counts
        .iter()
        .map(|(status, count)| format!("{status}={count}"))
        .collect();
    format!("{{{}}}", each.join(", "))
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, Some(&input.association_id), None, None).await?;
    let mut sql = executions_sql();
    sql.push("e.region = ").text(&row.region);
    sql.push(" and e.association_id = ").text(&row.association_id);
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        let compare = match filter.kind.as_str() {
            "EQUAL" => " = ",
            "LESS_THAN" => " < ",
            _ => " > ",
        };
        match filter.key.as_str() {
            "CreatedTime" => {
                let at = Timestamp::parse(&filter.value).ok_or_else(|| {
                    ApiError::validation(
                        "The filter CreatedTime needs a time of the form 2026-11-23T09:41:07Z.",
                    )
                })?;
                sql.push(" and e.created_at").push(compare).int(at.0);
            }
            "Status" => {
                sql.push(" and e.status = ").text(&filter.value);
            }
            _ => {
                sql.push(" and e.execution_id = ").text(&filter.value);
            }
        }
    }
    let question: Vec<(&str, &str, &str)> = filters
        .iter()
        .map(|filter| (filter.key.as_str(), filter.kind.as_str(), filter.value.as_str()))
        .collect();
    let scope = format!(
        "DescribeAssociationExecutions|{}|{}|{question:?}",
        call.region, row.association_id
    );
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        sql.push(" and (e.created_at < ")
            .int(at)
            .push(" or (e.created_at = ")
            .int(at);
        sql.push(" and e.execution_id < ")
            .text(position.get(1).cloned().unwrap_or_default())
            .push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by e.created_at desc, e.execution_id desc limit ")
        .int(limit as i64 + 1);
    let rows = executions(sql, plane.db.reader()).await?;
    let position = |row: &ExecutionRow| vec![row.created_at.0.to_string(), row.execution_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: ExecutionRow| Execution {
        resource_count_by_status: counted(&row.counts),
        association_id: row.association_id,
        association_version: row.version.to_string(),
        execution_id: row.execution_id,
        status: row.status,
        detailed_status: row.detailed_status,
        created_time: seconds(row.created_at),
        last_execution_date: seconds(row.created_at),
    };
    Ok(Output {
        association_executions: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
