//! Maintenance windows: when they open, on what and with which tasks, and what came of it. One file per operation; the
//! running of a window is in `rounds.rs`, what to do next in `progress.rs`.
//!
//! Invariants: a window opens once for each moment of its schedule, however often the process stops in between; a start
//! that was missed is recorded as missed and not made up for; a task's command is written down in the transaction that
//! says that the task has begun, so it is sent once.

mod automation;
pub(crate) mod cancel_maintenance_window_execution;
pub(crate) mod create_maintenance_window;
pub(crate) mod delete_maintenance_window;
pub(crate) mod deregister_target_from_maintenance_window;
pub(crate) mod deregister_task_from_maintenance_window;
pub(crate) mod describe_maintenance_window_execution_task_invocations;
pub(crate) mod describe_maintenance_window_execution_tasks;
pub(crate) mod describe_maintenance_window_executions;
pub(crate) mod describe_maintenance_window_schedule;
pub(crate) mod describe_maintenance_window_targets;
pub(crate) mod describe_maintenance_window_tasks;
pub(crate) mod describe_maintenance_windows;
pub(crate) mod describe_maintenance_windows_for_target;
pub(crate) mod execution_queries;
pub(crate) mod filters;
pub(crate) mod get_maintenance_window;
pub(crate) mod get_maintenance_window_execution;
pub(crate) mod get_maintenance_window_execution_task;
pub(crate) mod get_maintenance_window_execution_task_invocation;
pub(crate) mod get_maintenance_window_task;
pub(crate) mod opening;
pub(crate) mod progress;
pub(crate) mod pseudo;
pub(crate) mod queries;
pub(crate) mod register_target_with_maintenance_window;
pub(crate) mod register_task_with_maintenance_window;
pub(crate) mod rounds;
pub(crate) mod running;
pub(crate) mod schedule;
pub(crate) mod task;
pub(crate) mod update_maintenance_window;
pub(crate) mod update_maintenance_window_target;
pub(crate) mod update_maintenance_window_task;

use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Pattern, Shape, matching, optional, sensitive, text};
use queries::WindowRow;
use serde::{Deserialize, Serialize};

/// The word in `resource_type` for a window's tags.
pub(crate) const TAGS: &str = "MaintenanceWindow";
/// Windows of a region at most: more than the service's own 50, which it raises on request.
pub(crate) const MAX_WINDOWS: usize = 500;
/// Targets of a window at most (service quotas).
pub(crate) const MAX_TARGETS: usize = 100;
/// Tasks of a window at most (service quotas).
pub(crate) const MAX_TASKS: usize = 20;

fn is_window_id(text: &str) -> bool {
    text.strip_prefix("mw-")
        .is_some_and(|rest| rest.len() == 17 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

fn is_any_uuid(text: &str) -> bool {
    crate::validation::is_uuid(&text.to_ascii_lowercase())
}

pub(crate) const WINDOW_ID: Shape = matching(
    20,
    20,
    Pattern {
        text: "^mw-[0-9a-f]{17}$",
        holds: is_window_id,
    },
);
/// Of targets, tasks and everything that belongs to an execution.
pub(crate) const UUID: Shape = matching(
    36,
    36,
    Pattern {
        text: "^[0-9a-fA-F]{8}\\-[0-9a-fA-F]{4}\\-[0-9a-fA-F]{4}\\-[0-9a-fA-F]{4}\\-[0-9a-fA-F]{12}$",
        holds: is_any_uuid,
    },
);
pub(crate) const NAME: Shape = matching(
    3,
    128,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.]{3,128}$",
        holds: |text| (3..=128).contains(&text.len()) && crate::documents::is_plain(text),
    },
);
pub(crate) const DESCRIPTION: Member = sensitive(optional("Description", text(1, 128)));
pub(crate) const OWNER_INFORMATION: Member = sensitive(optional("OwnerInformation", text(1, 128)));
pub(crate) const RESOURCE_TYPE: Shape = crate::validation::one_of(&["INSTANCE", "RESOURCE_GROUP"]);
pub(crate) const CLIENT_TOKEN: Member = optional("ClientToken", text(1, 64));

/// A window as it was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Definition {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_date: Option<String>,
    pub(crate) schedule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_offset: Option<i64>,
    /// Hours.
    pub(crate) duration: i64,
    /// Hours before the end in which no task begins any more.
    pub(crate) cutoff: i64,
    pub(crate) allow_unassociated_targets: bool,
    pub(crate) enabled: bool,
}

impl Definition {
    /// Whether another one opens at the same moments.
    pub(crate) fn opens_as(&self, other: &Self) -> bool {
        let when = |of: &Self| {
            (
                of.schedule.clone(),
                of.schedule_timezone.clone(),
                of.schedule_offset,
                of.start_date.clone(),
                of.end_date.clone(),
                of.enabled,
            )
        };
        when(self) == when(other)
    }
}

/// Nodes that a window works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetDefinition {
    pub(crate) resource_type: String,
    pub(crate) targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner_information: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// The answer of operations that name a window.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WindowId {
    pub(crate) window_id: String,
}

/// The id of a window that this call makes.
pub(crate) fn fresh_window_id(call: &Call) -> String {
    let hex: String = call.fresh_id.chars().filter(|c| *c != '-').take(17).collect();
    format!("mw-{hex}")
}

pub(crate) fn missing(what: &str, id: &str) -> ApiError {
    ApiError::new("DoesNotExistException", format!("{what} {id} does not exist"))
}

/// A window of the call's region.
pub(crate) async fn find(plane: &ControlPlane, call: &Call, id: &str) -> ApiResult<WindowRow> {
    queries::window(plane.db.reader(), &call.region, id)
        .await?
        .ok_or_else(|| missing("Maintenance window", id))
}

/// That targets name something, and nothing that is not known.
pub(crate) fn check_targets(resource_type: &str, targets: &[Target]) -> ApiResult<()> {
    if targets.is_empty() {
        return Err(ApiError::validation(
            "Targets has to name at least one resource: InstanceIds, tag:<name> or resource-groups:Name.",
        ));
    }
    for target in targets {
        let lower = target.key.to_ascii_lowercase();
        let is_group = lower.starts_with("resource-groups:");
        let fits = match resource_type {
            "RESOURCE_GROUP" => is_group,
            _ => lower == "instanceids" || lower == "tag-key" || lower.starts_with("tag:"),
        };
        if !fits {
            let known = match resource_type {
                "RESOURCE_GROUP" => "resource-groups:Name and resource-groups:ResourceTypeFilters",
                _ => "InstanceIds, tag:<name> and tag-key",
            };
            return Err(ApiError::validation(format!(
                "{} is an invalid target key for the resource type {resource_type}, use {known}.",
                target.key
            )));
        }
        if target.values.is_empty() {
            return Err(ApiError::validation(format!(
                "The target {} has no values.",
                target.key
            )));
        }
    }
    Ok(())
}
