//! `DeleteActivation`: nobody can join with it any more. Nodes that joined stay.

use super::{Empty, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Pattern, is_uuid, matching, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required(
    "ActivationId",
    matching(
        0,
        usize::MAX,
        Pattern {
            text: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
            holds: is_uuid,
        },
    ),
)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    activation_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    match queries::delete_activation(plane.db.writer(), &call.region, &input.activation_id).await? {
        0 => Err(ApiError::new(
            "InvalidActivationId",
            format!("Activation ID {} does not exist.", input.activation_id),
        )),
        _ => Ok(Empty {}),
    }
}
