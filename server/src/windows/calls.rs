//! The calls to Systems Manager that change a maintenance window.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use aws_sdk_ssm::types::{
    MaintenanceWindowAutomationParameters, MaintenanceWindowResourceType,
    MaintenanceWindowRunCommandParameters, MaintenanceWindowTaskInvocationParameters,
    MaintenanceWindowTaskType, Target,
};
use muster_domain::windows::{TargetKey, WindowSettings, WindowTarget, WindowTask};
use std::collections::HashMap;

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn offset(settings: &WindowSettings) -> Option<i32> {
    (settings.offset_days > 0).then(|| number(settings.offset_days))
}

fn targets(keys: &[TargetKey]) -> Vec<Target> {
    keys.iter()
        .map(|key| {
            Target::builder()
                .key(&key.key)
                .set_values(Some(key.values.clone()))
                .build()
        })
        .collect()
}

/// Makes a window. The same token makes it once.
pub(super) async fn create(ssm: &Ssm, settings: &WindowSettings, token: &str) -> Result<String, CallError> {
    let request = ssm
        .client
        .create_maintenance_window()
        .name(&settings.name)
        .set_description(some(&settings.description))
        .schedule(settings.schedule.trim())
        .set_schedule_timezone(some(&settings.time_zone))
        .set_schedule_offset(offset(settings))
        .set_start_date(some(&settings.starts))
        .set_end_date(some(&settings.ends))
        .duration(number(settings.duration_hours))
        .cutoff(number(settings.cutoff_hours))
        .allow_unassociated_targets(settings.allow_unassociated)
        .client_token(token);
    let answer = ssm.call("CreateMaintenanceWindow", request.send()).await?;
    Ok(answer.window_id().unwrap_or_default().to_owned())
}

/// Gives a window these settings, and no others.
pub(super) async fn update(ssm: &Ssm, id: &str, settings: &WindowSettings) -> Result<(), CallError> {
    let request = ssm
        .client
        .update_maintenance_window()
        .window_id(id)
        .name(&settings.name)
        .set_description(some(&settings.description))
        .schedule(settings.schedule.trim())
        .set_schedule_timezone(some(&settings.time_zone))
        .set_schedule_offset(offset(settings))
        .set_start_date(some(&settings.starts))
        .set_end_date(some(&settings.ends))
        .duration(number(settings.duration_hours))
        .cutoff(number(settings.cutoff_hours))
        .allow_unassociated_targets(settings.allow_unassociated)
        .enabled(settings.enabled)
        .replace(true);
    ssm.call("UpdateMaintenanceWindow", request.send())
        .await
        .map(|_| ())
}

/// Registers nodes. The same token registers them once.
pub(super) async fn add_target(
    ssm: &Ssm,
    id: &str,
    target: &WindowTarget,
    token: &str,
) -> Result<String, CallError> {
    let request = ssm
        .client
        .register_target_with_maintenance_window()
        .window_id(id)
        .resource_type(MaintenanceWindowResourceType::Instance)
        .set_targets(Some(targets(&target.targets)))
        .set_name(some(&target.name))
        .set_description(some(&target.description))
        .set_owner_information(some(&target.owner))
        .client_token(token);
    let answer = ssm
        .call("RegisterTargetWithMaintenanceWindow", request.send())
        .await?;
    Ok(answer.window_target_id().unwrap_or_default().to_owned())
}

/// Says of registered nodes anew what they are.
pub(super) async fn update_target(ssm: &Ssm, id: &str, target: &WindowTarget) -> Result<(), CallError> {
    let request = ssm
        .client
        .update_maintenance_window_target()
        .window_id(id)
        .window_target_id(&target.id)
        .replace(true)
        .set_targets(Some(targets(&target.targets)))
        .set_name(some(&target.name))
        .set_description(some(&target.description))
        .set_owner_information(some(&target.owner));
    ssm.call("UpdateMaintenanceWindowTarget", request.send())
        .await
        .map(|_| ())
}

/// Deregisters nodes, unless a task runs on them.
pub(super) async fn remove_target(ssm: &Ssm, id: &str, target: &str) -> Result<(), CallError> {
    let request = ssm
        .client
        .deregister_target_from_maintenance_window()
        .window_id(id)
        .window_target_id(target)
        .safe(true);
    ssm.call("DeregisterTargetFromMaintenanceWindow", request.send())
        .await
        .map(|_| ())
}

fn parameters(task: &WindowTask) -> HashMap<String, Vec<String>> {
    let given = task.parameters.iter();
    given
        .map(|(name, values)| (name.clone(), values.clone()))
        .collect()
}

/// What of a task says how its document is run. What there is no field for stays as it was.
fn invocation(
    task: &WindowTask,
    old: Option<&MaintenanceWindowTaskInvocationParameters>,
) -> MaintenanceWindowTaskInvocationParameters {
    let builder = MaintenanceWindowTaskInvocationParameters::builder();
    if task.is_runbook() {
        let automation = MaintenanceWindowAutomationParameters::builder()
            .set_document_version(some(&task.document_version))
            .set_parameters(Some(parameters(task)))
            .build();
        return builder.automation(automation).build();
    }
    let mut run = old
        .and_then(MaintenanceWindowTaskInvocationParameters::run_command)
        .cloned()
        .unwrap_or_else(|| MaintenanceWindowRunCommandParameters::builder().build());
    run.document_version = some(&task.document_version);
    run.comment = some(&task.comment);
    run.timeout_seconds = (task.timeout_seconds > 0).then(|| number(task.timeout_seconds));
    run.parameters = Some(parameters(task));
    builder.run_command(run).build()
}

fn task_targets(task: &WindowTask) -> Option<Vec<Target>> {
    Some(targets(&task.targets)).filter(|targets| !targets.is_empty())
}

/// Registers a task. The same token registers it once.
pub(super) async fn add_task(
    ssm: &Ssm,
    id: &str,
    task: &WindowTask,
    token: &str,
) -> Result<String, CallError> {
    let request = ssm
        .client
        .register_task_with_maintenance_window()
        .window_id(id)
        .task_type(MaintenanceWindowTaskType::from(task.kind.as_str()))
        .task_arn(task.document.trim())
        .set_targets(task_targets(task))
        .task_invocation_parameters(invocation(task, None))
        .priority(number(task.priority))
        .set_max_concurrency(some(&task.max_concurrency))
        .set_max_errors(some(&task.max_errors))
        .set_name(some(&task.name))
        .set_description(some(&task.description))
        .client_token(token);
    let answer = ssm
        .call("RegisterTaskWithMaintenanceWindow", request.send())
        .await?;
    Ok(answer.window_task_id().unwrap_or_default().to_owned())
}

/// Makes a task what this says, and nothing else of it different: what it says that there is no field for is read first and
/// given again, because otherwise an emptied name or description would stay.
pub(super) async fn update_task(ssm: &Ssm, id: &str, task: &WindowTask) -> Result<(), CallError> {
    let request = ssm
        .client
        .get_maintenance_window_task()
        .window_id(id)
        .window_task_id(&task.id);
    let old = ssm.call("GetMaintenanceWindowTask", request.send()).await?;
    let request = ssm
        .client
        .update_maintenance_window_task()
        .window_id(id)
        .window_task_id(&task.id)
        .replace(true)
        .task_arn(task.document.trim())
        .set_targets(task_targets(task))
        .task_invocation_parameters(invocation(task, old.task_invocation_parameters()))
        .priority(number(task.priority))
        .set_max_concurrency(some(&task.max_concurrency))
        .set_max_errors(some(&task.max_errors))
        .set_name(some(&task.name))
        .set_description(some(&task.description))
        .set_service_role_arn(old.service_role_arn)
        .set_logging_info(old.logging_info)
        .set_cutoff_behavior(old.cutoff_behavior)
        .set_alarm_configuration(old.alarm_configuration);
    ssm.call("UpdateMaintenanceWindowTask", request.send())
        .await
        .map(|_| ())
}

/// Deregisters a task.
pub(super) async fn remove_task(ssm: &Ssm, id: &str, task: &str) -> Result<(), CallError> {
    let request = ssm
        .client
        .deregister_task_from_maintenance_window()
        .window_id(id)
        .window_task_id(task);
    ssm.call("DeregisterTaskFromMaintenanceWindow", request.send())
        .await
        .map(|_| ())
}
