//! `ListAliases`.

use super::list_keys::after;
use super::{KEY_ID, MARKER, alias_arn, queries, resolve};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional("KeyId", KEY_ID),
    optional("Limit", whole(1, 1000)),
    optional("Marker", MARKER),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    key_id: Option<String>,
    limit: Option<u16>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Alias {
    alias_name: String,
    alias_arn: String,
    target_key_id: String,
    creation_date: f64,
    last_updated_date: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    aliases: Vec<Alias>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let key_id = match &input.key_id {
        Some(named) => Some(resolve::key_row(plane, call, named).await?.key_id),
        None => None,
    };
    let scope = format!(
        "ListAliases|{}|{}",
        call.region,
        key_id.as_deref().unwrap_or_default()
    );
    let limit = input.limit.unwrap_or(50);
    let after = after(plane, &scope, input.marker.as_deref())?;
    let rows = queries::aliases(
        plane.db.reader(),
        &call.region,
        key_id.as_deref(),
        &after,
        i64::from(limit) + 1,
    )
    .await?;
    let (rows, next_marker) = page(&plane.tokens, &scope, rows, usize::from(limit), |row| {
        vec![row.alias.clone()]
    });
    Ok(Output {
        aliases: rows
            .into_iter()
            .map(|row| Alias {
                alias_arn: alias_arn(&plane.config.account, &call.region, &row.alias),
                alias_name: row.alias,
                target_key_id: row.key_id,
                creation_date: seconds(row.created_at),
                last_updated_date: seconds(row.created_at),
            })
            .collect(),
        truncated: next_marker.is_some(),
        next_marker,
    })
}
