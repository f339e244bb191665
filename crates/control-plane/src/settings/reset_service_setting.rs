//! `ResetServiceSetting`: back to what it is by default.

use super::{Output, SETTING_ID, find, queries, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("SettingId", SETTING_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    setting_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let known = find(plane, &call.region, &input.setting_id)?;
    queries::delete(plane.db.writer(), &call.region, known.id).await?;
    Ok(shown(plane, call, known, None))
}
