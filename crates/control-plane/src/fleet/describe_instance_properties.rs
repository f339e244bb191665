//! `DescribeInstanceProperties`: registered nodes with filters that know more operators. What EC2 would say of an
//! instance (its type, key and image) nobody says of a machine that was registered.

use super::node_filters;
use super::queries::{NodeRow, nodes, nodes_sql};
use super::shown::{Shown, online_since, shown};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{
    ANY_TEXT, Member, Pattern, Shape, list, matching, one_of, optional, required, whole,
};
use serde::{Deserialize, Serialize};

const TEXT: Shape = matching(
    1,
    100_000,
    Pattern {
        text: "^.{1,100000}$",
        holds: |text| !text.contains('\n'),
    },
);
const VALUES: Shape = list(1, 40, &TEXT);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "InstancePropertyFilterList",
        list(
            1,
            40,
            &Shape::Record(&[
                required(
                    "key",
                    one_of(&[
                        "InstanceIds",
                        "AgentVersion",
                        "PingStatus",
                        "PlatformTypes",
                        "DocumentName",
                        "ActivationIds",
                        "IamRole",
                        "ResourceType",
                        "AssociationStatus",
                    ]),
                ),
                required("valueSet", VALUES),
            ]),
        ),
    ),
    optional(
        "FiltersWithOperator",
        list(
            1,
            40,
            &Shape::Record(&[
                required("Key", TEXT),
                required("Values", VALUES),
                optional(
                    "Operator",
                    one_of(&["Equal", "NotEqual", "BeginWith", "LessThan", "GreaterThan"]),
                ),
            ]),
        ),
    ),
    optional("MaxResults", whole(5, 1_000)),
    optional("NextToken", ANY_TEXT),
];

/// Either form of a filter.
#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(alias = "Key")]
    key: String,
    #[serde(alias = "valueSet", alias = "Values")]
    values: Vec<String>,
    #[serde(rename = "Operator")]
    operator: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_property_filter_list: Option<Vec<Filter>>,
    filters_with_operator: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    instance_properties: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// All values of all filters at most: each becomes a placeholder of one query.
const MOST_VALUES: usize = 400;

/// `3.3.10` after `3.3.9`.
fn version(text: &str) -> Vec<u64> {
    text.split('.')
        .map(|part| part.parse().unwrap_or_default())
        .collect()
}

/// Whether a filter compares versions, which SQL cannot: such are looked at after reading, and a page may be short.
fn compares(filter: &Filter) -> ApiResult<bool> {
    match filter.operator.as_deref() {
        Some(word @ ("LessThan" | "GreaterThan")) if filter.key != "AgentVersion" => {
            Err(ApiError::validation(format!(
                "The filter {} does not know the operator {word}: use it with AgentVersion.",
                filter.key
            )))
        }
        Some("LessThan" | "GreaterThan") => Ok(true),
        _ => Ok(false),
    }
}

fn holds(filter: &Filter, row: &NodeRow) -> bool {
    let own = version(&row.agent_version);
    filter.values.iter().any(|value| {
        if filter.operator.as_deref() == Some("LessThan") {
            own < version(value)
        } else {
            own > version(value)
        }
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let by_list = input.instance_property_filter_list.unwrap_or_default();
    let by_operator = input.filters_with_operator.unwrap_or_default();
    let filters: Vec<Filter> = by_list.into_iter().chain(by_operator).collect();
    if filters.iter().map(|filter| filter.values.len()).sum::<usize>() > MOST_VALUES {
        return Err(ApiError::validation(format!(
            "Use at most {MOST_VALUES} values in all filters of one request."
        )));
    }
    let online_since = online_since(plane, call);
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(&call.region);
    let mut compared = Vec::new();
    for filter in &filters {
        if compares(filter)? {
            compared.push(filter);
            continue;
        }
        let (key, values) = (&filter.key, &filter.values);
        if filter.operator.as_deref() == Some("BeginWith") {
            sql.push(" and ");
            node_filters::add_begin(&mut sql, key, values)?;
            continue;
        }
        sql.push(match filter.operator.as_deref() {
            Some("NotEqual") => " and not ",
            _ => " and ",
        });
        sql.push("(");
        let invalid = "InvalidInstancePropertyFilterValue";
        node_filters::add(&mut sql, key, values, online_since, invalid)?;
        sql.push(")");
    }
    let question: Vec<(&str, Option<&str>, &[String])> = filters
        .iter()
        .map(|filter| {
            (
                filter.key.as_str(),
                filter.operator.as_deref(),
                filter.values.as_slice(),
            )
        })
        .collect();
    let scope = format!("DescribeInstanceProperties|{}|{question:?}", call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        sql.push(" and n.node_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by n.node_id limit ").int(limit as i64 + 1);
    let rows = nodes(sql, plane.db.reader()).await?;
    let (mut rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.node_id.clone()]
    });
    rows.retain(|row| compared.iter().all(|filter| holds(filter, row)));
    Ok(Output {
        instance_properties: shown(plane, call, rows).await?,
        next_token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("3.3.10.0") > version("3.3.9.0"));
        assert!(version("3.3") < version("3.3.1"));
    }
}
