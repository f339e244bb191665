//! SQL of resource data syncs, and of what they have not written yet. Nothing else touches their table.

use super::create_resource_data_sync::Destination;
use crate::errors::{ApiError, ApiResult};
use crate::inventory::queries::ItemRow;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// How far a sync has come in what nodes reported, in the order of the reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Epoch milliseconds.
    pub(crate) at: i64,
    pub(crate) node_id: String,
    pub(crate) type_name: String,
}

/// A sync.
#[derive(Clone, Debug)]
pub(crate) struct SyncRow {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) destination: Destination,
    pub(crate) created_at: Timestamp,
    pub(crate) tried_at: Option<Timestamp>,
    pub(crate) succeeded_at: Option<Timestamp>,
    /// `InProgress`, `Successful` or `Failed`.
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) position: Position,
}

impl SyncRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            name: row.text("sync_name")?,
            destination: serde_json::from_str(&row.text("destination")?).map_err(ApiError::internal)?,
            created_at: row.time("created_at")?,
            tried_at: row.time_or_none("tried_at")?,
            succeeded_at: row.time_or_none("succeeded_at")?,
            status: row.text("status")?,
            message: row.text("message")?,
            position: Position {
                at: row.int("position_at")?,
                node_id: row.text("position_node")?,
                type_name: row.text("position_type")?,
            },
        })
    }
}

async fn rows(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<SyncRow>> {
    sql.all(on).await?.iter().map(SyncRow::read).collect()
}

/// A region's, by name; there are few.
pub(crate) async fn syncs(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<Vec<SyncRow>> {
    let mut sql = Sql::new("select s.* from ssm_data_syncs s where s.region = ");
    sql.text(region).push(" order by s.sync_name");
    rows(sql, on).await
}

/// All regions'; there are few.
pub(crate) async fn all(on: impl AnyExecutor<'_>) -> ApiResult<Vec<SyncRow>> {
    rows(
        Sql::new("select s.* from ssm_data_syncs s order by s.region, s.sync_name"),
        on,
    )
    .await
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &SyncRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_data_syncs (region, sync_name, destination, status, message, position_node, position_type, \
         position_at, created_at) values (",
    );
    let destination = serde_json::to_string(&row.destination).map_err(ApiError::internal)?;
    for text in [
        &row.region,
        &row.name,
        &destination,
        &row.status,
        &row.message,
        &row.position.node_id,
        &row.position.type_name,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.position.at)
        .push(", ")
        .int(row.created_at.0)
        .push(")");
    sql.run(on).await?;
    Ok(())
}

/// How a sync stands now.
pub(crate) async fn set(on: impl AnyExecutor<'_>, row: &SyncRow) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_data_syncs set status = ");
    sql.text(&row.status).push(", message = ").text(&row.message);
    sql.push(", tried_at = ").int_or_none(row.tried_at.map(|at| at.0));
    sql.push(", succeeded_at = ")
        .int_or_none(row.succeeded_at.map(|at| at.0));
    sql.push(", position_at = ").int(row.position.at);
    sql.push(", position_node = ").text(&row.position.node_id);
    sql.push(", position_type = ").text(&row.position.type_name);
    sql.push(" where region = ").text(&row.region);
    sql.push(" and sync_name = ").text(&row.name);
    // One that was deleted and made anew in the meantime begins at its beginning.
    sql.push(" and created_at = ").int(row.created_at.0);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("delete from ssm_data_syncs where region = ");
    sql.text(region).push(" and sync_name = ").text(name);
    Ok(sql.run(on).await? == 1)
}

/// What nodes of a region have reported after a position, until a moment.
pub(crate) async fn reported(
    on: impl AnyExecutor<'_>,
    region: &str,
    after: &Position,
    until: Timestamp,
    limit: i64,
) -> ApiResult<Vec<ItemRow>> {
    let mut sql = Sql::new("select i.* from ssm_inventory i where i.region = ");
    sql.text(region).push(" and i.modified_at >= ").int(after.at);
    sql.push(" and i.modified_at <= ").int(until.0);
    sql.push(" and (i.modified_at > ").int(after.at);
    sql.push(" or i.node_id > ").text(&after.node_id);
    sql.push(" or (i.node_id = ").text(&after.node_id);
    sql.push(" and i.type_name > ").text(&after.type_name);
    sql.push(")) order by i.modified_at, i.node_id, i.type_name limit ")
        .int(limit);
    sql.all(on).await?.iter().map(ItemRow::read).collect()
}
