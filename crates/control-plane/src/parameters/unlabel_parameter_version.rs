//! `UnlabelParameterVersion`: labels that the version does not have are told.

use super::label_queries;
use super::name::Name;
use super::{LABELS, NAME, no_version, not_found, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, Shape, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    required("ParameterVersion", Shape::Long),
    required("Labels", LABELS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    parameter_version: i64,
    labels: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    removed_labels: Vec<String>,
    invalid_labels: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let name = Name::plain(&input.name)?;
    let (region, version) = (&call.region, input.parameter_version);
    let _turn = plane
        .parameter_turns
        .of((region.as_str(), name.key.as_str()))
        .await;
    let mut transaction = plane.db.begin().await?;
    if !queries::lock(&mut transaction, region, &name.key).await? {
        return Err(not_found());
    }
    if queries::version(&mut *transaction, region, &name.key, version)
        .await?
        .is_none()
    {
        return Err(no_version(&version.to_string(), &name.spelled));
    }
    let there = label_queries::labels_of(&mut *transaction, region, &name.key, Some(version)).await?;
    let (removed_labels, invalid_labels): (Vec<String>, Vec<String>) = input
        .labels
        .into_iter()
        .partition(|label| there.iter().any(|(has, _)| has == label));
    for label in &removed_labels {
        label_queries::remove_label(&mut *transaction, region, &name.key, label).await?;
    }
    transaction.commit().await?;
    Ok(Output {
        removed_labels,
        invalid_labels,
    })
}
