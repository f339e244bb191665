//! `DescribeSnapshots`: there are none, for none are taken.

use super::{FILTERS, IDS, check_dry_run};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional("MaxResults", whole(0, i32::MAX as i64)),
    optional("NextToken", ANY_TEXT),
    optional("OwnerIds", IDS),
    optional("SnapshotIds", IDS),
    optional("DryRun", Shape::Flag),
    optional("Filters", FILTERS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    snapshot_ids: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    snapshot_set: Vec<()>,
}

pub(crate) async fn call(_plane: &ControlPlane, _call: &Call, input: Input) -> ApiResult<Output> {
    check_dry_run(input.dry_run)?;
    if let Some(id) = input.snapshot_ids.unwrap_or_default().first() {
        let id: String = id.chars().take(128).collect();
        return Err(ApiError::new(
            "InvalidSnapshot.NotFound",
            format!("The snapshot '{id}' does not exist."),
        ));
    }
    Ok(Output {
        snapshot_set: Vec::new(),
    })
}
