//! The server functions that ask for approval: for the act of a form that was refused because policies are about it, with
//! all of its fields, and for a role. Each leads to the page of the request.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    backend::{call, redirect_to},
    commands::RunFields,
    runbooks::StartFields,
    sessions::StartFields as TerminalFields,
};
use leptos::prelude::*;
use muster_domain::ids::RequestId;
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError, Timestamp,
    approvals::{Ask, ProposedAct},
    permission::Role,
};
use std::collections::BTreeMap;

/// The fields with which the panel asks, as they were sent.
#[cfg(feature = "ssr")]
pub(crate) struct AskFields {
    pub(crate) why: Option<String>,
    pub(crate) ticket: Option<String>,
    pub(crate) not_before: Option<String>,
    pub(crate) glass: Option<String>,
    pub(crate) understood: Option<String>,
}

#[cfg(feature = "ssr")]
impl AskFields {
    /// Asks for `act`. Nothing is done unapproved unless that was said twice.
    pub(crate) fn of(self, act: ProposedAct) -> Result<Ask, PortalError> {
        let given = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
        let not_before = match given(self.not_before).as_str() {
            "" => None,
            text => Some(Timestamp::parse(text).ok_or_else(|| {
                PortalError::invalid(
                    "not_before",
                    format!("“{text}” is no time: write 2026-11-23T09:41 (UTC)."),
                )
            })?),
        };
        let break_glass = self.glass.is_some_and(|word| !word.is_empty());
        if break_glass && self.understood.is_none() {
            return Err(PortalError::invalid(
                "understood",
                "Tick the box: everybody who is passed over is told, and it is reviewed.",
            ));
        }
        Ok(Ask {
            act,
            // Browsers send line breaks as CR LF.
            reason: given(self.why).replace("\r\n", "\n"),
            ticket: given(self.ticket),
            not_before,
            break_glass,
        })
    }
}

/// Reads a number of minutes; the service says what is too little or too much.
#[cfg(feature = "ssr")]
fn read_minutes(text: Option<String>) -> Result<u32, PortalError> {
    text.unwrap_or_default()
        .trim()
        .parse()
        .map_err(|_| PortalError::invalid("minutes", "Write a whole number of minutes, such as 60."))
}

#[cfg(feature = "ssr")]
pub(crate) fn to_request(id: &RequestId) {
    redirect_to(&format!("/approvals/{id}"));
}

/// Asks for a command to be approved.
#[server(name = AskCommand, prefix = "/api", endpoint = "approvals/ask_command", output = Json)]
pub(crate) async fn ask_command(
    document: String,
    #[server(default)] parameters: BTreeMap<String, String>,
    #[server(default)] nodes: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] all: Option<bool>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
    #[server(default)] timeout_seconds: Option<String>,
    #[server(default)] comment: Option<String>,
    #[server(default)] confirmed_nodes: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let form = RunFields {
        document,
        parameters,
        nodes,
        filter,
        all,
        max_concurrency,
        max_errors,
        timeout_seconds,
        comment,
        confirmed_nodes,
    };
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let command = form.read(&backend, &actor).await?;
        let ask = asking.of(ProposedAct::Command { command })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a runbook to be approved. Without a reason of its own, that of the runbook holds.
#[server(name = AskRunbook, prefix = "/api", endpoint = "approvals/ask_runbook", output = Json)]
pub(crate) async fn ask_runbook(
    document: String,
    #[server(default)] version: Option<String>,
    #[server(default)] parameters: BTreeMap<String, String>,
    #[server(default)] nodes: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] all: Option<bool>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] confirmed_nodes: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let why = why
        .filter(|text| !text.trim().is_empty())
        .or_else(|| reason.clone());
    let form = StartFields {
        document,
        version,
        parameters,
        nodes,
        filter,
        all,
        max_concurrency,
        max_errors,
        reason,
        confirmed_nodes,
    };
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let runbook = form.read(&backend, &actor).await?;
        let ask = asking.of(ProposedAct::Runbook { runbook })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a terminal to be approved. Without a reason of its own, that of the terminal holds.
#[server(name = AskTerminal, prefix = "/api", endpoint = "approvals/ask_terminal", output = Json)]
pub(crate) async fn ask_terminal(
    node_id: String,
    #[server(default)] document: Option<String>,
    #[server(default)] os_user: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] minutes: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let why = why
        .filter(|text| !text.trim().is_empty())
        .or_else(|| reason.clone());
    let form = TerminalFields {
        node_id,
        document,
        os_user,
        reason,
        cols: None,
        rows: None,
        request: None,
    };
    let asking = AskFields {
        why,
        ticket,
        not_before: None,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        // Opened by hand, so it has no time of its own.
        let act = ProposedAct::Terminal {
            session: form.read()?,
            minutes: read_minutes(minutes)?,
        };
        backend.approvals.ask(&actor, asking.of(act)?).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a role for a time.
#[server(name = AskRole, prefix = "/api", endpoint = "approvals/ask_role", output = Json)]
pub(crate) async fn ask_role(
    role: String,
    #[server(default)] scope: Option<String>,
    #[server(default)] minutes: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
) -> Result<RequestId, AppError> {
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass: None,
        understood: None,
    };
    let id = call(|backend, actor| async move {
        let role = Role::parse(role.trim()).ok_or_else(|| PortalError::invalid("role", "Choose a role."))?;
        let act = ProposedAct::Role {
            role,
            scope: scope.unwrap_or_default().trim().to_owned(),
            minutes: read_minutes(minutes)?,
        };
        backend.approvals.ask(&actor, asking.of(act)?).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for the policies to be replaced.
#[server(name = AskPolicies, prefix = "/api", endpoint = "approvals/ask_policies", output = Json)]
pub(crate) async fn ask_policies(
    text: String,
    was: String,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let text = text.replace("\r\n", "\n");
        let ask = asking.of(ProposedAct::Policies { text, was })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}
