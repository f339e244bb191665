//! SQL of tags. Nothing else writes their table; questions about nodes also ask it.

use crate::errors::ApiResult;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// The tags of a resource, by key.
pub(crate) async fn of(
    on: impl AnyExecutor<'_>,
    region: &str,
    kind: &str,
    id: &str,
) -> ApiResult<Vec<(String, String)>> {
    let mut sql = Sql::new("select tag_key, tag_value from ssm_tags where resource_type = ");
    sql.text(kind).push(" and resource_id = ").text(id);
    sql.push(" and region = ").text(region);
    sql.push(" order by tag_key");
    let rows = sql.all(on).await?;
    let pair = |row: &AnyRow| Ok((row.text("tag_key")?, row.text("tag_value")?));
    Ok(rows.iter().map(pair).collect::<Result<_, StoreError>>()?)
}

/// The tags of several resources, each with the resource's id.
pub(crate) async fn of_many(
    on: impl AnyExecutor<'_>,
    region: &str,
    kind: &str,
    ids: &[String],
) -> ApiResult<Vec<(String, (String, String))>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("select resource_id, tag_key, tag_value from ssm_tags where resource_type = ");
    sql.text(kind).push(" and resource_id in (").texts(ids);
    sql.push(") and region = ").text(region);
    sql.push(" order by resource_id, tag_key");
    let rows = sql.all(on).await?;
    let read = |row: &AnyRow| {
        Ok((
            row.text("resource_id")?,
            (row.text("tag_key")?, row.text("tag_value")?),
        ))
    };
    Ok(rows.iter().map(read).collect::<Result<_, StoreError>>()?)
}

/// Adds a tag or changes its value.
pub(crate) async fn put(
    on: impl AnyExecutor<'_>,
    region: &str,
    kind: &str,
    id: &str,
    (key, value): &(String, String),
) -> ApiResult<()> {
    let mut sql =
        Sql::new("insert into ssm_tags (resource_type, resource_id, region, tag_key, tag_value) values (");
    sql.text(kind).push(", ").text(id).push(", ").text(region);
    sql.push(", ").text(key.as_str()).push(", ").text(value.as_str());
    sql.push(
        ") on conflict (resource_type, resource_id, tag_key, region) do update set tag_value = excluded.tag_value",
    );
    sql.run(on).await?;
    Ok(())
}

/// Removes those tags, or all when `keys` is `None`.
pub(crate) async fn remove(
    on: impl AnyExecutor<'_>,
    region: &str,
    kind: &str,
    id: &str,
    keys: Option<&[String]>,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_tags where resource_type = ");
    sql.text(kind).push(" and resource_id = ").text(id);
    sql.push(" and region = ").text(region);
    if let Some(keys) = keys {
        if keys.is_empty() {
            return Ok(());
        }
        sql.push(" and tag_key in (").texts(keys).push(")");
    }
    sql.run(on).await?;
    Ok(())
}
