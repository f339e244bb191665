//! The server functions for one's own API tokens.

#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::access::{TokenCreated, TokenView};
#[cfg(feature = "ssr")]
use muster_domain::{PortalError, access};

/// One's own tokens that hold.
#[server(prefix = "/api", endpoint = "access/tokens", output = Json)]
pub(crate) async fn list_tokens() -> Result<Vec<TokenView>, AppError> {
    call(|backend, actor| async move { backend.access.tokens(&actor).await }).await
}

/// Makes a token; the answer is the only place where its secret ever is.
#[server(prefix = "/api", endpoint = "access/create_token", output = Json)]
pub(crate) async fn create_token(name: String, days: String) -> Result<TokenCreated, AppError> {
    call(|backend, actor| async move {
        let days = days.trim().parse().map_err(|_| {
            PortalError::invalid(
                "days",
                format!("Write a whole number of days, 1 to {}.", access::MAX_TOKEN_DAYS),
            )
        })?;
        let name = name.trim().to_owned();
        backend
            .access
            .create_token(&actor, access::CreateToken { name, days })
            .await
    })
    .await
}

/// Takes back one of one's own tokens.
#[server(prefix = "/api", endpoint = "access/revoke_token", output = Json)]
pub(crate) async fn revoke_token(token_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .access
            .revoke_token(&actor, token_id.as_str().into())
            .await
    })
    .await
}
