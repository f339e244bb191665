//! `DeleteOpsItem`: one that is not there is no fault.

use super::{ID, TAGS, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::tags::queries as tags;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("OpsItemId", ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ops_item_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let mut transaction = plane.db.begin().await?;
    queries::delete(&mut transaction, &call.region, &input.ops_item_id).await?;
    tags::remove(&mut *transaction, &call.region, TAGS, &input.ops_item_id, None).await?;
    transaction.commit().await?;
    Ok(Empty {})
}
