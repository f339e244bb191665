//! `AddTagsToResource`: adds tags or changes their values.

use super::{MAX_TAGS, RESOURCE_TYPE, TagInput, check_keys, queries, resource, turn};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, TAGS, required};
use serde::Deserialize;
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[
    required("ResourceType", RESOURCE_TYPE),
    required("ResourceId", ANY_TEXT),
    required("Tags", TAGS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    resource_type: String,
    resource_id: String,
    tags: Vec<TagInput>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let (region, kind) = (&call.region, &input.resource_type);
    let _turn = turn(plane, call, kind, &input.resource_id).await;
    let id = resource(plane, call, kind, &input.resource_id).await?;
    let new: Vec<(String, String)> = input.tags.into_iter().map(TagInput::pair).collect();
    check_keys(&new)?;
    let mut transaction = plane.db.begin().await?;
    let mut keys: BTreeSet<String> = queries::of(&mut *transaction, region, kind, &id)
        .await?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    keys.extend(new.iter().map(|(key, _)| key.clone()));
    if keys.len() > MAX_TAGS {
        return Err(ApiError::bare("TooManyTagsError"));
    }
    for tag in &new {
        queries::put(&mut *transaction, region, kind, &id, tag).await?;
    }
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(Empty {})
}
