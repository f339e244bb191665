//! `RegisterTaskWithMaintenanceWindow`.

use super::task::{
    self, ALARM_CONFIGURATION, CUTOFF_BEHAVIOR, LOGGING_INFO, MAX_CONCURRENCY, MAX_ERRORS, PRIORITY,
    SERVICE_ROLE, TASK_DESCRIPTION, TASK_INVOCATION, TASK_NAME, TASK_PARAMETERS, TASK_TARGETS, Task, Values,
};
use super::{CLIENT_TOKEN, MAX_TASKS, WINDOW_ID, find, queries};
use crate::client_tokens::Once;
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, one_of, required, text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    TASK_TARGETS,
    required("TaskArn", text(1, 1600)),
    SERVICE_ROLE,
    required(
        "TaskType",
        one_of(&["RUN_COMMAND", "AUTOMATION", "STEP_FUNCTIONS", "LAMBDA"]),
    ),
    TASK_PARAMETERS,
    TASK_INVOCATION,
    PRIORITY,
    MAX_CONCURRENCY,
    MAX_ERRORS,
    LOGGING_INFO,
    TASK_NAME,
    TASK_DESCRIPTION,
    CLIENT_TOKEN,
    CUTOFF_BEHAVIOR,
    ALARM_CONFIGURATION,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    targets: Option<Vec<Target>>,
    task_arn: String,
    service_role_arn: Option<String>,
    task_type: String,
    task_parameters: Option<BTreeMap<String, Values>>,
    task_invocation_parameters: Option<Value>,
    priority: Option<i64>,
    max_concurrency: Option<String>,
    max_errors: Option<String>,
    logging_info: Option<Value>,
    name: Option<String>,
    description: Option<String>,
    client_token: Option<String>,
    cutoff_behavior: Option<String>,
    alarm_configuration: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_task_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let region = &call.region;
    let window = find(plane, call, &input.window_id).await?;
    let task = Task {
        targets: input.targets.unwrap_or_default(),
        task_arn: input.task_arn,
        service_role_arn: input.service_role_arn,
        kind: input.task_type,
        task_parameters: input.task_parameters.unwrap_or_default(),
        task_invocation_parameters: input.task_invocation_parameters,
        priority: input.priority.unwrap_or(1),
        max_concurrency: input.max_concurrency,
        max_errors: input.max_errors,
        logging_info: input.logging_info,
        name: input.name,
        description: input.description,
        cutoff_behavior: input.cutoff_behavior.unwrap_or_else(|| "CONTINUE_TASK".into()),
        alarm_configuration: input.alarm_configuration,
    };
    let allows = window.definition.allow_unassociated_targets;
    task::check(plane, call, &window.window_id, allows, &task).await?;
    let once = Once::new(
        "RegisterTaskWithMaintenanceWindow",
        input.client_token,
        &(&window.window_id, &task),
    )?;
    let mut transaction = plane.db.begin().await?;
    if let Some(window_task_id) = once.answered(&mut transaction, call).await? {
        return Ok(Output { window_task_id });
    }
    // Somebody may have deleted the window since it was looked at.
    queries::window(&mut *transaction, region, &window.window_id)
        .await?
        .ok_or_else(|| super::missing("Maintenance window", &window.window_id))?;
    let others = queries::registered::<Task>(&mut *transaction, region, &window.window_id).await?;
    if others.len() >= MAX_TASKS {
        return Err(ApiError::new(
            "ResourceLimitExceededException",
            format!("A maintenance window has at most {MAX_TASKS} tasks."),
        ));
    }
    let window_task_id = call.fresh_id.clone();
    queries::put_registered(
        &mut *transaction,
        region,
        &window.window_id,
        &window_task_id,
        &task,
    )
    .await?;
    once.keep(&mut transaction, call, &window_task_id).await?;
    transaction.commit().await?;
    Ok(Output { window_task_id })
}
