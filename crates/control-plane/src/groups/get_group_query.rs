//! `GetGroupQuery`.

use super::find;
pub(crate) use super::get_group::{INPUT, Input};
use super::queries::GroupRow;
use super::query::ResourceQuery;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupQuery {
    group_name: String,
    resource_query: ResourceQuery,
}

/// A group's query.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    group_query: GroupQuery,
}

impl From<GroupRow> for Output {
    fn from(row: GroupRow) -> Self {
        Self {
            group_query: GroupQuery {
                group_name: row.name,
                resource_query: row.query,
            },
        }
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, input.group.as_deref(), input.group_name.as_deref()).await?;
    Ok(row.into())
}
