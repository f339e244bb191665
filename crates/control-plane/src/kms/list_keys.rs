//! `ListKeys`.

use super::{MARKER, key_arn, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, list, one_of, optional, whole};
use serde::{Deserialize, Serialize};

/// Keys that other accounts share; nobody shares any with this one.
const OTHERS: &str = "OTHER_ACCOUNTS_VIA_RAM";

pub(crate) const INPUT: &[Member] = &[
    optional("Limit", whole(1, 1000)),
    optional("Marker", MARKER),
    optional("ResourceOwners", list(1, 2, &one_of(&["SELF", OTHERS]))),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    limit: Option<u16>,
    marker: Option<String>,
    resource_owners: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    key_id: String,
    key_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    keys: Vec<Key>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// Where a marker of that operation says to go on.
pub(crate) fn after(plane: &ControlPlane, scope: &str, marker: Option<&str>) -> ApiResult<String> {
    let Some(marker) = marker else {
        return Ok(String::new());
    };
    let position = plane.tokens.open(scope, marker).map_err(|_| {
        ApiError::new(
            "InvalidMarkerException",
            "The Marker is not one that this operation gave as NextMarker.",
        )
    })?;
    Ok(position.into_iter().next().unwrap_or_default())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let scope = format!("ListKeys|{}", call.region);
    let limit = input.limit.unwrap_or(100);
    let after = after(plane, &scope, input.marker.as_deref())?;
    let rows = queries::keys(plane.db.reader(), &call.region, &after, i64::from(limit) + 1).await?;
    let only_others = |owners: &Vec<String>| owners.iter().all(|owner| owner == OTHERS);
    let rows = if input.resource_owners.as_ref().is_some_and(only_others) {
        Vec::new()
    } else {
        rows
    };
    let (rows, next_marker) = page(&plane.tokens, &scope, rows, usize::from(limit), |row| {
        vec![row.key_id.clone()]
    });
    Ok(Output {
        keys: rows
            .into_iter()
            .map(|row| Key {
                key_arn: key_arn(&plane.config.account, &call.region, &row.key_id),
                key_id: row.key_id,
            })
            .collect(),
        truncated: next_marker.is_some(),
        next_marker,
    })
}
