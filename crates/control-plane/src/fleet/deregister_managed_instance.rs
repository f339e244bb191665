//! `DeregisterManagedInstance`: the node is forgotten, its keys hold no longer, its channel is closed.
//! Its past commands stay.

use super::{Empty, queries};
use crate::associations::run_queries as association_runs;
use crate::compliance::queries as compliance;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::inventory::queries as inventory;
use crate::operations::Call;
use crate::patches::state_queries as patch_states;
use crate::tags::{NODE, queries as tags};
use crate::validation::{Member, Pattern, is_managed_id, matching, required};
use serde::Deserialize;

/// Also lets through what this control plane never hands out: the model does.
fn is_registered_id(text: &str) -> bool {
    is_managed_id(text) || text.starts_with("eks_c:")
}

pub(crate) const INPUT: &[Member] = &[required(
    "InstanceId",
    matching(
        20,
        124,
        Pattern {
            text: "(^mi-[0-9a-f]{17}$)|(^eks_c:[0-9A-Za-z][A-Za-z0-9\\-_]{0,99}_\\w{17}$)",
            holds: is_registered_id,
        },
    ),
)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let mut transaction = plane.db.begin().await?;
    let deleted = queries::delete_node(&mut *transaction, &call.region, &input.instance_id).await?;
    if deleted == 0 {
        return Err(ApiError::new(
            "InvalidInstanceId",
            format!("Instance {} is not registered.", input.instance_id),
        ));
    }
    let (region, id) = (&call.region, &input.instance_id);
    tags::remove(&mut *transaction, region, NODE, id, None).await?;
    inventory::delete_node(&mut *transaction, region, id).await?;
    patch_states::delete(&mut *transaction, region, id).await?;
    compliance::delete_node(&mut transaction, region, id).await?;
    association_runs::forget(&mut *transaction, region, None, id).await?;
    transaction.commit().await?;
    plane.registry.close(&input.instance_id);
    crate::sessions::rounds::end_all_of(plane, &input.instance_id).await;
    plane.wake.notify_one();
    Ok(Empty {})
}
