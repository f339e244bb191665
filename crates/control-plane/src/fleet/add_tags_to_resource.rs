//! `AddTagsToResource`: adds tags or changes their values.

use super::tags::{MAX_TAGS, RESOURCE_TYPE, TagInput, check_resource};
use super::{Empty, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
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
    check_resource(plane, call, &input.resource_type, &input.resource_id).await?;
    let new: Vec<(String, String)> = input.tags.into_iter().map(TagInput::pair).collect();
    if let Some((key, _)) = new
        .iter()
        .find(|(key, _)| key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(ApiError::validation(format!(
            "Tag key {key} begins with aws:, which is reserved."
        )));
    }
    let mut transaction = plane.db.begin().await?;
    let mut keys: BTreeSet<String> = queries::tags(&mut *transaction, &input.resource_id)
        .await?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    keys.extend(new.iter().map(|(key, _)| key.clone()));
    if keys.len() > MAX_TAGS {
        return Err(ApiError::bare("TooManyTagsError"));
    }
    for tag in &new {
        queries::put_tag(&mut *transaction, &call.region, &input.resource_id, tag).await?;
    }
    transaction.commit().await?;
    Ok(Empty {})
}
