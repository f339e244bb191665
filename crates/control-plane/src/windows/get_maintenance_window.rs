//! `GetMaintenanceWindow`.

use super::schedule::Moments;
use super::{Definition, WINDOW_ID, find};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("WindowId", WINDOW_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_id: String,
    #[serde(flatten)]
    definition: Definition,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_execution_time: Option<String>,
    created_date: f64,
    modified_date: f64,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, &input.window_id).await?;
    let moments = Moments::read(&row.definition, row.created_at)?;
    Ok(Output {
        window_id: row.window_id,
        next_execution_time: row.next_at.map(|at| moments.shown(at)),
        definition: row.definition,
        created_date: seconds(row.created_at),
        modified_date: seconds(row.modified_at),
    })
}
