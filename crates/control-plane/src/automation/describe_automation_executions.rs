//! `DescribeAutomationExecutions`: newest first.

use super::queries::{executions, executions_sql};
use super::shown::{self, ShownExecution};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use muster_domain::Timestamp;
use muster_store::Sql;
use serde::{Deserialize, Serialize};

const KEY: Shape = one_of(&[
    "DocumentNamePrefix",
    "ExecutionStatus",
    "ExecutionId",
    "ParentExecutionId",
    "CurrentAction",
    "StartTimeBefore",
    "StartTimeAfter",
    "AutomationType",
    "TagKey",
    "TargetResourceGroup",
    "AutomationSubtype",
    "OpsItemId",
]);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "Filters",
        list(
            1,
            10,
            &Shape::Record(&[
                required("Key", KEY),
                required("Values", list(1, 10, &text(1, 150))),
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
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(flatten)]
    execution: ShownExecution,
    automation_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    automation_execution_metadata_list: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn moment(filter: &Filter) -> ApiResult<i64> {
    let text = filter.values.first().map(String::as_str).unwrap_or_default();
    Timestamp::parse(text).map(|at| at.0).ok_or_else(|| {
        ApiError::new(
            "InvalidFilterValue",
            format!(
                "The value {text:?} of {} has to be a time like 2026-11-26T12:00:00Z.",
                filter.key
            ),
        )
    })
}

fn push(sql: &mut Sql, filter: &Filter) -> ApiResult<()> {
    match filter.key.as_str() {
        "DocumentNamePrefix" => {
            sql.push(" and (1 = 0");
            for value in &filter.values {
                sql.push(" or substr(e.document, 1, cast(")
                    .int(value.chars().count() as i64)
                    .push(" as integer)) = ")
                    .text(value);
            }
            sql.push(")");
        }
        "ExecutionStatus" => {
            sql.push(" and e.status in (").texts(&filter.values).push(")");
        }
        "ExecutionId" => {
            sql.push(" and e.execution_id in (")
                .texts(&filter.values)
                .push(")");
        }
        "ParentExecutionId" => {
            sql.push(" and e.parent_id in (").texts(&filter.values).push(")");
        }
        "CurrentAction" => {
            sql.push(" and e.ended_at is null and e.current_action in (")
                .texts(&filter.values)
                .push(")");
        }
        "StartTimeBefore" => {
            sql.push(" and e.started_at <= ").int(moment(filter)?);
        }
        "StartTimeAfter" => {
            sql.push(" and e.started_at >= ").int(moment(filter)?);
        }
        "TagKey" => {
            sql.push(" and exists (select 1 from ssm_tags t where t.resource_type = 'Automation'");
            sql.push(" and t.resource_id = e.execution_id and t.tag_key in (")
                .texts(&filter.values)
                .push("))");
        }
        "TargetResourceGroup" => {
            sql.push(" and e.target_group in (")
                .texts(&filter.values)
                .push(")");
        }
        // All of them are.
        "AutomationType" if filter.values.iter().any(|value| value == "Local") => {}
        // None of them is.
        _ => {
            sql.push(" and 1 = 0");
        }
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = input.filters.unwrap_or_default();
    let scope = format!("DescribeAutomationExecutions|{}|{filters:?}", call.region);
    let mut sql = executions_sql(&call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let at: i64 = position
            .first()
            .and_then(|at| at.parse().ok())
            .unwrap_or_default();
        let id = position.get(1).cloned().unwrap_or_default();
        sql.push(" and (e.started_at < ").int(at);
        sql.push(" or (e.started_at = ").int(at);
        sql.push(" and e.execution_id < ").text(id).push("))");
    }
    for filter in &filters {
        push(&mut sql, filter)?;
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by e.started_at desc, e.execution_id desc limit ")
        .int(limit as i64 + 1);
    let rows = executions(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.started_at.0.to_string(), row.execution_id.clone()]
    });
    Ok(Output {
        automation_execution_metadata_list: rows
            .iter()
            .map(|row| Listed {
                execution: shown::execution(row),
                automation_type: "Local",
            })
            .collect(),
        next_token,
    })
}
