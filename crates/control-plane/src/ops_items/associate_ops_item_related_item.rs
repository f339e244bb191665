//! `AssociateOpsItemRelatedItem`: what an item is about, each thing once.

use super::queries::{self, RelatedRow};
use super::{ID, invalid, missing};
use crate::caller_identity;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("OpsItemId", ID),
    required("AssociationType", ANY_TEXT),
    required("ResourceType", ANY_TEXT),
    required("ResourceUri", ANY_TEXT),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ops_item_id: String,
    association_type: String,
    resource_type: String,
    resource_uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    association_id: String,
}

/// Things that an item is about at most.
const MOST: usize = 100;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if !["IsParentOf", "RelatesTo"].contains(&input.association_type.as_str()) {
        return Err(invalid("AssociationType: it is IsParentOf or RelatesTo."));
    }
    if input.resource_uri.is_empty() || input.resource_uri.len() > 2_048 || input.resource_type.len() > 256 {
        return Err(invalid(
            "ResourceUri has 1 to 2,048 characters, ResourceType at most 256.",
        ));
    }
    let id = input.ops_item_id;
    let mut transaction = plane.db.begin().await?;
    if !queries::lock(&mut *transaction, &call.region, &id).await? {
        return Err(missing(&id));
    }
    let mut sql = queries::related_sql(&call.region);
    sql.push(" and ops_item_id = ").text(&id);
    let known = queries::related(sql, &mut *transaction).await?;
    if let Some(same) = known
        .iter()
        .find(|other| other.resource_uri == input.resource_uri)
    {
        return Err(ApiError::new(
            "OpsItemRelatedItemAlreadyExistsException",
            format!("It is associated already, as {}.", same.association_id),
        ));
    }
    if known.len() >= MOST {
        return Err(ApiError::new(
            "OpsItemLimitExceededException",
            format!("An OpsItem is about at most {MOST} things."),
        ));
    }
    let row = RelatedRow {
        id,
        association_id: call.fresh_id.clone(),
        association_type: input.association_type,
        resource_type: input.resource_type,
        resource_uri: input.resource_uri,
        created_at: call.now,
        created_by: caller_identity::arn(plane, &call.caller),
    };
    queries::insert_related(&mut *transaction, &call.region, &row).await?;
    transaction.commit().await?;
    Ok(Output {
        association_id: row.association_id,
    })
}
