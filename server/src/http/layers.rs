//! Puts the edge together: all layers around all routes, in the order in which a request passes them.

use crate::http::rate_limit::RateLimit;
use crate::http::session::SessionLayer;
use crate::http::{origin_check, rate_limit, security, session};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use muster_domain::time::Clock;
use muster_store::Db;
use std::sync::Arc;
use std::time::Instant;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::limit::RequestBodyLimitLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

/// Bytes of a request's body at most.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// What the layers need.
#[derive(Clone)]
pub struct Edge {
    /// The portal's database.
    pub db: Db,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Finds out who is asking.
    pub session: SessionLayer,
    /// How often one address may try, for all connections together.
    pub limit: RateLimit,
    /// Whether people reach us over TLS.
    pub tls: bool,
}

/// The name of the session's cookie. The prefix makes browsers refuse it from anywhere but this host over TLS.
#[must_use]
pub const fn cookie_name(tls: bool) -> &'static str {
    if tls {
        "__Host-muster_session"
    } else {
        "muster_session"
    }
}

/// Puts all layers around `routes`.
pub fn around(routes: Router, edge: Edge) -> Router {
    let sessions = SessionManagerLayer::new(edge.session.sessions.clone())
        .with_name(cookie_name(edge.tls))
        .with_secure(edge.tls)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd);
    let compressible = SizeAbove::new(1_024)
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("application/octet-stream"));
    // The last layer added is the first that a request passes.
    routes
        .layer(from_fn_with_state(edge.limit.clone(), rate_limit::layer))
        .layer(from_fn_with_state(edge.session.clone(), session::layer))
        .layer(sessions)
        .layer(from_fn(origin_check::layer))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(from_fn_with_state(edge.tls, security::layer))
        .layer(from_fn(log))
}

/// One line for each request: what, how it ended, how long it took. Never a query, which may hold a token.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(%method, path, status = response.status().as_u16(), duration_ms, "request");
    response
}
