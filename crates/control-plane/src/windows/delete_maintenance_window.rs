//! `DeleteMaintenanceWindow`: with its targets and tasks; one that is not there is no fault. What runs goes on.

use super::{TAGS, WINDOW_ID, WindowId, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags::queries as tags;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("WindowId", WINDOW_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<WindowId> {
    let mut transaction = plane.db.begin().await?;
    queries::delete(&mut transaction, &call.region, &input.window_id).await?;
    tags::remove(&mut *transaction, &call.region, TAGS, &input.window_id, None).await?;
    transaction.commit().await?;
    Ok(WindowId {
        window_id: input.window_id,
    })
}
