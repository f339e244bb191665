//! `DeleteResourceDataSync`. What it has written stays in the bucket.

use super::{NAME, SYNC_TYPE, not_found, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("SyncName", NAME), SYNC_TYPE];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    sync_name: String,
    sync_type: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let is_ours = input.sync_type.is_none_or(|kind| kind == super::TO_DESTINATION);
    if is_ours && queries::delete(plane.db.writer(), &call.region, &input.sync_name).await? {
        return Ok(Empty {});
    }
    Err(not_found(&input.sync_name))
}
