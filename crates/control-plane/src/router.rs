//! What is answered on the one port: which request goes to which part. No part's own logic is here.

use crate::OUTPUT_BUCKET;
use crate::bucket_objects;
use crate::commands::output_bucket;
use crate::control_plane::ControlPlane;
use crate::errors::ApiError;
use crate::gateway;
use crate::groups;
use crate::json_protocol::{self, Received};
use crate::query;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};
use muster_domain::Timestamp;
use muster_domain::actor::Origin;
use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) fn router(plane: Arc<ControlPlane>) -> Router {
    let groups = groups::rest::PATHS
        .into_iter()
        .fold(Router::new(), |router, (path, _)| {
            router.route(path, post(groups::rest::call))
        })
        .route(
            "/resources/{arn}/tags",
            get(groups::rest::tags)
                .put(groups::rest::tags)
                .patch(groups::rest::tags),
        );
    Router::new()
        .merge(groups)
        .route(
            "/", // A link is followed by whoever means it, not by what only looks whether it is there.
            post(call).get(query::sns::confirm).head(nothing_here),
        )
        .route(
            "/v1/control-channel/{node}",
            post(gateway::http::create).get(gateway::http::open),
        )
        .route(
            "/v1/data-channel/{session}",
            post(gateway::data_channel::create).get(gateway::data_channel::open),
        )
        .route(
            &format!("/{OUTPUT_BUCKET}/{{*key}}"),
            get(output_bucket::get_object),
        )
        .route("/{bucket}/{*key}", get(bucket_objects::get_object))
        .fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
        .layer(axum::middleware::map_response_with_state(
            Arc::clone(&plane),
            dated,
        ))
        .with_state(plane)
}

/// Says what time it is here. The HTTP library would say it too, but keeps saying the same for as long as a clock that was set back
/// has not come up again; and Amazon's clients sign with the time that the service says, so that all of them would be refused.
async fn dated(State(plane): State<Arc<ControlPlane>>, mut response: Response) -> Response {
    if let Ok(date) = HeaderValue::from_str(&http_date(plane.clock.now())) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// `Sat, 28 Nov 2026 09:40:00 GMT`.
fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day, hour, minute, second, _) = at.civil();
    let since_thursday = usize::try_from(at.0.div_euclid(86_400_000).rem_euclid(7)).unwrap_or_default();
    let month = usize::try_from(month).unwrap_or_default().saturating_sub(1);
    format!(
        "{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT",
        DAYS.get(since_thursday).copied().unwrap_or_default(),
        MONTHS.get(month).copied().unwrap_or_default()
    )
}

/// As the service answers what it does not know; never a 5xx, which clients would repeat.
async fn nothing_here() -> Response {
    let xml = "<UnknownOperationException/>\n";
    (StatusCode::NOT_FOUND, [("content-type", "application/xml")], xml).into_response()
}

async fn call(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    match receive(&plane, request).await {
        Ok(received) if query::is_query(&received) => query::answer(&plane, &received).await,
        Ok(received) => json_protocol::answer(&plane, &received).await,
        Err(error) => {
            let body = serde_json::json!({"__type": error.code, "message": error.message});
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (
                status,
                [("content-type", "application/x-amz-json-1.1")],
                body.to_string(),
            )
                .into_response()
        }
    }
}

/// Reads a request whole, within the limit.
pub(crate) async fn receive(plane: &ControlPlane, request: Request) -> Result<Received, ApiError> {
    let (parts, body) = request.into_parts();
    let origin = origin(&parts);
    let limit = plane.config.max_body_bytes;
    let body = read(body, limit).await.ok_or_else(|| {
        ApiError::new(
            "RequestEntityTooLargeException",
            format!("The request could not be read, or is larger than {limit} bytes."),
        )
    })?;
    Ok(Received { parts, body, origin })
}

async fn read(body: Body, limit: usize) -> Option<Vec<u8>> {
    to_bytes(body, limit).await.ok().map(|bytes| bytes.to_vec())
}

fn origin(parts: &http::request::Parts) -> Origin {
    let address = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip().to_string())
        .unwrap_or_default();
    let agent = parts
        .headers
        .get("user-agent")
        .and_then(|value| value.to_str().ok());
    Origin {
        address,
        user_agent: agent.unwrap_or_default().chars().take(256).collect(),
        via: "api".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_in_answers_over_http() {
        assert_eq!(http_date(Timestamp(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(
            http_date(Timestamp(1_795_858_573_425)),
            "Sat, 28 Nov 2026 09:36:13 GMT"
        );
    }
}
