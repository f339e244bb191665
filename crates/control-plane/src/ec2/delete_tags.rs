//! `DeleteTags`: by key, or by key and value; without tags all of them.

use super::{Done, IDS, TAGS, Tag, check_dry_run, tagged};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags::queries;
use crate::validation::{Member, Shape, optional, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    optional("DryRun", Shape::Flag),
    required("Resources", IDS),
    optional("Tags", TAGS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    dry_run: Option<bool>,
    resources: Vec<String>,
    tags: Option<Vec<Tag>>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Done> {
    check_dry_run(input.dry_run)?;
    let resources = tagged(plane, call, &input.resources).await?;
    let mut transaction = plane.db.begin().await?;
    for (kind, id) in &resources {
        let there = queries::of(&mut *transaction, &call.region, kind, id).await?;
        let is_meant = |(key, value): &(String, String)| match &input.tags {
            None => true,
            Some(tags) => tags
                .iter()
                .any(|tag| tag.key == *key && tag.value.as_ref().is_none_or(|wanted| wanted == value)),
        };
        let keys: Vec<String> = there
            .into_iter()
            .filter(|tag| is_meant(tag))
            .map(|(key, _)| key)
            .collect();
        queries::remove(&mut *transaction, &call.region, kind, id, Some(&keys)).await?;
    }
    transaction.commit().await?;
    plane.nodes_have_changed();
    Ok(Done { done: true })
}
