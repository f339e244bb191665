//! The live state that every page shows: connections, as server-sent events.

use crate::aws::Known;
use crate::door::Door;
use crate::error::HttpError;
use crate::events::{EventBus, PortalEvent};
use crate::overview::service::connections;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures::StreamExt as _;
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::ConnectionId;
use muster_domain::time::Clock;
use muster_store::Db;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// What the stream needs.
#[derive(Clone)]
pub struct LiveState {
    /// The portal's database.
    pub db: Db,
    /// What this part of the server speaks to.
    pub connection: ConnectionId,
    /// All connections of this server.
    pub connections: Arc<[Known]>,
    /// The one door.
    pub door: Door,
    /// Wakes the stream.
    pub bus: EventBus,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
}

/// The routes.
pub fn routes(state: LiveState) -> Router {
    Router::new()
        .route("/events/portal", get(events))
        .with_state(state)
}

async fn events(
    State(state): State<LiveState>,
    Extension(actor): Extension<Actor>,
) -> Result<Response, HttpError> {
    state
        .door
        .authorise(&actor, &Intent::new(Action::ConnectionsRead, ""))
        .await?;
    let wake = state.bus.listen();
    // First the time: a page's own clock may be wrong, and what came with the page is as old as its loading took.
    let time = Event::default()
        .event("time")
        .data(state.clock.now().0.to_string());
    let stream = futures::stream::unfold((state, wake, true), |(state, mut wake, first)| async move {
        if !first && wait(&mut wake).await? == Wake::Approvals {
            // Only that something is different: what waits for whom is asked for by each page itself.
            let event = Event::default().event("approvals").data("changed");
            return Some((Ok::<_, Infallible>(event), (state, wake, false)));
        }
        let event = match connections(&state.db, &state.connection, &state.connections).await {
            Ok(views) => Event::default()
                .event("state")
                .data(serde_json::to_string(&views).unwrap_or_default()),
            Err(error) => {
                tracing::warn!(%error, "the state of connections could not be read");
                Event::default().comment("the database does not answer")
            }
        };
        Some((Ok::<_, Infallible>(event), (state, wake, false)))
    });
    let first = futures::stream::once(std::future::ready(Ok::<_, Infallible>(time)));
    Ok(Sse::new(first.chain(stream))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
        .into_response())
}

/// What a page is woken for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// The state of the connections, or time has passed.
    State,
    /// Requests for approval stand differently.
    Approvals,
}

/// Waits for a change of the fleet, of a connection or of requests, 10 s at most. `None` when the server stops.
async fn wait(wake: &mut tokio::sync::broadcast::Receiver<PortalEvent>) -> Option<Wake> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        match tokio::time::timeout_at(deadline, wake.recv()).await {
            Ok(Ok(PortalEvent::Fleet | PortalEvent::Connections))
            | Ok(Err(RecvError::Lagged(_)))
            | Err(_) => return Some(Wake::State),
            Ok(Ok(PortalEvent::Approvals)) => return Some(Wake::Approvals),
            Ok(Ok(PortalEvent::Command(_) | PortalEvent::Execution(_) | PortalEvent::Access)) => {}
            Ok(Err(RecvError::Closed)) => return None,
        }
    }
}
