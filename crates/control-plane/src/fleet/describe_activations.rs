//! `DescribeActivations`: all activations that were not deleted, newest first, never their codes.

use super::queries::{ActivationRow, activations, activations_sql};
use super::seconds;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::tags::TagOutput;
use crate::validation::{ANY_TEXT, Member, NEXT_TOKEN, Shape, list, one_of, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional(
        "Filters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                optional(
                    "FilterKey",
                    one_of(&["ActivationIds", "DefaultInstanceName", "IamRole"]),
                ),
                optional("FilterValues", list(0, usize::MAX, &ANY_TEXT)),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    filter_key: Option<String>,
    filter_values: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Activation {
    activation_id: String,
    description: String,
    default_instance_name: String,
    iam_role: String,
    registration_limit: i64,
    registrations_count: i64,
    expiration_date: f64,
    expired: bool,
    created_date: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagOutput>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    activation_list: Vec<Activation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let scope = format!("DescribeActivations|{}", call.region);
    let limit = input.max_results.unwrap_or(50);
    let mut sql = activations_sql();
    sql.push("where region = ").text(&call.region);
    for filter in input.filters.unwrap_or_default() {
        let column = match filter.filter_key.as_deref() {
            Some("ActivationIds") => " and activation_id in (",
            Some("DefaultInstanceName") => " and default_instance_name in (",
            Some("IamRole") => " and iam_role in (",
            _ => return Err(ApiError::new("InvalidFilter", "A filter needs a FilterKey.")),
        };
        let values = filter.filter_values.unwrap_or_default();
        if values.is_empty() || values.len() > 100 {
            return Err(ApiError::new(
                "InvalidFilter",
                "A filter needs 1 to 100 FilterValues.",
            ));
        }
        sql.push(column).texts(&values).push(")");
    }
    if let Some(token) = &input.next_token {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let id = position.get(1).cloned().unwrap_or_default();
        sql.push(" and (created_at < ")
            .int(at)
            .push(" or (created_at = ")
            .int(at);
        sql.push(" and activation_id > ").text(id).push("))");
    }
    sql.push(" order by created_at desc, activation_id limit ")
        .int(limit as i64 + 1);
    let rows = activations(sql, plane.db.reader()).await?;
    let position = |row: &ActivationRow| vec![row.created_at.0.to_string(), row.activation_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: ActivationRow| Activation {
        expired: row.expires_at <= call.now,
        activation_id: row.activation_id,
        description: row.description,
        default_instance_name: row.default_instance_name,
        iam_role: row.iam_role,
        registration_limit: row.registration_limit,
        registrations_count: row.registrations,
        expiration_date: seconds(row.expires_at),
        created_date: seconds(row.created_at),
        tags: row.tags.into_iter().map(TagOutput::of).collect(),
    };
    Ok(Output {
        activation_list: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
