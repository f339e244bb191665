//! The route of the fleet that is no page: the list as a file.

use crate::error::HttpError;
use crate::fleet::FleetService;
use crate::fleet::export::{Format, stream};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::fleet::{FleetQuery, FleetSort};
use muster_domain::fleet_filter::FleetFilter;
use serde::Deserialize;

/// The routes.
pub fn routes(service: FleetService) -> Router {
    Router::new()
        .route("/export/fleet.csv", get(csv))
        .route("/export/fleet.json", get(json))
        .with_state(service)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    filter: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    desc: String,
}

async fn csv(
    State(service): State<FleetService>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpError> {
    export(&service, &actor, wanted, Format::Csv).await
}

async fn json(
    State(service): State<FleetService>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpError> {
    export(&service, &actor, wanted, Format::JsonLines).await
}

async fn export(
    service: &FleetService,
    actor: &Actor,
    wanted: Wanted,
    format: Format,
) -> Result<Response, HttpError> {
    let (file, kind) = match format {
        Format::Csv => ("fleet.csv", "text/csv; charset=utf-8"),
        Format::JsonLines => ("fleet.json", "application/x-ndjson"),
    };
    let filter = FleetFilter::parse(&wanted.filter);
    let intent =
        Intent::new(Action::FleetExport, format!("export:{file}")).with("filter", wanted.filter.clone());
    let check = filter.as_ref().map(|_| ()).map_err(Clone::clone);
    let scopes = service
        .door
        .pass(actor, intent, check, async |pass| Ok(pass.scopes.clone()))
        .await?;
    let query = FleetQuery {
        filter: filter.unwrap_or_default(),
        sort: FleetSort::parse(&wanted.sort).unwrap_or_default(),
        descending: wanted.desc == "1" || wanted.desc == "true",
        ..FleetQuery::default()
    };
    let mut response = Response::new(Body::from_stream(stream(
        service.db.clone(),
        query,
        scopes,
        service.clock.now(),
        format,
    )));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    let name = if format == Format::Csv {
        "attachment; filename=\"fleet.csv\""
    } else {
        "attachment; filename=\"fleet.json\""
    };
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}
