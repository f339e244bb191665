//! The SQL that writes the portal's copy of how nodes stand.

use crate::patching::queries::{SCAN_COLUMNS, scan};
use muster_domain::Timestamp;
use muster_domain::patching::PatchScan;
use muster_store::{Db, RowExt, Sql, StoreError};
use std::collections::HashMap;

/// Keeps how these nodes stand; those that are not in `found` were never scanned. What has not changed is not written.
/// Answers whether anything was.
///
/// # Errors
/// When the database does not answer.
pub async fn states(
    db: &Db,
    connection: &str,
    nodes: &[String],
    found: &HashMap<String, PatchScan>,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select p.node_id, ");
    sql.push(SCAN_COLUMNS)
        .push(" from patch_states p where p.connection_id = ")
        .text(connection)
        .push(" and p.node_id in (")
        .texts(nodes)
        .push(")");
    let mut known = HashMap::new();
    for row in sql.all(db.reader()).await? {
        known.insert(row.text("node_id")?, scan(&row)?);
    }
    let changed: Vec<_> = nodes
        .iter()
        .filter(|node| known.get(*node) != found.get(*node))
        .collect();
    if changed.is_empty() {
        return Ok(false);
    }
    let mut transaction = db.begin().await?;
    for node in changed {
        let mut sql = Sql::new("delete from patch_states where connection_id = ");
        sql.text(connection).push(" and node_id = ").text(node);
        sql.run(&mut *transaction).await?;
        let Some(scan) = found.get(node) else { continue };
        let mut sql = Sql::new(
            "insert into patch_states (connection_id, node_id, baseline_id, patch_group, snapshot_id, operation, ended_at, \
             installed, installed_other, pending_reboot, rejected, missing, failed, critical, security, other) values (",
        );
        sql.text(connection).push(", ").text(node);
        for text in [
            &scan.baseline_id,
            &scan.patch_group,
            &scan.snapshot_id,
            &scan.operation,
        ] {
            sql.push(", ").text(text);
        }
        sql.push(", ").int(scan.ended_at.0);
        for count in [
            scan.installed,
            scan.installed_other,
            scan.pending_reboot,
            scan.rejected,
            scan.missing,
            scan.failed,
            scan.critical,
            scan.security,
            scan.other,
        ] {
            sql.push(", ").int(i64::from(count));
        }
        sql.push(") on conflict (connection_id, node_id) do nothing");
        sql.run(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Says that the states of all nodes were copied then.
///
/// # Errors
/// When the database does not answer.
pub async fn copied(db: &Db, connection: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("insert into patch_copies (connection_id, states_at) values (");
    sql.text(connection)
        .push(", ")
        .int(now.0)
        .push(") on conflict (connection_id) do update set states_at = excluded.states_at");
    sql.run(db.writer()).await.map(|_| ())
}
