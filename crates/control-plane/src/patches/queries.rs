//! SQL of baselines, defaults, patch groups and snapshots. Nothing else touches these tables.

use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_patching::Baseline;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// A baseline.
#[derive(Clone, Debug)]
pub(crate) struct BaselineRow {
    pub(crate) region: String,
    pub(crate) baseline_id: String,
    pub(crate) baseline: Baseline,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

impl BaselineRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            baseline_id: row.text("baseline_id")?,
            baseline: serde_json::from_str(&row.text("definition")?).map_err(ApiError::internal)?,
            created_at: row.time("created_at")?,
            modified_at: row.time("modified_at")?,
        })
    }
}

fn to_text(value: &impl serde::Serialize) -> ApiResult<String> {
    serde_json::to_string(value).map_err(ApiError::internal)
}

pub(crate) async fn baseline(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<BaselineRow>> {
    let mut sql = Sql::new("select * from ssm_patch_baselines where region = ");
    sql.text(region).push(" and baseline_id = ").text(id);
    sql.first(on)
        .await?
        .map(|row| BaselineRow::read(&row))
        .transpose()
}

/// All that somebody made, by id; there are few.
pub(crate) async fn baselines(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<Vec<BaselineRow>> {
    let mut sql = Sql::new("select * from ssm_patch_baselines where region = ");
    sql.text(region).push(" order by baseline_id");
    sql.all(on).await?.iter().map(BaselineRow::read).collect()
}

pub(crate) async fn put(on: impl AnyExecutor<'_>, row: &BaselineRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_patch_baselines (region, baseline_id, definition, created_at, modified_at) values (",
    );
    for text in [&row.region, &row.baseline_id, &to_text(&row.baseline)?] {
        sql.text(text).push(", ");
    }
    sql.int(row.created_at.0).push(", ").int(row.modified_at.0);
    sql.push(
        ") on conflict (region, baseline_id) do update set definition = excluded.definition, \
         modified_at = excluded.modified_at",
    );
    sql.run(on).await?;
    Ok(())
}

/// Holds a baseline until the end of the transaction; `false` when it is not there.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_patch_baselines set modified_at = modified_at where region = ");
    sql.text(region).push(" and baseline_id = ").text(id);
    Ok(sql.run(on).await? == 1)
}

pub(crate) async fn delete(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_patch_baselines where region = ");
    sql.text(region).push(" and baseline_id = ").text(id);
    sql.run(on).await?;
    Ok(())
}

/// The baseline that somebody chose for an operating system.
pub(crate) async fn default_of(
    on: impl AnyExecutor<'_>,
    region: &str,
    operating_system: &str,
) -> ApiResult<Option<String>> {
    let mut sql = Sql::new("select baseline_id from ssm_patch_defaults where region = ");
    sql.text(region)
        .push(" and operating_system = ")
        .text(operating_system);
    let row = sql.first(on).await?;
    Ok(row.map(|row| row.text("baseline_id")).transpose()?)
}

/// The operating systems for which a baseline was chosen, with it.
pub(crate) async fn chosen(on: impl AnyExecutor<'_>, region: &str) -> ApiResult<Vec<(String, String)>> {
    let mut sql = Sql::new("select operating_system, baseline_id from ssm_patch_defaults where region = ");
    sql.text(region);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| Ok((row.text("operating_system")?, row.text("baseline_id")?)))
        .collect()
}

/// Chooses one; with `None` the one that comes with the control plane holds again.
pub(crate) async fn set_default(
    on: impl AnyExecutor<'_>,
    region: &str,
    operating_system: &str,
    baseline_id: Option<&str>,
) -> ApiResult<()> {
    let Some(baseline_id) = baseline_id else {
        let mut sql = Sql::new("delete from ssm_patch_defaults where region = ");
        sql.text(region)
            .push(" and operating_system = ")
            .text(operating_system);
        sql.run(on).await?;
        return Ok(());
    };
    let mut sql = Sql::new("insert into ssm_patch_defaults (region, operating_system, baseline_id) values (");
    sql.text(region).push(", ").text(operating_system);
    sql.push(", ").text(baseline_id);
    sql.push(") on conflict (region, operating_system) do update set baseline_id = excluded.baseline_id");
    sql.run(on).await?;
    Ok(())
}

/// A patch group and the baseline that holds for its nodes of one operating system.
#[derive(Clone, Debug)]
pub(crate) struct GroupRow {
    pub(crate) patch_group: String,
    pub(crate) operating_system: String,
    pub(crate) baseline_id: String,
}

impl GroupRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            patch_group: row.text("patch_group")?,
            operating_system: row.text("operating_system")?,
            baseline_id: row.text("baseline_id")?,
        })
    }
}

/// Begins a query for patch groups.
pub(crate) fn groups_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select * from ssm_patch_groups where region = ");
    sql.text(region);
    sql
}

pub(crate) async fn groups(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<GroupRow>> {
    sql.all(on).await?.iter().map(GroupRow::read).collect()
}

pub(crate) async fn group(
    on: impl AnyExecutor<'_>,
    region: &str,
    patch_group: &str,
    operating_system: &str,
) -> ApiResult<Option<GroupRow>> {
    let mut sql = groups_sql(region);
    sql.push(" and patch_group = ").text(patch_group);
    sql.push(" and operating_system = ").text(operating_system);
    Ok(groups(sql, on).await?.pop())
}

/// The groups of a baseline.
pub(crate) async fn groups_of(
    on: impl AnyExecutor<'_>,
    region: &str,
    baseline_id: &str,
) -> ApiResult<Vec<String>> {
    let mut sql = groups_sql(region);
    sql.push(" and baseline_id = ")
        .text(baseline_id)
        .push(" order by patch_group");
    Ok(groups(sql, on)
        .await?
        .into_iter()
        .map(|row| row.patch_group)
        .collect())
}

pub(crate) async fn insert_group(on: impl AnyExecutor<'_>, region: &str, row: &GroupRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_patch_groups (region, patch_group, operating_system, baseline_id) values (",
    );
    sql.text(region).push(", ").text(&row.patch_group);
    sql.push(", ")
        .text(&row.operating_system)
        .push(", ")
        .text(&row.baseline_id)
        .push(")");
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete_group(
    on: impl AnyExecutor<'_>,
    region: &str,
    patch_group: &str,
    baseline_id: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_patch_groups where region = ");
    sql.text(region).push(" and patch_group = ").text(patch_group);
    sql.push(" and baseline_id = ").text(baseline_id);
    sql.run(on).await?;
    Ok(())
}

/// The content of a snapshot; the first who asks for it makes it.
pub(crate) async fn snapshot(
    on: &muster_store::Db,
    region: &str,
    (snapshot_id, baseline_id): (&str, &str),
    content: &str,
    now: Timestamp,
) -> ApiResult<String> {
    let found = |on| async move {
        let mut sql = Sql::new("select content from ssm_patch_snapshots where region = ");
        sql.text(region).push(" and snapshot_id = ").text(snapshot_id);
        sql.push(" and baseline_id = ").text(baseline_id);
        let row = sql.first(on).await?;
        Ok::<_, ApiError>(row.map(|row| row.text("content")).transpose()?)
    };
    if let Some(content) = found(on.reader()).await? {
        return Ok(content);
    }
    let mut old = Sql::new("delete from ssm_patch_snapshots where created_at < ");
    old.int(now.plus_ms(-SNAPSHOT_KEPT_MS).0);
    old.run(on.writer()).await?;
    let mut sql = Sql::new(
        "insert into ssm_patch_snapshots (region, snapshot_id, baseline_id, content, created_at) values (",
    );
    for text in [region, snapshot_id, baseline_id, content] {
        sql.text(text).push(", ");
    }
    sql.int(now.0).push(") on conflict do nothing");
    sql.run(on.writer()).await?;
    // Somebody else may have made it in between; all get the same.
    Ok(found(on.reader()).await?.unwrap_or_else(|| content.to_owned()))
}

/// A run lasts hours, and may be repeated within the day.
const SNAPSHOT_KEPT_MS: i64 = 7 * 86_400_000;
