//! The routes of parameters that are no pages: what there is, as a file.

use crate::error::HttpError;
use crate::fleet::export::Format;
use crate::parameters::ParameterService;
use crate::parameters::export::stream;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::error::FieldError;
use muster_domain::parameters::{ParameterKind, ParameterQuery, ParameterTier, is_folder};
use muster_domain::{Actor, PortalError};
use serde::Deserialize;

/// The routes.
pub fn routes(service: ParameterService) -> Router {
    Router::new()
        .route("/export/parameters.csv", get(csv))
        .route("/export/parameters.json", get(json))
        .with_state(service)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    path: String,
    #[serde(default)]
    text: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    tier: String,
    #[serde(default)]
    label: String,
}

impl Wanted {
    fn query(&self) -> Result<ParameterQuery, PortalError> {
        let mut fields = Vec::new();
        let path = self.path.trim().trim_matches('/').to_owned();
        if !is_folder(&path) {
            fields.push(FieldError::new("path", "That is no folder."));
        }
        let kind = ParameterKind::parse(&self.kind);
        if kind.is_none() && !self.kind.is_empty() {
            fields.push(FieldError::new(
                "type",
                "There is String, StringList and SecureString.",
            ));
        }
        let tier = ParameterTier::parse(&self.tier);
        if tier.is_none() && !self.tier.is_empty() {
            fields.push(FieldError::new("tier", "There is Standard and Advanced."));
        }
        PortalError::from_fields(fields)?;
        Ok(ParameterQuery {
            path,
            text: self.text.clone(),
            kind,
            tier,
            label: self.label.clone(),
            ..ParameterQuery::default()
        })
    }
}

async fn csv(
    State(service): State<ParameterService>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpError> {
    export(&service, &actor, &wanted, Format::Csv).await
}

async fn json(
    State(service): State<ParameterService>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpError> {
    export(&service, &actor, &wanted, Format::JsonLines).await
}

async fn export(
    service: &ParameterService,
    actor: &Actor,
    wanted: &Wanted,
    format: Format,
) -> Result<Response, HttpError> {
    let (file, kind, disposition) = match format {
        Format::Csv => (
            "parameters.csv",
            "text/csv; charset=utf-8",
            "attachment; filename=\"parameters.csv\"",
        ),
        Format::JsonLines => (
            "parameters.json",
            "application/x-ndjson",
            "attachment; filename=\"parameters.json\"",
        ),
    };
    let query = wanted.query();
    let intent = Intent::new(Action::ParametersExport, format!("export:{file}"))
        .with("path", wanted.path.clone())
        .with("text", wanted.text.clone());
    let check = query.as_ref().map(|_| ()).map_err(Clone::clone);
    service.door.pass(actor, intent, check, async |_| Ok(())).await?;
    let connection = service.ssm.connection.id.to_string();
    let body = stream(service.db.clone(), connection, query?, format);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}
