//! `GetTags` of a group.

use super::shapes::ARN;
use super::{arn, find};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags;
use crate::validation::Member;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[ARN];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    arn: String,
}

/// A group's tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) arn: String,
    pub(crate) tags: BTreeMap<String, String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, Some(&input.arn), None).await?;
    let tags = tags::queries::of(plane.db.reader(), &row.region, super::TAGS, &row.name).await?;
    Ok(Output {
        arn: arn(plane, &row.region, &row.name),
        tags: tags.into_iter().collect(),
    })
}
