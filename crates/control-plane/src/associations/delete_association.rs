//! `DeleteAssociation`: with its history; what it still runs is cancelled.

use super::definition::NODE;
use super::{ASSOCIATION_ID, TAGS, find, queries, running};
use crate::compliance;
use crate::control_plane::ControlPlane;
use crate::documents::NAME;
use crate::errors::ApiResult;
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
    running::cancel_all(plane, &call.region, id).await?;
    let mut transaction = plane.db.begin().await?;
    compliance::forget_item(&mut transaction, &call.region, compliance::ASSOCIATION, id).await?;
    queries::delete(&mut transaction, &call.region, id).await?;
    tags::remove(&mut *transaction, &call.region, TAGS, id, None).await?;
    transaction.commit().await?;
    Ok(Empty {})
}
