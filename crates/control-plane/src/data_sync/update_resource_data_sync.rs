//! `UpdateResourceDataSync`: the service changes with it where a sync takes from. Syncs here take from the nodes of their
//! region, so there is nothing to change; it says so.

use super::{NAME, SOURCE, TYPE, not_found, not_possible, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("SyncName", NAME),
    required("SyncType", TYPE),
    required("SyncSource", SOURCE),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    sync_name: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let known = queries::syncs(plane.db.reader(), &call.region).await?;
    if known.iter().any(|row| row.name == input.sync_name) {
        return Err(not_possible(
            "SyncSource: a sync of the type SyncToDestination takes from the nodes of its region. To write somewhere else, \
             delete it and create it anew.",
        ));
    }
    Err(not_found(&input.sync_name))
}
