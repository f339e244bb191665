//! `CreateSnapshot`: has a node take a snapshot of itself, by a command. A node that cannot has no volume; it says so.

use super::snapshot_queries::{self as snapshots, SnapshotRow};
use super::{SNAPSHOT_TAGS, TAGS, Tag, check_dry_run, create_tags, node_of_volume, volume_id};
use crate::commands::order::{self, Order};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::operations::Call;
use crate::tags;
use crate::validation::{ANY_TEXT, Member, Shape, list, optional, required};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const SPECIFICATIONS: Shape = list(
    0,
    usize::MAX,
    &Shape::Record(&[optional("ResourceType", ANY_TEXT), optional("Tags", TAGS)]),
);
pub(crate) const INPUT: &[Member] = &[
    optional("Description", ANY_TEXT),
    required("VolumeId", ANY_TEXT),
    optional("TagSpecifications", SPECIFICATIONS),
    optional("DryRun", Shape::Flag),
];
/// The document that it is.
pub(crate) const DOCUMENT: &str = "Muster-CreateSnapshot";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    resource_type: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    description: Option<String>,
    volume_id: String,
    tag_specifications: Option<Vec<Specification>>,
    dry_run: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    snapshot_id: String,
    volume_id: String,
    status: &'static str,
    start_time: String,
    progress: &'static str,
    owner_id: String,
    description: String,
    encrypted: bool,
    tag_set: Vec<ShownTag>,
}

/// A tag in an answer.
#[derive(Debug, Serialize)]
pub(crate) struct ShownTag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The id that a call gives its snapshot.
pub(crate) fn fresh_id(call: &Call) -> String {
    let digits: String = call.fresh_id.chars().filter(char::is_ascii_hexdigit).collect();
    format!("snap-{}", digits.get(..17).unwrap_or_default())
}

fn wanted_tags(specifications: Vec<Specification>) -> ApiResult<Vec<(String, String)>> {
    let mut all = Vec::new();
    for specification in specifications {
        if specification.resource_type.as_deref() != Some("snapshot") {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "TagSpecification: the ResourceType of what is made here is snapshot.",
            ));
        }
        all.extend(specification.tags.unwrap_or_default());
    }
    let pairs = create_tags::pairs(all)?;
    let mut keys = BTreeSet::new();
    if let Some((twice, _)) = pairs.iter().find(|(key, _)| !keys.insert(key.as_str())) {
        return Err(ApiError::new(
            "InvalidParameterValue",
            format!("TagSpecification: the key {twice} is there twice."),
        ));
    }
    if pairs.len() > tags::MAX_TAGS {
        return Err(ApiError::new(
            "TagLimitExceeded",
            format!("A resource has at most {} tags.", tags::MAX_TAGS),
        ));
    }
    Ok(pairs)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_dry_run(input.dry_run)?;
    let shown: String = input.volume_id.chars().take(128).collect();
    let none = |why: &str| {
        ApiError::new(
            "InvalidVolume.NotFound",
            format!("The volume '{shown}' does not exist{why}"),
        )
    };
    let node = nodes::node(plane.db.reader(), &node_of_volume(&input.volume_id))
        .await?
        .filter(|node| node.region == call.region && volume_id(&node.node_id) == input.volume_id)
        .ok_or_else(|| none("."))?;
    if node.snapshots.is_empty() {
        return Err(none(
            ": its node takes no snapshots. Its root is neither btrfs nor on LVM, and there is no program \
             /etc/muster-agent/snapshot.",
        ));
    }
    let description = input.description.unwrap_or_default();
    if description.chars().count() > 255 || description.contains(char::is_control) {
        return Err(ApiError::new(
            "InvalidParameterValue",
            "Description: at most 255 characters of one line.",
        ));
    }
    let tags = wanted_tags(input.tag_specifications.unwrap_or_default())?;
    let row = SnapshotRow {
        region: call.region.clone(),
        snapshot_id: fresh_id(call),
        node_id: node.node_id.clone(),
        description,
        command_id: call.fresh_id.clone(),
        started_at: call.now,
        command_status: String::new(),
        details: String::new(),
    };
    let parameters = [
        ("snapshotId", &row.snapshot_id),
        ("description", &row.description),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), vec![value.clone()]));
    let order = Order {
        document: DOCUMENT.into(),
        parameters: parameters.collect::<BTreeMap<_, _>>(),
        instance_ids: vec![node.node_id.clone()],
        comment: row.snapshot_id.clone(),
        ..Order::default()
    };
    let document = order::document(plane, &call.region, DOCUMENT, None).await?;
    let prepared = order::prepare(plane, call, &document, order, &[node]).await?;
    let mut transaction = plane.db.begin().await?;
    snapshots::insert(&mut *transaction, &row).await?;
    for tag in &tags {
        tags::queries::put(
            &mut *transaction,
            &call.region,
            SNAPSHOT_TAGS,
            &row.snapshot_id,
            tag,
        )
        .await?;
    }
    prepared.insert(&mut transaction).await?;
    transaction.commit().await?;
    prepared.tell(plane);
    Ok(Output {
        volume_id: input.volume_id,
        status: "pending",
        start_time: row.started_at.rfc3339(),
        progress: "",
        owner_id: plane.config.account.clone(),
        description: row.description,
        encrypted: false,
        snapshot_id: row.snapshot_id,
        tag_set: tags
            .into_iter()
            .map(|(key, value)| ShownTag { key, value })
            .collect(),
    })
}
