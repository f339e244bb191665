//! `GetParameters`: up to ten by name; what is not there is told apart.

use super::shown::Parameter;
use super::{NAMES, WITH_DECRYPTION};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[required("Names", NAMES), WITH_DECRYPTION];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    names: Vec<String>,
    with_decryption: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    parameters: Vec<Parameter>,
    invalid_parameters: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let decrypt = input.with_decryption == Some(true);
    let mut output = Output {
        parameters: Vec::new(),
        invalid_parameters: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for name in input.names {
        if !seen.insert(name.clone()) {
            continue;
        }
        match Parameter::find(plane, call, &name, decrypt).await {
            Ok(parameter) => output.parameters.push(parameter),
            Err(error) if matches!(error.code, "ParameterNotFound" | "ParameterVersionNotFound") => {
                output.invalid_parameters.push(name);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(output)
}
