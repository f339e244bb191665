//! The server functions of delegations: who stands in for whom, handing one's own part over, and ending that.

#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::approvals::DelegationView;
use muster_domain::ids::DelegationId;
#[cfg(feature = "ssr")]
use muster_domain::{PortalError, Timestamp, approvals::HandOver};

/// Who stands in for whom.
#[server(prefix = "/api", endpoint = "approvals/delegations", output = Json)]
pub(crate) async fn get_delegations() -> Result<Vec<DelegationView>, AppError> {
    call(|backend, actor| async move { backend.approvals.delegations(&actor).await }).await
}

/// Hands one's own part over. `until` is a time in UTC.
#[server(name = HandOverPart, prefix = "/api", endpoint = "approvals/hand_over", output = Json)]
pub(crate) async fn hand_over_part(
    #[server(default)] to: Option<String>,
    #[server(default)] until: Option<String>,
    #[server(default)] reason: Option<String>,
) -> Result<DelegationId, AppError> {
    call(|backend, actor| async move {
        let until = until.unwrap_or_default();
        let until = Timestamp::parse(until.trim()).ok_or_else(|| {
            PortalError::invalid(
                "until",
                format!("“{until}” is no time: write 2026-11-23T09:41 (UTC)."),
            )
        })?;
        let input = HandOver {
            to: to.unwrap_or_default().trim().to_owned(),
            until,
            reason: reason.unwrap_or_default().trim().to_owned(),
        };
        backend.approvals.hand_over(&actor, input).await
    })
    .await
}

/// Ends a delegation early.
#[server(name = EndDelegation, prefix = "/api", endpoint = "approvals/end_delegation", output = Json)]
pub(crate) async fn end_delegation(delegation_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .approvals
            .end_delegation(&actor, delegation_id.as_str().into())
            .await
    })
    .await
}
