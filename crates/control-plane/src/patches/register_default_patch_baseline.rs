//! `RegisterDefaultPatchBaseline`: for the operating system that the baseline is for.

use super::shapes::BASELINE_ID;
use super::{BaselineId, defaults, find, missing, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("BaselineId", BASELINE_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    baseline_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<BaselineId> {
    let row = find(plane, &call.region, &input.baseline_id).await?;
    let is_given = defaults::by_id(&call.region, &row.baseline_id).is_some();
    let mut transaction = plane.db.begin().await?;
    let system = &row.baseline.operating_system;
    let chosen = (!is_given).then_some(row.baseline_id.as_str());
    // It may have been deleted since it was looked at.
    if let Some(id) = chosen
        && !queries::lock(&mut *transaction, &call.region, id).await?
    {
        return Err(missing(id));
    }
    queries::set_default(&mut *transaction, &call.region, system, chosen).await?;
    transaction.commit().await?;
    Ok(BaselineId {
        baseline_id: row.baseline_id,
    })
}
