//! The door from a server function to the services: takes `Backend` and `Actor` from what the
//! edge put there, and says no to strangers. What is allowed is decided behind the door.

use crate::error::AppError;
use http::request::Parts;
use leptos::prelude::*;
use muster_domain::{Actor, Backend, PortalError};

/// Calls the services as the person who asks.
pub(crate) async fn call<T, F, Fut>(act: F) -> Result<T, AppError>
where
    F: FnOnce(Backend, Actor) -> Fut,
    Fut: Future<Output = Result<T, PortalError>>,
{
    let parts = use_context::<Parts>();
    // Taken before the first await: afterwards another request's context may be current.
    let response = use_context::<leptos_axum::ResponseOptions>();
    let actor = parts
        .as_ref()
        .and_then(|parts| parts.extensions.get::<Actor>().cloned());
    let result = match (use_context::<Backend>(), actor) {
        (Some(backend), Some(actor)) if actor.is_known() => act(backend, actor).await,
        (None, _) => Err(PortalError::Internal {
            reference: "no-backend-in-context".into(),
        }),
        _ => Err(PortalError::SignInRequired),
    };
    if let Err(error) = &result {
        set_status(error, parts.as_ref(), response);
    }
    Ok(result?)
}

fn set_status(error: &PortalError, parts: Option<&Parts>, response: Option<leptos_axum::ResponseOptions>) {
    // A browser without script is sent back by 302 with the error in the address; setting a
    // status here would overwrite that and leave the person with raw JSON.
    let wants_html = parts
        .and_then(|parts| parts.headers.get(http::header::ACCEPT)?.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if let (false, Some(response), Ok(status)) =
        (wants_html, response, http::StatusCode::from_u16(error.status()))
    {
        response.set_status(status);
    }
}

/// The answer to a request that is refused before any service was asked: `error`, with its status. A stranger is only
/// told to sign in.
pub(crate) fn refused(error: PortalError) -> PortalError {
    let parts = use_context::<Parts>();
    let is_known = parts
        .as_ref()
        .and_then(|parts| parts.extensions.get::<Actor>())
        .is_some_and(Actor::is_known);
    let error = if is_known {
        error
    } else {
        PortalError::SignInRequired
    };
    set_status(
        &error,
        parts.as_ref(),
        use_context::<leptos_axum::ResponseOptions>(),
    );
    error
}

/// Sends the person to another page of the portal, with script or without.
pub(crate) fn redirect_to(path: &str) {
    leptos_axum::redirect(path);
}
