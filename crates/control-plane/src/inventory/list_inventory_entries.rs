//! `ListInventoryEntries`: what a node has of one type. Also the filters of inventory.

use super::{TYPE_NAME, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{
    ANY_TEXT, INSTANCE_ID, Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Filters by attributes.
pub(crate) const FILTERS: Shape = list(
    1,
    5,
    &Shape::Record(&[
        required("Key", text(1, 200)),
        required("Values", list(1, 40, &ANY_TEXT)),
        optional(
            "Type",
            one_of(&[
                "Equal",
                "NotEqual",
                "BeginWith",
                "LessThan",
                "GreaterThan",
                "Exists",
            ]),
        ),
    ]),
);
pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    required("TypeName", TYPE_NAME),
    optional("Filters", FILTERS),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Filter {
    key: String,
    values: Vec<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

/// Attributes of an entry.
pub(crate) type Entry = BTreeMap<String, String>;

impl Filter {
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The attribute, without the type in front: `AWS:Application.Name` and `Name` are the same here.
    fn attribute(&self, type_name: &str) -> &str {
        let rest = self.key.strip_prefix(type_name);
        rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(&self.key)
    }

    /// Whether an entry of a type fits.
    pub(crate) fn holds(&self, type_name: &str, entry: &Entry) -> bool {
        let found = entry.get(self.attribute(type_name)).map(String::as_str);
        let value = found.unwrap_or_default();
        // Numbers are compared as numbers, everything else by its letters.
        let compared = |wanted: &String| match (value.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(value), Ok(wanted)) => value.total_cmp(&wanted),
            _ => value.cmp(wanted.as_str()),
        };
        let any = |fits: &dyn Fn(&String) -> bool| self.values.iter().any(fits);
        match self.kind.as_deref() {
            Some("NotEqual") => !any(&|wanted| wanted == value),
            Some("BeginWith") => any(&|wanted| value.starts_with(wanted.as_str())),
            Some("LessThan") => found.is_some() && any(&|wanted| compared(wanted).is_lt()),
            Some("GreaterThan") => found.is_some() && any(&|wanted| compared(wanted).is_gt()),
            Some("Exists") => found.is_some(),
            _ => any(&|wanted| wanted == value),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_id: String,
    type_name: String,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    type_name: String,
    instance_id: String,
    schema_version: String,
    capture_time: String,
    entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    nodes::node(plane.db.reader(), &input.instance_id)
        .await?
        .filter(|node| node.region == call.region)
        .ok_or_else(|| {
            ApiError::new(
                "InvalidInstanceId",
                format!("{} is not a valid instance ID", input.instance_id),
            )
        })?;
    let (node_id, type_name) = (&input.instance_id, &input.type_name);
    let row = queries::item(plane.db.reader(), &call.region, node_id, type_name).await?;
    let entries: Vec<Entry> = row
        .as_ref()
        .map(|row| row.entries())
        .transpose()?
        .unwrap_or_default();
    let filters = input.filters.unwrap_or_default();
    let entries = entries
        .into_iter()
        .enumerate()
        .filter(|(_, entry)| filters.iter().all(|filter| filter.holds(type_name, entry)))
        .map(|(at, entry)| (format!("{at:08}"), entry))
        .collect();
    let scope = format!(
        "ListInventoryEntries|{}|{node_id}|{type_name}|{filters:?}",
        call.region
    );
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) =
        page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), entries, limit)?;
    let (schema_version, capture_time) = row
        .map(|row| (row.schema_version, row.capture_time))
        .unwrap_or_default();
    Ok(Output {
        entries: page.into_iter().map(|(_, entry)| entry).collect(),
        type_name: input.type_name,
        instance_id: input.instance_id,
        schema_version,
        capture_time,
        next_token,
    })
}
