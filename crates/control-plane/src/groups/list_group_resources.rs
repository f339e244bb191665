//! `ListGroupResources`: the nodes that a group means now.

use super::find;
use super::members::{Identifier, page_of};
use super::query::listed_as;
use super::shapes::{GROUP, GROUP_NAME, MAX_RESULTS, NEXT_TOKEN, RESOURCE_FILTERS};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::Member;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[GROUP_NAME, GROUP, RESOURCE_FILTERS, MAX_RESULTS, NEXT_TOKEN];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    group_name: Option<String>,
    group: Option<String>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    identifier: Identifier,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    resources: Vec<Resource>,
    resource_identifiers: Vec<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    query_errors: [(); 0],
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, input.group.as_deref(), input.group_name.as_deref()).await?;
    let query = row.query.read()?;
    let filters = input.filters.unwrap_or_default();
    let mut types: Vec<&[String]> = filters.iter().map(|filter| filter.values.as_slice()).collect();
    types.push(query.types());
    let (all, next_token) = match listed_as(&types) {
        Some(kind) => {
            let scope = format!("ListGroupResources|{}", row.name);
            let asked = (scope.as_str(), input.max_results, input.next_token);
            page_of(plane, call, &query, kind, asked).await?
        }
        None => (Vec::new(), None),
    };
    Ok(Output {
        resources: all
            .iter()
            .cloned()
            .map(|identifier| Resource { identifier })
            .collect(),
        resource_identifiers: all,
        next_token,
        query_errors: [],
    })
}
