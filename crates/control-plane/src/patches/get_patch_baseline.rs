//! `GetPatchBaseline`. Also how a baseline is answered whole.

use super::find;
use super::queries::{self, BaselineRow};
use super::shapes::BASELINE_ID;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, required};
use muster_patching::Baseline;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("BaselineId", BASELINE_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    baseline_id: String,
}

/// A baseline as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Whole {
    baseline_id: String,
    #[serde(flatten)]
    baseline: Baseline,
    created_date: f64,
    modified_date: f64,
}

pub(crate) fn whole(row: BaselineRow) -> Whole {
    Whole {
        baseline_id: row.baseline_id,
        baseline: row.baseline,
        created_date: seconds(row.created_at),
        modified_date: seconds(row.modified_at),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    #[serde(flatten)]
    whole: Whole,
    patch_groups: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, &call.region, &input.baseline_id).await?;
    let patch_groups = queries::groups_of(plane.db.reader(), &call.region, &row.baseline_id).await?;
    Ok(Output {
        whole: whole(row),
        patch_groups,
    })
}
