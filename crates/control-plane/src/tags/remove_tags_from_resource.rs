//! `RemoveTagsFromResource`: keys that are not there are no fault.

use super::{RESOURCE_TYPE, queries, resource};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, TAG_PATTERN, list, matching, required};
use serde::Deserialize;

/// Of one statement; a database takes only so many values.
const KEYS_AT_ONCE: usize = 1_000;
const KEY: Shape = matching(1, 128, TAG_PATTERN);
pub(crate) const INPUT: &[Member] = &[
    required("ResourceType", RESOURCE_TYPE),
    required("ResourceId", ANY_TEXT),
    required("TagKeys", list(0, usize::MAX, &KEY)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    resource_type: String,
    resource_id: String,
    tag_keys: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let (region, kind) = (&call.region, &input.resource_type);
    let id = resource(plane, call, kind, &input.resource_id).await?;
    let mut transaction = plane.db.begin().await?;
    for keys in input.tag_keys.chunks(KEYS_AT_ONCE) {
        queries::remove(&mut *transaction, region, kind, &id, Some(keys)).await?;
    }
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(Empty {})
}
