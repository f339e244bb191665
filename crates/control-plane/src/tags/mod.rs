//! Tags of every kind of resource: how they are sent and answered, which resources can have them, and the three
//! operations on them.

pub(crate) mod add_tags_to_resource;
pub(crate) mod list_tags_for_resource;
pub(crate) mod queries;
pub(crate) mod remove_tags_from_resource;

use crate::associations::{self, queries as association_queries};
use crate::automation;
use crate::control_plane::ControlPlane;
use crate::documents::{self, queries as document_queries};
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::operations::Call;
use crate::ops_items::{self, queries as ops_item_queries};
use crate::parameters::name::Name;
use crate::parameters::{self, queries as parameter_queries};
use crate::patches::{self, queries as patch_queries};
use crate::validation::{Shape, is_managed_id, one_of};
use crate::windows;
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
    "CloudConnector",
]);

/// The word in `resource_type` for a node's tags.
pub(crate) const NODE: &str = "ManagedInstance";

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

/// Tags for something new: none reserved, not too many; of a key that is given twice the last value.
pub(crate) fn check_new(tags: Vec<TagInput>) -> ApiResult<Vec<(String, String)>> {
    let pairs: Vec<(String, String)> = tags.into_iter().map(TagInput::pair).collect();
    check_keys(&pairs)?;
    let unique: std::collections::BTreeMap<String, String> = pairs.into_iter().collect();
    if unique.len() > MAX_TAGS {
        return Err(ApiError::bare("TooManyTagsError"));
    }
    Ok(unique.into_iter().collect())
}

/// That no key is reserved.
pub(crate) fn check_keys(tags: &[(String, String)]) -> ApiResult<()> {
    match tags
        .iter()
        .find(|(key, _)| key.to_ascii_lowercase().starts_with("aws:"))
    {
        Some((key, _)) => Err(ApiError::validation(format!(
            "Tag key {key} begins with aws:, which is reserved."
        ))),
        None => Ok(()),
    }
}

/// Keeps a parameter from being deleted between the look at it and the tagging.
pub(crate) async fn turn<'a>(
    plane: &'a ControlPlane,
    call: &Call,
    kind: &str,
    id: &str,
) -> Option<tokio::sync::MutexGuard<'a, ()>> {
    let name = Name::plain(id).ok().filter(|_| kind == parameters::TAGS)?;
    Some(
        plane
            .parameter_turns
            .of((call.region.as_str(), name.key.as_str()))
            .await,
    )
}

/// The id by which the tags of a resource of this region are kept, when it is there.
pub(crate) async fn resource(plane: &ControlPlane, call: &Call, kind: &str, id: &str) -> ApiResult<String> {
    let missing = || ApiError::bare("InvalidResourceId");
    let found = match kind {
        NODE => {
            if !is_managed_id(id) {
                return Err(ApiError::validation(
                    "resourceId should be in format mi-[0-9a-f]{17} for resource type ManagedInstance",
                ));
            }
            let node = nodes::node(plane.db.reader(), id).await?;
            node.filter(|node| node.region == call.region)
                .map(|node| node.node_id)
        }
        parameters::TAGS => {
            let name = Name::plain(id).map_err(|_| missing())?;
            parameter_queries::current(plane.db.reader(), &call.region, &name.key)
                .await?
                .map(|row| row.key)
        }
        documents::TAGS => {
            let rows = document_queries::versions(plane.db.reader(), &call.region, id).await?;
            rows.into_iter().next().map(|row| row.name)
        }
        windows::TAGS => windows::queries::window(plane.db.reader(), &call.region, id)
            .await?
            .map(|row| row.window_id),
        patches::TAGS => patch_queries::baseline(plane.db.reader(), &call.region, id)
            .await?
            .map(|row| row.baseline_id),
        associations::TAGS => association_queries::association(plane.db.reader(), &call.region, id)
            .await?
            .map(|row| row.association_id),
        ops_items::TAGS => ops_item_queries::item(plane.db.reader(), &call.region, id)
            .await?
            .map(|row| row.id),
        automation::TAGS => automation::queries::execution(plane.db.reader(), &call.region, id)
            .await?
            .map(|row| row.execution_id),
        // The other types exist in the model; none of their resources exists here yet.
        _ => None,
    };
    found.ok_or_else(missing)
}
