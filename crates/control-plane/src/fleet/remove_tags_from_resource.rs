//! `RemoveTagsFromResource`: keys that are not there are no fault.

use super::tags::{RESOURCE_TYPE, check_resource};
use super::{Empty, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, TAG_PATTERN, list, matching, required};
use serde::Deserialize;

const KEY: Shape = matching(1, 128, TAG_PATTERN);
pub(crate) const INPUT: &[Member] = &[
    required("ResourceType", RESOURCE_TYPE),
    required("ResourceId", ANY_TEXT),
    required("TagKeys", list(0, 1000, &KEY)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    resource_type: String,
    resource_id: String,
    tag_keys: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    check_resource(plane, call, &input.resource_type, &input.resource_id).await?;
    queries::remove_tags(plane.db.writer(), &input.resource_id, Some(&input.tag_keys)).await?;
    Ok(Empty {})
}
