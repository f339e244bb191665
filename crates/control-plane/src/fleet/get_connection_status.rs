//! `GetConnectionStatus`: whether a node's control channel is open at this moment.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::queries;
use crate::operations::Call;
use crate::validation::{Member, required, text};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("Target", text(1, 400))];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    target: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    target: String,
    status: &'static str,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let node = queries::node(plane.db.reader(), &input.target).await?;
    let is_here =
        node.is_some_and(|node| node.region == call.region) && plane.registry.is_open(&input.target);
    Ok(Output {
        target: input.target,
        status: if is_here { "connected" } else { "notconnected" },
    })
}
