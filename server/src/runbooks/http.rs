//! The route of runbooks that is no page: the live stream of an execution's events.

use crate::error::HttpError;
use crate::runbooks::{RunbookService, stream};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::ExecutionId;
use serde::Deserialize;
use std::time::Duration;

/// The routes.
pub fn routes(service: RunbookService) -> Router {
    Router::new()
        .route("/events/executions/{execution_id}", get(events))
        .with_state(service)
}

#[derive(Deserialize)]
struct From {
    cursor: Option<i64>,
}

async fn events(
    State(service): State<RunbookService>,
    Extension(actor): Extension<Actor>,
    Path(execution_id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let execution = ExecutionId::new(execution_id);
    let intent = Intent::new(Action::RunbooksRead, format!("execution:{execution}"));
    let pass = service.door.authorise(&actor, &intent).await?;
    service.row(&actor, &execution, &pass.scopes).await?;
    // A browser that reconnects says itself where it stopped; that is later than what its URL says.
    let resumed = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let follow = stream::Follow {
        db: service.db.clone(),
        bus: service.bus.clone(),
        execution,
        cursor: resumed.or(from.cursor).unwrap_or(0).max(0),
    };
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(10));
    Ok(Sse::new(stream::stream(follow))
        .keep_alive(keep_alive)
        .into_response())
}
