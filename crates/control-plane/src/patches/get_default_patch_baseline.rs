//! `GetDefaultPatchBaseline`.

use super::default_of;
use super::shapes::OPERATING_SYSTEM;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, optional};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[optional("OperatingSystem", OPERATING_SYSTEM)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    operating_system: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    baseline_id: String,
    operating_system: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let operating_system = input.operating_system.unwrap_or_else(|| "WINDOWS".into());
    Ok(Output {
        baseline_id: default_of(plane, &call.region, &operating_system).await?,
        operating_system,
    })
}
