//! `ListTagsForResource`.

use super::{RESOURCE_TYPE, TagOutput, queries, resource};
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
    let id = resource(plane, call, &input.resource_type, &input.resource_id).await?;
    let tags = queries::of(plane.db.reader(), &call.region, &input.resource_type, &id).await?;
    Ok(Output {
        tag_list: tags.into_iter().map(TagOutput::of).collect(),
    })
}
