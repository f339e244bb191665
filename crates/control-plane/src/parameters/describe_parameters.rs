//! `DescribeParameters`: what is known of parameters, without their values. With both forms of filters.

use super::filters::{self, FILTERS, FilterInput};
use super::name::Place;
use super::shown::{Metadata, place};
use super::walk::Walk;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use serde::{Deserialize, Serialize};

const VALUE: Shape = text(1, 1024);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "Filters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", one_of(&["Name", "Type", "KeyId"])),
                required("Values", list(1, 50, &VALUE)),
            ]),
        ),
    ),
    FILTERS,
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
    optional("Shared", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<FilterInput>>,
    parameter_filters: Option<Vec<FilterInput>>,
    max_results: Option<usize>,
    next_token: Option<String>,
    shared: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Described {
    #[serde(flatten)]
    metadata: Metadata,
    #[serde(rename = "ARN")]
    arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    parameters: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn all_filters(old: Vec<FilterInput>, new: Vec<FilterInput>) -> ApiResult<Vec<FilterInput>> {
    if !old.is_empty() && !new.is_empty() {
        return Err(ApiError::validation(
            "You can use either Filters or ParameterFilters in a single request.",
        ));
    }
    // The older form finds names by their beginning.
    let older = old.into_iter().map(|filter| FilterInput {
        option: (filter.key == "Name").then(|| "BeginsWith".to_owned()),
        ..filter
    });
    Ok(older.chain(new).collect())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = all_filters(
        input.filters.unwrap_or_default(),
        input.parameter_filters.unwrap_or_default(),
    )?;
    let question = filters::read(
        filters,
        &["Path", "Name", "Tier", "Type", "KeyId", "DataType", "tag:"],
    )?;
    if input.shared == Some(true) {
        // Nobody shares parameters with this account.
        return Ok(Output {
            parameters: Vec::new(),
            next_token: None,
        });
    }
    let walk = Walk {
        scope: format!("DescribeParameters|{}|{}", call.region, question.scope()),
        range: question.range(),
        question,
        limit: input.max_results.unwrap_or(10),
    };
    let (rows, next_token) = walk
        .page(plane, &call.region, input.next_token.as_deref())
        .await?;
    let place: Place<'_> = place(plane, call);
    let parameters = rows
        .into_iter()
        .map(|row| Described {
            arn: place.arn(&row.key),
            metadata: Metadata::of(row),
        })
        .collect();
    Ok(Output {
        parameters,
        next_token,
    })
}
