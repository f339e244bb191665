//! `GetParametersByPath`: what lies under a path, directly or at any depth.

use super::filters::{self, FILTERS, FilterInput};
use super::name;
use super::queries::Range;
use super::shown::Parameter;
use super::walk::Walk;
use super::{NAME, WITH_DECRYPTION};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, NEXT_TOKEN, Shape, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Path", NAME),
    optional("Recursive", Shape::Flag),
    FILTERS,
    WITH_DECRYPTION,
    optional("MaxResults", whole(1, 10)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    path: String,
    recursive: Option<bool>,
    parameter_filters: Option<Vec<FilterInput>>,
    with_decryption: Option<bool>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let path = name::path(&input.path)?;
    let recursive = input.recursive == Some(true);
    let question = filters::read(
        input.parameter_filters.unwrap_or_default(),
        &["Type", "KeyId", "Label"],
    )?;
    let range = match (recursive, path.is_empty()) {
        (true, true) => Range::All,
        (true, false) => Range::Prefix(format!("{path}/")),
        (false, _) => Range::Parent(path),
    };
    let walk = Walk {
        scope: format!(
            "GetParametersByPath|{}|{}|{recursive}|{}",
            call.region,
            input.path,
            question.scope()
        ),
        range,
        question,
        limit: input.max_results.unwrap_or(10),
    };
    let (rows, next_token) = walk
        .page(plane, &call.region, input.next_token.as_deref())
        .await?;
    let decrypt = input.with_decryption == Some(true);
    let mut parameters = Vec::with_capacity(rows.len());
    for row in rows {
        parameters.push(Parameter::of(plane, call, row, None, decrypt).await?);
    }
    Ok(Output {
        parameters,
        next_token,
    })
}
