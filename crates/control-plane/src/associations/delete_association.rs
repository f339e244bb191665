//! `DeleteAssociation`: with its history; what it still runs is cancelled.

use super::definition::NODE;
use super::run_queries as runs;
use super::{ASSOCIATION_ID, TAGS, find, queries, running};
use crate::compliance;
use crate::control_plane::ControlPlane;
use crate::documents::NAME;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::tags::queries as tags;
use crate::validation::{Member, optional};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    optional("Name", NAME),
    NODE,
    optional("AssociationId", ASSOCIATION_ID),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: Option<String>,
    instance_id: Option<String>,
    association_id: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let id = input.association_id.as_deref();
    let row = find(
        plane,
        call,
        id,
        input.name.as_deref(),
        input.instance_id.as_deref(),
    )
    .await?;
    let id = &row.association_id;
    let mut transaction = plane.db.begin().await?;
    // From here on no run begins, and none is written down.
    queries::lock(&mut *transaction, &call.region, id).await?;
    let open = runs::open_of(&mut *transaction, &call.region, id).await?;
    queries::delete(&mut transaction, &call.region, id).await?;
    compliance::forget_item(&mut transaction, &call.region, compliance::ASSOCIATION, id).await?;
    tags::remove(&mut *transaction, &call.region, TAGS, id, None).await?;
    transaction.commit().await?;
    if let Err(ApiError { code, .. }) = running::cancel(plane, &call.region, &open).await {
        // It is deleted, and the caller must not be told otherwise.
        tracing::warn!(code, association.id = %id, "a run of a deleted association goes on");
    }
    Ok(Empty {})
}
