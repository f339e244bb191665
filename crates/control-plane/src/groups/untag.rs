//! `Untag`: takes tags from a group.

use super::find;
use super::shapes::{ARN, is_free};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags;
use crate::validation::{Member, Pattern, Shape, list, matching, required};
use serde::{Deserialize, Serialize};

const KEY: Shape = matching(
    1,
    128,
    Pattern {
        text: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
        holds: is_free,
    },
);
pub(crate) const INPUT: &[Member] = &[ARN, required("Keys", list(0, usize::MAX, &KEY))];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    arn: String,
    keys: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    arn: String,
    keys: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, Some(&input.arn), None).await?;
    if !input.keys.is_empty() {
        let keys = Some(input.keys.as_slice());
        tags::queries::remove(plane.db.writer(), &row.region, super::TAGS, &row.name, keys).await?;
    }
    Ok(Output {
        arn: input.arn,
        keys: input.keys,
    })
}
