//! SQL of previews. Nothing else touches their table.

use super::queries::{json, text};
use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde_json::Value;
use sqlx::AnyExecutor;

/// What running something would touch, or why that could not be said.
#[derive(Clone, Debug)]
pub(crate) struct PreviewRow {
    pub(crate) region: String,
    pub(crate) preview_id: String,
    pub(crate) preview: Value,
    pub(crate) failure_message: String,
    pub(crate) ended_at: Timestamp,
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &PreviewRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_automation_previews (region, preview_id, preview, failure_message, ended_at) values (",
    );
    sql.text(row.region.as_str())
        .push(", ")
        .text(row.preview_id.as_str());
    sql.push(", ").text(text(&row.preview)?);
    sql.push(", ").text(row.failure_message.as_str());
    sql.push(", ").int(row.ended_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn preview(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<PreviewRow>> {
    let mut sql = Sql::new("select * from ssm_automation_previews where preview_id = ");
    sql.text(id).push(" and region = ").text(region);
    let Some(row) = sql.first(on).await? else {
        return Ok(None);
    };
    Ok(Some(PreviewRow {
        region: row.text("region")?,
        preview_id: row.text("preview_id")?,
        preview: json(&row, "preview")?,
        failure_message: row.text("failure_message")?,
        ended_at: row.time("ended_at")?,
    }))
}

/// Forgets old ones.
pub(crate) async fn forget(on: impl AnyExecutor<'_>, before: Timestamp) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_automation_previews where ended_at < ");
    sql.int(before.0);
    sql.run(on).await?;
    Ok(())
}
