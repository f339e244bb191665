//! Commands that were started by other means than Muster, as they are written down here.

use crate::commands::insert::NewCommand;
use crate::commands::parts::Part;
use crate::commands::queries::CommandRow;
use crate::commands::ssm;
use muster_domain::Timestamp;
use muster_domain::commands::{CommandStatus, CommandSummary};
use muster_domain::fleet::NodeSelection;
use muster_domain::ids::{CommandId, NodeId};

/// A command that was started outside Muster, as it is written down here.
#[must_use]
pub fn foreign(seen: &ssm::SeenCommand, connection: &str, now: Timestamp) -> NewCommand {
    let command = &seen.command;
    let ids = command.instance_ids();
    let command_id = CommandId::new(seen.id.clone());
    let selection = NodeSelection::Nodes {
        nodes: ids.iter().map(|id| NodeId::new(id.as_str())).collect(),
    };
    let targets: Vec<(String, Vec<String>)> = command
        .targets()
        .iter()
        .map(|target| {
            (
                target.key().unwrap_or_default().to_owned(),
                target.values().to_vec(),
            )
        })
        .collect();
    let part = Part {
        command_id: command_id.clone(),
        part: 0,
        ssm_command_id: Some(seen.id.clone()),
        node_ids: (!ids.is_empty()).then(|| ids.to_vec()),
        targets: (!targets.is_empty()).then_some(targets),
        state: "sent".into(),
    };
    NewCommand {
        row: CommandRow {
            summary: CommandSummary {
                command_id,
                document: command.document_name().unwrap_or_default().to_owned(),
                comment: command.comment().unwrap_or_default().to_owned(),
                // Read from the parameters whenever the row is.
                script_line: String::new(),
                requested_by: "outside Muster".into(),
                requested_at: seen.requested_at.unwrap_or(now),
                ended_at: None,
                status: CommandStatus::Pending,
                status_details: "Pending".into(),
                targets: seen.targets,
                completed: 0,
                errors: 0,
                synced_at: now,
            },
            document_version: command
                .document_version()
                .filter(|v| !v.is_empty())
                .unwrap_or("$DEFAULT")
                .to_owned(),
            parameters: command
                .parameters()
                .map(|p| p.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                .unwrap_or_default(),
            selection,
            max_concurrency: command.max_concurrency().unwrap_or("50").to_owned(),
            max_errors: command.max_errors().unwrap_or("0").to_owned(),
            timeout_seconds: command.timeout_seconds().map_or(3_600, i64::from),
            requested_by_id: None,
            state: "active".into(),
            problem: String::new(),
            cancel_requested_at: None,
            next_event: 1,
        },
        connection_id: connection.to_owned(),
        parts: vec![part],
        nodes: Vec::new(),
    }
}
