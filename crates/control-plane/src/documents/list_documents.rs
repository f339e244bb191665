//! `ListDocuments`, with both forms of filters.

use super::shown::{Shown, all};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::tags::TagOutput;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use serde::{Deserialize, Serialize};

const VALUE: Shape = text(1, 256);
pub(crate) const INPUT: &[Member] = &[
    optional(
        "DocumentFilterList",
        list(
            1,
            usize::MAX,
            &Shape::Record(&[
                required("key", one_of(&["Name", "Owner", "PlatformTypes", "DocumentType"])),
                required("value", text(1, usize::MAX)),
            ]),
        ),
    ),
    optional(
        "Filters",
        list(
            0,
            6,
            &Shape::Record(&[
                optional("Key", text(1, 128)),
                optional("Values", list(0, usize::MAX, &VALUE)),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
struct OldFilter {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: Option<String>,
    values: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    document_filter_list: Option<Vec<OldFilter>>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DocumentIdentifier {
    name: String,
    created_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    owner: String,
    platform_types: Vec<&'static str>,
    document_version: String,
    document_type: String,
    schema_version: String,
    document_format: String,
    tags: Vec<TagOutput>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    document_identifiers: Vec<DocumentIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn matches(document: &Shown, account: &str, key: &str, values: &[String]) -> ApiResult<bool> {
    let any = |found: &dyn Fn(&str) -> bool| values.is_empty() || values.iter().any(|value| found(value));
    Ok(match key {
        // The service finds names by their beginning.
        "Name" => any(&|value| document.name.starts_with(value)),
        "Owner" => any(&|value| match value {
            "All" => true,
            "Public" => document.owner == "Amazon",
            "Self" => document.owner == account,
            // Nobody shares documents with this account.
            value => document.owner == value,
        }),
        "PlatformTypes" => any(&|value| document.platforms.contains(&value)),
        "DocumentType" => any(&|value| document.document_type == value),
        "SearchKeyword" => any(&|value| document.name.to_lowercase().contains(&value.to_lowercase())),
        "TargetType" => any(&|value| document.target_type == value),
        key if key.starts_with("tag:") => {
            let name = key.strip_prefix("tag:").unwrap_or(key);
            let has = |(tag, is): &(String, String)| tag == name && any(&|value| is == value);
            document.tags.iter().any(has)
        }
        _ => return Err(ApiError::bare("InvalidFilterKey")),
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let old = input.document_filter_list.unwrap_or_default();
    let new = input.filters.unwrap_or_default();
    if !old.is_empty() && !new.is_empty() {
        return Err(ApiError::validation(
            "Filters and DocumentFilterList cannot be used together: use one of them.",
        ));
    }
    let mut questions: Vec<(String, Vec<String>)> = old.into_iter().map(|f| (f.key, vec![f.value])).collect();
    questions.extend(
        new.into_iter()
            .map(|f| (f.key.unwrap_or_default(), f.values.unwrap_or_default())),
    );
    let scope = format!("ListDocuments|{}", call.region);
    let after = match &input.next_token {
        Some(token) => plane.tokens.open(&scope, token)?.first().cloned(),
        None => None,
    };
    let mut found = Vec::new();
    for document in all(plane, &call.region).await? {
        let mut keep = after
            .as_deref()
            .is_none_or(|after| document.name.as_str() > after);
        for (key, values) in &questions {
            keep &= matches(&document, &plane.config.account, key, values)?;
        }
        if keep {
            found.push(document);
        }
    }
    let limit = input.max_results.unwrap_or(50);
    let (found, next_token) = page(&plane.tokens, &scope, found, limit, |d| vec![d.name.clone()]);
    let shown = |document: Shown| DocumentIdentifier {
        name: document.name,
        created_date: seconds(document.created_at),
        display_name: (!document.display_name.is_empty()).then_some(document.display_name),
        owner: document.owner,
        platform_types: document.platforms,
        document_version: document.version.to_string(),
        document_type: document.document_type,
        schema_version: document.schema_version,
        document_format: document.format,
        tags: document.tags.into_iter().map(TagOutput::of).collect(),
    };
    Ok(Output {
        document_identifiers: found.into_iter().map(shown).collect(),
        next_token,
    })
}
