//! How many changing requests an address may send while nobody is signed in: a token bucket per address.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use muster_domain::{Actor, PortalError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// Requests at once.
const BURST: f64 = 30.0;
/// Requests a second in the long run.
const PER_SECOND: f64 = 1.0;
/// Addresses remembered; beyond that the fullest buckets are forgotten, which harms nobody.
const MAX_ADDRESSES: usize = 10_000;

/// The buckets.
#[derive(Clone, Debug, Default)]
pub struct RateLimit(Arc<Mutex<HashMap<String, (f64, Instant)>>>);

impl RateLimit {
    /// Takes a token of `address`; answers the seconds to wait when there is none.
    #[must_use]
    pub fn take(&self, address: &str) -> Option<u32> {
        let now = Instant::now();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_ADDRESSES {
            buckets.retain(|_, (tokens, at)| {
                *tokens + now.duration_since(*at).as_secs_f64() * PER_SECOND < BURST
            });
        }
        let (tokens, at) = buckets.entry(address.to_owned()).or_insert((BURST, now));
        *tokens = (*tokens + now.duration_since(*at).as_secs_f64() * PER_SECOND).min(BURST);
        *at = now;
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return None;
        }
        Some(1)
    }
}

/// The layer; it stands behind the one that finds out who is asking.
pub async fn layer(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    let stranger = request
        .extensions()
        .get::<Actor>()
        .filter(|actor| !actor.is_known());
    if let Some(actor) = stranger
        && !matches!(*request.method(), Method::GET | Method::HEAD)
        && let Some(retry_after_seconds) = limit.take(&actor.origin.address)
    {
        return crate::error::HttpError(PortalError::TooManyRequests { retry_after_seconds }).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_stopped_and_time_gives_back() {
        let limit = RateLimit::default();
        assert_eq!((0..100).filter(|_| limit.take("a").is_none()).count(), 30);
        assert!(limit.take("b").is_none());
        tokio::time::advance(std::time::Duration::from_secs(5)).await;
        assert_eq!((0..100).filter(|_| limit.take("a").is_none()).count(), 5);
    }
}
