//! `DescribeMaintenanceWindowExecutionTasks`.

use super::UUID;
use super::execution_queries::{self as executions, TaskRow};
use super::filters::{FILTERS, Filter, Filters};
use super::get_maintenance_window_execution::find;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowExecutionId", UUID),
    FILTERS,
    optional("MaxResults", whole(10, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_execution_id: String,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    window_execution_id: String,
    task_execution_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    task_arn: String,
    task_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_configuration: Option<serde_json::Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_execution_task_identities: Vec<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["STATUS"])?;
    let execution = find(plane, call, &input.window_execution_id).await?;
    let mut rows: Vec<(String, TaskRow)> = executions::tasks(plane.db.reader(), &execution.execution_id)
        .await?
        .into_iter()
        .filter(|row| filters.fit(|_| row.status.as_str()))
        .map(|row| (row.task_execution_id.clone(), row))
        .collect();
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    let scope = format!(
        "DescribeMaintenanceWindowExecutionTasks|{}|{:?}",
        execution.execution_id,
        filters.all()
    );
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let shown = |(task_execution_id, row): (String, TaskRow)| Identity {
        window_execution_id: row.execution_id,
        task_execution_id,
        status: row.status.as_str(),
        status_details: row.status_details,
        start_time: row.started_at.map(seconds),
        end_time: row.ended_at.map(seconds),
        task_arn: row.task.task_arn,
        task_type: row.task.kind,
        alarm_configuration: row.task.alarm_configuration,
    };
    Ok(Output {
        window_execution_task_identities: page.into_iter().map(shown).collect(),
        next_token,
    })
}
