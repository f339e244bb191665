//! `PutComplianceItems`: what somebody has found out about a node, in a type of its own.

use super::queries::{self, Execution, Item, Resource};
use super::{PATCH, Put, put};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::{Empty, from_seconds, queries as nodes};
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Pattern, Shape, list, matching, one_of, optional, required, text};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn is_type(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = text.strip_prefix("Custom:").unwrap_or(text);
    let mut chars = name.chars();
    chars.next().is_some_and(|first| word(first) || first == '-')
        && !chars.as_str().is_empty()
        && chars.all(word)
}

/// The pattern of the model.
const TYPE: Shape = matching(
    1,
    100,
    Pattern {
        text: "^([A-Za-z0-9_\\-]\\w+|Custom:[a-zA-Z0-9_\\-]\\w+)$",
        holds: is_type,
    },
);
pub(crate) const INPUT: &[Member] = &[
    required("ResourceId", text(1, 100)),
    required("ResourceType", text(1, 50)),
    required("ComplianceType", TYPE),
    required(
        "ExecutionSummary",
        Shape::Record(&[
            required("ExecutionTime", Shape::Number),
            optional("ExecutionId", text(0, 100)),
            optional("ExecutionType", text(0, 50)),
        ]),
    ),
    required(
        "Items",
        list(
            0,
            10_000,
            &Shape::Record(&[
                optional("Id", ANY_TEXT),
                optional("Title", text(0, 500)),
                required(
                    "Severity",
                    one_of(&[
                        "CRITICAL",
                        "HIGH",
                        "MEDIUM",
                        "LOW",
                        "INFORMATIONAL",
                        "UNSPECIFIED",
                    ]),
                ),
                required("Status", one_of(&["COMPLIANT", "NON_COMPLIANT"])),
                optional("Details", Shape::Map(&text(0, 4096))),
            ]),
        ),
    ),
    optional("ItemContentHash", text(0, 256)),
    optional("UploadType", one_of(&["COMPLETE", "PARTIAL"])),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    execution_time: f64,
    execution_id: Option<String>,
    execution_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    id: Option<String>,
    title: Option<String>,
    severity: String,
    status: String,
    details: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    resource_id: String,
    resource_type: String,
    compliance_type: String,
    execution_summary: Summary,
    items: Vec<Given>,
    item_content_hash: Option<String>,
    upload_type: Option<String>,
}

fn items(given: Vec<Given>) -> ApiResult<Vec<Item>> {
    let mut ids = BTreeSet::new();
    let mut items = Vec::with_capacity(given.len());
    for (at, item) in given.into_iter().enumerate() {
        let id = item.id.filter(|id| !id.is_empty());
        // One without an id is known by its place.
        let id = id.unwrap_or_else(|| format!("{:05}", at + 1));
        if !ids.insert(id.clone()) {
            let id: String = id.chars().take(100).collect();
            return Err(ApiError::new(
                "InvalidItemContentException",
                format!("Items: the id {id} is there twice."),
            ));
        }
        items.push(Item {
            id,
            title: item.title.unwrap_or_default(),
            severity: item.severity,
            status: item.status,
            details: item.details.unwrap_or_default(),
        });
    }
    Ok(items)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    if input.resource_type != "ManagedInstance" {
        return Err(ApiError::bare("InvalidResourceType"));
    }
    call.check_own(&input.resource_id)?;
    let node = nodes::node(plane.db.reader(), &input.resource_id).await?;
    let node = node
        .filter(|node| node.region == call.region)
        .ok_or_else(|| ApiError::bare("InvalidResourceId"))?;
    if input.compliance_type == PATCH {
        return Err(ApiError::validation(
            "ComplianceType: what is known of patches comes from AWS-RunPatchBaseline; use a type Custom:<name>.",
        ));
    }
    let resource = Resource::node(&call.region, &node.node_id);
    let items = items(input.items)?;
    let hash = input.item_content_hash.unwrap_or_default();
    let mut transaction = plane.db.begin().await?;
    let known = queries::resource(&mut *transaction, &resource, &input.compliance_type).await?;
    if items.is_empty() && !hash.is_empty() && known.as_ref().is_some_and(|known| known.content_hash == hash)
    {
        // Nothing has changed since.
        return Ok(Empty {});
    }
    let execution = Execution {
        at: from_seconds(input.execution_summary.execution_time),
        id: input.execution_summary.execution_id.unwrap_or_default(),
        kind: input.execution_summary.execution_type.unwrap_or_default(),
    };
    let report = Put {
        compliance_type: &input.compliance_type,
        items,
        execution: &execution,
        is_partial: input.upload_type.as_deref() == Some("PARTIAL"),
        content_hash: &hash,
    };
    put(&mut transaction, &resource, report).await?;
    transaction.commit().await?;
    Ok(Empty {})
}

#[cfg(test)]
mod tests {
    use super::is_type;

    #[test]
    fn types_are_as_the_model_says() {
        for (text, is) in [
            ("Association", true),
            ("Custom:Rack", true),
            ("Custom:-x", true),
            ("-x", true),
            ("Custom:", false),
            ("C", false),
            ("a-b", false),
            ("Other:x", false),
            ("", false),
        ] {
            assert_eq!(is_type(text), is, "{text}");
        }
    }
}
