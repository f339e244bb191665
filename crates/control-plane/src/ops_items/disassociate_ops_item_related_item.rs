//! `DisassociateOpsItemRelatedItem`.

use super::{ID, find, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("OpsItemId", ID), required("AssociationId", ANY_TEXT)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ops_item_id: String,
    association_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let item = find(plane, call, &input.ops_item_id).await?;
    let on = plane.db.writer();
    if queries::delete_related(on, &call.region, &item.id, &input.association_id).await? {
        return Ok(Empty {});
    }
    Err(ApiError::new(
        "OpsItemRelatedItemAssociationNotFoundException",
        "The OpsItem has no such association.",
    ))
}
