//! The server functions of the policies.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::approvals::{Meeting, PoliciesView};
#[cfg(feature = "ssr")]
use muster_domain::{PortalError, Timestamp, approvals::Hypothetical};

/// The policies that hold.
#[server(prefix = "/api", endpoint = "approvals/policies", output = Json)]
pub(crate) async fn get_policies() -> Result<PoliciesView, AppError> {
    call(|backend, actor| async move { backend.approvals.policies(&actor).await }).await
}

/// Replaces the policies; `was` is the SHA-256 of the text that the new one was written against.
#[server(name = ChangePolicies, prefix = "/api", endpoint = "approvals/change_policies", output = Json)]
pub(crate) async fn change_policies(text: String, was: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        // Browsers send line breaks as CR LF.
        backend
            .approvals
            .change_policies(&actor, text.replace("\r\n", "\n"), was)
            .await
    })
    .await?;
    redirect_to("/approvals/policies?saved=1");
    Ok(())
}

/// What a hypothetical act would meet.
#[server(name = TestPolicies, prefix = "/api", endpoint = "approvals/test_policies", output = Json)]
pub(crate) async fn test_policies(
    #[server(default)] requester: Option<String>,
    #[server(default)] act: Option<String>,
    #[server(default)] document: Option<String>,
    #[server(default)] os_user: Option<String>,
    #[server(default)] parameter: Option<String>,
    #[server(default)] maintenance_window: Option<String>,
    #[server(default)] application: Option<String>,
    #[server(default)] environment: Option<String>,
    #[server(default)] nodes: Option<String>,
    #[server(default)] tags: Option<String>,
    #[server(default)] at: Option<String>,
    #[server(default)] text: Option<String>,
) -> Result<Meeting, AppError> {
    call(|backend, actor| async move {
        let given = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
        let at = match given(at).as_str() {
            "" => None,
            text => Some(Timestamp::parse(text).ok_or_else(|| {
                PortalError::invalid(
                    "at",
                    format!("“{text}” is no time: write 2026-11-23T09:41 (UTC)."),
                )
            })?),
        };
        let nodes = match given(nodes).as_str() {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| PortalError::invalid("nodes", "Write 0 to 10,000."))?,
        };
        let act = Hypothetical {
            requester: given(requester),
            act: given(act),
            document: given(document),
            os_user: given(os_user),
            parameter: given(parameter),
            maintenance_window: given(maintenance_window),
            application: given(application),
            environment: given(environment),
            nodes,
            tags: given(tags),
            at,
            text: text.unwrap_or_default().replace("\r\n", "\n"),
        };
        backend.approvals.test_policies(&actor, act).await
    })
    .await
}
