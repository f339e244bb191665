//! SQL of inventory. Nothing else touches its table.

use super::delete_inventory::Summary;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde::de::DeserializeOwned;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// What a node has of one type.
#[derive(Clone, Debug)]
pub(crate) struct ItemRow {
    pub(crate) region: String,
    pub(crate) node_id: String,
    pub(crate) type_name: String,
    pub(crate) schema_version: String,
    pub(crate) capture_time: String,
    pub(crate) content_hash: String,
    /// JSON: a list of maps of texts.
    pub(crate) content: String,
    pub(crate) entries: i64,
    pub(crate) modified_at: Timestamp,
}

impl ItemRow {
    pub(crate) fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            node_id: row.text("node_id")?,
            type_name: row.text("type_name")?,
            schema_version: row.text("schema_version")?,
            capture_time: row.text("capture_time")?,
            content_hash: row.text("content_hash")?,
            content: row.text("content")?,
            entries: row.int("entries")?,
            modified_at: row.time("modified_at")?,
        })
    }

    /// Its entries.
    pub(crate) fn entries<T: DeserializeOwned>(&self) -> ApiResult<Vec<T>> {
        serde_json::from_str(&self.content)
            .map_err(|error| ApiError::internal(format!("inventory {}: {error}", self.type_name)))
    }
}

pub(crate) async fn item(
    on: impl AnyExecutor<'_>,
    region: &str,
    node_id: &str,
    type_name: &str,
) -> ApiResult<Option<ItemRow>> {
    let mut sql = Sql::new("select * from ssm_inventory where region = ");
    sql.text(region).push(" and node_id = ").text(node_id);
    sql.push(" and type_name = ").text(type_name);
    sql.first(on).await?.map(|row| ItemRow::read(&row)).transpose()
}

pub(crate) async fn put(on: impl AnyExecutor<'_>, row: &ItemRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_inventory (region, node_id, type_name, schema_version, capture_time, content_hash, content, \
         entries, modified_at) values (",
    );
    for text in [
        &row.region,
        &row.node_id,
        &row.type_name,
        &row.schema_version,
        &row.capture_time,
        &row.content_hash,
        &row.content,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.entries).push(", ").int(row.modified_at.0);
    sql.push(
        ") on conflict (region, node_id, type_name) do update set schema_version = excluded.schema_version, \
         capture_time = excluded.capture_time, content_hash = excluded.content_hash, content = excluded.content, \
         entries = excluded.entries, modified_at = excluded.modified_at",
    );
    sql.run(on).await?;
    Ok(())
}

/// Forgets everything of a node that is one no more.
pub(crate) async fn delete_node(on: impl AnyExecutor<'_>, region: &str, node_id: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_inventory where region = ");
    sql.text(region).push(" and node_id = ").text(node_id);
    sql.run(on).await?;
    Ok(())
}

/// How many custom types a node has.
pub(crate) async fn custom_types(on: impl AnyExecutor<'_>, region: &str, node_id: &str) -> ApiResult<i64> {
    let mut sql = Sql::new("select count(*) as n from ssm_inventory where region = ");
    sql.text(region).push(" and node_id = ").text(node_id);
    sql.push(" and type_name like 'Custom:%'");
    Ok(sql.one(on).await?.int("n")?)
}

/// The newest report of each custom type.
pub(crate) async fn newest_custom(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<Vec<ItemRow>> {
    let mut sql = Sql::new(
        "select i.* from ssm_inventory i join (select type_name as name, min(node_id) as node from ssm_inventory \
         where region = ",
    );
    sql.text(region);
    sql.push(" and type_name like 'Custom:%' group by type_name) t ");
    sql.push("on i.type_name = t.name and i.node_id = t.node where i.region = ")
        .text(region);
    sql.all(on).await?.iter().map(ItemRow::read).collect()
}

/// How many nodes have each version of a type.
pub(crate) async fn versions(
    on: impl AnyExecutor<'_>,
    region: &str,
    type_name: &str,
) -> ApiResult<Vec<(String, i64)>> {
    let mut sql = Sql::new("select schema_version, count(*) as n from ssm_inventory where region = ");
    sql.text(region).push(" and type_name = ").text(type_name);
    sql.push(" group by schema_version order by schema_version");
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| Ok((row.text("schema_version")?, row.int("n")?)))
        .collect()
}

pub(crate) async fn delete_type(on: impl AnyExecutor<'_>, region: &str, type_name: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_inventory where region = ");
    sql.text(region).push(" and type_name = ").text(type_name);
    sql.run(on).await?;
    Ok(())
}

/// A version of a type is not taken any more.
pub(crate) async fn disable(
    on: impl AnyExecutor<'_>,
    region: &str,
    type_name: &str,
    version: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("insert into ssm_inventory_disabled (region, type_name, schema_version) values (");
    sql.text(region).push(", ").text(type_name);
    sql.push(", ").text(version).push(") on conflict do nothing");
    sql.run(on).await?;
    Ok(())
}

/// All versions of a type are taken again.
pub(crate) async fn enable(on: impl AnyExecutor<'_>, region: &str, type_name: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_inventory_disabled where region = ");
    sql.text(region).push(" and type_name = ").text(type_name);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn is_disabled(
    on: impl AnyExecutor<'_>,
    region: &str,
    type_name: &str,
    version: &str,
) -> ApiResult<bool> {
    let mut sql = Sql::new("select 1 as n from ssm_inventory_disabled where region = ");
    sql.text(region).push(" and type_name = ").text(type_name);
    sql.push(" and schema_version = ").text(version);
    Ok(sql.first(on).await?.is_some())
}

/// A deletion.
#[derive(Clone, Debug)]
pub(crate) struct DeletionRow {
    pub(crate) deletion_id: String,
    pub(crate) type_name: String,
    pub(crate) summary: Summary,
    pub(crate) started_at: Timestamp,
}

/// Begins a query for deletions of a region.
pub(crate) fn deletions_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select * from ssm_inventory_deletions where region = ");
    sql.text(region);
    sql
}

pub(crate) async fn deletions(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<DeletionRow>> {
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(DeletionRow {
                deletion_id: row.text("deletion_id")?,
                type_name: row.text("type_name")?,
                summary: serde_json::from_str(&row.text("summary")?).map_err(ApiError::internal)?,
                started_at: row.time("started_at")?,
            })
        })
        .collect()
}

pub(crate) async fn deletion(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<DeletionRow>> {
    let mut sql = deletions_sql(region);
    sql.push(" and deletion_id = ").text(id);
    Ok(deletions(sql, on).await?.pop())
}

pub(crate) async fn insert_deletion(
    on: impl AnyExecutor<'_>,
    region: &str,
    row: &DeletionRow,
) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_inventory_deletions (region, deletion_id, type_name, summary, started_at) values (",
    );
    let summary = serde_json::to_string(&row.summary).map_err(ApiError::internal)?;
    for text in [region, &row.deletion_id, &row.type_name, &summary] {
        sql.text(text).push(", ");
    }
    sql.int(row.started_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}
