//! `UpdateMaintenanceWindowTask`: what is not given stays, with `Replace` it becomes empty. The type of a task stays.

use super::get_maintenance_window_task::{Output, shown};
use super::task::{
    self, ALARM_CONFIGURATION, CUTOFF_BEHAVIOR, LOGGING_INFO, MAX_CONCURRENCY, MAX_ERRORS, PRIORITY,
    SERVICE_ROLE, TASK_DESCRIPTION, TASK_INVOCATION, TASK_NAME, TASK_PARAMETERS, TASK_TARGETS, Task, Values,
};
use super::{UUID, WINDOW_ID, find, missing, queries};
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, optional, required, text};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    required("WindowTaskId", UUID),
    TASK_TARGETS,
    optional("TaskArn", text(1, 1600)),
    SERVICE_ROLE,
    TASK_PARAMETERS,
    TASK_INVOCATION,
    PRIORITY,
    MAX_CONCURRENCY,
    MAX_ERRORS,
    LOGGING_INFO,
    TASK_NAME,
    TASK_DESCRIPTION,
    optional("Replace", Shape::Flag),
    CUTOFF_BEHAVIOR,
    ALARM_CONFIGURATION,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    window_task_id: String,
    targets: Option<Vec<Target>>,
    task_arn: Option<String>,
    service_role_arn: Option<String>,
    task_parameters: Option<BTreeMap<String, Values>>,
    task_invocation_parameters: Option<Value>,
    priority: Option<i64>,
    max_concurrency: Option<String>,
    max_errors: Option<String>,
    logging_info: Option<Value>,
    name: Option<String>,
    description: Option<String>,
    replace: Option<bool>,
    cutoff_behavior: Option<String>,
    alarm_configuration: Option<Value>,
}

/// What was given, else what was there, unless everything is replaced.
fn kept<T>(given: Option<T>, old: Option<T>, replaces: bool) -> Option<T> {
    given.or(old.filter(|_| !replaces))
}

fn changed(input: Input, old: Task) -> ApiResult<Task> {
    let replaces = input.replace.unwrap_or_default();
    if replaces && input.task_arn.is_none() {
        return Err(ApiError::validation(
            "TaskArn: with Replace every member that a task cannot be without has to be given.",
        ));
    }
    Ok(Task {
        targets: kept(input.targets, Some(old.targets), replaces).unwrap_or_default(),
        task_arn: input.task_arn.unwrap_or(old.task_arn),
        service_role_arn: kept(input.service_role_arn, old.service_role_arn, replaces),
        kind: old.kind,
        task_parameters: kept(input.task_parameters, Some(old.task_parameters), replaces).unwrap_or_default(),
        task_invocation_parameters: kept(
            input.task_invocation_parameters,
            old.task_invocation_parameters,
            replaces,
        ),
        priority: kept(input.priority, Some(old.priority), replaces).unwrap_or(1),
        max_concurrency: kept(input.max_concurrency, old.max_concurrency, replaces),
        max_errors: kept(input.max_errors, old.max_errors, replaces),
        logging_info: kept(input.logging_info, old.logging_info, replaces),
        name: kept(input.name, old.name, replaces),
        description: kept(input.description, old.description, replaces),
        cutoff_behavior: kept(input.cutoff_behavior, Some(old.cutoff_behavior), replaces)
            .unwrap_or_else(|| "CONTINUE_TASK".into()),
        alarm_configuration: kept(input.alarm_configuration, old.alarm_configuration, replaces),
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (window_id, id) = (input.window_id.clone(), input.window_task_id.clone());
    let window = find(plane, call, &window_id).await?;
    let absent = || missing("Maintenance window task", &id);
    let old = queries::one_registered::<Task>(plane.db.reader(), &call.region, &window_id, &id)
        .await?
        .ok_or_else(absent)?;
    let task = changed(input, old.clone())?;
    let allows = window.definition.allow_unassociated_targets;
    task::check(plane, call, &window_id, allows, &task).await?;
    let mut transaction = plane.db.begin().await?;
    let current = queries::one_registered::<Task>(&mut *transaction, &call.region, &window_id, &id)
        .await?
        .ok_or_else(absent)?;
    if current != old {
        return Err(ApiError::validation(
            "The task was changed by somebody else at the same moment. Look at it and try again.",
        ));
    }
    queries::put_registered(&mut *transaction, &call.region, &window_id, &id, &task).await?;
    transaction.commit().await?;
    Ok(shown(window_id, id, task))
}
