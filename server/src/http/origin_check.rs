//! Refuses what another site makes a browser do: every request that may change something, and every
//! upgrade to a WebSocket, must come from our own pages.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};

/// Whether a request may go on.
#[must_use]
pub fn is_allowed(method: &Method, headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).is_some();
    if !upgrade && matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    match text("origin") {
        Some(origin) => {
            let host = text("host").unwrap_or_default();
            let rest = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"));
            rest.is_some_and(|rest| !host.is_empty() && rest.eq_ignore_ascii_case(host))
        }
        // Programs send no origin; a browser always does where it sends a cookie with such a request.
        None => text("sec-fetch-site").is_some() || headers.get(header::COOKIE).is_none(),
    }
}

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    if is_allowed(request.method(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(
        path = request.uri().path(),
        "refused: the request comes from another site"
    );
    let text =
        "This request does not come from a page of Muster, so it was refused. Open Muster and try there.\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, headers: &[(&'static str, &str)]) -> bool {
        let map = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        is_allowed(method, &map.collect())
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        let host = ("host", "muster.example:3000");
        assert!(check(&Method::GET, &[host, ("origin", "https://evil.example")]));
        assert!(check(
            &Method::POST,
            &[host, ("origin", "http://muster.example:3000")]
        ));
        assert!(check(
            &Method::POST,
            &[
                host,
                ("origin", "https://muster.example:3000"),
                ("sec-fetch-site", "same-origin")
            ]
        ));
        assert!(!check(&Method::POST, &[host, ("origin", "https://evil.example")]));
        assert!(!check(
            &Method::POST,
            &[host, ("origin", "http://muster.example:3001")]
        ));
        assert!(!check(&Method::POST, &[host, ("origin", "null")]));
        assert!(!check(&Method::POST, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!check(&Method::POST, &[host, ("cookie", "muster_session=x")]));
        assert!(check(&Method::POST, &[host]));
        assert!(!check(
            &Method::DELETE,
            &[
                host,
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "same-site")
            ]
        ));
        // A WebSocket begins as a GET.
        assert!(!check(
            &Method::GET,
            &[host, ("upgrade", "websocket"), ("origin", "https://evil.example")]
        ));
        assert!(check(
            &Method::GET,
            &[
                host,
                ("upgrade", "websocket"),
                ("origin", "http://muster.example:3000")
            ]
        ));
    }
}
