//! Output for buckets of somebody's own: once a node's part has ended, what it has streamed is copied there. All of it
//! follows from the database, so it goes on after any stop; what cannot be written is tried again for a day.

use super::output_store::OutputKey;
use super::queries::{self, CommandRow};
use super::shown::{output_key, output_region};
use crate::buckets;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use futures::{FutureExt as _, StreamExt as _, stream};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use sqlx::AnyExecutor;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

/// Parts that are looked at in one go.
const AT_ONCE: i64 = 20;
/// Parts that are copied at the same time.
const SIDE_BY_SIDE: usize = 4;
/// Seconds until the next try, by the number of tries before; after the last it is given up.
const PATIENCE_S: [i64; 8] = [5, 30, 120, 600, 3_600, 10_800, 28_800, 43_200];

/// A node's part whose output is to be copied.
struct Copy {
    region: String,
    command_id: String,
    node_id: String,
    attempts: i64,
}

/// Writes down that there is something to copy.
pub(crate) async fn wish(
    on: impl AnyExecutor<'_>,
    command_id: &str,
    node_id: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_output_copies (region, command_id, node_id, attempts, due_at) select c.region, c.command_id, ",
    );
    sql.text(node_id).push(", 0, ").int(now.0);
    sql.push(" from ssm_commands c where c.command_id = ")
        .text(command_id);
    sql.push(" on conflict do nothing");
    sql.run(on).await?;
    Ok(())
}

async fn due(on: impl AnyExecutor<'_>, now: Timestamp) -> ApiResult<Vec<Copy>> {
    let mut sql = Sql::new("select o.* from ssm_output_copies o where o.due_at <= ");
    sql.int(now.0).push(" order by o.due_at limit ").int(AT_ONCE);
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(Copy {
                region: row.text("region")?,
                command_id: row.text("command_id")?,
                node_id: row.text("node_id")?,
                attempts: row.int("attempts")?,
            })
        })
        .collect()
}

async fn done(on: impl AnyExecutor<'_>, copy: &Copy) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_output_copies where command_id = ");
    sql.text(&copy.command_id);
    sql.push(" and node_id = ").text(&copy.node_id);
    sql.run(on).await?;
    Ok(())
}

async fn later(on: impl AnyExecutor<'_>, copy: &Copy, due_at: Timestamp) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_output_copies set attempts = attempts + 1, due_at = ");
    sql.int(due_at.0)
        .push(" where command_id = ")
        .text(&copy.command_id);
    sql.push(" and node_id = ").text(&copy.node_id);
    sql.run(on).await?;
    Ok(())
}

/// Copies one stream, where the node has streamed it.
async fn copy_stream(
    plane: &ControlPlane,
    objects: &Arc<dyn ObjectStore>,
    kept: &OutputKey,
    key: &str,
) -> std::io::Result<()> {
    let Some(file) = plane.output.file(kept).await? else {
        return Ok(());
    };
    let mut file = tokio::fs::File::from_std(file);
    let mut writer = BufWriter::new(Arc::clone(objects), buckets::key(key));
    let copied = match tokio::io::copy(&mut file, &mut writer).await {
        Ok(_) => writer.shutdown().await,
        Err(error) => Err(error),
    };
    if copied.is_err() {
        // Or its parts would lie there, unseen and paid for.
        let _ = writer.abort().await;
    }
    copied
}

async fn all_streams(plane: &ControlPlane, row: &CommandRow, node_id: &str) -> Result<(), String> {
    let objects = plane.buckets.open(&row.output_bucket, output_region(row))?;
    for step in &row.content.main_steps {
        for name in ["stdout", "stderr"] {
            let Some(kept) = OutputKey::new(&row.command_id, node_id, &step.name, name) else {
                continue;
            };
            let key = output_key(row, node_id, step, name);
            copy_stream(plane, &objects, &kept, &key)
                .await
                .map_err(|error| format!("{key} could not be written: {error}"))?;
        }
    }
    Ok(())
}

async fn one(plane: &ControlPlane, copy: &Copy) -> ApiResult<()> {
    let command = queries::command(plane.db.reader(), &copy.region, &copy.command_id).await?;
    let Some(row) = command else {
        return done(plane.db.writer(), copy).await;
    };
    let Err(why) = all_streams(plane, &row, &copy.node_id).await else {
        return done(plane.db.writer(), copy).await;
    };
    let wait_s = usize::try_from(copy.attempts)
        .ok()
        .and_then(|tried| PATIENCE_S.get(tried));
    tracing::warn!(
        command.id = %copy.command_id,
        node.id = %copy.node_id,
        why,
        is_tried_again = wait_s.is_some(),
        "output could not be copied to its bucket"
    );
    match wait_s {
        Some(seconds) => {
            later(
                plane.db.writer(),
                copy,
                plane.clock.now().plus_ms(seconds * 1_000),
            )
            .await
        }
        None => done(plane.db.writer(), copy).await,
    }
}

/// One round over what is due. Answers whether there may be more.
pub(crate) async fn round(plane: &ControlPlane) -> ApiResult<bool> {
    let due = due(plane.db.reader(), plane.clock.now()).await?;
    let mut copies = Vec::with_capacity(due.len());
    for copy in &due {
        copies.push(one(plane, copy).boxed());
    }
    let ended: Vec<ApiResult<()>> = stream::iter(copies)
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    ended.into_iter().collect::<ApiResult<Vec<()>>>()?;
    Ok(i64::try_from(due.len()).unwrap_or_default() == AT_ONCE)
}
