//! What can be done with commands, behind the door.

use crate::approvals::Gate;
use crate::aws::Ssm;
use crate::commands::dispatch::Dispatcher;
use crate::commands::parts;
use crate::commands::queries::{self, CommandRow, Viewer};
use crate::commands::{compare, documents, glance, groups, invocations, reads, ssm};
use crate::door::Door;
use crate::error::store;
use crate::events::{EventBus, PortalEvent};
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::commands::{
    CommandDetail, CommandQuery, CommandSummary, Commands, Comparison, DocumentDetail, DocumentSummary,
    Glance, InvocationQuery, InvocationView, OutputGroup, OutputPiece, OutputRange, OutputStream, RunCommand,
};
use muster_domain::fleet::NodeSelection;
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::paging::Page;
use muster_domain::permission::Scope;
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;
use tokio::sync::Notify;

/// The commands' service.
#[derive(Clone)]
pub struct CommandService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Whether it may be done at once.
    pub gate: Gate,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Wakes streams.
    pub bus: EventBus,
    /// Sends.
    pub dispatcher: Dispatcher,
    /// Wakes whoever sends the rest.
    pub queued: Arc<Notify>,
}

fn not_found(command: &CommandId) -> PortalError {
    PortalError::NotFound {
        what: format!("The command {command}"),
    }
}

impl CommandService {
    /// What stands in the audit log of starting a command.
    pub(crate) fn intent_to_run(id: &CommandId, input: &RunCommand) -> Intent {
        Intent::new(Action::CommandsRun, format!("command:{id}"))
            .with("document", input.document.clone())
            .with("parameters", serde_json::json!(input.parameters))
            .with("selection", serde_json::json!(input.selection))
            .with("max_concurrency", input.max_concurrency.clone())
            .with("max_errors", input.max_errors.clone())
            .with("comment", input.comment.clone())
            .with("confirmed_nodes", serde_json::json!(input.confirmed_nodes))
    }

    pub(super) async fn row(
        &self,
        actor: &Actor,
        command: &CommandId,
        scopes: &[Scope],
    ) -> Result<CommandRow, PortalError> {
        let viewer = Viewer {
            scopes,
            user: actor.user_id.as_ref(),
        };
        queries::get(&self.db, command, &viewer)
            .await
            .map_err(store)?
            .ok_or_else(|| not_found(command))
    }

    /// Whether every node of a command is within `scopes`.
    async fn covers_all(&self, command: &CommandId, scopes: &[Scope]) -> Result<bool, PortalError> {
        if scopes.contains(&Scope::All) {
            return Ok(true);
        }
        let all = invocations::node_ids(&self.db, command, false)
            .await
            .map_err(store)?;
        let seen = crate::fleet::queries::by_ids(&self.db, &all, scopes)
            .await
            .map_err(store)?;
        Ok(!all.is_empty() && seen.len() == all.len())
    }
}

#[async_trait]
impl Commands for CommandService {
    async fn documents(&self, actor: &Actor) -> Result<Vec<DocumentSummary>, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::DocumentsRead, ""),
                Ok(()),
                async |_| {
                    documents::list(&self.db, self.ssm.connection.id.as_str())
                        .await
                        .map_err(store)
                },
            )
            .await
    }

    async fn document(&self, actor: &Actor, name: String) -> Result<DocumentDetail, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::DocumentsRead, format!("document:{name}")),
                Ok(()),
                async |_| documents::get(&self.db, &self.ssm, &name, self.clock.now()).await,
            )
            .await
    }

    async fn run(&self, actor: &Actor, input: RunCommand) -> Result<CommandId, PortalError> {
        let id = CommandId::new(self.random.uuid());
        let intent = Self::intent_to_run(&id, &input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let prepared = self.prepare(&input, &pass.scopes, false).await?;
                self.admit(actor, &input, &prepared).await?;
                self.start(actor, id.clone(), &input, prepared, false, &pass.scopes)
                    .await?;
                Ok(id)
            })
            .await
    }

    async fn again(
        &self,
        actor: &Actor,
        command: CommandId,
        only_failed: bool,
    ) -> Result<RunCommand, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| {
                    let row = self.row(actor, &command, &pass.scopes).await?;
                    let nodes = invocations::node_ids(&self.db, &command, only_failed)
                        .await
                        .map_err(store)?;
                    if only_failed && nodes.is_empty() {
                        return Err(PortalError::Conflict {
                            message: "No node of this command failed: there is nothing to run again.".into(),
                        });
                    }
                    let selection = if nodes.is_empty() {
                        row.selection
                    } else {
                        NodeSelection::Nodes { nodes }
                    };
                    Ok(RunCommand {
                        document: row.summary.document,
                        parameters: row.parameters,
                        selection,
                        max_concurrency: row.max_concurrency,
                        max_errors: row.max_errors,
                        timeout_seconds: u32::try_from(row.timeout_seconds).unwrap_or(3_600),
                        comment: row.summary.comment,
                        // Whoever runs it again is asked again.
                        confirmed_nodes: None,
                    })
                },
            )
            .await
    }

    async fn cancel(&self, actor: &Actor, command: CommandId) -> Result<(), PortalError> {
        self.door
            .pass(actor, Intent::new(Action::CommandsCancel, format!("command:{command}")), Ok(()), async |pass| {
                let row = self.row(actor, &command, &pass.scopes).await?;
                if row.state == "done" || row.summary.status.is_final() {
                    return Err(PortalError::Conflict {
                        message: format!("This command has already ended ({}).", row.summary.status.label()),
                    });
                }
                let own = row.requested_by_id.is_some() && row.requested_by_id == actor.user_id;
                if !own && !self.covers_all(&command, &pass.scopes).await? {
                    return Err(PortalError::Forbidden {
                        message: "Some nodes of this command are outside the scope of your role, so you may not cancel it.".into(),
                    });
                }
                queries::request_cancel(&self.db, &command, self.clock.now()).await.map_err(store)?;
                for part in parts::parts(&self.db, &command).await.map_err(store)? {
                    if let (Some(id), "sent") = (&part.ssm_command_id, part.state.as_str()) {
                        ssm::cancel(&self.ssm, id).await.map_err(|error| error.to_portal())?;
                    }
                }
                self.queued.notify_one();
                self.bus.tell(PortalEvent::Command(command.clone()));
                Ok(())
            })
            .await
    }

    async fn list(&self, actor: &Actor, query: CommandQuery) -> Result<Page<CommandSummary>, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, ""),
                Ok(()),
                async |pass| {
                    let viewer = Viewer {
                        scopes: &pass.scopes,
                        user: actor.user_id.as_ref(),
                    };
                    queries::list(&self.db, &query, &viewer).await.map_err(store)
                },
            )
            .await
    }

    async fn get(&self, actor: &Actor, command: CommandId) -> Result<CommandDetail, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| {
                    let row = self.row(actor, &command, &pass.scopes).await?;
                    let by_status = invocations::by_status(&self.db, &command, &pass.scopes)
                        .await
                        .map_err(store)?;
                    let parts = parts::parts(&self.db, &command).await.map_err(store)?;
                    let usual_duration_ms = queries::usual_duration(&self.db, &row).await.map_err(store)?;
                    let running = row.state != "done" && !row.summary.status.is_final();
                    Ok(CommandDetail {
                        may_run: actor.may(Action::CommandsRun),
                        may_cancel: running
                            && row.cancel_requested_at.is_none()
                            && actor.may(Action::CommandsCancel),
                        event_cursor: row.next_event - 1,
                        document_version: row.document_version,
                        parameters: row.parameters,
                        selection: row.selection,
                        max_concurrency: row.max_concurrency,
                        max_errors: row.max_errors,
                        timeout_seconds: u32::try_from(row.timeout_seconds).unwrap_or_default(),
                        ssm_command_ids: parts.into_iter().filter_map(|part| part.ssm_command_id).collect(),
                        by_status,
                        problem: row.problem,
                        usual_duration_ms,
                        output_limit: self
                            .ssm
                            .connection
                            .output_bucket
                            .is_none()
                            .then_some(ssm::KEPT_CHARACTERS),
                        summary: row.summary,
                    })
                },
            )
            .await
    }

    async fn glance(&self, actor: &Actor, command: CommandId) -> Result<Glance, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| {
                    let row = self.row(actor, &command, &pass.scopes).await?;
                    glance::glance(&self.db, &row, &pass.scopes).await.map_err(store)
                },
            )
            .await
    }

    async fn invocations(
        &self,
        actor: &Actor,
        command: CommandId,
        query: InvocationQuery,
    ) -> Result<Page<InvocationView>, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| {
                    self.row(actor, &command, &pass.scopes).await?;
                    invocations::invocations(&self.db, &command, &query, &pass.scopes)
                        .await
                        .map_err(store)
                },
            )
            .await
    }

    async fn output(
        &self,
        actor: &Actor,
        command: CommandId,
        node: NodeId,
        stream: OutputStream,
        range: OutputRange,
    ) -> Result<OutputPiece, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| {
                    invocations::invocation_of(&self.db, &command, &node, &pass.scopes)
                        .await
                        .map_err(store)?
                        .ok_or_else(|| PortalError::NotFound {
                            what: format!("The output of {node}"),
                        })?;
                    reads::piece(&self.db, &command, &node, stream, range)
                        .await
                        .map_err(store)
                },
            )
            .await
    }

    async fn output_groups(
        &self,
        actor: &Actor,
        command: CommandId,
    ) -> Result<Vec<OutputGroup>, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| {
                    self.row(actor, &command, &pass.scopes).await?;
                    groups::groups(&self.db, &command, &pass.scopes)
                        .await
                        .map_err(store)
                },
            )
            .await
    }

    async fn compare(
        &self,
        actor: &Actor,
        command: CommandId,
        old: NodeId,
        new: NodeId,
        stream: OutputStream,
    ) -> Result<Comparison, PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::CommandsRead, format!("command:{command}")),
                Ok(()),
                async |pass| compare::compare(&self.db, &command, [&old, &new], stream, &pass.scopes).await,
            )
            .await
    }
}
