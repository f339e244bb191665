//! `DescribeMaintenanceWindowExecutions`: newest first.

use super::WINDOW_ID;
use super::execution_queries::{ExecutionRow, executions, executions_sql};
use super::filters::{FILTERS, Filter, Filters};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    FILTERS,
    optional("MaxResults", whole(10, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Execution {
    window_id: String,
    window_execution_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_details: String,
    start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_executions: Vec<Execution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["ExecutedBefore", "ExecutedAfter"])?;
    let mut sql = executions_sql();
    sql.push("e.region = ").text(&call.region);
    sql.push(" and e.window_id = ").text(&input.window_id);
    for (key, values) in filters.all() {
        let at = match values.as_slice() {
            [one] => Timestamp::parse(one),
            _ => None,
        };
        let at = at.ok_or_else(|| {
            ApiError::validation(format!(
                "The filter {key} needs one time of the form 2026-11-23T09:41:07Z."
            ))
        })?;
        sql.push(if key == "ExecutedBefore" {
            " and e.starts_at < "
        } else {
            " and e.starts_at > "
        });
        sql.int(at.0);
    }
    let scope = format!(
        "DescribeMaintenanceWindowExecutions|{}|{}|{:?}",
        call.region,
        input.window_id,
        filters.all()
    );
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let id = position.get(1).cloned().unwrap_or_default();
        sql.push(" and (e.starts_at < ")
            .int(at)
            .push(" or (e.starts_at = ")
            .int(at);
        sql.push(" and e.execution_id < ").text(id).push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by e.starts_at desc, e.execution_id desc limit ")
        .int(limit as i64 + 1);
    let rows = executions(sql, plane.db.reader()).await?;
    let position = |row: &ExecutionRow| vec![row.starts_at.0.to_string(), row.execution_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: ExecutionRow| Execution {
        window_id: row.window_id,
        window_execution_id: row.execution_id,
        status: row.status.as_str(),
        status_details: row.status_details,
        start_time: seconds(row.starts_at),
        end_time: row.ended_at.map(seconds),
    };
    Ok(Output {
        window_executions: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
