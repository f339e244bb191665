//! `ResumeSession`: a new token for a session that goes on.

use super::start_session::Output;
use super::{SESSION_ID, rounds, stream_url};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::gateway::relay::Role;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("SessionId", SESSION_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    session_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let live = rounds::find(plane, &call.region, &input.session_id)
        .filter(|live| live.ending().is_none())
        .ok_or_else(|| {
            ApiError::new(
                "DoesNotExistException",
                format!("Session {} does not exist or has ended.", input.session_id),
            )
        })?;
    let token = plane.random.hex(32);
    live.add_token(Role::Client, &token, plane.config.steady.now());
    Ok(Output {
        stream_url: stream_url(call, &input.session_id),
        session_id: input.session_id,
        token_value: token,
    })
}
