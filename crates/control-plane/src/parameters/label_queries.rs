//! SQL of the labels of parameters' versions.

use crate::errors::ApiResult;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// Labels and their versions; of one version or of all.
pub(crate) async fn labels_of(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    version: Option<i64>,
) -> ApiResult<Vec<(String, i64)>> {
    let mut sql = Sql::new("select label, version from ssm_parameter_labels where region = ");
    sql.text(region).push(" and name_key = ").text(key);
    if let Some(version) = version {
        sql.push(" and version = ").int(version);
    }
    sql.push(" order by label");
    let rows = sql.all(on).await?;
    let pair = |row: &AnyRow| Ok((row.text("label")?, row.int("version")?));
    Ok(rows.iter().map(pair).collect::<Result<_, StoreError>>()?)
}

/// Puts a label onto a version, wherever it was.
pub(crate) async fn put_label(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    label: &str,
    version: i64,
) -> ApiResult<()> {
    let mut sql = Sql::new("insert into ssm_parameter_labels (region, name_key, label, version) values (");
    sql.text(region).push(", ").text(key).push(", ").text(label);
    sql.push(", ").int(version);
    sql.push(") on conflict (region, name_key, label) do update set version = excluded.version");
    sql.run(on).await?;
    Ok(())
}

/// Takes a label off a version.
pub(crate) async fn remove_label(
    on: impl AnyExecutor<'_>,
    region: &str,
    key: &str,
    label: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_parameter_labels where region = ");
    sql.text(region).push(" and name_key = ").text(key);
    sql.push(" and label = ").text(label);
    sql.run(on).await?;
    Ok(())
}
