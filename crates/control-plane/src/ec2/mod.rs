//! What scripts ask EC2 beside Systems Manager: which instances there are, and their tags. The nodes are the instances.
//! One file per operation.

pub(crate) mod create_snapshot;
pub(crate) mod create_tags;
pub(crate) mod delete_tags;
pub(crate) mod describe_instances;
pub(crate) mod describe_snapshots;
pub(crate) mod instance_ids;
pub(crate) mod snapshot_queries;
mod wildcards;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Shape, list, optional};
use instance_ids::{node_id, shown};
use serde::{Deserialize, Serialize};

/// Ids of instances or of anything else.
pub(crate) const IDS: Shape = list(0, usize::MAX, &ANY_TEXT);
pub(crate) const FILTERS: Shape = list(
    0,
    usize::MAX,
    &Shape::Record(&[optional("Name", ANY_TEXT), optional("Values", IDS)]),
);
pub(crate) const TAGS: Shape = list(
    0,
    usize::MAX,
    &Shape::Record(&[optional("Key", ANY_TEXT), optional("Value", ANY_TEXT)]),
);

/// A filter in a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Filter {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) values: Vec<String>,
}

/// A tag in a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    #[serde(default)]
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

/// The answer of operations that say only that they are done.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    #[serde(rename = "return")]
    pub(crate) done: bool,
}

/// EC2 asks so whether a call would be allowed.
pub(crate) fn check_dry_run(dry_run: Option<bool>) -> ApiResult<()> {
    if dry_run == Some(true) {
        return Err(ApiError::new(
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        ));
    }
    Ok(())
}

/// The nodes that are named, or which of them is none.
pub(crate) async fn named(plane: &ControlPlane, call: &Call, ids: &[String]) -> ApiResult<Vec<String>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let node = nodes::node(plane.db.reader(), &node_id(id)).await?;
        let node = node.filter(|node| node.region == call.region).ok_or_else(|| {
            ApiError::new(
                "InvalidInstanceID.NotFound",
                format!("The instance ID '{}' does not exist", shown(id)),
            )
        })?;
        found.push(node.node_id);
    }
    Ok(found)
}

/// The tags of snapshots are kept under this.
pub(crate) const SNAPSHOT_TAGS: &str = "Snapshot";

/// The one volume of a node: what snapshots are taken of.
pub(crate) fn volume_id(node_id: &str) -> String {
    shown(node_id).replacen("i-", "vol-", 1)
}

/// The node that a volume is of, whether there is one or not.
pub(crate) fn node_of_volume(volume_id: &str) -> String {
    node_id(&volume_id.replacen("vol-", "i-", 1))
}

/// The resources that are named, each with what its tags are kept under, or which of them is none.
pub(crate) async fn tagged(
    plane: &ControlPlane,
    call: &Call,
    ids: &[String],
) -> ApiResult<Vec<(&'static str, String)>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        if !id.starts_with("snap-") {
            let nodes = named(plane, call, std::slice::from_ref(id)).await?;
            found.extend(nodes.into_iter().map(|node| (crate::tags::NODE, node)));
            continue;
        }
        if !snapshot_queries::is_there(plane.db.reader(), &call.region, id).await? {
            let id: String = id.chars().take(128).collect();
            return Err(ApiError::new(
                "InvalidSnapshot.NotFound",
                format!("The snapshot '{id}' does not exist."),
            ));
        }
        found.push((SNAPSHOT_TAGS, id.clone()));
    }
    Ok(found)
}
