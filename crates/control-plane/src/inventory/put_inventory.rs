//! `PutInventory`: a node says what it has, or somebody says it for it. Each type is replaced as a whole; content that is
//! known by its hash need not be sent again.

use super::queries::{self, ItemRow};
use super::{CAPTURE_TIME, SCHEMA_VERSION, TYPE_NAME};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::operations::Call;
use crate::patches::reported;
use crate::validation::{INSTANCE_ID, Member, Shape, list, optional, required, text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const ENTRY: Shape = Shape::Map(&text(0, 4096));
pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    required(
        "Items",
        list(
            1,
            30,
            &Shape::Record(&[
                required("TypeName", TYPE_NAME),
                required("SchemaVersion", SCHEMA_VERSION),
                required("CaptureTime", CAPTURE_TIME),
                optional("ContentHash", text(0, 256)),
                optional("Content", list(0, 10_000, &ENTRY)),
                optional("Context", ENTRY),
            ]),
        ),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    type_name: String,
    schema_version: String,
    capture_time: String,
    content_hash: Option<String>,
    content: Option<Vec<Map<String, Value>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_id: String,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    message: &'static str,
}

/// Custom types of a node at most: the service's 20, and those that the agent itself reports.
const MOST_CUSTOM: i64 = 22;

/// Names of attributes as the model limits them.
fn check_names(item: &Item) -> ApiResult<()> {
    let refused = |why: String| {
        ApiError::new(
            "InvalidItemContentException",
            format!("The content of {} cannot be taken: {why}.", item.type_name),
        )
    };
    for entry in item.content.iter().flatten() {
        if entry.len() > 50 {
            return Err(refused("an entry has more than 50 attributes".into()));
        }
        if let Some(name) = entry
            .keys()
            .find(|name| !(1..=64).contains(&name.chars().count()))
        {
            let name: String = name.chars().take(64).collect();
            return Err(refused(format!(
                "the name of an attribute has 1 to 64 characters, not as {name}"
            )));
        }
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    call.check_own(&input.instance_id)?;
    let node = nodes::node(plane.db.reader(), &input.instance_id)
        .await?
        .filter(|node| node.region == call.region)
        .ok_or_else(|| {
            ApiError::new(
                "InvalidInstanceId",
                format!("{} is not a valid instance ID", input.instance_id),
            )
        })?;
    let names: BTreeSet<&str> = input.items.iter().map(|item| item.type_name.as_str()).collect();
    if names.len() != input.items.len() {
        return Err(ApiError::new(
            "InvalidItemContentException",
            "Items: every type can be there once.",
        ));
    }
    input.items.iter().try_for_each(check_names)?;
    let mut transaction = plane.db.begin().await?;
    for item in input.items {
        // A type that somebody has switched off is not refused, or nodes would send it again and again.
        let (name, version) = (&item.type_name, &item.schema_version);
        if queries::is_disabled(&mut *transaction, &call.region, name, version).await? {
            continue;
        }
        let known = queries::item(&mut *transaction, &call.region, &node.node_id, &item.type_name).await?;
        let is_older = |known: &ItemRow| {
            // A clock that was wrong once does not keep a node's reports away until it is right.
            known.capture_time > item.capture_time && known.capture_time <= call.now.rfc3339()
        };
        if known.as_ref().is_some_and(is_older) {
            // It was found out before what is there; two reports may overtake each other.
            continue;
        }
        if known.is_none() && item.type_name.starts_with("Custom:") {
            let others = queries::custom_types(&mut *transaction, &call.region, &node.node_id).await?;
            if others >= MOST_CUSTOM {
                return Err(ApiError::new(
                    "CustomSchemaCountLimitExceededException",
                    format!("A node has at most {MOST_CUSTOM} custom types of inventory."),
                ));
            }
        }
        let (region, node_id) = (call.region.clone(), node.node_id.clone());
        let content_hash = item.content_hash.unwrap_or_default();
        let row = match (item.content, known) {
            (Some(content), _) => {
                reported::take(&mut transaction, &node, &item.type_name, &content, call.now).await?;
                ItemRow {
                    region,
                    node_id,
                    entries: i64::try_from(content.len()).unwrap_or(i64::MAX),
                    content: serde_json::to_string(&content).map_err(ApiError::internal)?,
                    type_name: item.type_name,
                    schema_version: item.schema_version,
                    capture_time: item.capture_time,
                    content_hash,
                    modified_at: call.now,
                }
            }
            // Nothing has changed since: only that it was looked at is new.
            (None, Some(known)) if !content_hash.is_empty() && known.content_hash == content_hash => {
                ItemRow {
                    capture_time: item.capture_time,
                    modified_at: call.now,
                    ..known
                }
            }
            (None, _) => {
                return Err(ApiError::new(
                    "ItemContentMismatchException",
                    format!(
                        "The content of {} is not known by that ContentHash: send it whole.",
                        item.type_name
                    ),
                ));
            }
        };
        queries::put(&mut *transaction, &row).await?;
    }
    transaction.commit().await?;
    Ok(Output {
        message: "Inventory was put.",
    })
}
