//! `DescribeMaintenanceWindowExecutionTaskInvocations`. Also how an invocation is answered.

use super::UUID;
use super::execution_queries::InvocationRow;
use super::filters::{FILTERS, Filter, Filters};
use super::get_maintenance_window_execution::{find_task, of_task};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowExecutionId", UUID),
    required("TaskId", UUID),
    FILTERS,
    optional("MaxResults", whole(10, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_execution_id: String,
    task_id: String,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// An invocation as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    window_execution_id: String,
    task_execution_id: String,
    invocation_id: String,
    /// The command's.
    #[serde(skip_serializing_if = "String::is_empty")]
    execution_id: String,
    task_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    parameters: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    owner_information: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    window_target_id: String,
}

pub(crate) fn shown(row: InvocationRow, task_type: &str) -> Identity {
    Identity {
        window_execution_id: row.execution_id,
        task_execution_id: row.task_execution_id,
        invocation_id: row.invocation_id,
        execution_id: row.command_id,
        task_type: task_type.to_owned(),
        parameters: row.parameters,
        status: row.status.as_str(),
        status_details: row.status_details,
        start_time: row.started_at.map(seconds),
        end_time: row.ended_at.map(seconds),
        owner_information: row.owner_information,
        window_target_id: row.window_target_id,
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_execution_task_invocation_identities: Vec<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &["STATUS"])?;
    let task = find_task(plane, call, &input.window_execution_id, &input.task_id).await?;
    let rows = of_task(plane, &task).await?;
    let mut rows: Vec<(String, InvocationRow)> = rows
        .into_iter()
        .filter(|row| filters.fit(|_| row.status.as_str()))
        .map(|row| (row.invocation_id.clone(), row))
        .collect();
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    let scope = format!(
        "DescribeMaintenanceWindowExecutionTaskInvocations|{}|{:?}",
        task.task_execution_id,
        filters.all()
    );
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let all = page.into_iter().map(|(_, row)| shown(row, &task.task.kind));
    Ok(Output {
        window_execution_task_invocation_identities: all.collect(),
        next_token,
    })
}
