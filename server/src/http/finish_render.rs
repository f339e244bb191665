//! Runs every render of a page to its end, even when the browser has gone: Leptos leaves tasks behind
//! for good otherwise, and anybody could fill the memory by opening pages and hanging up. At most so
//! many at once, and none for longer than the deadline. Never around streams that do not end.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Renders at the same time at most.
const AT_ONCE: usize = 64;
/// The longest that a render may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The gate that renders pass.
#[derive(Clone, Debug)]
pub struct Renders(Arc<Semaphore>);

impl Default for Renders {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// The layer.
pub async fn layer(State(renders): State<Renders>, request: Request, next: Next) -> Response {
    let busy = || {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is busy. Try again in a few seconds.\n",
        )
            .into_response()
    };
    let Ok(Ok(permit)) = tokio::time::timeout(Duration::from_secs(10), renders.0.acquire_owned()).await
    else {
        return busy();
    };
    let render = tokio::spawn(async move {
        let _permit = permit;
        let rendered = tokio::time::timeout(DEADLINE, async move {
            let (parts, body) = next.run(request).await.into_parts();
            // Read to the end here, so that nothing depends on the browser's patience.
            body.collect()
                .await
                .map(|body| Response::from_parts(parts, Body::from(body.to_bytes())))
        });
        rendered.await
    });
    match render.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => {
            crate::error::HttpError(crate::error::internal("render", &error)).into_response()
        }
        Ok(Err(_)) => busy(),
        Err(error) => crate::error::HttpError(crate::error::internal("render", &error)).into_response(),
    }
}
