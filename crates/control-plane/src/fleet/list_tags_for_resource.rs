//! `ListTagsForResource`.

use super::queries;
use super::tags::{RESOURCE_TYPE, TagOutput, check_resource};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("ResourceType", RESOURCE_TYPE),
    required("ResourceId", ANY_TEXT),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    resource_type: String,
    resource_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    tag_list: Vec<TagOutput>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_resource(plane, call, &input.resource_type, &input.resource_id).await?;
    let tags = queries::tags(plane.db.reader(), &input.resource_id).await?;
    Ok(Output {
        tag_list: tags.into_iter().map(TagOutput::of).collect(),
    })
}
