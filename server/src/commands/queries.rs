//! The SQL that reads commands and writes new ones. What comes back from nodes is written in `apply`.

use crate::fleet::filter_sql::push_scopes;
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::Timestamp;
use muster_domain::commands::{CommandQuery, CommandStatus, CommandSummary, script_line};
use muster_domain::fleet::NodeSelection;
use muster_domain::ids::{CommandId, NodeId, UserId};
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const COLUMNS: &str = "select c.command_id, c.document, c.document_version, c.parameters, c.selection, c.max_concurrency, c.max_errors, \
     c.timeout_seconds, c.comment, c.requested_by, c.requested_by_id, c.requested_at, c.ended_at, c.status, c.status_details, c.targets, \
     c.completed, c.errors, c.state, c.problem, c.cancel_requested_at, c.next_event, c.synced_at from commands c";

/// A command's whole row.
#[derive(Clone, Debug)]
pub struct CommandRow {
    /// As lists show it.
    pub summary: CommandSummary,
    /// The document's version.
    pub document_version: String,
    /// What was asked.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// On which nodes.
    pub selection: NodeSelection,
    /// Rate control as asked.
    pub max_concurrency: String,
    /// Rate control as asked.
    pub max_errors: String,
    /// Delivery time-out.
    pub timeout_seconds: i64,
    /// Who, by account.
    pub requested_by_id: Option<UserId>,
    /// `sending`, `active` or `done`.
    pub state: String,
    /// Why it could not be sent.
    pub problem: String,
    /// When somebody asked to cancel it.
    pub cancel_requested_at: Option<Timestamp>,
    /// The number of the next event.
    pub next_event: i64,
}

pub(super) fn count(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.int(column)?).unwrap_or_default())
}

fn summary(row: &AnyRow) -> Result<CommandSummary, StoreError> {
    Ok(CommandSummary {
        command_id: CommandId::new(row.text("command_id")?),
        document: row.text("document")?,
        comment: row.text("comment")?,
        script_line: script_line(&json(row, "parameters")?),
        requested_by: row.text("requested_by")?,
        requested_at: row.time("requested_at")?,
        ended_at: row.time_or_none("ended_at")?,
        status: CommandStatus::parse(&row.text("status")?).unwrap_or(CommandStatus::Pending),
        status_details: row.text("status_details")?,
        targets: count(row, "targets")?,
        completed: count(row, "completed")?,
        errors: count(row, "errors")?,
        synced_at: row.time("synced_at")?,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(column)?).map_err(|error| StoreError::Column {
        column: column.to_owned(),
        message: error.to_string(),
    })
}

/// A whole row.
///
/// # Errors
/// When a column is not what it should be.
pub fn command_row(row: &AnyRow) -> Result<CommandRow, StoreError> {
    Ok(CommandRow {
        summary: summary(row)?,
        document_version: row.text("document_version")?,
        parameters: json(row, "parameters")?,
        selection: json(row, "selection")?,
        max_concurrency: row.text("max_concurrency")?,
        max_errors: row.text("max_errors")?,
        timeout_seconds: row.int("timeout_seconds")?,
        requested_by_id: row.text_or_none("requested_by_id")?.map(UserId::new),
        state: row.text("state")?,
        problem: row.text("problem")?,
        cancel_requested_at: row.time_or_none("cancel_requested_at")?,
        next_event: row.int("next_event")?,
    })
}

/// Who looks, for what they may see.
#[derive(Clone, Debug)]
pub struct Viewer<'a> {
    /// Where they may read.
    pub scopes: &'a [Scope],
    /// They always see what they asked for themselves.
    pub user: Option<&'a UserId>,
}

/// What is of the connection of `db`, and the viewer may see.
fn push_visible(sql: &mut Sql, db: &Db, viewer: &Viewer<'_>) {
    sql.within("c.connection_id", db).push(" and ");
    if viewer.scopes.contains(&Scope::All) {
        sql.push("1 = 1");
        return;
    }
    sql.push("(c.requested_by_id = ")
        .text(viewer.user.map_or("", UserId::as_str));
    sql.push(" or exists (select 1 from command_invocations i join nodes n on n.node_id = i.node_id where i.command_id = c.command_id and ");
    push_scopes(sql, viewer.scopes);
    sql.push("))");
}

/// A page of commands, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    query: &CommandQuery,
    viewer: &Viewer<'_>,
) -> Result<Page<CommandSummary>, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where ");
    push_visible(&mut sql, db, viewer);
    if let Some(status) = query.status {
        sql.push(" and c.status = ").text(status.as_str());
    }
    if !query.document.trim().is_empty() {
        sql.push(" and lower(c.document) like ")
            .text(contains_pattern(query.document.trim()))
            .push(" escape '\\'");
    }
    if !query.text.trim().is_empty() {
        let pattern = contains_pattern(query.text.trim());
        sql.push(" and (lower(c.comment) like ")
            .text(pattern.clone())
            .push(" escape '\\'");
        // The script, whose first line stands in the list where there is no comment.
        sql.push(" or lower(c.parameters) like ")
            .text(pattern.clone())
            .push(" escape '\\'");
        sql.push(" or lower(c.requested_by) like ")
            .text(pattern.clone())
            .push(" escape '\\'");
        sql.push(" or lower(c.command_id) like ")
            .text(pattern)
            .push(" escape '\\')");
    }
    if let Some(node) = &query.node_id {
        sql.push(" and c.command_id in (select i.command_id from command_invocations i where i.node_id = ");
        sql.text(node.as_str()).push(")");
    }
    if let Some(since) = query.since {
        sql.push(" and c.requested_at >= ").int(since.0);
    }
    if let Some((at, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (c.requested_at, c.command_id) < (")
            .int(at.parse().unwrap_or_default())
            .push(", ")
            .text(id)
            .push(")");
    }
    sql.push(" order by c.requested_at desc, c.command_id desc limit ")
        .int(i64::from(limit) + 1);
    let mut items = Vec::new();
    for found in sql.all(db.reader()).await? {
        items.push(summary(&found)?);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.requested_at.0.to_string(), last.command_id.as_str()));
    Ok(Page { items, next })
}

/// The last commands that touched a node.
///
/// # Errors
/// When the database does not answer.
pub async fn recent_of_node(db: &Db, node: &NodeId, limit: u32) -> Result<Vec<CommandSummary>, StoreError> {
    let query = CommandQuery {
        node_id: Some(node.clone()),
        limit: Some(limit),
        ..CommandQuery::default()
    };
    Ok(list(
        db,
        &query,
        &Viewer {
            scopes: &[Scope::All],
            user: None,
        },
    )
    .await?
    .items)
}

/// One command, if the viewer may see it.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    db: &Db,
    command: &CommandId,
    viewer: &Viewer<'_>,
) -> Result<Option<CommandRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where c.command_id = ")
        .text(command.as_str())
        .push(" and ");
    push_visible(&mut sql, db, viewer);
    sql.first(db.reader())
        .await?
        .as_ref()
        .map(command_row)
        .transpose()
}

/// Commands in a state, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn in_state(db: &Db, state: &str) -> Result<Vec<CommandRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where ")
        .within("c.connection_id", db)
        .push(" and c.state = ")
        .text(state)
        .push(" order by c.requested_at limit 1000");
    sql.all(db.reader()).await?.iter().map(command_row).collect()
}

/// Takes back a command of which certainly nothing was sent.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_unsent(db: &Db, command: &CommandId) -> Result<(), StoreError> {
    let mut transaction = db.begin().await?;
    for text in [
        "delete from command_invocations where command_id = ",
        "delete from command_parts where command_id = ",
        "delete from commands where command_id = ",
    ] {
        let mut sql = Sql::new(text);
        sql.text(command.as_str());
        sql.run(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// How long the last ten successful runs of the same document with the same parameters took, in the middle.
///
/// # Errors
/// When the database does not answer.
pub async fn usual_duration(db: &Db, row: &CommandRow) -> Result<Option<i64>, StoreError> {
    let mut sql = Sql::new(
        "select c.ended_at - c.requested_at as took from commands c where c.status = 'Success' and ",
    );
    sql.within("c.connection_id", db)
        .push(" and c.document = ")
        .text(&row.summary.document)
        .push(" and c.parameters = ")
        .text(serde_json::json!(row.parameters).to_string());
    sql.push(" and c.command_id <> ")
        .text(row.summary.command_id.as_str());
    sql.push(" and c.ended_at is not null and c.requested_at >= ")
        .int(row.summary.requested_at.plus_ms(-30 * 86_400_000).0);
    sql.push(" order by c.requested_at desc limit 10");
    let mut took = Vec::new();
    for found in sql.all(db.reader()).await? {
        took.push(found.int("took")?);
    }
    took.sort_unstable();
    Ok((took.len() >= 3)
        .then(|| took.get(took.len() / 2).copied())
        .flatten())
}

/// Moves a command from one state to another.
///
/// # Errors
/// When the database does not answer.
pub async fn set_state(db: &Db, command: &CommandId, from: &str, to: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update commands set state = ");
    sql.text(to)
        .push(" where command_id = ")
        .text(command.as_str())
        .push(" and state = ")
        .text(from);
    Ok(sql.run(db.writer()).await? > 0)
}

/// Notes that somebody asked to cancel it. Answers whether nobody had before.
///
/// # Errors
/// When the database does not answer.
pub async fn request_cancel(db: &Db, command: &CommandId, now: Timestamp) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update commands set cancel_requested_at = ");
    sql.int(now.0).push(" where command_id = ").text(command.as_str());
    sql.push(" and cancel_requested_at is null and state <> 'done'");
    Ok(sql.run(db.writer()).await? > 0)
}

/// A command as tests want one.
#[cfg(test)]
pub(super) fn test_row() -> CommandRow {
    CommandRow {
        summary: CommandSummary {
            command_id: CommandId::new("c"),
            document: "AWS-RunShellScript".into(),
            comment: String::new(),
            script_line: String::new(),
            requested_by: "op".into(),
            requested_at: Timestamp(0),
            ended_at: None,
            status: CommandStatus::Pending,
            status_details: "Pending".into(),
            targets: 0,
            completed: 0,
            errors: 0,
            synced_at: Timestamp(0),
        },
        document_version: "1".into(),
        parameters: BTreeMap::new(),
        selection: NodeSelection::Nothing,
        max_concurrency: "50".into(),
        max_errors: "0".into(),
        timeout_seconds: 600,
        requested_by_id: None,
        state: "active".into(),
        problem: String::new(),
        cancel_requested_at: None,
        next_event: 1,
    }
}
