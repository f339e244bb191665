//! `CreateTopic`. A topic that is there already is told.

use super::{arn, invalid, is_topic_name, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, list, optional, required, text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    required("Name", ANY_TEXT),
    optional("Attributes", Shape::Map(&ANY_TEXT)),
    optional(
        "Tags",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[required("Key", text(1, 128)), required("Value", text(0, 256))]),
        ),
    ),
    optional("DataProtectionPolicy", ANY_TEXT),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    attributes: Option<BTreeMap<String, String>>,
    tags: Option<Vec<Value>>,
    data_protection_policy: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    topic_arn: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if !is_topic_name(&input.name) {
        return Err(invalid(
            "Topic Name: 1 to 256 letters, digits, hyphens and underscores.",
        ));
    }
    if input.tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(invalid(
            "Tags Reason: This control plane keeps no tags of topics.",
        ));
    }
    if input.data_protection_policy.is_some() {
        return Err(invalid(
            "DataProtectionPolicy Reason: This control plane does not look into messages.",
        ));
    }
    let mut display_name = String::new();
    for (name, value) in input.attributes.unwrap_or_default() {
        match (name.as_str(), value.as_str()) {
            ("DisplayName", _) if value.chars().count() <= 100 => display_name = value,
            ("FifoTopic" | "ContentBasedDeduplication", "false") => {}
            _ => {
                return Err(invalid(&format!(
                    "Attributes Reason: {name}: topics have a DisplayName of at most 100 characters here, and are not FIFO."
                )));
            }
        }
    }
    queries::put_topic(
        plane.db.writer(),
        &call.region,
        &input.name,
        &display_name,
        call.now,
    )
    .await?;
    Ok(Output {
        topic_arn: arn(plane, &call.region, &input.name),
    })
}
