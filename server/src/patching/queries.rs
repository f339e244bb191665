//! The SQL that reads how nodes stand. A node that was deregistered is none any more, so it is left out everywhere.

use crate::fleet::filter_sql::push_where;
use crate::fleet::queries::{by_ids, decode_cursor, encode_cursor};
use muster_domain::Timestamp;
use muster_domain::fleet::NodeSummary;
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::ids::NodeId;
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::patching::{NodePatches, PatchQuery, PatchScan, PatchStanding, PatchTotals};
use muster_domain::permission::Scope;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// What a scan is read from.
pub(super) const SCAN_COLUMNS: &str = "p.baseline_id, p.patch_group, p.snapshot_id, p.operation, p.ended_at, p.installed, \
     p.installed_other, p.pending_reboot, p.rejected, p.missing, p.failed, p.critical, p.security, p.other";

const JOINED: &str =
    " from nodes n left join patch_states p on p.connection_id = n.connection_id and p.node_id = n.node_id";

pub(super) fn scan(row: &AnyRow) -> Result<PatchScan, StoreError> {
    let count = |name: &str| {
        row.int(name)
            .map(|count| u32::try_from(count).unwrap_or_default())
    };
    Ok(PatchScan {
        baseline_id: row.text("baseline_id")?,
        patch_group: row.text("patch_group")?,
        snapshot_id: row.text("snapshot_id")?,
        operation: row.text("operation")?,
        ended_at: row.time("ended_at")?,
        installed: count("installed")?,
        installed_other: count("installed_other")?,
        pending_reboot: count("pending_reboot")?,
        rejected: count("rejected")?,
        missing: count("missing")?,
        failed: count("failed")?,
        critical: count("critical")?,
        security: count("security")?,
        other: count("other")?,
    })
}

fn scan_or_none(row: &AnyRow) -> Result<Option<PatchScan>, StoreError> {
    match row.text_or_none("baseline_id")? {
        Some(_) => scan(row).map(Some),
        None => Ok(None),
    }
}

const fn condition(standing: PatchStanding) -> &'static str {
    match standing {
        PatchStanding::Never => "p.node_id is null",
        PatchStanding::Failed => "p.failed > 0",
        PatchStanding::Reboot => "p.pending_reboot > 0",
        PatchStanding::Missing => "p.missing > 0",
        PatchStanding::Rejected => "p.rejected > 0",
        PatchStanding::Compliant => {
            "p.failed = 0 and p.pending_reboot = 0 and p.missing = 0 and p.rejected = 0"
        }
    }
}

/// A node with its scan, as its row shows it.
fn shown(node: NodeSummary, scan: Option<PatchScan>) -> NodePatches {
    NodePatches {
        platform: format!("{} {}", node.platform_name, node.platform_version)
            .trim()
            .to_owned(),
        node_id: node.node_id,
        name: node.name,
        ping_status: node.ping_status,
        tags: node.tags,
        scan,
        may_run: false,
    }
}

/// A page of nodes, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    query: &PatchQuery,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<Page<NodePatches>, StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let mut sql = Sql::new("select n.node_id, n.sort_name, ");
    sql.push(SCAN_COLUMNS).push(JOINED);
    push_where(&mut sql, db, &query.filter, scopes, now);
    sql.push(" and n.ping_status <> 'Inactive'");
    if let Some(standing) = query.standing {
        sql.push(" and ").push(condition(standing));
    }
    if let Some((name, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (n.sort_name, n.node_id) > (")
            .text(name)
            .push(", ")
            .text(id)
            .push(")");
    }
    sql.push(" order by n.sort_name, n.node_id limit ")
        .int(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut rows = Vec::new();
    for row in sql.all(db.reader()).await? {
        rows.push((
            NodeId::new(row.text("node_id")?),
            row.text("sort_name")?,
            scan_or_none(&row)?,
        ));
    }
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| has_more)
        .map(|(id, name, _)| encode_cursor(name, id.as_str()));
    let ids: Vec<NodeId> = rows.iter().map(|(id, ..)| id.clone()).collect();
    let nodes = by_ids(db, &ids, scopes).await?;
    let mut nodes: HashMap<NodeId, NodeSummary> = nodes
        .into_iter()
        .map(|node| (node.node_id.clone(), node))
        .collect();
    let items = rows
        .into_iter()
        .filter_map(|(id, _, scan)| Some(shown(nodes.remove(&id)?, scan)))
        .collect();
    Ok(Page { items, next })
}

/// How many nodes that match stand how.
///
/// # Errors
/// When the database does not answer.
pub async fn totals(
    db: &Db,
    filter: &FleetFilter,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<PatchTotals, StoreError> {
    let mut sql = Sql::new("select count(*) as nodes");
    for standing in PatchStanding::ALL {
        sql.push(", coalesce(sum(case when ")
            .push(condition(standing))
            .push(" then 1 else 0 end), 0) as ")
            .push(standing.as_str());
    }
    sql.push(", coalesce(sum(case when p.critical > 0 or p.security > 0 then 1 else 0 end), 0) as urgent")
        .push(JOINED);
    push_where(&mut sql, db, filter, scopes, now);
    sql.push(" and n.ping_status <> 'Inactive'");
    let row = sql.one(db.reader()).await?;
    let count = |name: &str| row.int(name).map(i64::unsigned_abs);
    Ok(PatchTotals {
        nodes: count("nodes")?,
        never: count("never")?,
        failed: count("failed")?,
        reboot: count("reboot")?,
        missing: count("missing")?,
        rejected: count("rejected")?,
        compliant: count("compliant")?,
        urgent: count("urgent")?,
    })
}

/// How one node within the scopes stands.
///
/// # Errors
/// When the database does not answer.
pub async fn node(db: &Db, id: &NodeId, scopes: &[Scope]) -> Result<Option<NodePatches>, StoreError> {
    let mut nodes = by_ids(db, std::slice::from_ref(id), scopes).await?;
    let Some(node) = nodes.pop() else {
        return Ok(None);
    };
    let mut sql = Sql::new("select ");
    sql.push(SCAN_COLUMNS)
        .push(" from patch_states p where p.connection_id = ")
        .text(node.connection_id.as_str())
        .push(" and p.node_id = ")
        .text(id.as_str());
    let found = sql.first(db.reader()).await?;
    let scan = found.as_ref().map(scan).transpose()?;
    Ok(Some(shown(node, scan)))
}

/// The next nodes to ask about, by id.
///
/// # Errors
/// When the database does not answer.
pub async fn nodes_after(
    db: &Db,
    connection: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::new("select n.node_id from nodes n where n.connection_id = ");
    sql.text(connection)
        .push(" and n.node_id > ")
        .text(after)
        .push(" and n.ping_status <> 'Inactive' order by n.node_id limit ")
        .int(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = sql.all(db.reader()).await?;
    rows.iter().map(|row| row.text("node_id")).collect()
}

/// How many of these nodes wait for a reboot; nothing where none of them was ever scanned.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting_for_reboot(db: &Db, nodes: &[NodeId]) -> Result<Option<u32>, StoreError> {
    let (mut known, mut waiting) = (0_u32, 0_u32);
    for part in nodes.chunks(500) {
        let ids: Vec<String> = part.iter().map(ToString::to_string).collect();
        let mut sql = Sql::new(
            "select p.pending_reboot from nodes n join patch_states p on p.connection_id = n.connection_id and p.node_id = \
             n.node_id where n.node_id in (",
        );
        sql.texts(&ids).push(") and ").within("n.connection_id", db);
        for row in sql.all(db.reader()).await? {
            known += 1;
            if row.int("pending_reboot")? > 0 {
                waiting += 1;
            }
        }
    }
    Ok((known > 0).then_some(waiting))
}

/// When all states were last copied.
///
/// # Errors
/// When the database does not answer.
pub async fn synced_at(db: &Db, connection: &str) -> Result<Option<Timestamp>, StoreError> {
    let mut sql = Sql::new("select states_at from patch_copies where connection_id = ");
    sql.text(connection);
    match sql.first(db.reader()).await? {
        Some(row) => row.time_or_none("states_at"),
        None => Ok(None),
    }
}

#[cfg(test)]
#[path = "queries_tests.rs"]
mod tests;
