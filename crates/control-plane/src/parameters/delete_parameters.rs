//! `DeleteParameters`: up to ten by name; what is not there is told apart.

use super::NAMES;
use super::delete_parameter::delete;
use super::name::Name;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[required("Names", NAMES)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    deleted_parameters: Vec<String>,
    invalid_parameters: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    // All are read before the first one is deleted: a bad name refuses the call, and nothing is half done.
    let names = input
        .names
        .iter()
        .map(|name| Name::plain(name))
        .collect::<ApiResult<Vec<_>>>()?;
    let mut output = Output {
        deleted_parameters: Vec::new(),
        invalid_parameters: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.key.clone()) {
            continue;
        }
        let into = if delete(plane, &call.region, &name.key).await? {
            &mut output.deleted_parameters
        } else {
            &mut output.invalid_parameters
        };
        into.push(name.spelled);
    }
    Ok(output)
}
