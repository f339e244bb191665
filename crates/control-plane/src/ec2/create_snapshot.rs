//! `CreateSnapshot`: nodes are not known to have volumes, so there is none to take a snapshot of; it says so.

use super::check_dry_run;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, optional, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    optional("Description", ANY_TEXT),
    required("VolumeId", ANY_TEXT),
    optional("DryRun", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    volume_id: String,
    dry_run: Option<bool>,
}

pub(crate) async fn call(_plane: &ControlPlane, _call: &Call, input: Input) -> ApiResult<Empty> {
    check_dry_run(input.dry_run)?;
    let id: String = input.volume_id.chars().take(128).collect();
    Err(ApiError::new(
        "InvalidVolume.NotFound",
        format!("The volume '{id}' does not exist: this control plane takes no snapshots of nodes."),
    ))
}
