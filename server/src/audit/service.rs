//! What can be done with the audit log, behind the door; and its route that is no page.

use crate::audit::log::AuditLog;
use crate::audit::{export, queries, verify};
use crate::door::Door;
use crate::error::{HttpError, store};
use crate::fleet::export::Format;
use crate::overview::service::RecentActs;
use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use muster_domain::action::Action;
use muster_domain::audit::{
    ActKind, Audit, AuditEntryView, AuditQuery, Finding, Intent, Outcome, VerifyReport,
};
use muster_domain::paging::Page;
use muster_domain::{Actor, PortalError, Timestamp};
use serde::Deserialize;
use std::sync::Arc;

/// The audit log's service.
#[derive(Clone)]
pub struct AuditService {
    /// The log.
    pub log: Arc<AuditLog>,
    /// The one door.
    pub door: Door,
    /// What was wrong with the log when the server started.
    pub behind: Option<Finding>,
}

/// What was looked for, as it is recorded.
fn describe(intent: Intent, query: &AuditQuery) -> Intent {
    let mut intent = intent;
    for (name, value) in [
        ("actor", &query.actor),
        ("action", &query.action),
        ("resource", &query.resource),
        ("address", &query.address),
    ] {
        if let Some(value) = value {
            intent = intent.with(name, value.clone());
        }
    }
    if let Some(outcome) = query.outcome {
        intent = intent.with("outcome", outcome.as_str());
    }
    if let Some(kind) = query.kind {
        intent = intent.with("kind", kind.as_str());
    }
    for (name, value) in [("since", query.since), ("until", query.until)] {
        if let Some(value) = value {
            intent = intent.with(name, value.rfc3339());
        }
    }
    intent
}

#[async_trait]
impl Audit for AuditService {
    async fn list(&self, actor: &Actor, query: AuditQuery) -> Result<Page<AuditEntryView>, PortalError> {
        let intent = describe(Intent::new(Action::AuditRead, "audit"), &query);
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                queries::list(&self.log.db, &query).await.map_err(store)
            })
            .await
    }

    fn warning(&self, actor: &Actor) -> Option<Finding> {
        self.behind.clone().filter(|_| actor.may(Action::AuditRead))
    }

    async fn verify(&self, actor: &Actor) -> Result<VerifyReport, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::AuditVerify, "audit"),
                Ok(()),
                async |_| {
                    verify::verify(
                        &self.log.db,
                        &self.log.dir,
                        &self.log.public_key,
                        self.log.clock.now(),
                    )
                    .await
                    .map_err(store)
                },
            )
            .await
    }
}

#[async_trait]
impl RecentActs for AuditService {
    async fn recent(&self, limit: u32) -> Result<Vec<AuditEntryView>, PortalError> {
        let query = AuditQuery {
            // Looking at the log is written down, too, and would soon be all there is.
            kind: Some(ActKind::Changes),
            limit: Some(limit),
            ..AuditQuery::default()
        };
        Ok(queries::list(&self.log.db, &query).await.map_err(store)?.items)
    }
}

/// The routes.
pub fn routes(service: AuditService) -> Router {
    Router::new()
        .route("/export/audit.csv", get(csv))
        .route("/export/audit.json", get(json))
        .with_state(service)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
}

impl Wanted {
    fn query(&self) -> Result<AuditQuery, PortalError> {
        let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let time = |field: &str, text: &str| match some(text) {
            None => Ok(None),
            Some(text) => Timestamp::parse(&text).map(Some).ok_or_else(|| {
                PortalError::invalid(
                    field,
                    "Write a date or time as 2026-11-23 or 2026-11-23T09:41:00Z.",
                )
            }),
        };
        let outcome = match some(&self.outcome) {
            None => None,
            Some(text) => Some(Outcome::parse(&text).ok_or_else(|| {
                PortalError::invalid("outcome", "The outcome is success, failure, denied or unknown.")
            })?),
        };
        let kind = match some(&self.kind) {
            None => None,
            Some(text) => Some(
                ActKind::parse(&text)
                    .ok_or_else(|| PortalError::invalid("kind", "The kind is changes or reads."))?,
            ),
        };
        Ok(AuditQuery {
            kind,
            actor: some(&self.actor),
            action: some(&self.action),
            resource: some(&self.resource),
            outcome,
            address: some(&self.address),
            since: time("since", &self.since)?,
            until: time("until", &self.until)?,
            ..AuditQuery::default()
        })
    }
}

async fn csv(
    State(service): State<AuditService>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpError> {
    file(&service, &actor, &wanted, Format::Csv).await
}

async fn json(
    State(service): State<AuditService>,
    Extension(actor): Extension<Actor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpError> {
    file(&service, &actor, &wanted, Format::JsonLines).await
}

async fn file(
    service: &AuditService,
    actor: &Actor,
    wanted: &Wanted,
    format: Format,
) -> Result<Response, HttpError> {
    let (name, kind) = match format {
        Format::Csv => ("attachment; filename=\"audit.csv\"", "text/csv; charset=utf-8"),
        Format::JsonLines => ("attachment; filename=\"audit.json\"", "application/x-ndjson"),
    };
    let query = wanted.query();
    let intent = Intent::new(Action::AuditExport, "audit").with("format", kind);
    let intent = query
        .as_ref()
        .map_or(intent.clone(), |query| describe(intent, query));
    let check = query.as_ref().map(|_| ()).map_err(Clone::clone);
    service.door.pass(actor, intent, check, async |_| Ok(())).await?;
    let query = query?;
    let mut response = Response::new(Body::from_stream(export::stream(
        service.log.db.clone(),
        query,
        format,
    )));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}
