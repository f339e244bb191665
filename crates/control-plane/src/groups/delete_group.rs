//! `DeleteGroup`. What the group means stays; targets that name it mean nothing from then on.

pub(crate) use super::get_group::{INPUT, Input};
use super::{GroupOutput, locked, queries, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<GroupOutput> {
    let mut transaction = plane.db.begin().await?;
    let named = (input.group.as_deref(), input.group_name.as_deref());
    let row = locked(plane, &mut transaction, call, named.0, named.1).await?;
    queries::delete(&mut *transaction, &row.region, &row.name).await?;
    tags::queries::remove(&mut *transaction, &row.region, super::TAGS, &row.name, None).await?;
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(GroupOutput {
        group: shown(plane, &row),
    })
}
