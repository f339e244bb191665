//! `GetMessages` of the older message service: there is never a message, all of them go over the control
//! channel. Agents ask until that is open; a short wait keeps them from asking in a hurry.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, INSTANCE_ID, Member, optional, required, whole};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const INPUT: &[Member] = &[
    required("Destination", INSTANCE_ID),
    optional("MessagesRequestId", ANY_TEXT),
    optional("VisibilityTimeoutInSeconds", whole(0, 43_200)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    destination: String,
    messages_request_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    destination: String,
    messages: [(); 0],
    messages_request_id: String,
}

const WAIT: Duration = Duration::from_secs(10);

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    call.check_own(&input.destination)?;
    // The wait ends early when the server stops.
    let _ = tokio::time::timeout(WAIT, plane.registry.closed()).await;
    Ok(Output {
        destination: input.destination,
        messages: [],
        messages_request_id: input.messages_request_id.unwrap_or_default(),
    })
}
