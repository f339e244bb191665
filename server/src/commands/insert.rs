//! Writes down a new command before any of it is sent: its row, its parts, its nodes, its first event.

use crate::commands::parts::Part;
use crate::commands::queries::CommandRow;
use muster_store::{Db, Sql, StoreError};

/// A command about to be written.
#[derive(Clone, Debug)]
pub struct NewCommand {
    /// Its whole row.
    pub row: CommandRow,
    /// Through which connection.
    pub connection_id: String,
    /// Its calls.
    pub parts: Vec<Part>,
    /// The nodes that are known from the start, by id and name: they stand there as pending at once.
    pub nodes: Vec<(String, String)>,
}

/// Writes a new command with its parts.
///
/// # Errors
/// When the database does not answer, or knows the command already.
pub async fn insert(db: &Db, new: &NewCommand) -> Result<(), StoreError> {
    let row = &new.row;
    let text = |value: &serde_json::Value| value.to_string();
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new(
        "insert into commands (command_id, connection_id, document, document_version, parameters, selection, max_concurrency, \
         max_errors, timeout_seconds, comment, requested_by, requested_by_id, requested_at, ended_at, status, status_details, targets, \
         completed, errors, state, problem, cancel_requested_at, next_event, synced_at) values (",
    );
    sql.text(row.summary.command_id.as_str())
        .push(", ")
        .text(&new.connection_id)
        .push(", ");
    sql.text(&row.summary.document)
        .push(", ")
        .text(&row.document_version)
        .push(", ");
    sql.text(text(&serde_json::json!(row.parameters)))
        .push(", ")
        .text(text(&serde_json::json!(row.selection)))
        .push(", ");
    sql.text(&row.max_concurrency)
        .push(", ")
        .text(&row.max_errors)
        .push(", ")
        .int(row.timeout_seconds)
        .push(", ");
    sql.text(&row.summary.comment)
        .push(", ")
        .text(&row.summary.requested_by)
        .push(", ");
    sql.text_or_none(row.requested_by_id.as_ref().map(ToString::to_string))
        .push(", ");
    sql.int(row.summary.requested_at.0)
        .push(", ")
        .int_or_none(row.summary.ended_at.map(|at| at.0))
        .push(", ");
    sql.text(row.summary.status.as_str())
        .push(", ")
        .text(&row.summary.status_details)
        .push(", ");
    sql.int(row.summary.targets.into())
        .push(", ")
        .int(row.summary.completed.into())
        .push(", ");
    sql.int(row.summary.errors.into())
        .push(", ")
        .text(&row.state)
        .push(", ")
        .text(&row.problem)
        .push(", ");
    sql.int_or_none(row.cancel_requested_at.map(|at| at.0))
        .push(", ")
        .int(row.next_event)
        .push(", ");
    sql.int(row.summary.synced_at.0).push(")");
    sql.run(&mut *transaction).await?;
    for part in &new.parts {
        let mut sql = Sql::new(
            "insert into command_parts (command_id, part, ssm_command_id, node_ids, targets, state) values (",
        );
        sql.text(part.command_id.as_str())
            .push(", ")
            .int(part.part)
            .push(", ");
        sql.text_or_none(part.ssm_command_id.clone()).push(", ");
        sql.text_or_none(
            part.node_ids
                .as_ref()
                .map(|ids| serde_json::json!(ids).to_string()),
        )
        .push(", ");
        sql.text_or_none(
            part.targets
                .as_ref()
                .map(|targets| serde_json::json!(targets).to_string()),
        )
        .push(", ");
        sql.text(&part.state).push(")");
        sql.run(&mut *transaction).await?;
    }
    for (node, name) in &new.nodes {
        let mut sql = Sql::new(
            "insert into command_invocations (command_id, node_id, node_name, ssm_command_id, status, status_details, \
             response_code, started_at, ended_at, stdout_bytes, stderr_bytes, output_hash, output_complete, sort_rank) values (",
        );
        sql.text(row.summary.command_id.as_str())
            .push(", ")
            .text(node)
            .push(", ")
            .text(name);
        sql.push(", '', 'Pending', 'Pending', -1, null, null, 0, 0, '', 0, 2)");
        sql.run(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
