//! `GetExecutionPreview`.

use super::preview_queries;
use super::start_automation_execution::TOKEN;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const INPUT: &[Member] = &[required("ExecutionPreviewId", TOKEN)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    execution_preview_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Preview {
    automation: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    execution_preview_id: String,
    ended_at: f64,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_preview: Option<Preview>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let id = &input.execution_preview_id;
    let row = preview_queries::preview(plane.db.reader(), &call.region, id)
        .await?
        .ok_or_else(|| {
            ApiError::new(
                "ResourceNotFoundException",
                format!("There is no execution preview {id}; one is kept for a day."),
            )
        })?;
    let is_failed = !row.failure_message.is_empty();
    Ok(Output {
        execution_preview_id: row.preview_id,
        ended_at: seconds(row.ended_at),
        status: if is_failed { "Failed" } else { "Success" },
        status_message: row.failure_message,
        execution_preview: (!is_failed).then_some(Preview {
            automation: row.preview,
        }),
    })
}
