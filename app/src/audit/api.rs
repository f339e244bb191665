//! The server functions of the audit log.

use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{audit::url_state::AuditUrl, backend::call, url::Query};
use leptos::prelude::*;
use muster_domain::audit::{AuditEntryView, VerifyReport};
use muster_domain::paging::Page;

/// Acts that match. `query` is the part of the page's address after `?`.
#[server(prefix = "/api", endpoint = "audit/list", output = Json)]
pub(crate) async fn list_acts(query: String) -> Result<Page<AuditEntryView>, AppError> {
    call(|backend, actor| async move {
        let query = AuditUrl::read(&Query::parse(&query)).readable()?.query();
        backend.audit.list(&actor, query).await
    })
    .await
}

/// Checks the whole log. Recorded itself.
#[server(prefix = "/api", endpoint = "audit/verify", output = Json)]
pub(crate) async fn verify_log() -> Result<VerifyReport, AppError> {
    call(|backend, actor| async move { backend.audit.verify(&actor).await }).await
}
