//! Run Command: documents, running them on nodes, and watching what comes back.

mod confirm;
mod document;
mod glance;
mod output;
mod status;
mod words;

pub use confirm::{MANY_NODES, check_confirmed, is_production};
pub use document::{
    DocumentDetail, DocumentParameter, DocumentSummary, EXECUTION_TIMEOUT, LONGEST_EXECUTION, ParameterType,
};
pub use glance::{FailedNode, Glance, UnfinishedNode};
pub use output::{Comparison, DiffKind, DiffLine, OutputGroup, OutputPiece, OutputRange, OutputStream};
pub use status::{CommandStatus, details_label};
pub use words::script_line;

use crate::actor::Actor;
use crate::error::{FieldError, PortalError};
use crate::fleet::NodeSelection;
use crate::ids::{CommandId, NodeId};
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Input: run a document on nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCommand {
    /// Which document.
    pub document: String,
    /// Its parameters; each a list, as Systems Manager wants it.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// On which nodes.
    pub selection: NodeSelection,
    /// At most so many at once: a number or a percentage, `50` or `10%`.
    pub max_concurrency: String,
    /// Stop after so many errors: a number or a percentage, `0` or `10%`.
    pub max_errors: String,
    /// Give up delivering to a node after so many seconds.
    pub timeout_seconds: u32,
    /// What it is for; up to 100 characters.
    pub comment: String,
    /// The number of nodes that the person was shown and confirmed, where that was asked (see [`check_confirmed`]).
    #[serde(default)]
    pub confirmed_nodes: Option<u64>,
}

/// Reads `50` or `10%`: the number, and whether it is a percentage.
#[must_use]
pub fn parse_rate(text: &str) -> Option<(u32, bool)> {
    let text = text.trim();
    match text.strip_suffix('%') {
        Some(number) => number.trim().parse().ok().map(|n| (n, true)),
        None => text.parse().ok().map(|n| (n, false)),
    }
}

impl RunCommand {
    /// Checks all that can be checked without knowing the document or the nodes.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.document.trim().is_empty() {
            fields.push(FieldError::new("document", "Choose a document."));
        }
        match parse_rate(&self.max_concurrency) {
            Some((1.., false)) | Some((1..=100, true)) => {}
            _ => fields.push(FieldError::new(
                "max_concurrency",
                "Write a number from 1, or a percentage from 1% to 100%.",
            )),
        }
        match parse_rate(&self.max_errors) {
            Some((_, false)) | Some((0..=100, true)) => {}
            _ => fields.push(FieldError::new(
                "max_errors",
                "Write a number from 0, or a percentage from 0% to 100%.",
            )),
        }
        if !(30..=2_592_000).contains(&self.timeout_seconds) {
            fields.push(FieldError::new(
                "timeout_seconds",
                "Write 30 to 2,592,000 seconds.",
            ));
        }
        if self.comment.chars().count() > 100 {
            fields.push(FieldError::new("comment", "Use at most 100 characters."));
        }
        match &self.selection {
            NodeSelection::Nothing => fields.push(FieldError::new("targets", "Choose at least one node.")),
            NodeSelection::Nodes { nodes } if nodes.is_empty() => {
                fields.push(FieldError::new("targets", "Choose at least one node."));
            }
            _ => {}
        }
        PortalError::from_fields(fields)
    }
}

/// A command, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSummary {
    /// Which.
    pub command_id: CommandId,
    /// The document it runs.
    pub document: String,
    /// What it is for.
    pub comment: String,
    /// The first line of its script that says something; empty when it runs none. Events of earlier versions lack it.
    #[serde(default)]
    pub script_line: String,
    /// Who started it: a user of the portal, or `outside Muster`.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// When the last node was done.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub status: CommandStatus,
    /// More precisely, in Systems Manager's words.
    pub status_details: String,
    /// Nodes.
    pub targets: u32,
    /// Nodes that are done, well or not.
    pub completed: u32,
    /// Nodes that failed or timed out while running.
    pub errors: u32,
    /// When the portal last copied it from Systems Manager.
    pub synced_at: Timestamp,
}

/// A command, in full: what was asked for is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandDetail {
    /// The row.
    pub summary: CommandSummary,
    /// The document's version.
    pub document_version: String,
    /// The parameters.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// How the nodes were named.
    pub selection: NodeSelection,
    /// At most so many at once.
    pub max_concurrency: String,
    /// Stop after so many errors.
    pub max_errors: String,
    /// Delivery time-out in seconds.
    pub timeout_seconds: u32,
    /// Systems Manager's ids: one, or several when the selection needed several calls.
    pub ssm_command_ids: Vec<String>,
    /// Invocations by status.
    pub by_status: Vec<(CommandStatus, u32)>,
    /// The cursor from which the live stream continues this snapshot.
    pub event_cursor: i64,
    /// Why the portal could not send it, when it could not.
    pub problem: String,
    /// Whether the actor may run it again.
    pub may_run: bool,
    /// Whether the actor may cancel it now.
    pub may_cancel: bool,
    /// How long such a command usually takes, in ms (median of the last ten that succeeded).
    pub usual_duration_ms: Option<i64>,
    /// Characters of output beyond which nothing is kept; none where all is kept.
    pub output_limit: Option<u32>,
}

/// One node's part of a command, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationView {
    /// Which node.
    pub node_id: NodeId,
    /// Its name.
    pub node_name: String,
    /// How it stands.
    pub status: CommandStatus,
    /// More precisely.
    pub status_details: String,
    /// The exit code, once it ended; -1 before.
    pub response_code: i32,
    /// When the node began.
    pub started_at: Option<Timestamp>,
    /// When the node ended.
    pub ended_at: Option<Timestamp>,
    /// Bytes of standard output kept.
    pub stdout_bytes: i64,
    /// Bytes of standard error kept.
    pub stderr_bytes: i64,
    /// SHA-256 of the output so far, to group equal ones; empty when there is none.
    pub output_hash: String,
}

/// Which invocations to list: failures first, then by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationQuery {
    /// Only these.
    pub status: Option<CommandStatus>,
    /// Name or id contains.
    pub text: String,
    /// Only those that wrote exactly this (see [`InvocationView::output_hash`]).
    pub output_hash: Option<String>,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// Something that happened to a command, in order. `sequence` is the stream's cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEvent {
    /// Grows by one within a command.
    pub sequence: i64,
    /// When the portal took note of it; not known of events that an earlier version wrote.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// What.
    pub change: CommandChange,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CommandChange {
    /// The command as a whole stands differently.
    Command {
        /// As it is now.
        summary: CommandSummary,
    },
    /// A node's part stands differently.
    Invocation {
        /// As it is now.
        invocation: InvocationView,
    },
    /// A node wrote something.
    Output {
        /// Which node.
        node_id: NodeId,
        /// Its name, as far as it is known by then.
        #[serde(default)]
        node_name: String,
        /// What.
        piece: OutputPiece,
    },
}

/// Which commands to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandQuery {
    /// Only this status.
    pub status: Option<CommandStatus>,
    /// Document name contains.
    pub document: String,
    /// Comment, id or requester contains.
    pub text: String,
    /// Only those that touched this node.
    pub node_id: Option<NodeId>,
    /// Not before. Pages ask for the last 7 days unless told otherwise.
    pub since: Option<Timestamp>,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// What can be done with commands. Every call passes the door; nodes outside the actor's
/// scope are not shown and not acted on.
#[async_trait]
pub trait Commands: Send + Sync {
    /// Documents that can be run on nodes, by name.
    async fn documents(&self, actor: &Actor) -> Result<Vec<DocumentSummary>, PortalError>;
    /// One document.
    async fn document(&self, actor: &Actor, name: String) -> Result<DocumentDetail, PortalError>;
    /// Runs a document. Answers as soon as the command is recorded durably; sending goes on behind.
    async fn run(&self, actor: &Actor, input: RunCommand) -> Result<CommandId, PortalError>;
    /// The input that would run a command again, on all its nodes or only on the failed ones.
    async fn again(
        &self,
        actor: &Actor,
        command: CommandId,
        only_failed: bool,
    ) -> Result<RunCommand, PortalError>;
    /// Asks for a command to be stopped. Nodes that are done stay as they are.
    async fn cancel(&self, actor: &Actor, command: CommandId) -> Result<(), PortalError>;
    /// Commands that match.
    async fn list(&self, actor: &Actor, query: CommandQuery) -> Result<Page<CommandSummary>, PortalError>;
    /// One command.
    async fn get(&self, actor: &Actor, command: CommandId) -> Result<CommandDetail, PortalError>;
    /// What needs a look first: the nodes that failed, with the end of what they wrote, then those that are not done.
    async fn glance(&self, actor: &Actor, command: CommandId) -> Result<Glance, PortalError>;
    /// Its invocations.
    async fn invocations(
        &self,
        actor: &Actor,
        command: CommandId,
        query: InvocationQuery,
    ) -> Result<Page<InvocationView>, PortalError>;
    /// A piece of a node's output: up to 64 KiB.
    async fn output(
        &self,
        actor: &Actor,
        command: CommandId,
        node: NodeId,
        stream: OutputStream,
        range: OutputRange,
    ) -> Result<OutputPiece, PortalError>;
    /// Nodes that ended alike and wrote the same, together: failures first, then the largest group.
    async fn output_groups(&self, actor: &Actor, command: CommandId)
    -> Result<Vec<OutputGroup>, PortalError>;
    /// What one node wrote against what another wrote.
    async fn compare(
        &self,
        actor: &Actor,
        command: CommandId,
        old: NodeId,
        new: NodeId,
        stream: OutputStream,
    ) -> Result<Comparison, PortalError>;
}
