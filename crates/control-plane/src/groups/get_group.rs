//! `GetGroup`.

use super::shapes::{GROUP, GROUP_NAME};
use super::{GroupOutput, find, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::Member;
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[GROUP_NAME, GROUP];

/// Names a group.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    pub(crate) group_name: Option<String>,
    pub(crate) group: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<GroupOutput> {
    let row = find(plane, call, input.group.as_deref(), input.group_name.as_deref()).await?;
    Ok(GroupOutput {
        group: shown(plane, &row),
    })
}
