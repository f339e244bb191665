//! The calls to Systems Manager that schedules need: a maintenance window for each, with one task that starts the runbook.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::runbooks::schedule_queries::Schedule;
use crate::runbooks::ssm::stamp;
use aws_sdk_ssm::types::{
    MaintenanceWindowAutomationParameters, MaintenanceWindowTaskInvocationParameters,
    MaintenanceWindowTaskType, Tag,
};
use muster_domain::Timestamp;

/// The tag by which the portal knows windows that it has made.
pub const TAG: (&str, &str) = ("Muster", "schedule");
/// Characters of a window's name at most.
const LONGEST_NAME: usize = 128;

/// A name as windows have them: letters, digits, and a few signs.
#[must_use]
pub fn window_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
            c
        } else {
            '-'
        }
    };
    let name: String = name.trim().chars().map(plain).collect();
    format!("Muster-{name}").chars().take(LONGEST_NAME).collect()
}

fn tag() -> Option<Tag> {
    Tag::builder().key(TAG.0).value(TAG.1).build().ok()
}

/// Makes the window. The same token makes it once.
///
/// # Errors
/// [`CallError`].
pub async fn create_window(ssm: &Ssm, schedule: &Schedule) -> Result<String, CallError> {
    let timing = &schedule.timing;
    let hours = |hours: u32| i32::try_from(hours).unwrap_or(i32::MAX);
    let mut request = ssm
        .client
        .create_maintenance_window()
        .name(window_name(&schedule.name))
        .description(format!(
            "Starts {} for {}",
            schedule.plan.document, schedule.created_by
        ))
        .schedule(timing.schedule.trim())
        .duration(hours(timing.duration_hours))
        .cutoff(hours(timing.cutoff_hours))
        .allow_unassociated_targets(true)
        .client_token(&schedule.window_token)
        .set_tags(tag().map(|tag| vec![tag]));
    if !timing.time_zone.trim().is_empty() {
        request = request.schedule_timezone(timing.time_zone.trim());
    }
    let answer = ssm.call("CreateMaintenanceWindow", request.send()).await?;
    Ok(answer.window_id().unwrap_or_default().to_owned())
}

/// Puts the task into the window. The same token puts it there once.
///
/// # Errors
/// [`CallError`].
pub async fn register_task(ssm: &Ssm, schedule: &Schedule, window_id: &str) -> Result<(), CallError> {
    let plan = &schedule.plan;
    let parameters = plan.parameters.iter();
    let automation = MaintenanceWindowAutomationParameters::builder()
        .document_version(&plan.document_version)
        .set_parameters(Some(
            parameters
                .map(|(name, values)| (name.clone(), values.clone()))
                .collect(),
        ))
        .build();
    let request = ssm
        .client
        .register_task_with_maintenance_window()
        .window_id(window_id)
        .task_arn(&plan.document)
        .task_type(MaintenanceWindowTaskType::Automation)
        .task_invocation_parameters(
            MaintenanceWindowTaskInvocationParameters::builder()
                .automation(automation)
                .build(),
        )
        .priority(1)
        .client_token(&schedule.task_token);
    ssm.call("RegisterTaskWithMaintenanceWindow", request.send())
        .await
        .map(|_| ())
}

/// Lets the window open, or not.
///
/// # Errors
/// [`CallError`].
pub async fn enable(ssm: &Ssm, window_id: &str, enabled: bool) -> Result<(), CallError> {
    let request = ssm
        .client
        .update_maintenance_window()
        .window_id(window_id)
        .enabled(enabled);
    ssm.call("UpdateMaintenanceWindow", request.send())
        .await
        .map(|_| ())
}

/// Deletes the window. One that is not there any more is deleted.
///
/// # Errors
/// [`CallError`].
pub async fn delete_window(ssm: &Ssm, window_id: &str) -> Result<(), CallError> {
    let request = ssm.client.delete_maintenance_window().window_id(window_id);
    match ssm.call("DeleteMaintenanceWindow", request.send()).await {
        Ok(_) => Ok(()),
        Err(error) if error.code == "DoesNotExistException" => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the window may open; `None` where there is none (any more).
///
/// # Errors
/// [`CallError`].
pub async fn is_enabled(ssm: &Ssm, window_id: &str) -> Result<Option<bool>, CallError> {
    let request = ssm.client.get_maintenance_window().window_id(window_id);
    match ssm.call("GetMaintenanceWindow", request.send()).await {
        Ok(answer) => Ok(Some(answer.enabled())),
        Err(error) if error.code == "DoesNotExistException" => Ok(None),
        Err(error) => Err(error),
    }
}

/// How a window went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowRun {
    /// The id of its execution.
    pub id: String,
    /// How it stands, in Systems Manager's words.
    pub status: String,
    /// When it opened.
    pub at: Option<Timestamp>,
}

/// How a window went the last time.
///
/// # Errors
/// [`CallError`].
pub async fn last_run(ssm: &Ssm, window_id: &str) -> Result<Option<WindowRun>, CallError> {
    let request = ssm
        .client
        .describe_maintenance_window_executions()
        .window_id(window_id)
        .max_results(10);
    let answer = ssm
        .call("DescribeMaintenanceWindowExecutions", request.send())
        .await?;
    let runs = answer.window_executions().iter().map(|one| WindowRun {
        id: one.window_execution_id().unwrap_or_default().to_owned(),
        status: one.status().map_or("", |status| status.as_str()).to_owned(),
        at: stamp(one.start_time()),
    });
    Ok(runs.max_by_key(|run| run.at))
}

/// The automation execution that a window has started, once it has.
///
/// # Errors
/// [`CallError`].
pub async fn started(ssm: &Ssm, window_execution_id: &str) -> Result<Option<String>, CallError> {
    let request = ssm
        .client
        .describe_maintenance_window_execution_tasks()
        .window_execution_id(window_execution_id);
    let tasks = ssm
        .call("DescribeMaintenanceWindowExecutionTasks", request.send())
        .await?;
    let task = tasks.window_execution_task_identities().first();
    let Some(task) = task.and_then(|task| task.task_execution_id()) else {
        return Ok(None);
    };
    let request = ssm
        .client
        .describe_maintenance_window_execution_task_invocations()
        .window_execution_id(window_execution_id)
        .task_id(task);
    let answer = ssm
        .call(
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            request.send(),
        )
        .await?;
    let first = answer.window_execution_task_invocation_identities().first();
    let id = first.and_then(|one| one.execution_id()).unwrap_or_default();
    Ok((!id.is_empty()).then(|| id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::window_name;

    #[test]
    fn a_window_has_a_name_that_systems_manager_takes() {
        assert_eq!(window_name(" Sundays, 02:00 ä "), "Muster-Sundays--02-00--");
        assert_eq!(window_name(&"x".repeat(200)).len(), 128);
    }
}
