//! `DescribeInstanceInformation`: registered nodes, with both forms of filters.

use super::node_filters;
use super::queries::{nodes, nodes_sql};
use super::shown::{Shown, online_since, shown};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use serde::{Deserialize, Serialize};

const VALUE: Shape = text(1, usize::MAX);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "InstanceInformationFilterList",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required(
                    "key",
                    one_of(&[
                        "InstanceIds",
                        "AgentVersion",
                        "PingStatus",
                        "PlatformTypes",
                        "ActivationIds",
                        "IamRole",
                        "ResourceType",
                        "AssociationStatus",
                    ]),
                ),
                required("valueSet", list(1, 100, &VALUE)),
            ]),
        ),
    ),
    optional(
        "Filters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", text(1, usize::MAX)),
                required("Values", list(1, 100, &VALUE)),
            ]),
        ),
    ),
    optional("MaxResults", whole(5, 50)),
    optional("NextToken", NEXT_TOKEN),
];

/// Either form of a filter.
#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(alias = "Key")]
    key: String,
    #[serde(alias = "valueSet", alias = "Values")]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_information_filter_list: Option<Vec<Filter>>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceInformation {
    #[serde(flatten)]
    shown: Shown,
    is_latest_version: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    instance_information_list: Vec<InstanceInformation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Each may hold 100 values, and all of them become placeholders of one query.
const MAX_FILTERS: usize = 20;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let by_list = input.instance_information_filter_list.unwrap_or_default();
    let by_string = input.filters.unwrap_or_default();
    if !by_list.is_empty() && !by_string.is_empty() {
        return Err(ApiError::validation(
            "Filters and InstanceInformationFilterList cannot be used together: use one of them.",
        ));
    }
    let is_tag = |filter: &Filter| filter.key.starts_with("tag:") || filter.key == "tag-key";
    if by_string.iter().any(is_tag) && !by_string.iter().all(is_tag) {
        return Err(ApiError::validation(
            "Filters by tag cannot be combined with other filters in one request.",
        ));
    }
    let online_since = online_since(plane, call);
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(&call.region);
    if by_list.len() + by_string.len() > MAX_FILTERS {
        return Err(ApiError::validation(format!(
            "Use at most {MAX_FILTERS} filters in one request."
        )));
    }
    for filter in by_list.iter().chain(&by_string) {
        sql.push(" and ");
        let invalid = "InvalidInstanceInformationFilterValue";
        node_filters::add(&mut sql, &filter.key, &filter.values, online_since, invalid)?;
    }
    let scope = format!("DescribeInstanceInformation|{}", call.region);
    if let Some(token) = &input.next_token {
        let position = plane.tokens.open(&scope, token)?;
        sql.push(" and n.node_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by n.node_id limit ").int(limit as i64 + 1);
    let rows = nodes(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.node_id.clone()]
    });
    let of = |shown| InstanceInformation {
        shown,
        is_latest_version: true,
    };
    Ok(Output {
        instance_information_list: shown(plane, call, rows).await?.into_iter().map(of).collect(),
        next_token,
    })
}
