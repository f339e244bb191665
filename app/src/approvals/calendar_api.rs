//! The server function of the calendar.

#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::approvals::CalendarPage;
#[cfg(feature = "ssr")]
use muster_domain::{PortalError, approvals::Month};

/// What is to come: in a month (`2026-11`), or in the coming four weeks.
#[server(prefix = "/api", endpoint = "approvals/calendar", output = Json)]
pub(crate) async fn get_calendar(#[server(default)] month: Option<String>) -> Result<CalendarPage, AppError> {
    call(|backend, actor| async move {
        let month = match month.as_deref().unwrap_or_default().trim() {
            "" => None,
            text => Some(Month::parse(text).ok_or_else(|| {
                PortalError::invalid("month", format!("“{text}” is no month: write it like 2026-11."))
            })?),
        };
        backend.calendar.calendar(&actor, month).await
    })
    .await
}
