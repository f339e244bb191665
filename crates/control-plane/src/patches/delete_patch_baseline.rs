//! `DeletePatchBaseline`: not while it is a default or a patch group has it; one that is not there is no fault.

use super::shapes::BASELINE_ID;
use super::{BaselineId, TAGS, defaults, own_id, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::queries as tags;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("BaselineId", BASELINE_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    baseline_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<BaselineId> {
    let region = &call.region;
    let id = own_id(plane, region, &input.baseline_id);
    if defaults::by_id(region, id).is_some() {
        return Err(ApiError::validation(format!(
            "BaselineId: {id} comes with the control plane and cannot be deleted."
        )));
    }
    let mut transaction = plane.db.begin().await?;
    // Whoever registers it comes before this or finds it gone.
    queries::lock(&mut *transaction, region, id).await?;
    let in_use = |by: String| ApiError::new("ResourceInUseException", format!("{id} is used by {by}."));
    if let Some(group) = queries::groups_of(&mut *transaction, region, id).await?.first() {
        return Err(in_use(format!("the patch group {group}")));
    }
    let chosen = queries::chosen(&mut *transaction, region).await?;
    if let Some((system, _)) = chosen.iter().find(|(_, chosen)| chosen == id) {
        return Err(in_use(format!("{system} as its default")));
    }
    queries::delete(&mut *transaction, region, id).await?;
    tags::remove(&mut *transaction, region, TAGS, id, None).await?;
    transaction.commit().await?;
    Ok(BaselineId {
        baseline_id: id.to_owned(),
    })
}
