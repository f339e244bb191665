//! `DescribeKey`.

use super::{GRANT_TOKENS, KEY_ID, KeyMetadata, resolve};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("KeyId", KEY_ID), GRANT_TOKENS];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    key_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    key_metadata: KeyMetadata,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let key = resolve::key_row(plane, call, &input.key_id).await?;
    Ok(Output {
        key_metadata: KeyMetadata::of(key, &plane.config.account),
    })
}
