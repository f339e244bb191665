//! The calls to Systems Manager that read maintenance windows, and its shapes turned into ours.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::runbooks::content_hash;
use crate::runbooks::ssm::stamp;
use aws_sdk_ssm::operation::get_maintenance_window::GetMaintenanceWindowOutput;
use aws_sdk_ssm::operation::get_maintenance_window_task::GetMaintenanceWindowTaskOutput;
use aws_sdk_ssm::types::{MaintenanceWindowIdentity, Target};
use muster_domain::windows::{TargetKey, WindowSettings, WindowState, WindowTarget, WindowTask};
use muster_domain::{PortalError, Timestamp};

/// Rows of one answer.
pub(super) const PAGE: i32 = 50;
/// Pages of one window's targets, tasks or invocations at most.
const MOST_PAGES: usize = 10;
/// Openings that are shown ahead.
const SHOWN_NEXT: i32 = 5;

pub(super) fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn given(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

fn number(value: i32) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

/// A moment as windows have them: `2020-02-19T16:00Z`, `2020-02-19T16:00:00-07:00`.
fn moment(text: &str) -> Option<Timestamp> {
    let plain = text.split('[').next().unwrap_or_default();
    let at: jiff::Timestamp = plain.parse().ok()?;
    Some(Timestamp(at.as_millisecond()))
}

/// A window as the list says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub id: String,
    /// Its settings, as far as the list has them.
    pub settings: WindowSettings,
    /// When it opens next.
    pub next_at: Option<Timestamp>,
}

fn listed(found: &MaintenanceWindowIdentity) -> Option<Listed> {
    Some(Listed {
        id: found.window_id()?.to_owned(),
        settings: WindowSettings {
            name: owned(found.name()),
            description: owned(found.description()),
            enabled: found.enabled(),
            schedule: owned(found.schedule()),
            time_zone: owned(found.schedule_timezone()),
            offset_days: number(found.schedule_offset().unwrap_or_default()),
            starts: owned(found.start_date()),
            ends: owned(found.end_date()),
            duration_hours: number(found.duration().unwrap_or_default()),
            cutoff_hours: number(found.cutoff()),
            allow_unassociated: false,
        },
        next_at: found.next_execution_time().and_then(moment),
    })
}

/// A page of all windows, with the token of the next one.
///
/// # Errors
/// [`CallError`].
pub async fn list(ssm: &Ssm, token: Option<String>) -> Result<(Vec<Listed>, Option<String>), CallError> {
    let request = ssm
        .client
        .describe_maintenance_windows()
        .max_results(PAGE)
        .set_next_token(token);
    let answer = ssm.call("DescribeMaintenanceWindows", request.send()).await?;
    let found = answer.window_identities().iter().filter_map(listed);
    Ok((found.collect(), given(answer.next_token())))
}

/// One window without its targets and tasks.
#[derive(Clone, Debug)]
pub struct Got {
    /// As the list would say it, and whether nodes may be named that are no targets.
    pub listed: Listed,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub modified_at: Option<Timestamp>,
}

fn got(found: &GetMaintenanceWindowOutput, id: &str) -> Got {
    Got {
        listed: Listed {
            id: id.to_owned(),
            settings: WindowSettings {
                name: owned(found.name()),
                description: owned(found.description()),
                enabled: found.enabled(),
                schedule: owned(found.schedule()),
                time_zone: owned(found.schedule_timezone()),
                offset_days: number(found.schedule_offset().unwrap_or_default()),
                starts: owned(found.start_date()),
                ends: owned(found.end_date()),
                duration_hours: number(found.duration().unwrap_or_default()),
                cutoff_hours: number(found.cutoff()),
                allow_unassociated: found.allow_unassociated_targets(),
            },
            next_at: found.next_execution_time().and_then(moment),
        },
        created_at: stamp(found.created_date()),
        modified_at: stamp(found.modified_date()),
    }
}

/// One window; nothing where there is none.
///
/// # Errors
/// [`CallError`].
pub async fn get(ssm: &Ssm, id: &str) -> Result<Option<Got>, CallError> {
    let request = ssm.client.get_maintenance_window().window_id(id);
    match ssm.call("GetMaintenanceWindow", request.send()).await {
        Ok(answer) => Ok(Some(got(&answer, id))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn keys(targets: &[Target]) -> Vec<TargetKey> {
    targets
        .iter()
        .map(|target| TargetKey {
            key: owned(target.key()),
            values: target.values().to_vec(),
        })
        .collect()
}

/// The targets of a window, by id.
///
/// # Errors
/// [`CallError`].
pub async fn targets(ssm: &Ssm, id: &str) -> Result<Vec<WindowTarget>, CallError> {
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let request = ssm
            .client
            .describe_maintenance_window_targets()
            .window_id(id)
            .max_results(PAGE)
            .set_next_token(token);
        let answer = ssm
            .call("DescribeMaintenanceWindowTargets", request.send())
            .await?;
        all.extend(answer.targets().iter().map(|found| WindowTarget {
            id: owned(found.window_target_id()),
            name: owned(found.name()),
            description: owned(found.description()),
            owner: owned(found.owner_information()),
            targets: keys(found.targets()),
        }));
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

/// The ids of a window's tasks.
///
/// # Errors
/// [`CallError`].
pub async fn task_ids(ssm: &Ssm, id: &str) -> Result<Vec<String>, CallError> {
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let request = ssm
            .client
            .describe_maintenance_window_tasks()
            .window_id(id)
            .max_results(PAGE)
            .set_next_token(token);
        let answer = ssm.call("DescribeMaintenanceWindowTasks", request.send()).await?;
        let ids = answer.tasks().iter().filter_map(|task| task.window_task_id());
        all.extend(ids.map(str::to_owned));
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    Ok(all)
}

/// What a task says that has no place of its own in ours, as a text to be hashed.
fn others(found: &GetMaintenanceWindowTaskOutput) -> String {
    let mut said = Vec::new();
    let mut add = |name: &str, text: Option<String>| said.extend(text.map(|text| format!("{name}={text}")));
    add("service role", found.service_role_arn().map(str::to_owned));
    add("logging", found.logging_info().map(|info| format!("{info:?}")));
    add(
        "alarms",
        found.alarm_configuration().map(|alarms| format!("{alarms:?}")),
    );
    let invocation = found.task_invocation_parameters();
    if let Some(run) = invocation.and_then(|all| all.run_command()) {
        add("bucket", run.output_s3_bucket_name().map(str::to_owned));
        add("prefix", run.output_s3_key_prefix().map(str::to_owned));
        add("role", run.service_role_arn().map(str::to_owned));
        add("hash", run.document_hash().map(str::to_owned));
        add(
            "notification",
            run.notification_config().map(|config| format!("{config:?}")),
        );
        add(
            "logs",
            run.cloud_watch_output_config()
                .map(|config| format!("{config:?}")),
        );
    }
    if let Some(steps) = invocation.and_then(|all| all.step_functions()) {
        add("input", steps.input().map(str::to_owned));
        add("name", steps.name().map(str::to_owned));
    }
    if let Some(lambda) = invocation.and_then(|all| all.lambda()) {
        add("context", lambda.client_context().map(str::to_owned));
        add("qualifier", lambda.qualifier().map(str::to_owned));
        add(
            "payload",
            lambda.payload().map(|payload| hex::encode(payload.as_ref())),
        );
    }
    if said.is_empty() {
        String::new()
    } else {
        content_hash(&said.join("\n"))
    }
}

fn task(found: &GetMaintenanceWindowTaskOutput, id: &str) -> WindowTask {
    let invocation = found.task_invocation_parameters();
    let run = invocation.and_then(|all| all.run_command());
    let automation = invocation.and_then(|all| all.automation());
    let newer = run
        .and_then(|run| run.parameters())
        .or_else(|| automation.and_then(|automation| automation.parameters()));
    let parameters = match (newer, found.task_parameters()) {
        (Some(newer), _) => newer
            .iter()
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect(),
        (None, Some(older)) => older
            .iter()
            .map(|(name, given)| (name.clone(), given.values().to_vec()))
            .collect(),
        (None, None) => std::collections::BTreeMap::new(),
    };
    let version = run
        .and_then(|run| run.document_version())
        .or_else(|| automation.and_then(|automation| automation.document_version()));
    WindowTask {
        id: id.to_owned(),
        name: owned(found.name()),
        description: owned(found.description()),
        kind: owned(found.task_type().map(|kind| kind.as_str())),
        document: owned(found.task_arn()),
        document_version: owned(version),
        parameters,
        targets: keys(found.targets()),
        priority: number(found.priority()),
        max_concurrency: owned(found.max_concurrency()),
        max_errors: owned(found.max_errors()),
        timeout_seconds: number(run.and_then(|run| run.timeout_seconds()).unwrap_or_default()),
        comment: owned(run.and_then(|run| run.comment())),
        cutoff_behavior: owned(found.cutoff_behavior().map(|one| one.as_str())),
        others: others(found),
    }
}

/// The tasks of a window in full, by priority.
///
/// # Errors
/// [`CallError`].
pub async fn tasks(ssm: &Ssm, id: &str) -> Result<Vec<WindowTask>, CallError> {
    let mut all = Vec::new();
    for task_id in task_ids(ssm, id).await? {
        let request = ssm
            .client
            .get_maintenance_window_task()
            .window_id(id)
            .window_task_id(&task_id);
        match ssm.call("GetMaintenanceWindowTask", request.send()).await {
            Ok(answer) => all.push(task(&answer, &task_id)),
            // Deregistered since it was listed.
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    all.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
    Ok(all)
}

/// One window, whole; nothing where there is none.
///
/// # Errors
/// [`CallError`].
pub async fn state(ssm: &Ssm, id: &str) -> Result<Option<(Got, WindowState)>, CallError> {
    let (got, targets, tasks) = tokio::join!(get(ssm, id), targets(ssm, id), tasks(ssm, id));
    let Some(got) = got? else { return Ok(None) };
    let state = WindowState {
        settings: got.listed.settings.clone(),
        targets: targets?,
        tasks: tasks?,
    };
    Ok(Some((got, state)))
}

/// When a window opens next, as Systems Manager itself says.
///
/// # Errors
/// [`CallError`].
pub async fn next(ssm: &Ssm, id: &str) -> Result<Vec<Timestamp>, CallError> {
    let request = ssm
        .client
        .describe_maintenance_window_schedule()
        .window_id(id)
        .max_results(SHOWN_NEXT);
    let answer = ssm
        .call("DescribeMaintenanceWindowSchedule", request.send())
        .await?;
    let times = answer
        .scheduled_window_executions()
        .iter()
        .filter_map(|one| one.execution_time().and_then(moment));
    Ok(times.collect())
}

/// That a window is not there.
#[must_use]
pub fn missing(id: &str) -> PortalError {
    PortalError::NotFound {
        what: format!("The maintenance window {id}"),
    }
}

/// Whether Systems Manager says that there is no such window.
#[must_use]
pub fn is_missing(error: &CallError) -> bool {
    // An id that can be none is refused before anything is looked up.
    error.code == "DoesNotExistException"
        || error.code == "ValidationException" && error.message.contains("indowId")
}

/// What a refusal means to a person, at the field that it is about.
#[must_use]
pub fn to_portal(error: &CallError, id: &str) -> PortalError {
    let said =
        |field: &str| PortalError::invalid(field, format!("Systems Manager refused it: {}", error.message));
    let text = error.message.as_str();
    match error.code.as_str() {
        _ if is_missing(error) => missing(id),
        "ValidationException" => {
            let fields = [
                ("ScheduleTimezone", "time_zone"),
                ("ScheduleOffset", "offset_days"),
                ("Schedule", "schedule"),
                ("StartDate", "starts"),
                ("EndDate", "ends"),
                ("Cutoff", "cutoff_hours"),
                ("Duration", "duration_hours"),
                ("Priority", "priority"),
                ("MaxConcurrency", "max_concurrency"),
                ("MaxErrors", "max_errors"),
                ("TaskArn", "document"),
                ("Description", "description"),
                ("Targets", "target_tags"),
            ];
            let found = fields.iter().find(|(member, _)| text.contains(member));
            found.map_or_else(|| error.to_portal(), |(_, field)| said(field))
        }
        "InvalidDocument" => said("document"),
        "TargetInUseException" => PortalError::Conflict {
            message: "A task runs on this target: deregister that first.".into(),
        },
        _ => error.to_portal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_the_service_writes_them() {
        let at = Timestamp::parse("2026-11-29T01:00:00Z");
        for text in [
            "2026-11-29T01:00Z",
            "2026-11-29T02:00+01:00",
            "2026-11-29T01:00:00Z",
            "2026-11-29T02:00:00+01:00[Europe/Berlin]",
        ] {
            assert_eq!(moment(text), at, "{text}");
        }
        assert_eq!(moment("soon"), None);
    }
}
