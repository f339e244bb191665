//! SQL of OpsItems, what they are related to, and their events. Nothing else touches these tables.

use super::Definition;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// An item.
#[derive(Clone, Debug)]
pub(crate) struct OpsItemRow {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) source: String,
    pub(crate) status: String,
    pub(crate) priority: Option<i64>,
    pub(crate) category: String,
    pub(crate) severity: String,
    pub(crate) kind: String,
    pub(crate) definition: Definition,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) modified_at: Timestamp,
    pub(crate) modified_by: String,
}

impl OpsItemRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            id: row.text("ops_item_id")?,
            title: row.text("title")?,
            source: row.text("source")?,
            status: row.text("status")?,
            priority: row.int_or_none("priority")?,
            category: row.text("category")?,
            severity: row.text("severity")?,
            kind: row.text("ops_item_type")?,
            definition: serde_json::from_str(&row.text("definition")?).map_err(ApiError::internal)?,
            version: row.int("version")?,
            created_at: row.time("created_at")?,
            created_by: row.text("created_by")?,
            modified_at: row.time("modified_at")?,
            modified_by: row.text("modified_by")?,
        })
    }
}

/// Begins a query for items of a region; conditions speak of the table as `o`.
pub(crate) fn items_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select o.* from ssm_ops_items o where o.region = ");
    sql.text(region);
    sql
}

pub(crate) async fn items(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<OpsItemRow>> {
    sql.all(on).await?.iter().map(OpsItemRow::read).collect()
}

pub(crate) async fn item(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<Option<OpsItemRow>> {
    let mut sql = items_sql(region);
    sql.push(" and o.ops_item_id = ").text(id);
    Ok(items(sql, on).await?.pop())
}

/// Keeps others from changing an item until the transaction ends. `false` when it is not there.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_ops_items set version = version where region = ");
    sql.text(region).push(" and ops_item_id = ").text(id);
    Ok(sql.run(on).await? == 1)
}

/// The open item of a source that is known by that text.
pub(crate) async fn known(
    on: impl AnyExecutor<'_>,
    region: &str,
    source: &str,
    dedup: &str,
) -> ApiResult<Option<String>> {
    if dedup.is_empty() {
        return Ok(None);
    }
    let mut sql = items_sql(region);
    sql.push(" and o.dedup <> '' and o.is_open = 1 and o.source = ")
        .text(source);
    sql.push(" and o.dedup = ").text(dedup);
    Ok(items(sql, on).await?.pop().map(|row| row.id))
}

pub(crate) async fn put(on: impl AnyExecutor<'_>, row: &OpsItemRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_ops_items (region, ops_item_id, title, source, status, category, severity, ops_item_type, \
         dedup, definition, created_by, modified_by, priority, is_open, version, created_at, modified_at) values (",
    );
    let definition = serde_json::to_string(&row.definition).map_err(ApiError::internal)?;
    let dedup = super::dedup(&row.definition.operational_data);
    for text in [
        &row.region,
        &row.id,
        &row.title,
        &row.source,
        &row.status,
        &row.category,
        &row.severity,
        &row.kind,
        &dedup,
        &definition,
        &row.created_by,
        &row.modified_by,
    ] {
        sql.text(text).push(", ");
    }
    sql.int_or_none(row.priority).push(", ");
    sql.int(i64::from(super::is_open(&row.status))).push(", ");
    sql.int(row.version).push(", ").int(row.created_at.0);
    sql.push(", ").int(row.modified_at.0);
    sql.push(
        ") on conflict (region, ops_item_id) do update set title = excluded.title, status = excluded.status, \
         category = excluded.category, severity = excluded.severity, dedup = excluded.dedup, \
         definition = excluded.definition, modified_by = excluded.modified_by, priority = excluded.priority, \
         is_open = excluded.is_open, version = excluded.version, modified_at = excluded.modified_at",
    );
    sql.run(on).await?;
    Ok(())
}

/// Deletes an item with everything that belongs to it.
pub(crate) async fn delete(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    id: &str,
) -> ApiResult<()> {
    for start in [
        "delete from ssm_ops_item_related where region = ",
        "delete from ssm_ops_item_events where region = ",
        "delete from ssm_ops_items where region = ",
    ] {
        let mut sql = Sql::new(start);
        sql.text(region).push(" and ops_item_id = ").text(id);
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// Something that an item is about.
#[derive(Clone, Debug)]
pub(crate) struct RelatedRow {
    pub(crate) id: String,
    pub(crate) association_id: String,
    pub(crate) association_type: String,
    pub(crate) resource_type: String,
    pub(crate) resource_uri: String,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

impl RelatedRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            id: row.text("ops_item_id")?,
            association_id: row.text("association_id")?,
            association_type: row.text("association_type")?,
            resource_type: row.text("resource_type")?,
            resource_uri: row.text("resource_uri")?,
            created_at: row.time("created_at")?,
            created_by: row.text("created_by")?,
        })
    }
}

/// Begins a query for related things of a region.
pub(crate) fn related_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select * from ssm_ops_item_related where region = ");
    sql.text(region);
    sql
}

pub(crate) async fn related(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<RelatedRow>> {
    sql.all(on).await?.iter().map(RelatedRow::read).collect()
}

pub(crate) async fn insert_related(
    on: impl AnyExecutor<'_>,
    region: &str,
    row: &RelatedRow,
) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_ops_item_related (region, ops_item_id, association_id, association_type, resource_type, \
         resource_uri, created_by, created_at) values (",
    );
    for text in [
        region,
        &row.id,
        &row.association_id,
        &row.association_type,
        &row.resource_type,
        &row.resource_uri,
        &row.created_by,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.created_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}

/// `false` when there was none.
pub(crate) async fn delete_related(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
    association_id: &str,
) -> ApiResult<bool> {
    let mut sql = Sql::new("delete from ssm_ops_item_related where region = ");
    sql.text(region).push(" and ops_item_id = ").text(id);
    sql.push(" and association_id = ").text(association_id);
    Ok(sql.run(on).await? == 1)
}

/// Something that was done to an item.
#[derive(Clone, Debug)]
pub(crate) struct EventRow {
    pub(crate) id: String,
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    /// JSON.
    pub(crate) detail: String,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

/// Begins a query for events of a region.
pub(crate) fn events_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select * from ssm_ops_item_events where region = ");
    sql.text(region);
    sql
}

pub(crate) async fn events(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<EventRow>> {
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(EventRow {
                id: row.text("ops_item_id")?,
                event_id: row.text("event_id")?,
                detail_type: row.text("detail_type")?,
                detail: row.text("detail")?,
                created_at: row.time("created_at")?,
                created_by: row.text("created_by")?,
            })
        })
        .collect()
}

/// Writes down what happened to an item. What happens to it at one moment is told in its order: the later one counts as
/// a millisecond later.
pub(crate) async fn insert_event(on: impl AnyExecutor<'_>, region: &str, row: &EventRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_ops_item_events (region, ops_item_id, event_id, detail_type, detail, created_by, created_at) \
         select ",
    );
    for text in [
        region,
        &row.id,
        &row.event_id,
        &row.detail_type,
        &row.detail,
        &row.created_by,
    ] {
        sql.text(text).push(", ");
    }
    let now = row.created_at.0;
    sql.push("case when coalesce(max(e.created_at), 0) < ").int(now);
    sql.push(" then ")
        .int(now)
        .push(" else max(e.created_at) + 1 end");
    sql.push(" from ssm_ops_item_events e where e.region = ")
        .text(region);
    sql.push(" and e.ops_item_id = ").text(&row.id);
    sql.run(on).await?;
    Ok(())
}
