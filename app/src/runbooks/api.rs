//! The server functions of the runbook pages. Thin: they read texts and ask the services.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::{catalogue_url::read_owner, history_url::read_status};
#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
#[cfg(feature = "ssr")]
use crate::commands::{Period, read_count, selection};
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::runbooks::StartFields;
#[cfg(feature = "ssr")]
use crate::url::keep;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::fleet::ResolvedTargets;
use muster_domain::ids::ExecutionId;
use muster_domain::paging::Page;
use muster_domain::runbooks::{
    ExecutionDetail, ExecutionSummary, RunbookDetail, RunbookPage, StartRunbook, VersionDiff,
};
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    paging::Cursor,
    runbooks::{ExecutionQuery, RetryExecution, RunbookQuery, SendSignal, Signal, StopExecution, StopKind},
    time::Clock as _,
};
use std::collections::BTreeMap;

#[cfg(feature = "ssr")]
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// Runbooks, by name.
#[server(prefix = "/api", endpoint = "runbooks/list", output = Json)]
pub(crate) async fn list_runbooks(
    #[server(default)] text: Option<String>,
    #[server(default)] owner: Option<String>,
    #[server(default)] category: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<RunbookPage, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let owner = keep(read_owner(owner.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let query = RunbookQuery {
            text: text.unwrap_or_default(),
            owner,
            category: given(category),
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.runbooks.list(&actor, query).await
    })
    .await
}

/// One runbook, in one of its versions.
#[server(prefix = "/api", endpoint = "runbooks/get", output = Json)]
pub(crate) async fn get_runbook(
    name: String,
    #[server(default)] version: Option<String>,
) -> Result<RunbookDetail, AppError> {
    call(|backend, actor| async move { backend.runbooks.get(&actor, name, given(version)).await }).await
}

/// What one version says against what another says.
#[server(prefix = "/api", endpoint = "runbooks/diff", output = Json)]
pub(crate) async fn diff_versions(name: String, old: String, new: String) -> Result<VersionDiff, AppError> {
    call(|backend, actor| async move { backend.runbooks.diff(&actor, name, old, new).await }).await
}

/// What a choice of nodes comes to for a runbook.
#[server(prefix = "/api", endpoint = "runbooks/resolve", output = Json)]
pub(crate) async fn resolve_for(
    name: String,
    #[server(default)] version: Option<String>,
    #[server(default)] nodes: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] all: Option<bool>,
) -> Result<ResolvedTargets, AppError> {
    call(|backend, actor| async move {
        let selection = {
            let (nodes, filter) = (nodes.as_deref(), filter.as_deref());
            selection(&backend, &actor, nodes, filter, all.unwrap_or(false)).await?
        };
        backend
            .runbooks
            .resolve(&actor, name, given(version), selection)
            .await
    })
    .await
}

/// Starts a runbook and goes to the page of the execution.
#[server(name = StartRunbookFn, prefix = "/api", endpoint = "runbooks/start")]
pub(crate) async fn start_runbook(
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
) -> Result<ExecutionId, AppError> {
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
    let id = call(|backend, actor| async move {
        let input = form.read(&backend, &actor).await?;
        backend.runbooks.start(&actor, input).await
    })
    .await?;
    redirect_to(&format!("/executions/{id}"));
    Ok(id)
}

/// What would start an execution again.
#[server(prefix = "/api", endpoint = "runbooks/again", output = Json)]
pub(crate) async fn start_again(execution_id: String) -> Result<StartRunbook, AppError> {
    call(|backend, actor| async move { backend.runbooks.again(&actor, execution_id.as_str().into()).await })
        .await
}

/// Asks for an execution to be stopped. `kind` is `cancel` or `complete`.
#[server(name = StopExecutionFn, prefix = "/api", endpoint = "runbooks/stop", output = Json)]
pub(crate) async fn stop_execution(execution_id: String, kind: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let kind = StopKind::parse(&kind)
            .ok_or_else(|| PortalError::invalid("kind", "It is stopped by cancel or complete."))?;
        let input = StopExecution {
            execution: execution_id.as_str().into(),
            kind,
        };
        backend.runbooks.stop(&actor, input).await
    })
    .await
}

/// Does an execution that has ended badly again, from a step on.
#[server(name = RetryExecutionFn, prefix = "/api", endpoint = "runbooks/retry", output = Json)]
pub(crate) async fn retry_execution(
    execution_id: String,
    step: String,
    #[server(default)] confirmed_nodes: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = RetryExecution {
            execution: execution_id.as_str().into(),
            step,
            confirmed_nodes: read_count(confirmed_nodes.as_deref().unwrap_or_default())?,
        };
        backend.runbooks.retry(&actor, input).await
    })
    .await
}

/// Tells a step that waits: `approve`, `reject` or `resume`.
#[server(name = SendSignalFn, prefix = "/api", endpoint = "runbooks/signal", output = Json)]
pub(crate) async fn send_signal(
    execution_id: String,
    step: String,
    signal: String,
    #[server(default)] comment: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let signal = Signal::parse(&signal)
            .ok_or_else(|| PortalError::invalid("signal", "A step is told approve, reject or resume."))?;
        let input = SendSignal {
            execution: execution_id.as_str().into(),
            signal,
            comment: comment.unwrap_or_default().trim().to_owned(),
            step,
        };
        backend.runbooks.signal(&actor, input).await
    })
    .await
}

/// Executions, newest first. `period` is `24h`, `7d`, `30d` or `all`; 7 days when empty.
#[server(prefix = "/api", endpoint = "runbooks/executions", output = Json)]
pub(crate) async fn list_executions(
    #[server(default)] status: Option<String>,
    #[server(default)] document: Option<String>,
    #[server(default)] text: Option<String>,
    #[server(default)] node: Option<String>,
    #[server(default)] period: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<ExecutionSummary>, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let period = Period::read(period.as_deref().unwrap_or_default());
        let days = keep(period, &mut problems).days();
        let status = keep(read_status(status.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let now = muster_domain::system::SystemClock.now();
        let query = ExecutionQuery {
            status,
            document: document.unwrap_or_default(),
            text: text.unwrap_or_default(),
            node_id: given(node).map(|id| id.as_str().into()),
            since: days.map(|days| now.plus_ms(-days * 86_400_000)),
            cursor: given(cursor).map(Cursor),
            limit: None,
        };
        backend.runbooks.executions(&actor, query).await
    })
    .await
}

/// One execution.
#[server(prefix = "/api", endpoint = "runbooks/execution", output = Json)]
pub(crate) async fn get_execution(execution_id: String) -> Result<ExecutionDetail, AppError> {
    call(|backend, actor| async move {
        backend
            .runbooks
            .execution(&actor, execution_id.as_str().into())
            .await
    })
    .await
}
