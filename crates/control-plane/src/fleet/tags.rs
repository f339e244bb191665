//! What the three tag operations share: which resources can be tagged, and the shapes of tags.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries;
use crate::operations::Call;
use crate::validation::{Shape, is_managed_id, one_of};
use serde::{Deserialize, Serialize};

pub(crate) const RESOURCE_TYPE: Shape = one_of(&[
    "Document",
    "ManagedInstance",
    "MaintenanceWindow",
    "Parameter",
    "PatchBaseline",
    "OpsItem",
    "OpsMetadata",
    "Automation",
    "Association",
]);

/// Tags on one resource at most.
pub(crate) const MAX_TAGS: usize = 50;

/// A tag as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    key: String,
    value: String,
}

impl TagInput {
    pub(crate) fn pair(self) -> (String, String) {
        (self.key, self.value)
    }
}

/// A tag as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagOutput {
    key: String,
    value: String,
}

impl TagOutput {
    pub(crate) fn of((key, value): (String, String)) -> Self {
        Self { key, value }
    }
}

/// That the resource is a node of this region.
pub(crate) async fn check_resource(plane: &ControlPlane, call: &Call, kind: &str, id: &str) -> ApiResult<()> {
    if kind != queries::NODE_TAGS {
        // The other types exist in the model; none of their resources exists here yet.
        return Err(ApiError::bare("InvalidResourceId"));
    }
    if !is_managed_id(id) {
        return Err(ApiError::validation(
            "resourceId should be in format mi-[0-9a-f]{17} for resource type ManagedInstance",
        ));
    }
    let node = queries::node(plane.db.reader(), id).await?;
    if node.is_some_and(|node| node.region == call.region) {
        Ok(())
    } else {
        Err(ApiError::bare("InvalidResourceId"))
    }
}
