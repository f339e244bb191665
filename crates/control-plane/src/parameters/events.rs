//! Events: what happened without anybody asking at that moment. They are kept for thirty days.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::Sql;
use sqlx::{Any, Transaction};

const KEPT_MS: i64 = 30 * 86_400_000;

/// What happened.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) region: &'a str,
    /// In the words of the service's own events, as `Parameter Store Policy Action`.
    pub(crate) detail_type: &'static str,
    /// The ARN of what it happened to.
    pub(crate) resource: String,
    pub(crate) detail: serde_json::Value,
}

/// Writes an event down, and forgets the ones that are too old.
pub(crate) async fn put(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    event: Event<'_>,
    now: Timestamp,
) -> ApiResult<()> {
    let mut old = Sql::new("delete from ssm_events where at < ");
    old.int(now.plus_ms(-KEPT_MS).0);
    old.run(&mut **transaction).await?;
    let mut sql =
        Sql::new("insert into ssm_events (event_id, region, detail_type, resource, detail, at) values (");
    sql.text(plane.random.uuid()).push(", ").text(event.region);
    sql.push(", ")
        .text(event.detail_type)
        .push(", ")
        .text(event.resource);
    sql.push(", ").text(event.detail.to_string());
    sql.push(", ").int(now.0).push(")");
    sql.run(&mut **transaction).await?;
    Ok(())
}
