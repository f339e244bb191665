//! Writes how a command stands as a whole, as an event when it stands differently.

use crate::commands::apply::{Whole, Writer};
use muster_domain::Timestamp;
use muster_domain::commands::{CommandStatus, CommandSummary, script_line};
use muster_store::{RowExt, Sql, StoreError};

/// Writes how the command stands, when that is news.
pub(super) async fn write_whole(
    writer: &mut Writer,
    whole: &Whole,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "select c.command_id, c.document, c.comment, c.parameters, c.requested_by, c.requested_at, c.ended_at, c.status, c.status_details, \
         c.targets, c.completed, c.errors, c.state, c.problem, c.synced_at from commands c where c.command_id = ",
    );
    sql.text(writer.command.as_str());
    let row = sql.one(&mut *writer.transaction).await?;
    let number =
        |column: &str| -> Result<u32, StoreError> { Ok(u32::try_from(row.int(column)?).unwrap_or_default()) };
    let status = CommandStatus::parse(&row.text("status")?).unwrap_or(CommandStatus::Pending);
    let state = row.text("state")?;
    let same = status == whole.status
        && row.text("status_details")? == whole.status_details
        && number("targets")? == whole.targets
        && number("completed")? == whole.completed
        && number("errors")? == whole.errors
        && row.text("problem")? == whole.problem
        && (state == "done") == whole.finished;
    if same {
        return Ok(());
    }
    let ended_at = if whole.status.is_final() {
        Some(row.time_or_none("ended_at")?.unwrap_or(now))
    } else {
        None
    };
    let mut sql = Sql::new("update commands set status = ");
    sql.text(whole.status.as_str())
        .push(", status_details = ")
        .text(&whole.status_details)
        .push(", targets = ");
    sql.int(whole.targets.into())
        .push(", completed = ")
        .int(whole.completed.into())
        .push(", errors = ");
    sql.int(whole.errors.into())
        .push(", problem = ")
        .text(&whole.problem)
        .push(", ended_at = ");
    sql.int_or_none(ended_at.map(|at| at.0));
    if whole.finished {
        sql.push(", state = 'done'");
    }
    sql.push(" where command_id = ").text(writer.command.as_str());
    sql.run(&mut *writer.transaction).await?;
    let summary = CommandSummary {
        command_id: writer.command.clone(),
        document: row.text("document")?,
        comment: row.text("comment")?,
        script_line: script_line(&serde_json::from_str(&row.text("parameters")?).unwrap_or_default()),
        requested_by: row.text("requested_by")?,
        requested_at: row.time("requested_at")?,
        ended_at,
        status: whole.status,
        status_details: whole.status_details.clone(),
        targets: whole.targets,
        completed: whole.completed,
        errors: whole.errors,
        synced_at: now,
    };
    let kind = if whole.finished { "finished" } else { "command" };
    writer
        .event(kind, None, None, None, serde_json::json!(summary).to_string())
        .await
}
