//! Who may download what a command wrote. Downloads are recorded in the audit log.

use crate::commands::{CommandService, invocations};
use crate::error::store;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::commands::OutputStream;
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError};

/// Whether an invocation may be downloaded, for the route that streams it. Recorded in the audit log.
///
/// # Errors
/// As for every act.
pub(super) async fn admit_download(
    service: &CommandService,
    actor: &Actor,
    command: &CommandId,
    node: &NodeId,
    stream: OutputStream,
) -> Result<(), PortalError> {
    let intent = Intent::new(Action::CommandsDownloadOutput, format!("command:{command}"))
        .with("node", node.as_str())
        .with("stream", stream.as_str());
    service
        .door
        .pass(actor, intent, Ok(()), async |pass| {
            invocations::invocation_of(&service.db, command, node, &pass.scopes)
                .await
                .map_err(store)?
                .map(|_| ())
                .ok_or_else(|| PortalError::NotFound {
                    what: format!("The output of {node}"),
                })
        })
        .await
}

/// Whether the log of all nodes of a command may be downloaded, and where the person may read: only what nodes there
/// wrote is in it. Recorded in the audit log.
///
/// # Errors
/// As for every act.
pub(super) async fn admit_log(
    service: &CommandService,
    actor: &Actor,
    command: &CommandId,
) -> Result<Vec<Scope>, PortalError> {
    let intent = Intent::new(Action::CommandsDownloadOutput, format!("command:{command}")).with("log", true);
    service
        .door
        .pass(actor, intent, Ok(()), async |pass| {
            service.row(actor, command, &pass.scopes).await?;
            Ok(pass.scopes.clone())
        })
        .await
}
