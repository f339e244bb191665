//! `TerminateSession`: ends a session at once, on the node and for its client. A session that has ended, or
//! that nobody knows, stays so: the answer is the same.

use super::status::Status;
use super::{SESSION_ID, ending, rounds};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::gateway::relay::live::Ending;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("SessionId", SESSION_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    session_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    session_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if let Some(live) = rounds::find(plane, &call.region, &input.session_id) {
        let who = super::owner_name(&call.caller);
        let terminated = Ending {
            status: Status::Terminated,
            output: "The session was ended with TerminateSession.".to_owned(),
            details: format!("Ended with TerminateSession by {who}."),
            node_knows: false,
        };
        ending::end(plane, &live, terminated).await?;
    }
    Ok(Output {
        session_id: input.session_id,
    })
}
