//! The route of requests that is no page: the evidence of one, as a signed file.

use crate::approvals::ApprovalService;
use crate::audit::AuditLog;
use crate::error::HttpError;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use muster_domain::Actor;
use muster_domain::ids::RequestId;
use std::sync::Arc;

#[derive(Clone)]
struct Routes {
    service: ApprovalService,
    log: Arc<AuditLog>,
}

/// The routes.
pub fn routes(service: ApprovalService, log: Arc<AuditLog>) -> Router {
    Router::new()
        .route("/export/requests/{request_id}", get(evidence))
        .with_state(Routes { service, log })
}

async fn evidence(
    State(Routes { service, log }): State<Routes>,
    Extension(actor): Extension<Actor>,
    Path(request_id): Path<String>,
) -> Result<Response, HttpError> {
    let request = RequestId::new(request_id);
    let bundle = service.evidence(&actor, &log, &request).await?;
    // The id was found in the database, so it holds nothing that a header cannot.
    let name = format!("attachment; filename=\"{request}-evidence.json\"");
    let mut response = axum::Json(bundle).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
