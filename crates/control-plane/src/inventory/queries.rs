//! SQL of inventory. Nothing else touches its table.

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
    fn read(row: &AnyRow) -> ApiResult<Self> {
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
