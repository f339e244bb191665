//! How an agent opens its control channel: a signed `POST` for a token, then a signed websocket whose
//! first frame carries it.

use super::channel;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::Received;
use crate::query::xml::escaped;
use crate::router::receive;
use crate::signature::{Caller, authenticate};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use muster_session_channel::message::MAX_FRAME;
use std::sync::Arc;

/// `POST /v1/control-channel/{node}`.
pub(crate) async fn create(
    State(plane): State<Arc<ControlPlane>>,
    Path(node_id): Path<String>,
    request: Request,
) -> Response {
    let result = async {
        let received = receive(&plane, request).await?;
        check_node(&plane, &received, &node_id).await
    };
    match result.await {
        Ok(()) => {
            let token = plane.random.hex(32);
            plane.registry.add_token(&node_id, &token, plane.clock.now());
            token_answer("CreateControlChannelResponse", &token)
        }
        Err(error) => refusal(&error),
    }
}

/// `GET /v1/control-channel/{node}` with an upgrade.
pub(crate) async fn open(
    State(plane): State<Arc<ControlPlane>>,
    Path(node_id): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let result = async {
        let received = receive(&plane, request).await?;
        check_node(&plane, &received, &node_id).await
    };
    if let Err(error) = result.await {
        return refusal(&error);
    }
    match upgrade {
        Ok(upgrade) => upgrade
            // The usual one is large, and every node has a channel.
            .read_buffer_size(16 * 1024)
            .max_message_size(MAX_FRAME)
            .max_frame_size(MAX_FRAME)
            .on_upgrade(move |socket| channel::run(plane, node_id, socket)),
        Err(rejection) => rejection.into_response(),
    }
}

/// That the request is signed with temporary keys of this very node.
async fn check_node(plane: &ControlPlane, received: &Received, node_id: &str) -> ApiResult<()> {
    match authenticate(plane, &received.signed("ssmmessages")).await?.caller {
        Caller::Node { node_id: own, .. } if own == node_id => Ok(()),
        _ => Err(ApiError::denied(
            "These credentials are not those of the node in the path.",
        )),
    }
}

/// How a token is given.
pub(super) fn token_answer(root: &str, token: &str) -> Response {
    let body = format!(
        "<{root}><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>{token}</TokenValue></{root}>"
    );
    (StatusCode::CREATED, [("content-type", "application/xml")], body).into_response()
}

/// How a request is refused.
pub(super) fn refusal(error: &ApiError) -> Response {
    let body = format!(
        "<{code}><message>{}</message></{code}>",
        escaped(error.message.as_deref().unwrap_or_default()),
        code = error.code
    );
    let status = match (error.status, error.code) {
        (400, "AccessDeniedException") => StatusCode::FORBIDDEN,
        (status, _) => StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
    };
    (status, [("content-type", "application/xml")], body).into_response()
}
