//! SQL of groups. Nothing else touches the table.

use super::query::ResourceQuery;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde::{Deserialize, Serialize};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// What people say of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) criticality: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
}

/// A group.
#[derive(Clone, Debug)]
pub(crate) struct GroupRow {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) about: About,
    pub(crate) query: ResourceQuery,
}

const COLUMNS: &str = "select region, name, about, query_type, query from ssm_resource_groups ";

fn read(row: &AnyRow) -> ApiResult<GroupRow> {
    Ok(GroupRow {
        region: row.text("region")?,
        name: row.text("name")?,
        about: serde_json::from_str(&row.text("about")?).map_err(ApiError::internal)?,
        query: ResourceQuery {
            kind: row.text("query_type")?,
            query: row.text("query")?,
        },
    })
}

fn about(row: &GroupRow) -> ApiResult<String> {
    serde_json::to_string(&row.about).map_err(ApiError::internal)
}

/// Keeps a new one. `false` when the name is taken.
pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &GroupRow, now: Timestamp) -> ApiResult<bool> {
    let about = about(row)?;
    let mut sql = Sql::new(
        "insert into ssm_resource_groups (region, name, about, query_type, query, created_at) values (",
    );
    for text in [&row.region, &row.name, &about, &row.query.kind, &row.query.query] {
        sql.text(text).push(", ");
    }
    sql.int(now.0).push(") on conflict do nothing");
    Ok(sql.run(on).await? == 1)
}

/// Keeps others from changing a group until the transaction ends. `false` when it is not there.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_resource_groups set created_at = created_at where region = ");
    sql.text(region).push(" and name = ").text(name);
    Ok(sql.run(on).await? == 1)
}

/// Writes what may change.
pub(crate) async fn update(on: impl AnyExecutor<'_>, row: &GroupRow) -> ApiResult<()> {
    let about = about(row)?;
    let mut sql = Sql::new("update ssm_resource_groups set about = ");
    sql.text(&about).push(", query_type = ").text(&row.query.kind);
    sql.push(", query = ").text(&row.query.query);
    sql.push(" where region = ").text(&row.region);
    sql.push(" and name = ").text(&row.name);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_resource_groups where region = ");
    sql.text(region).push(" and name = ").text(name);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn group(on: impl AnyExecutor<'_>, region: &str, name: &str) -> ApiResult<Option<GroupRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("where region = ")
        .text(region)
        .push(" and name = ")
        .text(name);
    sql.first(on).await?.map(|row| read(&row)).transpose()
}

/// Up to `limit` of a region, by name, after one.
pub(crate) async fn groups(
    on: impl AnyExecutor<'_>,
    region: &str,
    after: &str,
    limit: usize,
) -> ApiResult<Vec<GroupRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("where region = ")
        .text(region)
        .push(" and name > ")
        .text(after)
        .push(" order by name limit ")
        .int(i64::try_from(limit).unwrap_or(i64::MAX));
    sql.all(on).await?.iter().map(read).collect()
}
