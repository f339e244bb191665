//! `StopAutomationExecution`: at once, or after the step that runs.

use super::{EXECUTION_ID, find, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, one_of, optional, required};
use muster_automation::Stop;
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("AutomationExecutionId", EXECUTION_ID),
    optional("Type", one_of(&["Complete", "Cancel"])),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    automation_execution_id: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let row = find(plane, call, &input.automation_execution_id).await?;
    let stop = if input.kind.as_deref() == Some("Complete") {
        Stop::Complete
    } else {
        Stop::Cancel
    };
    // Whoever cancelled is not made to wait by somebody else.
    let is_cancelled = row.stop == Stop::Cancel && stop == Stop::Complete && row.ended_at.is_none();
    if !is_cancelled && !queries::ask_to_stop(plane.db.writer(), &row.region, &row.execution_id, stop).await?
    {
        return Err(ApiError::new(
            "InvalidAutomationStatusUpdateException",
            format!("The execution {} has ended as {}.", row.execution_id, row.status),
        ));
    }
    plane.wake.notify_one();
    Ok(Empty {})
}
