//! `CreateTags`: adds tags to nodes and snapshots, or changes their values. They are the same tags that Systems Manager knows.

use super::{Done, IDS, TAGS, Tag, check_dry_run, tagged};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::{self, MAX_TAGS, check_keys};
use crate::validation::{Member, Shape, is_tag_text, optional, required};
use serde::Deserialize;
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[
    optional("DryRun", Shape::Flag),
    required("Resources", IDS),
    required("Tags", TAGS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    dry_run: Option<bool>,
    resources: Vec<String>,
    tags: Vec<Tag>,
}

/// Tags as Systems Manager allows them too.
pub(crate) fn pairs(tags: Vec<Tag>) -> ApiResult<Vec<(String, String)>> {
    let invalid = |why: String| ApiError::new("InvalidParameterValue", why);
    let mut pairs = Vec::with_capacity(tags.len());
    for tag in tags {
        let value = tag.value.unwrap_or_default();
        if !(1..=128).contains(&tag.key.chars().count()) || !is_tag_text(&tag.key) {
            return Err(invalid(
                "Tag keys have 1 to 128 letters, digits, spaces and _.:/=+-@.".into(),
            ));
        }
        if value.chars().count() > 256 || !is_tag_text(&value) {
            return Err(invalid(format!(
                "The value of the tag {} may have 256 letters, digits, spaces and _.:/=+-@.",
                tag.key
            )));
        }
        pairs.push((tag.key, value));
    }
    check_keys(&pairs).map_err(|error| invalid(error.message.unwrap_or_default()))?;
    Ok(pairs)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Done> {
    check_dry_run(input.dry_run)?;
    let resources = tagged(plane, call, &input.resources).await?;
    let tags = pairs(input.tags)?;
    let mut transaction = plane.db.begin().await?;
    for (kind, id) in &resources {
        let before = tags::queries::of(&mut *transaction, &call.region, kind, id).await?;
        let mut keys: BTreeSet<&str> = before.iter().map(|(key, _)| key.as_str()).collect();
        keys.extend(tags.iter().map(|(key, _)| key.as_str()));
        if keys.len() > MAX_TAGS {
            return Err(ApiError::new(
                "TagLimitExceeded",
                format!("A resource has at most {MAX_TAGS} tags."),
            ));
        }
        for tag in &tags {
            tags::queries::put(&mut *transaction, &call.region, kind, id, tag).await?;
        }
    }
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(Done { done: true })
}
