//! The server functions of maintenance windows. One changes a window, whatever is changed of it, and one asks for that to be
//! approved: all forms send the fields that they have.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the forms")]

#[cfg(feature = "ssr")]
use super::change_input::ChangeFields;
#[cfg(feature = "ssr")]
use super::url::{read_enabled, read_standing, saved_path};
use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    approvals::{AskFields, to_request},
    backend::{call, redirect_to},
    url::keep,
};
use leptos::prelude::*;
use muster_domain::ids::{RequestId, WindowId};
use muster_domain::windows::{WindowDetail, WindowPage};
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError, approvals::ProposedAct, paging::Cursor, runbooks::LocalTime, windows::WindowQuery,
};
use std::collections::BTreeMap;

#[cfg(feature = "ssr")]
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// Windows, by name.
#[server(prefix = "/api", endpoint = "windows/list", output = Json)]
pub(crate) async fn list_windows(
    #[server(default)] text: Option<String>,
    #[server(default)] enabled: Option<String>,
    #[server(default)] last: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<WindowPage, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let enabled = keep(
            read_enabled(enabled.as_deref().unwrap_or_default()),
            &mut problems,
        );
        let standing = keep(read_standing(last.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let query = WindowQuery {
            text: given(text).unwrap_or_default(),
            enabled,
            standing,
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.windows.list(&actor, query).await
    })
    .await
}

/// One window.
#[server(prefix = "/api", endpoint = "windows/get", output = Json)]
pub(crate) async fn get_window(
    window_id: String,
    #[server(default)] execution: Option<String>,
) -> Result<WindowDetail, AppError> {
    call(|backend, actor| async move {
        backend
            .windows
            .get(&actor, window_id.as_str().into(), given(execution))
            .await
    })
    .await
}

/// Openings in words: in the window's time zone, and in UTC.
#[cfg(feature = "ssr")]
fn in_words(next: &[LocalTime]) -> String {
    let one = |at: &LocalTime| {
        if at.local.ends_with(" UTC") {
            at.local.clone()
        } else {
            format!("{} ({})", at.local, at.at.readable())
        }
    };
    match next {
        [] => "It would never open.".to_owned(),
        next => format!(
            "It would open {}. Nothing is saved yet.",
            next.iter().map(one).collect::<Vec<_>>().join("; ")
        ),
    }
}

/// Changes a window, and goes to its page. With `preview`, it is only said when it would open: as a refusal, so that without
/// script the form comes back with what was typed.
#[server(name = ChangeFn, prefix = "/api", endpoint = "windows/change", output = Json)]
pub(crate) async fn change_window(
    what: String,
    #[server(default)] window_id: Option<String>,
    #[server(default)] seen: Option<String>,
    #[server(default)] confirmation: Option<String>,
    #[server(default)] id: Option<String>,
    #[server(default)] name: Option<String>,
    #[server(default)] description: Option<String>,
    #[server(default)] enabled: Option<String>,
    #[server(default)] schedule: Option<String>,
    #[server(default)] time_zone: Option<String>,
    #[server(default)] offset_days: Option<String>,
    #[server(default)] starts: Option<String>,
    #[server(default)] ends: Option<String>,
    #[server(default)] duration_hours: Option<String>,
    #[server(default)] cutoff_hours: Option<String>,
    #[server(default)] allow_unassociated: Option<String>,
    #[server(default)] target_name: Option<String>,
    #[server(default)] target_nodes: Option<String>,
    #[server(default)] target_tags: Option<String>,
    #[server(default)] owner: Option<String>,
    #[server(default)] task_name: Option<String>,
    #[server(default)] kind: Option<String>,
    #[server(default)] document: Option<String>,
    #[server(default)] document_version: Option<String>,
    #[server(default)] parameters: BTreeMap<String, String>,
    #[server(default)] task_target: Option<String>,
    #[server(default)] task_nodes: Option<String>,
    #[server(default)] priority: Option<String>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
    #[server(default)] timeout_seconds: Option<String>,
    #[server(default)] comment: Option<String>,
    #[server(default)] preview: Option<String>,
) -> Result<WindowId, AppError> {
    let fields = ChangeFields {
        what,
        window_id,
        seen,
        confirmation,
        id,
        name,
        description,
        enabled,
        schedule,
        time_zone,
        offset_days,
        starts,
        ends,
        duration_hours,
        cutoff_hours,
        allow_unassociated,
        target_name,
        target_nodes,
        target_tags,
        owner,
        task_name,
        kind,
        document,
        document_version,
        parameters,
        task_target,
        task_nodes,
        priority,
        max_concurrency,
        max_errors,
        timeout_seconds,
        comment,
    };
    let what = fields.what.clone();
    let id = call(|backend, actor| async move {
        if given(preview).is_some() {
            let next = backend.windows.preview(&actor, fields.settings()?).await?;
            return Err(PortalError::invalid("next_runs", in_words(&next)));
        }
        let input = fields.read(&backend, &actor).await?;
        backend.windows.change(&actor, input).await
    })
    .await?;
    redirect_to(&saved_path(&what, id.as_str()));
    Ok(id)
}

/// Asks for a change of a window to be approved.
#[server(name = AskWindow, prefix = "/api", endpoint = "windows/ask", output = Json)]
pub(crate) async fn ask_window(
    what: String,
    #[server(default)] window_id: Option<String>,
    #[server(default)] seen: Option<String>,
    #[server(default)] confirmation: Option<String>,
    #[server(default)] id: Option<String>,
    #[server(default)] name: Option<String>,
    #[server(default)] description: Option<String>,
    #[server(default)] enabled: Option<String>,
    #[server(default)] schedule: Option<String>,
    #[server(default)] time_zone: Option<String>,
    #[server(default)] offset_days: Option<String>,
    #[server(default)] starts: Option<String>,
    #[server(default)] ends: Option<String>,
    #[server(default)] duration_hours: Option<String>,
    #[server(default)] cutoff_hours: Option<String>,
    #[server(default)] allow_unassociated: Option<String>,
    #[server(default)] target_name: Option<String>,
    #[server(default)] target_nodes: Option<String>,
    #[server(default)] target_tags: Option<String>,
    #[server(default)] owner: Option<String>,
    #[server(default)] task_name: Option<String>,
    #[server(default)] kind: Option<String>,
    #[server(default)] document: Option<String>,
    #[server(default)] document_version: Option<String>,
    #[server(default)] parameters: BTreeMap<String, String>,
    #[server(default)] task_target: Option<String>,
    #[server(default)] task_nodes: Option<String>,
    #[server(default)] priority: Option<String>,
    #[server(default)] max_concurrency: Option<String>,
    #[server(default)] max_errors: Option<String>,
    #[server(default)] timeout_seconds: Option<String>,
    #[server(default)] comment: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let fields = ChangeFields {
        what,
        window_id,
        seen,
        confirmation,
        id,
        name,
        description,
        enabled,
        schedule,
        time_zone,
        offset_days,
        starts,
        ends,
        duration_hours,
        cutoff_hours,
        allow_unassociated,
        target_name,
        target_nodes,
        target_tags,
        owner,
        task_name,
        kind,
        document,
        document_version,
        parameters,
        task_target,
        task_nodes,
        priority,
        max_concurrency,
        max_errors,
        timeout_seconds,
        comment,
    };
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let change = fields.read(&backend, &actor).await?;
        let ask = asking.of(ProposedAct::Window {
            change: Box::new(change),
        })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}
