//! The baseline that a node is held against in one run, as it goes to the node with the command.

use super::get_patch_baseline_for_patch_group::of_group;
use super::{defaults, find, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use crate::tags;
use muster_domain::Timestamp;
use serde_json::{Value, json};

/// The tags that say to which patch group a node belongs, the older one first.
const GROUP_TAGS: [&str; 2] = ["Patch Group", "PatchGroup"];

/// The patch group of a node; empty where it is in none.
pub(crate) async fn patch_group(plane: &ControlPlane, node: &NodeRow) -> ApiResult<String> {
    let tags = tags::queries::of(plane.db.reader(), &node.region, tags::NODE, &node.node_id).await?;
    let group = GROUP_TAGS.iter().find_map(|name| {
        tags.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    });
    Ok(group.unwrap_or_default())
}

/// What a node gets: the baseline of its patch group and operating system, the same for all nodes of the snapshot.
pub(crate) async fn for_node(
    plane: &ControlPlane,
    node: &NodeRow,
    snapshot_id: &str,
    now: Timestamp,
) -> ApiResult<Value> {
    let Some(system) = defaults::operating_system(&node.platform_name, &node.platform_version) else {
        let platform = format!("{} {}", node.platform_name, node.platform_version);
        return Ok(json!({"Error": format!("there are no patch baselines for {}", platform.trim())}));
    };
    let group = patch_group(plane, node).await?;
    match baseline_of(plane, node, &group, system, snapshot_id, now).await {
        // The others get theirs; this node says why it has none.
        Err(error) if error.status == 400 => {
            Ok(json!({"Error": error.message.unwrap_or_else(|| error.code.to_owned())}))
        }
        other => other,
    }
}

async fn baseline_of(
    plane: &ControlPlane,
    node: &NodeRow,
    group: &str,
    system: &str,
    snapshot_id: &str,
    now: Timestamp,
) -> ApiResult<Value> {
    let baseline_id = of_group(plane, &node.region, group, system).await?;
    let row = find(plane, &node.region, &baseline_id).await?;
    let content = serde_json::to_string(&row.baseline).map_err(ApiError::internal)?;
    let key = (snapshot_id, row.baseline_id.as_str());
    let content = queries::snapshot(&plane.db, &node.region, key, &content, now).await?;
    let baseline: Value = serde_json::from_str(&content).map_err(ApiError::internal)?;
    Ok(
        json!({"SnapshotId": snapshot_id, "BaselineId": row.baseline_id, "PatchGroup": group, "Baseline": baseline}),
    )
}
