//! `Tag`: adds tags to a group.

use super::get_tags::Output;
use super::shapes::{ARN, TAGS};
use super::{bad, check_tags, locked};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags::{self, MAX_TAGS};
use crate::validation::{Member, required};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[ARN, required("Tags", TAGS)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    arn: String,
    tags: BTreeMap<String, String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_tags(&input.tags)?;
    let mut transaction = plane.db.begin().await?;
    let row = locked(plane, &mut transaction, call, Some(&input.arn), None).await?;
    for pair in input.tags.clone() {
        tags::queries::put(&mut *transaction, &row.region, super::TAGS, &row.name, &pair).await?;
    }
    let all = tags::queries::of(&mut *transaction, &row.region, super::TAGS, &row.name).await?;
    if all.len() > MAX_TAGS {
        return Err(bad(format!("Tags: a group has at most {MAX_TAGS} of them.")));
    }
    transaction.commit().await?;
    Ok(Output {
        arn: input.arn,
        tags: input.tags,
    })
}
