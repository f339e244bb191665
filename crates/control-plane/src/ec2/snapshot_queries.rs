//! SQL of snapshots. Nothing else touches their table.

use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// A snapshot, with how its command stands.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotRow {
    pub(crate) region: String,
    pub(crate) snapshot_id: String,
    pub(crate) node_id: String,
    pub(crate) description: String,
    pub(crate) command_id: String,
    pub(crate) started_at: Timestamp,
    /// Of its node's part; empty where the command is not known any more.
    pub(crate) command_status: String,
    pub(crate) details: String,
}

impl SnapshotRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            snapshot_id: row.text("snapshot_id")?,
            node_id: row.text("node_id")?,
            description: row.text("description")?,
            command_id: row.text("command_id")?,
            started_at: row.time("started_at")?,
            command_status: row.text_or_none("status")?.unwrap_or_default(),
            details: row.text_or_none("status_details")?.unwrap_or_default(),
        })
    }

    /// In EC2's words.
    pub(crate) fn state(&self) -> &'static str {
        match self.command_status.as_str() {
            "Success" => "completed",
            "Pending" | "InProgress" | "Delayed" | "Cancelling" => "pending",
            _ => "error",
        }
    }
}

/// The same in SQL, for filters; the table is `i`.
pub(crate) const STATE: &str = "case when i.status = 'Success' then 'completed' when i.status in ('Pending', 'InProgress', \
     'Delayed', 'Cancelling') then 'pending' else 'error' end";

/// Begins a query for snapshots of a region; conditions speak of the table as `s`, and of the node's part as `i`.
pub(crate) fn snapshots_sql(region: &str) -> Sql {
    let mut sql = Sql::new(
        "select s.*, i.status, i.status_details from ec2_snapshots s left join ssm_invocations i \
         on i.command_id = s.command_id and i.node_id = s.node_id where s.region = ",
    );
    sql.text(region);
    sql
}

pub(crate) async fn snapshots(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<SnapshotRow>> {
    sql.all(on).await?.iter().map(SnapshotRow::read).collect()
}

/// Whether there is one.
pub(crate) async fn is_there(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<bool> {
    let mut sql = snapshots_sql(region);
    sql.push(" and s.snapshot_id = ").text(id);
    Ok(sql.first(on).await?.is_some())
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &SnapshotRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ec2_snapshots (region, snapshot_id, node_id, description, command_id, started_at) values (",
    );
    for text in [
        &row.region,
        &row.snapshot_id,
        &row.node_id,
        &row.description,
        &row.command_id,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.started_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}
