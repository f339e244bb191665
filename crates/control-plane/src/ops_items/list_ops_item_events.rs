//! `ListOpsItemEvents`: what was done to items, newest first.

use super::ID_PATTERN;
use super::list_ops_item_related_items::{Identity, MOST};
use super::queries::{EventRow, events, events_sql};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{ANY_TEXT, Member, Shape, list, matching, one_of, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional(
        "Filters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", one_of(&["OpsItemId"])),
                required("Values", list(0, usize::MAX, &matching(1, 15, ID_PATTERN))),
                required("Operator", one_of(&["Equal"])),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", ANY_TEXT),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    values: Vec<String>,
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
struct Summary {
    ops_item_id: String,
    event_id: String,
    source: &'static str,
    detail_type: String,
    detail: String,
    created_by: Identity,
    created_time: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    summaries: Vec<Summary>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = events_sql(&call.region);
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        if filter.values.is_empty() || filter.values.len() > MOST {
            return Err(ApiError::validation(format!(
                "The filter OpsItemId needs 1 to {MOST} values."
            )));
        }
        sql.push(" and ops_item_id in (").texts(&filter.values).push(")");
    }
    let question: Vec<&[String]> = filters.iter().map(|filter| filter.values.as_slice()).collect();
    let scope = format!("ListOpsItemEvents|{}|{question:?}", call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        sql.push(" and (created_at < ")
            .int(at)
            .push(" or (created_at = ")
            .int(at);
        sql.push(" and event_id < ")
            .text(position.get(1).cloned().unwrap_or_default())
            .push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by created_at desc, event_id desc limit ")
        .int(limit as i64 + 1);
    let rows = events(sql, plane.db.reader()).await?;
    let position = |row: &EventRow| vec![row.created_at.0.to_string(), row.event_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: EventRow| Summary {
        ops_item_id: row.id,
        event_id: row.event_id,
        source: "aws.ssm",
        detail_type: row.detail_type,
        detail: row.detail,
        created_by: Identity { arn: row.created_by },
        created_time: seconds(row.created_at),
    };
    Ok(Output {
        next_token,
        summaries: rows.into_iter().map(shown).collect(),
    })
}
