//! `CancelCommand`: what was not sent ends at once; what runs is being cancelled until its node says so.
//! What has ended stays as it is.

use super::notices::{finish, settle};
use super::queries::{command, open_invocations, request_cancel, set_detail};
use super::status::Detail;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{COMMAND_ID, INSTANCE_ID, Member, list, optional, required};
use muster_domain::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[
    required("CommandId", COMMAND_ID),
    optional("InstanceIds", list(0, 50, &INSTANCE_ID)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    command_id: String,
    instance_ids: Option<Vec<String>>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let only = input.instance_ids.filter(|ids| !ids.is_empty());
    if let Some(ids) = &only
        && ids.iter().collect::<BTreeSet<_>>().len() != ids.len()
    {
        return Err(ApiError::bare("DuplicateInstanceId"));
    }
    cancel(plane, &call.region, &input.command_id, only.as_deref(), call.now).await?;
    Ok(Empty {})
}

/// Cancels a command on all nodes, or on some.
pub(crate) async fn cancel(
    plane: &ControlPlane,
    region: &str,
    id: &str,
    only: Option<&[String]>,
    now: Timestamp,
) -> ApiResult<()> {
    let _turn = plane.reports.turn().await;
    let mut transaction = plane.db.begin().await?;
    command(&mut *transaction, region, id)
        .await?
        .ok_or_else(|| ApiError::bare("InvalidCommandId"))?;
    request_cancel(&mut *transaction, id).await?;
    for invocation in open_invocations(&mut *transaction, id).await? {
        let node = &invocation.node_id;
        if only.is_some_and(|ids| !ids.contains(node)) {
            continue;
        }
        if invocation.sent_at.is_none() {
            finish(plane, &mut transaction, (id, node), Detail::Cancelled, "", now).await?;
        } else {
            set_detail(&mut *transaction, id, node, Detail::Cancelling).await?;
        }
    }
    settle(plane, &mut transaction, id).await?;
    transaction.commit().await?;
    plane.changed(id, None);
    plane.wake.notify_one();
    Ok(())
}
