//! Keeps buckets up to date: what nodes have reported since is written, one object for each node and type, in the service's
//! own layout. All of it follows from the database, so it goes on after any stop.

use super::queries::{self, Position, SyncRow};
use crate::buckets;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::inventory::queries::ItemRow;
use muster_domain::Timestamp;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Reports that are written in one go.
const AT_ONCE: i64 = 200;
/// A report counts from when it came, and is there when its transaction ends, which waits for its turn: what is newer than
/// this is left for a later round.
const SETTLED_MS: i64 = 40_000;
/// How long a sync that failed is left alone.
const PATIENCE_MS: i64 = 60_000;

/// The key of a node's report.
fn key(account: &str, row: &SyncRow, item: &ItemRow) -> String {
    format!(
        "{}{}/accountid={account}/region={}/resourcetype=ManagedInstanceInventory/{}.json",
        row.destination.folder(),
        item.type_name,
        item.region,
        item.node_id
    )
}

/// One entry to a line, each with whose it is.
fn lines(item: &ItemRow) -> ApiResult<String> {
    let mut text = String::new();
    for mut entry in item.entries::<Map<String, Value>>()? {
        entry.insert("resourceId".into(), item.node_id.as_str().into());
        entry.insert("captureTime".into(), item.capture_time.as_str().into());
        entry.insert("schemaVersion".into(), item.schema_version.as_str().into());
        text.push_str(&Value::Object(entry).to_string());
        text.push('\n');
    }
    Ok(text)
}

async fn write(
    plane: &ControlPlane,
    objects: &Arc<dyn ObjectStore>,
    row: &SyncRow,
    item: &ItemRow,
) -> Result<(), String> {
    let key = key(&plane.config.account, row, item);
    let text = lines(item).map_err(|error| error.message.unwrap_or_default())?;
    objects
        // Whatever a node calls a type of its own: what cannot stand in a key is encoded.
        .put(&buckets::key(&key), PutPayload::from(text.into_bytes()))
        .await
        .map(|_| ())
        .map_err(|error| format!("{key} could not be written: {error}"))
}

/// Writes what is new for one sync. Answers whether there may be more.
async fn one(plane: &ControlPlane, mut row: SyncRow, now: Timestamp) -> ApiResult<bool> {
    let is_waiting = row.status == "Failed" && row.tried_at.is_some_and(|at| now.since_ms(at) < PATIENCE_MS);
    if is_waiting {
        return Ok(false);
    }
    let until = now.plus_ms(-SETTLED_MS);
    let items = queries::reported(plane.db.reader(), &row.region, &row.position, until, AT_ONCE).await?;
    if items.is_empty() && row.status == "Successful" {
        return Ok(false);
    }
    let destination = &row.destination;
    let opened = plane.buckets.open(&destination.bucket_name, &destination.region);
    let mut failed = opened.as_ref().err().cloned();
    if let Ok(objects) = &opened {
        for item in &items {
            if let Err(why) = write(plane, objects, &row, item).await {
                failed = Some(why);
                break;
            }
            row.position = Position {
                at: item.modified_at.0,
                node_id: item.node_id.clone(),
                type_name: item.type_name.clone(),
            };
        }
    }
    let has_more = failed.is_none() && i64::try_from(items.len()).unwrap_or_default() == AT_ONCE;
    row.tried_at = Some(now);
    (row.status, row.message) = match failed {
        Some(why) => {
            tracing::warn!(sync.name = %row.name, why, "a resource data sync failed; it is tried again");
            ("Failed".into(), why)
        }
        None if has_more => ("InProgress".into(), String::new()),
        None => {
            row.succeeded_at = Some(now);
            ("Successful".into(), String::new())
        }
    };
    queries::set(plane.db.writer(), &row).await?;
    Ok(has_more)
}

/// One round over all syncs. Answers whether there may be more.
pub(crate) async fn round(plane: &ControlPlane) -> ApiResult<bool> {
    let now = plane.clock.now();
    let mut has_more = false;
    for row in queries::all(plane.db.reader()).await? {
        has_more |= one(plane, row, now).await?;
    }
    Ok(has_more)
}
