//! `GetInventorySchema`: types with their attributes. Of custom types they are those of the newest report.

use super::list_inventory_entries::Entry;
use super::queries;
use super::schemas::{INSTANCE_INFORMATION, KNOWN};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, Shape, optional, text, whole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(crate) const INPUT: &[Member] = &[
    optional("TypeName", text(0, 100)),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(50, 200)),
    optional("Aggregator", Shape::Flag),
    optional("SubType", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    type_name: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
    aggregator: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    name: String,
    data_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Schema {
    type_name: String,
    version: String,
    attributes: Vec<Attribute>,
    display_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    schemas: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Entries of a custom type that are looked at for their attributes.
const LOOKED_AT: usize = 100;

fn schema<'a>(type_name: &str, version: &str, attributes: impl Iterator<Item = &'a str>) -> Schema {
    let attribute = |name: &str| Attribute {
        name: name.to_owned(),
        data_type: "STRING",
    };
    Schema {
        type_name: type_name.to_owned(),
        version: version.to_owned(),
        attributes: attributes.map(attribute).collect(),
        display_name: type_name
            .rsplit_once(':')
            .map_or(type_name, |(_, name)| name)
            .to_owned(),
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut found: Vec<(String, Schema)> = KNOWN
        .iter()
        // What can be counted over nodes is what each node has once.
        .filter(|known| input.aggregator != Some(true) || known.type_name == INSTANCE_INFORMATION)
        .map(|known| {
            let schema = schema(known.type_name, known.version, known.attributes.iter().copied());
            (known.type_name.to_owned(), schema)
        })
        .collect();
    if input.aggregator != Some(true) {
        for row in queries::newest_custom(plane.db.reader(), &call.region).await? {
            let entries: Vec<Entry> = row.entries()?;
            let names: BTreeSet<&str> = entries
                .iter()
                .take(LOOKED_AT)
                .flat_map(|entry| entry.keys().map(String::as_str))
                .collect();
            let schema = schema(&row.type_name, &row.schema_version, names.into_iter());
            found.push((row.type_name, schema));
        }
    }
    // What a name begins with is enough: `AWS:` means all of the service's own.
    if let Some(wanted) = input.type_name.as_deref().filter(|name| !name.is_empty()) {
        found.retain(|(name, _)| name.starts_with(wanted));
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let scope = format!(
        "GetInventorySchema|{}|{:?}|{:?}",
        call.region, input.type_name, input.aggregator
    );
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), found, limit)?;
    Ok(Output {
        schemas: page.into_iter().map(|(_, schema)| schema).collect(),
        next_token,
    })
}
