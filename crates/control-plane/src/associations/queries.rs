//! SQL of associations and their versions. Nothing else touches these tables.

use super::definition::Definition;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// An association.
#[derive(Clone, Debug)]
pub(crate) struct AssociationRow {
    pub(crate) region: String,
    pub(crate) association_id: String,
    pub(crate) version: i64,
    pub(crate) definition: Definition,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) last_execution_at: Option<Timestamp>,
    pub(crate) last_success_at: Option<Timestamp>,
}

fn definition(row: &AnyRow) -> ApiResult<Definition> {
    serde_json::from_str(&row.text("definition")?)
        .map_err(|error| ApiError::internal(format!("definition: {error}")))
}

fn to_text(definition: &Definition) -> ApiResult<String> {
    serde_json::to_string(definition).map_err(ApiError::internal)
}

impl AssociationRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            association_id: row.text("association_id")?,
            version: row.int("version")?,
            definition: definition(row)?,
            created_at: row.time("created_at")?,
            modified_at: row.time("modified_at")?,
            next_at: row.time_or_none("next_at")?,
            last_execution_at: row.time_or_none("last_execution_at")?,
            last_success_at: row.time_or_none("last_success_at")?,
        })
    }
}

/// Begins a query for associations; conditions speak of the table as `a`.
pub(crate) fn associations_sql() -> Sql {
    Sql::new("select a.* from ssm_associations a where ")
}

pub(crate) async fn associations(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<AssociationRow>> {
    sql.all(on).await?.iter().map(AssociationRow::read).collect()
}

pub(crate) async fn association(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<AssociationRow>> {
    let mut sql = associations_sql();
    sql.push("a.region = ")
        .text(region)
        .push(" and a.association_id = ")
        .text(id);
    Ok(associations(sql, on).await?.pop())
}

/// All of a document.
pub(crate) async fn of_document(
    on: impl AnyExecutor<'_>,
    region: &str,
    document: &str,
) -> ApiResult<Vec<AssociationRow>> {
    let mut sql = associations_sql();
    sql.push("a.region = ")
        .text(region)
        .push(" and a.document = ")
        .text(document);
    sql.push(" order by a.association_id");
    associations(sql, on).await
}

/// Those that are to run by `now`.
pub(crate) async fn due(
    on: impl AnyExecutor<'_>,
    now: Timestamp,
    limit: i64,
) -> ApiResult<Vec<AssociationRow>> {
    let mut sql = associations_sql();
    sql.push("a.next_at <= ").int(now.0);
    sql.push(" order by a.next_at limit ").int(limit);
    associations(sql, on).await
}

/// Up to `limit` after a key, of all regions.
pub(crate) async fn some_after(
    on: impl AnyExecutor<'_>,
    (region, id): (&str, &str),
    limit: i64,
) -> ApiResult<Vec<AssociationRow>> {
    let mut sql = associations_sql();
    sql.push("(a.region > ").text(region);
    sql.push(" or (a.region = ")
        .text(region)
        .push(" and a.association_id > ")
        .text(id);
    sql.push(")) order by a.region, a.association_id limit ")
        .int(limit);
    associations(sql, on).await
}

pub(crate) async fn count(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<i64> {
    let mut sql = Sql::new("select count(*) as n from ssm_associations where region = ");
    sql.text(region);
    Ok(sql.one(on).await?.int("n")?)
}

/// Writes a new association, or a new version of one.
pub(crate) async fn put(transaction: &mut Transaction<'static, Any>, row: &AssociationRow) -> ApiResult<()> {
    let text = to_text(&row.definition)?;
    let mut sql = Sql::new(
        "insert into ssm_associations (region, association_id, document, definition, version, created_at, \
         modified_at, next_at, last_execution_at, last_success_at) values (",
    );
    for part in [&row.region, &row.association_id, &row.definition.name, &text] {
        sql.text(part).push(", ");
    }
    for number in [row.version, row.created_at.0, row.modified_at.0] {
        sql.int(number).push(", ");
    }
    sql.int_or_none(row.next_at.map(|at| at.0)).push(", ");
    sql.int_or_none(row.last_execution_at.map(|at| at.0)).push(", ");
    sql.int_or_none(row.last_success_at.map(|at| at.0));
    sql.push(
        ") on conflict (region, association_id) do update set document = excluded.document, \
         definition = excluded.definition, version = excluded.version, modified_at = excluded.modified_at, \
         next_at = excluded.next_at",
    );
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new(
        "insert into ssm_association_versions (region, association_id, definition, version, created_at) values (",
    );
    for part in [&row.region, &row.association_id, &text] {
        sql.text(part).push(", ");
    }
    sql.int(row.version).push(", ").int(row.modified_at.0).push(")");
    sql.run(&mut **transaction).await?;
    Ok(())
}

/// Says when it runs next, unless somebody has said so since `row` was read.
pub(crate) async fn set_next(
    on: impl AnyExecutor<'_>,
    row: &AssociationRow,
    next_at: Option<Timestamp>,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_associations set next_at = ");
    sql.int_or_none(next_at.map(|at| at.0));
    sql.push(" where region = ")
        .text(&row.region)
        .push(" and association_id = ")
        .text(&row.association_id);
    sql.push(" and version = ").int(row.version);
    match row.next_at {
        Some(at) => sql.push(" and next_at = ").int(at.0),
        None => sql.push(" and next_at is null"),
    };
    Ok(sql.run(on).await? == 1)
}

/// Has it run as soon as may be.
pub(crate) async fn run_now(on: impl AnyExecutor<'_>, row: &AssociationRow, now: Timestamp) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_associations set next_at = ");
    sql.int(now.0)
        .push(" where region = ")
        .text(&row.region)
        .push(" and association_id = ")
        .text(&row.association_id);
    sql.run(on).await?;
    Ok(())
}

/// Holds an association until the end of the transaction; `false` when it is not there.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_associations set modified_at = modified_at where region = ");
    sql.text(region).push(" and association_id = ").text(id);
    Ok(sql.run(on).await? == 1)
}

/// Notes a run, and a good one.
pub(crate) async fn set_last(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
    (executed, succeeded): (Timestamp, bool),
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_associations set last_execution_at = ");
    sql.int(executed.0);
    if succeeded {
        sql.push(", last_success_at = ").int(executed.0);
    }
    sql.push(" where region = ")
        .text(region)
        .push(" and association_id = ")
        .text(id);
    sql.run(on).await?;
    Ok(())
}

/// Deletes it with everything that belongs to it.
pub(crate) async fn delete(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    id: &str,
) -> ApiResult<()> {
    for start in [
        "delete from ssm_association_versions where region = ",
        "delete from ssm_association_executions where region = ",
        "delete from ssm_association_nodes where region = ",
        "delete from ssm_associations where region = ",
    ] {
        let mut sql = Sql::new(start);
        sql.text(region).push(" and association_id = ").text(id);
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// A version: its number, what it says, when it was made.
pub(crate) type Version = (i64, Definition, Timestamp);

/// Versions of an association after a number, oldest first.
pub(crate) async fn versions(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
    after: i64,
    limit: i64,
) -> ApiResult<Vec<Version>> {
    let mut sql =
        Sql::new("select version, definition, created_at from ssm_association_versions where region = ");
    sql.text(region)
        .push(" and association_id = ")
        .text(id)
        .push(" and version > ")
        .int(after);
    sql.push(" order by version limit ").int(limit);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| Ok((row.int("version")?, definition(row)?, row.time("created_at")?)))
        .collect()
}
