//! `GetMaintenanceWindowExecutionTask`.

use super::UUID;
use super::get_maintenance_window_execution::find_task;
use super::task::Values;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[required("WindowExecutionId", UUID), required("TaskId", UUID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_execution_id: String,
    task_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_execution_id: String,
    task_execution_id: String,
    task_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_role: Option<String>,
    #[serde(rename = "Type")]
    kind: String,
    task_parameters: Vec<BTreeMap<String, Values>>,
    priority: i64,
    max_concurrency: String,
    max_errors: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find_task(plane, call, &input.window_execution_id, &input.task_id).await?;
    let task = row.task;
    Ok(Output {
        window_execution_id: row.execution_id,
        task_execution_id: row.task_execution_id,
        task_arn: task.task_arn,
        service_role: task.service_role_arn,
        kind: task.kind,
        task_parameters: vec![task.task_parameters],
        priority: task.priority,
        max_concurrency: task.max_concurrency.unwrap_or_else(|| "1".into()),
        max_errors: task.max_errors.unwrap_or_else(|| "1".into()),
        status: row.status.as_str(),
        status_details: row.status_details,
        start_time: row.started_at.map(seconds),
        end_time: row.ended_at.map(seconds),
    })
}
