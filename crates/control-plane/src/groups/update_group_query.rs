//! `UpdateGroupQuery`.

use super::get_group_query::Output;
use super::query::ResourceQuery;
use super::shapes::{GROUP, GROUP_NAME, RESOURCE_QUERY};
use super::{locked, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[GROUP_NAME, GROUP, required("ResourceQuery", RESOURCE_QUERY)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    group_name: Option<String>,
    group: Option<String>,
    resource_query: ResourceQuery,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    input.resource_query.read()?;
    let mut transaction = plane.db.begin().await?;
    let named = (input.group.as_deref(), input.group_name.as_deref());
    let mut row = locked(plane, &mut transaction, call, named.0, named.1).await?;
    row.query = input.resource_query;
    queries::update(&mut *transaction, &row).await?;
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(row.into())
}
