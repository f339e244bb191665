//! `ListInstanceAssociations`, asked by agents: there are none yet.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{INSTANCE_ID, Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    associations: [(); 0],
}

pub(crate) async fn call(_plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    call.check_own(&input.instance_id)?;
    Ok(Output { associations: [] })
}
