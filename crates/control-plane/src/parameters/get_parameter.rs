//! `GetParameter`.

use super::name::{Reference, Selector, reference};
use super::queries::{self, ParameterRow};
use super::shown::{Parameter, place};
use super::{NAME, WITH_DECRYPTION, no_version, not_found};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("Name", NAME), WITH_DECRYPTION];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    with_decryption: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    parameter: Parameter,
}

/// The version of a parameter that a text refers to.
pub(crate) async fn find(
    plane: &ControlPlane,
    call: &Call,
    text: &str,
) -> ApiResult<(Reference, ParameterRow)> {
    let reference = reference(text, place(plane, call))?.ok_or_else(not_found)?;
    let (on, region, key) = (plane.db.reader(), &call.region, &reference.name.key);
    let found = match &reference.selector {
        None => queries::current(on, region, key).await?,
        Some(Selector::Version(version)) => queries::version(on, region, key, *version).await?,
        Some(Selector::Label(label)) => queries::labelled(on, region, key, label).await?,
    };
    match (found, &reference.selector) {
        (Some(row), _) => Ok((reference, row)),
        (None, Some(selector)) if queries::current(on, region, key).await?.is_some() => {
            let what = match selector {
                Selector::Version(version) => version.to_string(),
                Selector::Label(label) => label.clone(),
            };
            Err(no_version(&what, &reference.name.spelled))
        }
        (None, _) => Err(not_found()),
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let decrypt = input.with_decryption == Some(true);
    Ok(Output {
        parameter: Parameter::find(plane, call, &input.name, decrypt).await?,
    })
}
