//! SQL of keys and their aliases. Nothing else touches these tables.

use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// A key.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) region: String,
    pub(crate) key_id: String,
    /// `AWS` for the ones that make themselves, `CUSTOMER` for the others.
    pub(crate) manager: String,
    pub(crate) description: String,
    /// The key itself, under the master key.
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

/// A name for a key, which begins with `alias/`.
#[derive(Clone, Debug)]
pub(crate) struct AliasRow {
    pub(crate) alias: String,
    pub(crate) key_id: String,
    pub(crate) created_at: Timestamp,
}

fn keys_sql() -> Sql {
    Sql::new("select region, key_id, manager, description, sealed, created_at from kms_keys where region = ")
}

fn read_key(row: &AnyRow) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        region: row.text("region")?,
        key_id: row.text("key_id")?,
        manager: row.text("manager")?,
        description: row.text("description")?,
        sealed: row.bytes("sealed")?,
        created_at: row.time("created_at")?,
    })
}

pub(crate) async fn key(on: impl AnyExecutor<'_>, region: &str, key_id: &str) -> ApiResult<Option<KeyRow>> {
    let mut sql = keys_sql();
    sql.text(region).push(" and key_id = ").text(key_id);
    Ok(sql.first(on).await?.map(|row| read_key(&row)).transpose()?)
}

/// Any key at all, of any region.
pub(crate) async fn any_key(on: impl AnyExecutor<'_>) -> ApiResult<Option<KeyRow>> {
    let sql = Sql::new(
        "select region, key_id, manager, description, sealed, created_at from kms_keys order by region, \
         key_id limit 1",
    );
    Ok(sql.first(on).await?.map(|row| read_key(&row)).transpose()?)
}

/// Keys after that id, in order.
pub(crate) async fn keys(
    on: impl AnyExecutor<'_>,
    region: &str,
    after: &str,
    limit: i64,
) -> ApiResult<Vec<KeyRow>> {
    let mut sql = keys_sql();
    sql.text(region).push(" and key_id > ").text(after);
    sql.push(" order by key_id limit ").int(limit);
    let rows = sql.all(on).await?;
    Ok(rows.iter().map(read_key).collect::<Result<_, _>>()?)
}

pub(crate) async fn insert_key(on: impl AnyExecutor<'_>, row: &KeyRow) -> ApiResult<()> {
    let mut sql =
        Sql::new("insert into kms_keys (region, key_id, manager, description, sealed, created_at) values (");
    for text in [&row.region, &row.key_id, &row.manager, &row.description] {
        sql.text(text.as_str()).push(", ");
    }
    sql.bytes(row.sealed.clone())
        .push(", ")
        .int(row.created_at.0)
        .push(")");
    sql.run(on).await?;
    Ok(())
}

fn read_alias(row: &AnyRow) -> Result<AliasRow, StoreError> {
    Ok(AliasRow {
        alias: row.text("alias")?,
        key_id: row.text("key_id")?,
        created_at: row.time("created_at")?,
    })
}

fn aliases_sql() -> Sql {
    Sql::new("select alias, key_id, created_at from kms_aliases where region = ")
}

pub(crate) async fn alias(
    on: impl AnyExecutor<'_>,
    region: &str,
    alias: &str,
) -> ApiResult<Option<AliasRow>> {
    let mut sql = aliases_sql();
    sql.text(region).push(" and alias = ").text(alias);
    Ok(sql.first(on).await?.map(|row| read_alias(&row)).transpose()?)
}

/// Aliases after that one, of one key or of all, in order.
pub(crate) async fn aliases(
    on: impl AnyExecutor<'_>,
    region: &str,
    key_id: Option<&str>,
    after: &str,
    limit: i64,
) -> ApiResult<Vec<AliasRow>> {
    let mut sql = aliases_sql();
    sql.text(region).push(" and alias > ").text(after);
    if let Some(key_id) = key_id {
        sql.push(" and key_id = ").text(key_id);
    }
    sql.push(" order by alias limit ").int(limit);
    let rows = sql.all(on).await?;
    Ok(rows.iter().map(read_alias).collect::<Result<_, _>>()?)
}

/// Adds an alias; a violation of uniqueness says that it is there already.
pub(crate) async fn insert_alias(
    on: impl AnyExecutor<'_>,
    region: &str,
    row: &AliasRow,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("insert into kms_aliases (region, alias, key_id, created_at) values (");
    sql.text(region).push(", ").text(row.alias.as_str());
    sql.push(", ").text(row.key_id.as_str());
    sql.push(", ").int(row.created_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}
