//! Starting a command: who is meant, whether it can be run there, written down, and the first call made, so that
//! what Systems Manager refuses is said to the person who asked.

use crate::approvals::gate::tags;
use crate::commands::dispatch::{NODES_PER_CALL, SendError, split_rate};
use crate::commands::documents;
use crate::commands::insert::{self, NewCommand};
use crate::commands::parts::Part;
use crate::commands::queries::{self, CommandRow};
use crate::commands::service::CommandService;
use crate::commands::ssm::Rate;
use crate::error::store;
use crate::events::PortalEvent;
use crate::fleet::resolve::{Resolved, resolve};
use muster_domain::approvals::{Act, Proposal};
use muster_domain::commands::{
    CommandStatus, CommandSummary, DocumentDetail, RunCommand, check_confirmed, script_line,
};
use muster_domain::fleet::{NodeSelection, NodeSummary};
use muster_domain::ids::CommandId;
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError};
use std::collections::BTreeMap;

/// The parts of a new command: one call for up to 50 nodes or for targets by tag, else several calls.
fn parts_of(
    command: &CommandId,
    selection: &NodeSelection,
    targets: &[NodeSummary],
    exactly: bool,
    scopes: &[Scope],
) -> Vec<Part> {
    let part = |number: usize, node_ids, targets| Part {
        command_id: command.clone(),
        part: i64::try_from(number).unwrap_or_default(),
        ssm_command_id: None,
        node_ids,
        targets,
        state: "queued".into(),
    };
    if let NodeSelection::Matching { filter } = selection
        && !exactly
        && targets.len() > NODES_PER_CALL
        && scopes.contains(&Scope::All)
        && let Some(by_tag) = filter.as_targets()
    {
        return vec![part(0, None, Some(by_tag))];
    }
    let ids: Vec<String> = targets.iter().map(|node| node.node_id.to_string()).collect();
    ids.chunks(NODES_PER_CALL)
        .enumerate()
        .map(|(number, ids)| part(number, Some(ids.to_vec()), None))
        .collect()
}

/// A command that could be started: the document is there, the parameters fit, and it is known who is meant.
#[derive(Debug)]
pub struct Prepared {
    /// The document.
    pub document: DocumentDetail,
    /// The parameters, without what was left empty.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Who would be acted on.
    pub resolved: Resolved,
}

impl Prepared {
    /// Everybody who is meant, whether they report now or not, as policies see them.
    #[must_use]
    pub fn proposal(&self) -> Proposal {
        Proposal {
            act: Some(Act::RunCommand),
            document: self.document.summary.name.clone(),
            nodes: self.resolved.all().map(tags).collect(),
            ..Proposal::default()
        }
    }
}

impl CommandService {
    /// Finds out what a command would be: the document, its parameters, the nodes. `afresh` reads the document from
    /// Systems Manager, however new the portal's copy is.
    pub(crate) async fn prepare(
        &self,
        input: &RunCommand,
        scopes: &[Scope],
        afresh: bool,
    ) -> Result<Prepared, PortalError> {
        let now = self.clock.now();
        let document = if afresh {
            documents::get_afresh(&self.db, &self.ssm, &input.document, now).await
        } else {
            documents::get(&self.db, &self.ssm, &input.document, now).await
        };
        let document = document.map_err(|error| match error {
            PortalError::NotFound { what } => {
                PortalError::invalid("document", format!("{what} was not found."))
            }
            other => other,
        })?;
        let mut parameters = input.parameters.clone();
        // What was left empty is not sent, so that the document's own default applies.
        parameters.retain(|_, values| values.iter().any(|value| !value.trim().is_empty()));
        PortalError::from_fields(documents::check(&document, &parameters))?;
        let resolved = resolve(&self.db, &input.selection, scopes, now).await?;
        Ok(Prepared {
            document,
            parameters,
            resolved,
        })
    }

    /// Writes the command down and sends the first of it. `exactly` sends it to the nodes that were resolved and to no
    /// others, also where Systems Manager could resolve tags itself.
    pub(crate) async fn start(
        &self,
        actor: &Actor,
        command_id: CommandId,
        input: &RunCommand,
        prepared: Prepared,
        exactly: bool,
        scopes: &[Scope],
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let Prepared {
            document,
            parameters,
            resolved,
        } = prepared;
        if resolved.targets.is_empty() {
            let why = resolved.excluded.first().map_or_else(
                || "No node matches.".to_owned(),
                |first| {
                    format!(
                        "None of the {} nodes can be reached; the first: {}",
                        resolved.excluded.len(),
                        first.reason
                    )
                },
            );
            return Err(PortalError::invalid("targets", why));
        }
        let count = u32::try_from(resolved.targets.len()).unwrap_or(u32::MAX);
        let row = CommandRow {
            summary: CommandSummary {
                command_id: command_id.clone(),
                document: input.document.clone(),
                comment: input.comment.trim().to_owned(),
                script_line: script_line(&parameters),
                requested_by: actor.name.clone(),
                requested_at: now,
                ended_at: None,
                status: CommandStatus::Pending,
                status_details: "Pending".into(),
                targets: count,
                completed: 0,
                errors: 0,
                synced_at: now,
            },
            document_version: document.summary.default_version.clone(),
            parameters,
            selection: input.selection.clone(),
            max_concurrency: input.max_concurrency.trim().to_owned(),
            max_errors: input.max_errors.trim().to_owned(),
            timeout_seconds: i64::from(input.timeout_seconds),
            requested_by_id: actor.user_id.clone(),
            state: "sending".into(),
            problem: String::new(),
            cancel_requested_at: None,
            next_event: 1,
        };
        let parts = parts_of(&command_id, &input.selection, &resolved.targets, exactly, scopes);
        let nodes = if parts.iter().all(|part| part.node_ids.is_some()) {
            resolved
                .targets
                .iter()
                .map(|node| (node.node_id.to_string(), node.name.clone()))
                .collect()
        } else {
            // Systems Manager resolves tags itself: which nodes they are is known when it says so.
            Vec::new()
        };
        let new = NewCommand {
            row,
            connection_id: self.ssm.connection.id.to_string(),
            parts,
            nodes,
        };
        insert::insert(&self.db, &new).await.map_err(store)?;
        self.send_first(&new).await?;
        self.bus.tell(PortalEvent::Command(command_id));
        self.queued.notify_one();
        Ok(())
    }

    /// Asks whether a command may start at once: what the policies say, then the number of nodes that was confirmed.
    pub(super) async fn admit(
        &self,
        actor: &Actor,
        input: &RunCommand,
        prepared: &Prepared,
    ) -> Result<(), PortalError> {
        self.gate.admit(actor, &prepared.proposal()).await?;
        let resolved = &prepared.resolved;
        if resolved.targets.is_empty() {
            return Ok(());
        }
        let nodes = u64::try_from(resolved.targets.len()).unwrap_or(u64::MAX);
        check_confirmed(input.confirmed_nodes, nodes, resolved.in_production())
    }

    /// Sends the first part at once, so that what Systems Manager refuses is said to the person who asked.
    async fn send_first(&self, new: &NewCommand) -> Result<(), PortalError> {
        let Some(first) = new.parts.first() else {
            return Ok(());
        };
        let rate = if new.parts.len() == 1 {
            Rate {
                max_concurrency: new.row.max_concurrency.clone(),
                max_errors: new.row.max_errors.clone(),
            }
        } else {
            split_rate(&new.row, new.row.summary.targets, 0)
        };
        let command = &new.row.summary.command_id;
        match self.dispatcher.send(&new.row, first, &rate).await {
            Ok(_) => {
                if new.parts.len() == 1 {
                    queries::set_state(&self.db, command, "sending", "active")
                        .await
                        .map_err(store)?;
                }
                Ok(())
            }
            Err(SendError::Store(error)) => Err(store(error)),
            // Too fast is no refusal: it is sent as soon as that is allowed.
            Err(SendError::Call(error)) if error.refused && !error.is_throttled() => {
                // Certainly nothing was started: take it back, so that the form can be corrected.
                queries::remove_unsent(&self.db, command).await.map_err(store)?;
                Err(error.to_portal())
            }
            // Nobody knows whether it was taken: the command stays, and is looked up when the connection is back.
            Err(SendError::Call(_)) => Ok(()),
        }
    }
}
