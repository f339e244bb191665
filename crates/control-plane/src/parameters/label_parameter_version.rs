//! `LabelParameterVersion`: texts that are no labels are told, and the others are put on.

use super::name::Name;
use super::{LABELS, NAME, labels};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, Shape, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    optional("ParameterVersion", Shape::Long),
    required("Labels", LABELS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    parameter_version: Option<i64>,
    labels: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    invalid_labels: Vec<String>,
    parameter_version: i64,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let name = Name::plain(&input.name)?;
    let (good, invalid_labels): (Vec<String>, Vec<String>) = input
        .labels
        .into_iter()
        .partition(|label| labels::is_label(label));
    let parameter_version = labels::put(plane, &call.region, &name, input.parameter_version, &good).await?;
    Ok(Output {
        invalid_labels,
        parameter_version,
    })
}
