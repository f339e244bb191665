//! `GetMaintenanceWindowTask`. Also how a task is answered whole.

use super::task::{Task, Values};
use super::{UUID, WINDOW_ID, missing, queries};
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[required("WindowId", WINDOW_ID), required("WindowTaskId", UUID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    window_task_id: String,
}

/// A task with everything that is known of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_id: String,
    window_task_id: String,
    targets: Vec<Target>,
    task_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_role_arn: Option<String>,
    task_type: String,
    task_parameters: BTreeMap<String, Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_invocation_parameters: Option<Value>,
    priority: i64,
    max_concurrency: String,
    max_errors: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    logging_info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    cutoff_behavior: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_configuration: Option<Value>,
}

/// The service shows 1 where nothing was said (hashicorp/terraform-provider-aws issue 19396).
fn shown_rate(rate: Option<String>) -> String {
    rate.unwrap_or_else(|| "1".into())
}

pub(crate) fn shown(window_id: String, window_task_id: String, task: Task) -> Output {
    Output {
        window_id,
        window_task_id,
        targets: task.targets,
        task_arn: task.task_arn,
        service_role_arn: task.service_role_arn,
        task_type: task.kind,
        task_parameters: task.task_parameters,
        task_invocation_parameters: task.task_invocation_parameters,
        priority: task.priority,
        max_concurrency: shown_rate(task.max_concurrency),
        max_errors: shown_rate(task.max_errors),
        logging_info: task.logging_info,
        name: task.name,
        description: task.description,
        cutoff_behavior: task.cutoff_behavior,
        alarm_configuration: task.alarm_configuration,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (window_id, id) = (&input.window_id, &input.window_task_id);
    let task = queries::one_registered::<Task>(plane.db.reader(), &call.region, window_id, id)
        .await?
        .ok_or_else(|| missing("Maintenance window task", id))?;
    Ok(shown(input.window_id, input.window_task_id, task))
}
