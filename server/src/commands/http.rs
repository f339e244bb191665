//! The routes of commands that are no pages: the live stream of events, and full output as a file.

use crate::commands::admit::{admit_download, admit_log};
use crate::commands::queries::Viewer;
use crate::commands::{CommandService, download, log_download, queries, stream};
use crate::error::{HttpError, store};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::commands::OutputStream;
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::{Actor, PortalError};
use serde::Deserialize;
use std::time::Duration;

/// The routes.
pub fn routes(service: CommandService) -> Router {
    Router::new()
        .route("/events/commands/{command_id}", get(events))
        .route("/download/commands/{command_id}/{node_id}/{stream}", get(file))
        .route("/download/commands/{command_id}/log", get(log))
        .with_state(service)
}

#[derive(Deserialize)]
struct From {
    cursor: Option<i64>,
    /// Only output of this node; `none` leaves all output out.
    output: Option<String>,
}

async fn events(
    State(service): State<CommandService>,
    Extension(actor): Extension<Actor>,
    Path(command_id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let command = CommandId::new(command_id);
    let intent = Intent::new(Action::CommandsRead, format!("command:{command}"));
    let pass = service.door.authorise(&actor, &intent).await?;
    let viewer = Viewer {
        scopes: &pass.scopes,
        user: actor.user_id.as_ref(),
    };
    if queries::get(&service.db, &command, &viewer)
        .await
        .map_err(store)?
        .is_none()
    {
        return Err(PortalError::NotFound {
            what: format!("The command {command}"),
        }
        .into());
    }
    // A browser that reconnects says itself where it stopped; that is later than what its URL says.
    let resumed = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let follow = stream::Follow {
        db: service.db.clone(),
        bus: service.bus.clone(),
        command,
        cursor: resumed.or(from.cursor).unwrap_or(0).max(0),
        scopes: pass.scopes.clone(),
        user: actor.user_id.clone(),
        output_of: from
            .output
            .map(|node| if node == "none" { String::new() } else { node }),
    };
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(10));
    Ok(Sse::new(stream::stream(follow))
        .keep_alive(keep_alive)
        .into_response())
}

async fn file(
    State(service): State<CommandService>,
    Extension(actor): Extension<Actor>,
    Path((command_id, node_id, name)): Path<(String, String, String)>,
) -> Result<Response, HttpError> {
    let stream = OutputStream::parse(&name)
        .ok_or_else(|| PortalError::invalid("stream", "The stream is stdout or stderr."))?;
    let (command, node) = (CommandId::new(command_id), NodeId::new(node_id));
    admit_download(&service, &actor, &command, &node, stream).await?;
    // Both ids were found in the database, so they hold nothing that a header cannot.
    let disposition = format!(
        "attachment; filename=\"{command}-{node}.{}.txt\"",
        stream.as_str()
    );
    let body = Body::from_stream(download::stream(service.db, command, node, stream));
    Ok(attachment(body, &disposition))
}

async fn log(
    State(service): State<CommandService>,
    Extension(actor): Extension<Actor>,
    Path(command_id): Path<String>,
) -> Result<Response, HttpError> {
    let command = CommandId::new(command_id);
    let scopes = admit_log(&service, &actor, &command).await?;
    let visible = stream::visible_nodes(&service.db, &scopes).await.map_err(store)?;
    let disposition = format!("attachment; filename=\"{command}.log.txt\"");
    let body = Body::from_stream(log_download::stream(service.db, command, visible));
    Ok(attachment(body, &disposition))
}

/// A file to be kept, not shown: what nodes wrote is never taken for a page of the portal's.
fn attachment(body: Body, disposition: &str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    if let Ok(value) = HeaderValue::from_str(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
