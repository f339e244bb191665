//! Ends a live stream when the person behind it stands differently: signed out, disabled, or with other roles. A page that
//! still may follow comes back by itself, through the door, and continues where it stopped; one that may not is refused there.

use crate::access::AccessService;
use crate::events::PortalEvent;
use crate::http::session::SessionLayer;
use axum::body::Body;
use axum::response::Response;
use futures::StreamExt as _;
use http::header;
use muster_domain::Actor;
use muster_store::StoreError;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How often it is asked without being woken: roles run out, and the command line and other servers change users too.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How somebody has shown who they are.
#[derive(Clone)]
pub(super) enum Proof {
    /// By a session's cookie.
    Session,
    /// By a program's token.
    Token(String),
}

/// Whether this answer goes on for as long as something happens.
fn is_live(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// The answer, which ends before its time if `actor` stands differently.
pub(super) fn bound(state: &SessionLayer, actor: Actor, proof: Proof, response: Response) -> Response {
    if !is_live(&response) {
        return response;
    }
    let (head, body) = response.into_parts();
    let changed = changed(state.clone(), actor, proof);
    let body = Body::from_stream(body.into_data_stream().take_until(changed));
    Response::from_parts(head, body)
}

/// Comes back once `actor` stands differently than now.
async fn changed(state: SessionLayer, actor: Actor, proof: Proof) {
    let mut wake = state.bus.listen();
    loop {
        match again(&state, &actor, &proof).await {
            Ok(Some(now)) if now.grants == actor.grants => {}
            Ok(_) => return,
            // Nobody is shut out because the database does not answer: what they follow comes from there too.
            Err(error) => tracing::warn!(%error, "who follows a live stream could not be looked up"),
        }
        if !woken(&mut wake).await {
            return;
        }
    }
}

/// Waits until users or sessions were changed, or for a while; `false` when the server stops.
async fn woken(wake: &mut tokio::sync::broadcast::Receiver<PortalEvent>) -> bool {
    let deadline = tokio::time::Instant::now() + LOOK_AGAIN;
    loop {
        match tokio::time::timeout_at(deadline, wake.recv()).await {
            Ok(Ok(PortalEvent::Access) | Err(RecvError::Lagged(_))) | Err(_) => return true,
            Ok(Ok(_)) => {}
            Ok(Err(RecvError::Closed)) => return false,
        }
    }
}

/// The person, as they are now; nobody when they have no account or session any more.
async fn again(state: &SessionLayer, actor: &Actor, proof: &Proof) -> Result<Option<Actor>, StoreError> {
    let access: &AccessService = &state.access;
    match (proof, &actor.user_id, &actor.session) {
        (Proof::Token(secret), _, _) => access.actor_of_token(secret, actor.origin.clone()).await,
        (Proof::Session, Some(user), Some(session)) => {
            // Following is no use of a session: one that idles ends, whatever streams are open.
            if !state.sessions.is_there(session.as_str()).await? {
                return Ok(None);
            }
            access.actor(user, session.as_str(), actor.origin.clone()).await
        }
        (Proof::Session, _, _) => Ok(None),
    }
}
