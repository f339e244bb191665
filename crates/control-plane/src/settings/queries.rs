//! SQL of service settings that are not what they are by default. Nothing else touches their table.

use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;

/// A setting that was changed.
#[derive(Clone, Debug)]
pub(crate) struct SettingRow {
    pub(crate) value: String,
    pub(crate) modified_at: Timestamp,
    pub(crate) modified_by: String,
}

pub(crate) async fn setting(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<SettingRow>> {
    let mut sql =
        Sql::new("select value, modified_at, modified_by from ssm_service_settings where region = ");
    sql.text(region).push(" and setting_id = ").text(id);
    let Some(row) = sql.first(on).await? else {
        return Ok(None);
    };
    Ok(Some(SettingRow {
        value: row.text("value")?,
        modified_at: row.time("modified_at")?,
        modified_by: row.text("modified_by")?,
    }))
}

pub(crate) async fn put(on: impl AnyExecutor<'_>, region: &str, id: &str, row: &SettingRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_service_settings (region, setting_id, value, modified_by, modified_at) values (",
    );
    for text in [region, id, &row.value, &row.modified_by] {
        sql.text(text).push(", ");
    }
    sql.int(row.modified_at.0);
    sql.push(
        ") on conflict (region, setting_id) do update set value = excluded.value, modified_by = excluded.modified_by, \
         modified_at = excluded.modified_at",
    );
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_service_settings where region = ");
    sql.text(region).push(" and setting_id = ").text(id);
    sql.run(on).await?;
    Ok(())
}
