//! SQL of windows, their targets and their tasks. Nothing else touches these tables.

use super::task::Task;
use super::{Definition, TargetDefinition};
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// A window.
#[derive(Clone, Debug)]
pub(crate) struct WindowRow {
    pub(crate) region: String,
    pub(crate) window_id: String,
    pub(crate) definition: Definition,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

pub(super) fn definition<T: DeserializeOwned>(row: &AnyRow) -> ApiResult<T> {
    serde_json::from_str(&row.text("definition")?)
        .map_err(|error| ApiError::internal(format!("definition: {error}")))
}

pub(super) fn to_text(value: &impl Serialize) -> ApiResult<String> {
    serde_json::to_string(value).map_err(ApiError::internal)
}

impl WindowRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            window_id: row.text("window_id")?,
            definition: definition(row)?,
            next_at: row.time_or_none("next_at")?,
            created_at: row.time("created_at")?,
            modified_at: row.time("modified_at")?,
        })
    }
}

const COLUMNS: &str =
    "select region, window_id, definition, next_at, created_at, modified_at from ssm_windows where ";

async fn read_windows(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<WindowRow>> {
    sql.all(on).await?.iter().map(WindowRow::read).collect()
}

pub(crate) async fn window(
    on: impl AnyExecutor<'_>,
    region: &str,
    window_id: &str,
) -> ApiResult<Option<WindowRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("region = ")
        .text(region)
        .push(" and window_id = ")
        .text(window_id);
    sql.first(on).await?.map(|row| WindowRow::read(&row)).transpose()
}

/// All windows of a region, by id; there are few.
pub(crate) async fn windows(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<Vec<WindowRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("region = ").text(region).push(" order by window_id");
    read_windows(sql, on).await
}

/// Windows that are to open by `now`.
pub(crate) async fn due(on: impl AnyExecutor<'_>, now: Timestamp, limit: i64) -> ApiResult<Vec<WindowRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("next_at <= ").int(now.0);
    sql.push(" order by next_at limit ").int(limit);
    read_windows(sql, on).await
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &WindowRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_windows (region, window_id, definition, next_at, created_at, modified_at) values (",
    );
    for text in [&row.region, &row.window_id, &to_text(&row.definition)?] {
        sql.text(text).push(", ");
    }
    sql.int_or_none(row.next_at.map(|at| at.0)).push(", ");
    sql.int(row.created_at.0)
        .push(", ")
        .int(row.modified_at.0)
        .push(")");
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn update(on: impl AnyExecutor<'_>, row: &WindowRow) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_windows set definition = ");
    sql.text(to_text(&row.definition)?);
    sql.push(", next_at = ").int_or_none(row.next_at.map(|at| at.0));
    sql.push(", modified_at = ").int(row.modified_at.0);
    sql.push(" where region = ")
        .text(&row.region)
        .push(" and window_id = ")
        .text(&row.window_id);
    sql.run(on).await?;
    Ok(())
}

/// Says when a window opens next, unless somebody has said so since `row` was read.
pub(crate) async fn set_next(
    on: impl AnyExecutor<'_>,
    row: &WindowRow,
    next_at: Option<Timestamp>,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_windows set next_at = ");
    sql.int_or_none(next_at.map(|at| at.0));
    sql.push(" where region = ")
        .text(&row.region)
        .push(" and window_id = ")
        .text(&row.window_id);
    sql.push(" and next_at = ")
        .int(row.next_at.unwrap_or_default().0)
        .push(" and modified_at = ")
        .int(row.modified_at.0);
    Ok(sql.run(on).await? == 1)
}

/// Deletes a window with its targets and tasks; what it has done stays.
pub(crate) async fn delete(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    window_id: &str,
) -> ApiResult<()> {
    for start in [
        "delete from ssm_window_targets where region = ",
        "delete from ssm_window_tasks where region = ",
        "delete from ssm_windows where region = ",
    ] {
        let mut sql = Sql::new(start);
        sql.text(region).push(" and window_id = ").text(window_id);
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// The two kinds of things that are registered with a window: their tables are alike.
pub(crate) trait Registered: Serialize + DeserializeOwned {
    const SELECT: &'static str;
    const UPSERT: &'static str;
    const ON_CONFLICT: &'static str;
    const DELETE: &'static str;
    const ID: &'static str;
}

impl Registered for TargetDefinition {
    const SELECT: &'static str = "select target_id as id, definition from ssm_window_targets where region = ";
    const UPSERT: &'static str =
        "insert into ssm_window_targets (region, window_id, target_id, definition) values (";
    const ON_CONFLICT: &'static str =
        ") on conflict (region, window_id, target_id) do update set definition = excluded.definition";
    const DELETE: &'static str = "delete from ssm_window_targets where region = ";
    const ID: &'static str = " and target_id = ";
}

impl Registered for Task {
    const SELECT: &'static str = "select task_id as id, definition from ssm_window_tasks where region = ";
    const UPSERT: &'static str =
        "insert into ssm_window_tasks (region, window_id, task_id, definition) values (";
    const ON_CONFLICT: &'static str =
        ") on conflict (region, window_id, task_id) do update set definition = excluded.definition";
    const DELETE: &'static str = "delete from ssm_window_tasks where region = ";
    const ID: &'static str = " and task_id = ";
}

/// All of a window, by id.
pub(crate) async fn registered<T: Registered>(
    on: impl AnyExecutor<'_>,
    region: &str,
    window_id: &str,
) -> ApiResult<Vec<(String, T)>> {
    let mut sql = Sql::new(T::SELECT);
    sql.text(region).push(" and window_id = ").text(window_id);
    sql.push(" order by id");
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| Ok((row.text("id")?, definition(row)?)))
        .collect()
}

pub(crate) async fn one_registered<T: Registered>(
    on: impl AnyExecutor<'_>,
    region: &str,
    window_id: &str,
    id: &str,
) -> ApiResult<Option<T>> {
    let mut sql = Sql::new(T::SELECT);
    sql.text(region).push(" and window_id = ").text(window_id);
    sql.push(T::ID).text(id);
    sql.first(on).await?.map(|row| definition(&row)).transpose()
}

/// Registers it or changes it.
pub(crate) async fn put_registered<T: Registered>(
    on: impl AnyExecutor<'_>,
    region: &str,
    window_id: &str,
    id: &str,
    value: &T,
) -> ApiResult<()> {
    let mut sql = Sql::new(T::UPSERT);
    for text in [region, window_id, id] {
        sql.text(text).push(", ");
    }
    sql.text(to_text(value)?).push(T::ON_CONFLICT);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete_registered<T: Registered>(
    on: impl AnyExecutor<'_>,
    region: &str,
    window_id: &str,
    id: &str,
) -> ApiResult<bool> {
    let mut sql = Sql::new(T::DELETE);
    sql.text(region).push(" and window_id = ").text(window_id);
    sql.push(T::ID).text(id);
    Ok(sql.run(on).await? == 1)
}
