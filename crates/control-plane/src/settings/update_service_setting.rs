//! `UpdateServiceSetting`.

use super::queries::{self, SettingRow};
use super::{SETTING_ID, find};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, required, text};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("SettingId", SETTING_ID),
    required("SettingValue", text(1, 4096)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    setting_id: String,
    setting_value: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let known = find(plane, &call.region, &input.setting_id)?;
    if !known.values.is_empty() && !known.values.contains(&input.setting_value.as_str()) {
        return Err(ApiError::validation(format!(
            "The SettingValue of {} has to be one of {}.",
            known.id,
            known.values.join(", ")
        )));
    }
    let row = SettingRow {
        value: input.setting_value,
        modified_at: call.now,
        modified_by: crate::caller_identity::arn(plane, &call.caller),
    };
    queries::put(plane.db.writer(), &call.region, known.id, &row).await?;
    Ok(Empty {})
}
