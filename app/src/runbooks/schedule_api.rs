//! The server functions of schedules on which runbooks are started.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    backend::{call, redirect_to},
    runbooks::StartFields,
};
use leptos::prelude::*;
use muster_domain::ids::ScheduleId;
use muster_domain::runbooks::ScheduleRow;
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    runbooks::{ScheduleRunbook, Timing},
};
use std::collections::BTreeMap;

/// Schedules, by their next start.
#[server(prefix = "/api", endpoint = "runbooks/schedules", output = Json)]
pub(crate) async fn list_schedules() -> Result<Vec<ScheduleRow>, AppError> {
    call(|backend, actor| async move { backend.schedules.schedules(&actor).await }).await
}

/// Reads a number of hours.
#[cfg(feature = "ssr")]
fn read_hours(field: &str, text: Option<String>, otherwise: u32) -> Result<u32, PortalError> {
    match text.unwrap_or_default().trim() {
        "" => Ok(otherwise),
        text => text
            .parse()
            .map_err(|_| PortalError::invalid(field, "Write a whole number of hours, such as 2.")),
    }
}

/// Has a runbook started on a schedule, and goes to the list of them. Refused, with the next starts, until those were shown.
#[server(name = ScheduleRunbookFn, prefix = "/api", endpoint = "runbooks/schedule")]
pub(crate) async fn schedule_runbook(
    document: String,
    #[server(default)] version: Option<String>,
    #[server(default)] parameters: BTreeMap<String, String>,
    #[server(default)] nodes: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] all: Option<bool>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] confirmed_nodes: Option<String>,
    #[server(default)] schedule_name: Option<String>,
    #[server(default)] schedule: Option<String>,
    #[server(default)] time_zone: Option<String>,
    #[server(default)] duration_hours: Option<String>,
    #[server(default)] cutoff_hours: Option<String>,
    #[server(default)] schedule_seen: Option<String>,
) -> Result<ScheduleId, AppError> {
    let form = StartFields {
        document,
        version,
        parameters,
        nodes,
        filter,
        all,
        max_concurrency,
        max_errors,
        reason,
        confirmed_nodes,
    };
    let id = call(|backend, actor| async move {
        let text = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
        let zone = text(time_zone);
        let input = ScheduleRunbook {
            name: text(schedule_name),
            timing: Timing {
                schedule: text(schedule),
                time_zone: if zone.is_empty() { "UTC".into() } else { zone },
                duration_hours: read_hours("duration_hours", duration_hours, 1)?,
                cutoff_hours: read_hours("cutoff_hours", cutoff_hours, 0)?,
            },
            start: form.read_unfinished(&backend, &actor).await?,
            seen: text(schedule_seen),
        };
        backend.schedules.schedule(&actor, input).await
    })
    .await?;
    redirect_to("/schedules");
    Ok(id)
}

/// Pauses a schedule, or lets it go on.
#[server(name = EnableScheduleFn, prefix = "/api", endpoint = "runbooks/enable_schedule", output = Json)]
pub(crate) async fn enable_schedule(schedule_id: String, enabled: bool) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .schedules
            .enable_schedule(&actor, schedule_id.as_str().into(), enabled)
            .await
    })
    .await
}

/// Deletes a schedule.
#[server(name = DeleteScheduleFn, prefix = "/api", endpoint = "runbooks/delete_schedule", output = Json)]
pub(crate) async fn delete_schedule(schedule_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .schedules
            .delete_schedule(&actor, schedule_id.as_str().into())
            .await
    })
    .await
}
