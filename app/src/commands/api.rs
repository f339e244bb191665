//! The server functions of the Run Command pages. Thin: they read texts and ask the services.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::history_url::read_status;
#[cfg(feature = "ssr")]
use super::run_input::{RunFields, selection};
#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::url::keep;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::commands::{
    CommandDetail, CommandSummary, Comparison, DocumentDetail, DocumentSummary, Glance, InvocationView,
    OutputGroup, OutputPiece, RunCommand,
};
use muster_domain::fleet::ResolvedTargets;
use muster_domain::ids::CommandId;
use muster_domain::paging::Page;
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    commands::{CommandQuery, InvocationQuery, OutputRange, OutputStream},
    paging::Cursor,
    time::Clock as _,
};
use std::collections::BTreeMap;

#[cfg(feature = "ssr")]
fn read_stream(text: &str) -> Result<OutputStream, PortalError> {
    OutputStream::parse(text).ok_or_else(|| PortalError::invalid("stream", "Use stdout or stderr."))
}

/// Documents that can be run.
#[server(prefix = "/api", endpoint = "commands/documents", output = Json)]
pub(crate) async fn list_documents() -> Result<Vec<DocumentSummary>, AppError> {
    call(|backend, actor| async move { backend.commands.documents(&actor).await }).await
}

/// One document with its parameters.
#[server(prefix = "/api", endpoint = "commands/document", output = Json)]
pub(crate) async fn get_document(name: String) -> Result<DocumentDetail, AppError> {
    call(|backend, actor| async move { backend.commands.document(&actor, name).await }).await
}

/// What a selection comes to now.
#[server(prefix = "/api", endpoint = "commands/resolve", output = Json)]
pub(crate) async fn resolve_targets(
    #[server(default)] nodes: Option<String>,
    #[server(default)] filter: Option<String>,
    #[server(default)] all: Option<bool>,
) -> Result<ResolvedTargets, AppError> {
    call(|backend, actor| async move {
        let selection = {
            let (nodes, filter) = (nodes.as_deref(), filter.as_deref());
            selection(&backend, &actor, nodes, filter, all.unwrap_or(false)).await?
        };
        backend.fleet.resolve(&actor, selection).await
    })
    .await
}

/// Runs a document and goes to the page of the command.
#[server(name = RunCommandFn, prefix = "/api", endpoint = "commands/run")]
pub(crate) async fn run_command(
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
) -> Result<CommandId, AppError> {
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
    let id = call(|backend, actor| async move {
        let input = form.read(&backend, &actor).await?;
        backend.commands.run(&actor, input).await
    })
    .await?;
    redirect_to(&format!("/commands/{id}"));
    Ok(id)
}

/// What would run a command again.
#[server(prefix = "/api", endpoint = "commands/again", output = Json)]
pub(crate) async fn run_again(
    command_id: String,
    #[server(default)] only_failed: Option<bool>,
) -> Result<RunCommand, AppError> {
    call(|backend, actor| async move {
        backend
            .commands
            .again(&actor, command_id.as_str().into(), only_failed.unwrap_or(false))
            .await
    })
    .await
}

/// Asks for a command to be stopped.
#[server(prefix = "/api", endpoint = "commands/cancel", output = Json)]
pub(crate) async fn cancel_command(command_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.commands.cancel(&actor, command_id.as_str().into()).await })
        .await
}

/// Commands, newest first. `period` is `24h`, `7d`, `30d` or `all`; 7 days when empty.
#[server(prefix = "/api", endpoint = "commands/list", output = Json)]
pub(crate) async fn list_commands(
    #[server(default)] status: Option<String>,
    #[server(default)] document: Option<String>,
    #[server(default)] text: Option<String>,
    #[server(default)] node: Option<String>,
    #[server(default)] period: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<CommandSummary>, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let period = super::history_url::Period::read(period.as_deref().unwrap_or_default());
        let days = keep(period, &mut problems).days();
        let status = keep(read_status(status.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let now = muster_domain::system::SystemClock.now();
        let query = CommandQuery {
            status,
            document: document.unwrap_or_default(),
            text: text.unwrap_or_default(),
            node_id: node.filter(|id| !id.is_empty()).map(|id| id.as_str().into()),
            since: days.map(|days| now.plus_ms(-days * 86_400_000)),
            cursor: cursor.filter(|text| !text.is_empty()).map(Cursor),
            limit: None,
        };
        backend.commands.list(&actor, query).await
    })
    .await
}

/// One command.
#[server(prefix = "/api", endpoint = "commands/get", output = Json)]
pub(crate) async fn get_command(command_id: String) -> Result<CommandDetail, AppError> {
    call(|backend, actor| async move { backend.commands.get(&actor, command_id.as_str().into()).await }).await
}

/// The nodes of a command that need a look first.
#[server(prefix = "/api", endpoint = "commands/glance", output = Json)]
pub(crate) async fn get_glance(command_id: String) -> Result<Glance, AppError> {
    call(|backend, actor| async move { backend.commands.glance(&actor, command_id.as_str().into()).await })
        .await
}

/// The nodes of a command, failures first.
#[server(prefix = "/api", endpoint = "commands/invocations", output = Json)]
pub(crate) async fn list_invocations(
    command_id: String,
    #[server(default)] status: Option<String>,
    #[server(default)] text: Option<String>,
    #[server(default)] output_hash: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<InvocationView>, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let status = keep(read_status(status.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let query = InvocationQuery {
            status,
            text: text.unwrap_or_default(),
            output_hash: output_hash.filter(|hash| !hash.is_empty()),
            cursor: cursor.filter(|text| !text.is_empty()).map(Cursor),
            limit: None,
        };
        backend
            .commands
            .invocations(&actor, command_id.as_str().into(), query)
            .await
    })
    .await
}

/// A piece of a node's output from `offset` on; a negative one counts from the end. `before` asks for what
/// ends there instead.
#[server(prefix = "/api", endpoint = "commands/output", output = Json)]
pub(crate) async fn get_output(
    command_id: String,
    node_id: String,
    stream: String,
    offset: i64,
    #[server(default)] before: Option<i64>,
) -> Result<OutputPiece, AppError> {
    call(|backend, actor| async move {
        let stream = read_stream(&stream)?;
        let range = match before {
            Some(end) => OutputRange::Before(end),
            None if offset < 0 => OutputRange::Last(offset.saturating_neg()),
            None => OutputRange::From(offset),
        };
        backend
            .commands
            .output(
                &actor,
                command_id.as_str().into(),
                node_id.as_str().into(),
                stream,
                range,
            )
            .await
    })
    .await
}

/// Nodes that ended alike and wrote the same, together.
#[server(prefix = "/api", endpoint = "commands/output_groups", output = Json)]
pub(crate) async fn list_output_groups(command_id: String) -> Result<Vec<OutputGroup>, AppError> {
    call(|backend, actor| async move {
        backend
            .commands
            .output_groups(&actor, command_id.as_str().into())
            .await
    })
    .await
}

/// What one node wrote against what another wrote.
#[server(prefix = "/api", endpoint = "commands/compare", output = Json)]
pub(crate) async fn compare_output(
    command_id: String,
    old: String,
    new: String,
    stream: String,
) -> Result<Comparison, AppError> {
    call(|backend, actor| async move {
        let stream = read_stream(&stream)?;
        backend
            .commands
            .compare(
                &actor,
                command_id.as_str().into(),
                old.as_str().into(),
                new.as_str().into(),
                stream,
            )
            .await
    })
    .await
}
