//! What the browser loads: script, style, fonts; compressed where a compressed copy lies beside it.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use std::path::Path;
use tower_http::services::{ServeDir, ServeFile};

/// The routes for the files in `site_root`.
pub fn routes(site_root: &Path) -> Router {
    let folder = |name: &str| {
        ServeDir::new(site_root.join(name))
            .precompressed_br()
            .precompressed_gzip()
    };
    Router::new()
        .nest_service("/pkg", folder("pkg"))
        .nest_service("/fonts", folder("fonts"))
        .route_service("/favicon.svg", ServeFile::new(site_root.join("favicon.svg")))
        .layer(from_fn(cache))
}

/// What never changes under its name is kept; the rest is asked for again, and answered by 304.
async fn cache(request: Request, next: Next) -> Response {
    // A folder like `/pkg/3f2a…/` says what is in it; it never means something else later.
    let path = request.uri().path();
    let forever = path.starts_with("/pkg/") || path.starts_with("/fonts/");
    let mut response = next.run(request).await;
    if response.status() == StatusCode::OK || response.status() == StatusCode::NOT_MODIFIED {
        let value = if forever {
            "public, max-age=31536000, immutable"
        } else {
            "public, no-cache"
        };
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    response
}
