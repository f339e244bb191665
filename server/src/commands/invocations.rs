//! The SQL that reads invocations: one node's part of a command, within the reader's scope.

use crate::commands::queries::count;
use crate::fleet::filter_sql::push_scopes;
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::commands::{CommandStatus, InvocationQuery, InvocationView};
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use std::collections::{HashMap, HashSet};

/// One invocation out of its row.
///
/// # Errors
/// When a column is not what it should be.
pub fn invocation(row: &AnyRow) -> Result<InvocationView, StoreError> {
    Ok(InvocationView {
        node_id: NodeId::new(row.text("node_id")?),
        node_name: row.text("node_name")?,
        status: CommandStatus::parse(&row.text("status")?).unwrap_or(CommandStatus::Pending),
        status_details: row.text("status_details")?,
        response_code: i32::try_from(row.int("response_code")?).unwrap_or(-1),
        started_at: row.time_or_none("started_at")?,
        ended_at: row.time_or_none("ended_at")?,
        stdout_bytes: row.int("stdout_bytes")?,
        stderr_bytes: row.int("stderr_bytes")?,
        output_hash: row.text("output_hash")?,
    })
}

/// The columns of an invocation.
pub const INVOCATION_COLUMNS: &str = "select i.node_id, i.node_name, i.status, i.status_details, i.response_code, i.started_at, i.ended_at, \
     i.stdout_bytes, i.stderr_bytes, i.output_hash, i.output_complete, i.sort_rank from command_invocations i";

pub(super) fn push_invocation_scope(sql: &mut Sql, scopes: &[Scope]) {
    if scopes.contains(&Scope::All) {
        return;
    }
    sql.push(" and exists (select 1 from nodes n where n.node_id = i.node_id and ");
    push_scopes(sql, scopes);
    sql.push(")");
}

/// A page of a command's invocations: failures first, then by name.
///
/// # Errors
/// When the database does not answer.
pub async fn invocations(
    db: &Db,
    command: &CommandId,
    query: &InvocationQuery,
    scopes: &[Scope],
) -> Result<Page<InvocationView>, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(INVOCATION_COLUMNS);
    sql.push(" where i.command_id = ").text(command.as_str());
    push_invocation_scope(&mut sql, scopes);
    if let Some(status) = query.status {
        sql.push(" and i.status = ").text(status.as_str());
    }
    if let Some(hash) = &query.output_hash {
        sql.push(" and i.output_hash = ").text(hash);
    }
    if !query.text.trim().is_empty() {
        let pattern = contains_pattern(query.text.trim());
        sql.push(" and (lower(i.node_name) like ")
            .text(pattern.clone())
            .push(" escape '\\' or i.node_id like ");
        sql.text(pattern).push(" escape '\\')");
    }
    if let Some((key, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        let (rank, name) = key.split_once(' ').unwrap_or(("0", &key));
        sql.push(" and (i.sort_rank, i.node_name, i.node_id) > (")
            .int(rank.parse().unwrap_or_default());
        sql.push(", ").text(name).push(", ").text(id).push(")");
    }
    sql.push(" order by i.sort_rank, i.node_name, i.node_id limit ")
        .int(i64::from(limit) + 1);
    let rows = sql.all(db.reader()).await?;
    let more = rows.len() > limit as usize;
    let mut items = Vec::new();
    let mut next = None;
    for row in rows.iter().take(limit as usize) {
        let item = invocation(row)?;
        if more {
            next = Some(encode_cursor(
                &format!("{} {}", row.int("sort_rank")?, item.node_name),
                item.node_id.as_str(),
            ));
        }
        items.push(item);
    }
    Ok(Page { items, next })
}

/// Invocations by status.
///
/// # Errors
/// When the database does not answer.
pub async fn by_status(
    db: &Db,
    command: &CommandId,
    scopes: &[Scope],
) -> Result<Vec<(CommandStatus, u32)>, StoreError> {
    let mut sql =
        Sql::new("select i.status, count(*) as nodes from command_invocations i where i.command_id = ");
    sql.text(command.as_str());
    push_invocation_scope(&mut sql, scopes);
    sql.push(" group by i.status order by i.status");
    let mut counts = Vec::new();
    for found in sql.all(db.reader()).await? {
        if let Some(status) = CommandStatus::parse(&found.text("status")?) {
            counts.push((status, count(&found, "nodes")?));
        }
    }
    Ok(counts)
}

/// How many nodes of a command stand how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub nodes: u32,
    /// Those that are done, one way or another.
    pub ended: u32,
    /// Those that a call went out for and that are done.
    pub ended_after_call: u32,
    /// Those that have begun.
    pub begun: u32,
    /// Done well.
    pub succeeded: u32,
    /// Done badly.
    pub failed: u32,
    /// Not done in time.
    pub late: u32,
    /// Not reached in time.
    pub undelivered: u32,
    /// Not reachable at all.
    pub undeliverable: u32,
    /// Stopped, or never begun because the rest was.
    pub cancelled: u32,
    /// Not all output is here.
    pub incomplete: u32,
}

impl Tally {
    /// What counts against the number of errors that a command may have.
    #[must_use]
    pub const fn errors(&self) -> u32 {
        self.failed + self.late
    }
}

/// Counts the nodes of a command.
///
/// # Errors
/// When the database does not answer.
pub async fn tally(db: &Db, command: &CommandId) -> Result<Tally, StoreError> {
    let mut sql = Sql::new(
        "select i.status, i.status_details, i.output_complete, case when i.ssm_command_id = '' then 0 else 1 end as called, \
         case when i.started_at is null then 0 else 1 end as begun, count(*) as nodes from command_invocations i where i.command_id = ",
    );
    sql.text(command.as_str()).push(" group by 1, 2, 3, 4, 5");
    let mut tally = Tally::default();
    for row in sql.all(db.reader()).await? {
        let nodes = count(&row, "nodes")?;
        let status = CommandStatus::parse(&row.text("status")?).unwrap_or(CommandStatus::Pending);
        let details = row.text("status_details")?;
        tally.nodes += nodes;
        if status.is_final() {
            tally.ended += nodes;
            if row.int("called")? == 1 {
                tally.ended_after_call += nodes;
            }
        }
        if row.int("begun")? == 1 {
            tally.begun += nodes;
        }
        if row.int("output_complete")? == 0 {
            tally.incomplete += nodes;
        }
        let kind = match (status, details.as_str()) {
            (CommandStatus::Success, _) => &mut tally.succeeded,
            (CommandStatus::Failed, "Failed") => &mut tally.failed,
            (CommandStatus::Failed, _) => &mut tally.undeliverable,
            (CommandStatus::TimedOut, "DeliveryTimedOut") => &mut tally.undelivered,
            (CommandStatus::TimedOut, _) => &mut tally.late,
            (CommandStatus::Cancelled, _) => &mut tally.cancelled,
            _ => continue,
        };
        *kind += nodes;
    }
    Ok(tally)
}

/// The nodes of a command whose output is not all here.
///
/// # Errors
/// When the database does not answer.
pub async fn incomplete(db: &Db, command: &CommandId) -> Result<HashSet<String>, StoreError> {
    let mut sql = Sql::new(
        "select i.node_id from command_invocations i where i.output_complete = 0 and i.command_id = ",
    );
    sql.text(command.as_str());
    sql.all(db.reader())
        .await?
        .iter()
        .map(|row| row.text("node_id"))
        .collect()
}

/// The nodes of a command, or only those that did not succeed.
///
/// # Errors
/// When the database does not answer.
pub async fn node_ids(db: &Db, command: &CommandId, only_failed: bool) -> Result<Vec<NodeId>, StoreError> {
    let mut sql = Sql::new("select i.node_id from command_invocations i where i.command_id = ");
    sql.text(command.as_str());
    if only_failed {
        sql.push(" and i.status in ('Failed', 'TimedOut', 'Cancelled')");
    }
    sql.push(" order by i.node_name, i.node_id");
    sql.all(db.reader())
        .await?
        .iter()
        .map(|row| Ok(NodeId::new(row.text("node_id")?)))
        .collect()
}

/// Whether a node's invocation may be seen.
///
/// # Errors
/// When the database does not answer.
pub async fn invocation_of(
    db: &Db,
    command: &CommandId,
    node: &NodeId,
    scopes: &[Scope],
) -> Result<Option<InvocationView>, StoreError> {
    let mut sql = Sql::new(INVOCATION_COLUMNS);
    sql.push(" where i.command_id = ")
        .text(command.as_str())
        .push(" and i.node_id = ")
        .text(node.as_str());
    push_invocation_scope(&mut sql, scopes);
    sql.first(db.reader()).await?.as_ref().map(invocation).transpose()
}

/// The name under which people know a node: the portal's own, else Systems Manager's, else its id.
pub(super) async fn names(
    transaction: &mut Transaction<'static, Any>,
    nodes: &[String],
) -> Result<HashMap<String, String>, StoreError> {
    let mut found = HashMap::new();
    for part in nodes.chunks(500) {
        let mut sql = Sql::new("select node_id, name from nodes where node_id in (");
        sql.texts(part).push(")");
        for row in sql.all(&mut **transaction).await? {
            found.insert(row.text("node_id")?, row.text("name")?);
        }
    }
    Ok(found)
}
