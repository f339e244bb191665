//! `SearchResources`: the nodes that a query would mean.

use super::members::{Identifier, page_of};
use super::query::ResourceQuery;
use super::shapes::{MAX_RESULTS, NEXT_TOKEN, RESOURCE_QUERY};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("ResourceQuery", RESOURCE_QUERY), MAX_RESULTS, NEXT_TOKEN];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    resource_query: ResourceQuery,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    resource_identifiers: Vec<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    query_errors: [(); 0],
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let query = input.resource_query.read()?;
    let asked = ("SearchResources", input.max_results, input.next_token);
    let (resource_identifiers, next_token) = match query.listed_as() {
        Some(kind) => page_of(plane, call, &query, kind, asked).await?,
        None => (Vec::new(), None),
    };
    Ok(Output {
        resource_identifiers,
        next_token,
        query_errors: [],
    })
}
