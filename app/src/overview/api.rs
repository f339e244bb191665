//! The server functions of the Overview.

#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::overview::OverviewView;

/// Everything that the page shows, in one answer.
#[server(prefix = "/api", endpoint = "overview/get", output = Json)]
pub(crate) async fn get_overview() -> Result<OverviewView, AppError> {
    call(|backend, actor| async move { backend.overview.get(&actor).await }).await
}
