//! `DescribeInventoryDeletions`: newest first.

use super::delete_inventory::{Summary, UUID};
use super::queries::{DeletionRow, deletions, deletions_sql};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional("DeletionId", UUID),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    deletion_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deletion {
    deletion_id: String,
    type_name: String,
    deletion_start_time: f64,
    last_status: &'static str,
    last_status_message: &'static str,
    deletion_summary: Summary,
    last_status_update_time: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    inventory_deletions: Vec<Deletion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = deletions_sql(&call.region);
    if let Some(id) = &input.deletion_id {
        sql.push(" and deletion_id = ").text(id);
    }
    let scope = format!(
        "DescribeInventoryDeletions|{}|{:?}",
        call.region, input.deletion_id
    );
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        let at = position
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        sql.push(" and (started_at < ")
            .int(at)
            .push(" or (started_at = ")
            .int(at);
        sql.push(" and deletion_id < ")
            .text(position.get(1).cloned().unwrap_or_default())
            .push("))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by started_at desc, deletion_id desc limit ")
        .int(limit as i64 + 1);
    let rows = deletions(sql, plane.db.reader()).await?;
    if rows.is_empty()
        && let Some(id) = &input.deletion_id
    {
        return Err(ApiError::new(
            "InvalidDeletionIdException",
            format!("There is no deletion {id}."),
        ));
    }
    let position = |row: &DeletionRow| vec![row.started_at.0.to_string(), row.deletion_id.clone()];
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let shown = |row: DeletionRow| Deletion {
        deletion_id: row.deletion_id,
        type_name: row.type_name,
        deletion_start_time: seconds(row.started_at),
        last_status: "Complete",
        last_status_message: "Deletion completed.",
        deletion_summary: row.summary,
        last_status_update_time: seconds(row.started_at),
    };
    Ok(Output {
        inventory_deletions: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
