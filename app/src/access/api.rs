//! The server functions for one's own account. Signing in and out are plain forms of the edge.

#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use muster_domain::access;
use muster_domain::access::{Password, SessionView};

/// One's own sessions.
#[server(prefix = "/api", endpoint = "access/sessions", output = Json)]
pub(crate) async fn list_sessions() -> Result<Vec<SessionView>, AppError> {
    call(|backend, actor| async move { backend.access.sessions(&actor).await }).await
}

/// Ends one of one's own sessions.
#[server(prefix = "/api", endpoint = "access/revoke_session", output = Json)]
pub(crate) async fn revoke_session(session_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .access
            .revoke_session(&actor, session_id.as_str().into())
            .await
    })
    .await
}

/// Ends all of one's own sessions, this one too.
#[server(prefix = "/api", endpoint = "access/sign_out_everywhere", output = Json)]
pub(crate) async fn sign_out_everywhere() -> Result<(), AppError> {
    call(|backend, actor| async move { backend.access.sign_out_everywhere(&actor).await }).await?;
    redirect_to("/sign-in");
    Ok(())
}

/// Changes one's own password.
#[server(prefix = "/api", endpoint = "access/change_password", output = Json)]
pub(crate) async fn change_password(
    current: Password,
    new: Password,
    repeat: Password,
) -> Result<(), AppError> {
    let input = access::ChangePassword { current, new, repeat };
    call(|backend, actor| async move { backend.access.change_password(&actor, input).await }).await
}
