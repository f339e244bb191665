//! `ListOpsItemRelatedItems`.

use super::ID;
use super::queries::{RelatedRow, related, related_sql};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{ANY_TEXT, Member, Shape, list, one_of, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional("OpsItemId", ID),
    optional(
        "Filters",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", one_of(&["ResourceType", "AssociationId", "ResourceUri"])),
                required("Values", list(0, usize::MAX, &ANY_TEXT)),
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
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ops_item_id: Option<String>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// Who did something.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    pub(crate) arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    ops_item_id: String,
    association_id: String,
    resource_type: String,
    association_type: String,
    resource_uri: String,
    created_by: Identity,
    created_time: f64,
    last_modified_by: Identity,
    last_modified_time: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    summaries: Vec<Summary>,
}

/// Values of filters at most.
pub(crate) const MOST: usize = 100;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = related_sql(&call.region);
    if let Some(id) = &input.ops_item_id {
        sql.push(" and ops_item_id = ").text(id);
    }
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        if filter.values.is_empty() || filter.values.len() > MOST {
            return Err(ApiError::validation(format!(
                "The filter {} needs 1 to {MOST} values.",
                filter.key
            )));
        }
        sql.push(match filter.key.as_str() {
            "ResourceType" => " and resource_type in (",
            "AssociationId" => " and association_id in (",
            _ => " and resource_uri in (",
        });
        sql.texts(&filter.values).push(")");
    }
    let question: Vec<(&str, &[String])> = filters
        .iter()
        .map(|filter| (filter.key.as_str(), filter.values.as_slice()))
        .collect();
    let scope = format!(
        "ListOpsItemRelatedItems|{}|{:?}|{question:?}",
        call.region, input.ops_item_id
    );
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let part = |at: usize| position.get(at).cloned().unwrap_or_default();
        sql.push(" and (ops_item_id > ")
            .text(part(0))
            .push(" or (ops_item_id = ")
            .text(part(0));
        sql.push(" and association_id > ").text(part(1)).push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by ops_item_id, association_id limit ")
        .int(limit as i64 + 1);
    let rows = related(sql, plane.db.reader()).await?;
    let position = |row: &RelatedRow| vec![row.id.clone(), row.association_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: RelatedRow| Summary {
        ops_item_id: row.id,
        association_id: row.association_id,
        resource_type: row.resource_type,
        association_type: row.association_type,
        resource_uri: row.resource_uri,
        created_by: Identity {
            arn: row.created_by.clone(),
        },
        created_time: seconds(row.created_at),
        last_modified_by: Identity { arn: row.created_by },
        last_modified_time: seconds(row.created_at),
    };
    Ok(Output {
        next_token,
        summaries: rows.into_iter().map(shown).collect(),
    })
}
