//! `UpdateOpsItem`: what is not given stays; keys of operational data are added, changed or taken away.

use super::queries::{self, EventRow, OpsItemRow};
use super::{
    ACTUAL_END, ACTUAL_START, ARN, CATEGORY, DATA, DESCRIPTION, DataValue, ID, NOTIFICATIONS, PLANNED_END,
    PLANNED_START, PRIORITY, RELATED, SEVERITY, TITLE, dedup, is_open, missing,
};
use crate::caller_identity;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, list, one_of, optional, required};
use serde::Deserialize;
use std::collections::BTreeMap;

/// All that the model knows.
const STATUS: Shape = one_of(&[
    "Open",
    "InProgress",
    "Resolved",
    "Pending",
    "TimedOut",
    "Cancelling",
    "Cancelled",
    "Failed",
    "CompletedWithSuccess",
    "CompletedWithFailure",
    "Scheduled",
    "RunbookInProgress",
    "PendingChangeCalendarOverride",
    "ChangeCalendarOverrideApproved",
    "ChangeCalendarOverrideRejected",
    "PendingApproval",
    "Approved",
    "Revoked",
    "Rejected",
    "Closed",
]);
pub(crate) const INPUT: &[Member] = &[
    optional("Description", DESCRIPTION),
    DATA,
    optional("OperationalDataToDelete", list(0, usize::MAX, &ANY_TEXT)),
    NOTIFICATIONS,
    PRIORITY,
    RELATED,
    optional("Status", STATUS),
    required("OpsItemId", ID),
    optional("Title", TITLE),
    CATEGORY,
    SEVERITY,
    ACTUAL_START,
    ACTUAL_END,
    PLANNED_START,
    PLANNED_END,
    optional("OpsItemArn", ARN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    description: Option<String>,
    operational_data: Option<BTreeMap<String, DataValue>>,
    operational_data_to_delete: Option<Vec<String>>,
    notifications: Option<Vec<BTreeMap<String, String>>>,
    priority: Option<i64>,
    related_ops_items: Option<Vec<BTreeMap<String, String>>>,
    status: Option<String>,
    ops_item_id: String,
    title: Option<String>,
    category: Option<String>,
    severity: Option<String>,
    actual_start_time: Option<f64>,
    actual_end_time: Option<f64>,
    planned_start_time: Option<f64>,
    planned_end_time: Option<f64>,
}

/// Puts a value that was given in the place of the one before.
fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn change(row: &mut OpsItemRow, input: Input) -> ApiResult<()> {
    let definition = &mut row.definition;
    set(&mut definition.description, input.description);
    set(&mut definition.notifications, input.notifications);
    set(&mut definition.related_ops_items, input.related_ops_items);
    definition.actual_start_time = input.actual_start_time.or(definition.actual_start_time);
    definition.actual_end_time = input.actual_end_time.or(definition.actual_end_time);
    definition.planned_start_time = input.planned_start_time.or(definition.planned_start_time);
    definition.planned_end_time = input.planned_end_time.or(definition.planned_end_time);
    for key in input.operational_data_to_delete.unwrap_or_default() {
        definition.operational_data.remove(&key);
    }
    definition
        .operational_data
        .extend(input.operational_data.unwrap_or_default());
    definition.check()?;
    set(&mut row.title, input.title);
    set(&mut row.status, input.status);
    set(&mut row.category, input.category);
    set(&mut row.severity, input.severity);
    row.priority = input.priority.or(row.priority);
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let id = input.ops_item_id.clone();
    let mut transaction = plane.db.begin().await?;
    queries::lock(&mut *transaction, &call.region, &id).await?;
    let mut row = queries::item(&mut *transaction, &call.region, &id)
        .await?
        .ok_or_else(|| missing(&id))?;
    let before = row.status.clone();
    change(&mut row, input)?;
    row.version += 1;
    row.modified_at = call.now;
    row.modified_by = caller_identity::arn(plane, &call.caller);
    if is_open(&row.status) {
        let known = dedup(&row.definition.operational_data);
        let other = queries::known(&mut *transaction, &call.region, &row.source, &known).await?;
        if let Some(other) = other.filter(|other| *other != id) {
            return Err(ApiError::new(
                "OpsItemAlreadyExistsException",
                format!(
                    "An OpsItem with id {other} already exists with the same deduplication string and is open."
                ),
            ));
        }
    }
    queries::put(&mut *transaction, &row).await?;
    let event = EventRow {
        id,
        event_id: plane.random.uuid(),
        detail_type: "OpsItem Update".into(),
        detail: serde_json::json!({"status": row.status, "before": before, "version": row.version})
            .to_string(),
        created_at: call.now,
        created_by: row.modified_by,
    };
    queries::insert_event(&mut *transaction, &call.region, &event).await?;
    transaction.commit().await?;
    Ok(Empty {})
}
