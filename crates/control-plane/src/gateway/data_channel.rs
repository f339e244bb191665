//! How data channels are opened. An agent asks for a token with a signed `POST`, and opens a signed
//! websocket; a client opens a websocket with the token of `StartSession`. Which end it is says the token
//! in the first frame.

use super::http::{refusal, token_answer};
use super::relay::Role;
use super::relay::leg::{self, MAX_FRAME};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::Received;
use crate::router::receive;
use crate::signature::{Caller, authenticate};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::sync::Arc;

/// Bytes of each buffer of a socket. The usual 128 KiB would be most of what an idle terminal costs.
const BUFFER: usize = 8 * 1024;

/// `POST /v1/data-channel/{session}`: `CreateDataChannel`, for the session's own node.
pub(crate) async fn create(
    State(plane): State<Arc<ControlPlane>>,
    Path(session_id): Path<String>,
    request: Request,
) -> Response {
    let result = async {
        let received = receive(&plane, request).await?;
        let node_id = signer(&plane, &received)
            .await?
            .ok_or_else(|| ApiError::denied("These credentials are not those of a node."))?;
        token(&plane, &session_id, &node_id)
    };
    match result.await {
        Ok(token) => token_answer("CreateDataChannelResponse", &token),
        Err(error) => refusal(&error),
    }
}

fn token(plane: &ControlPlane, session_id: &str, node_id: &str) -> ApiResult<String> {
    // Agents stop asking at these words; any other refusal they meet with another try.
    let over = || ApiError::new("BadRequest", "Session is already terminated");
    let live = plane.hub.get(session_id).ok_or_else(over)?;
    if live.about.node_id != node_id {
        return Err(ApiError::denied("The session is not one of this node."));
    }
    if live.ending().is_some() {
        return Err(over());
    }
    let token = plane.random.hex(32);
    live.add_token(Role::Agent, &token, plane.config.steady.now());
    Ok(token)
}

/// The node that has signed; nothing when somebody else has.
async fn signer(plane: &ControlPlane, received: &Received) -> ApiResult<Option<String>> {
    match authenticate(plane, &received.signed("ssmmessages")).await?.caller {
        Caller::Node { node_id, .. } => Ok(Some(node_id)),
        _ => Ok(None),
    }
}

/// `GET /v1/data-channel/{session}` with an upgrade: `OpenDataChannel`.
pub(crate) async fn open(
    State(plane): State<Arc<ControlPlane>>,
    Path(session_id): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let received = match receive(&plane, request).await {
        Ok(received) => received,
        Err(error) => return refusal(&error),
    };
    // Clients may sign with keys that nobody here knows, or not at all: only an agent needs its signature.
    let node = signer(&plane, &received).await.ok().flatten();
    let Some(opening) = plane.hub.opening() else {
        return (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many channels are being opened.",
        )
            .into_response();
    };
    upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(move |socket| leg::run(plane, session_id, node, socket, opening))
}
