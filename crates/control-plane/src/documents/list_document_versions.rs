//! `ListDocumentVersions`: newest first.

use super::NAME;
use super::built_in::OWNER;
use super::queries;
use super::shown::{find, short};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    document_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_name: String,
    created_date: f64,
    is_default_version: bool,
    document_format: String,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    document_versions: Vec<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let name = short(&input.name);
    let scope = format!("ListDocumentVersions|{}|{name}", call.region);
    let before = match &input.next_token {
        Some(token) => plane.tokens.open(&scope, token)?,
        None => Vec::new(),
    };
    let before: i64 = before
        .first()
        .and_then(|text| text.parse().ok())
        .unwrap_or(i64::MAX);
    // Also says that there is no such document; what is built in has one version.
    let newest = find(plane, &call.region, &input.name, None, None).await?;
    let limit = input.max_results.unwrap_or(50);
    let mut rows = queries::versions(plane.db.reader(), &call.region, name).await?;
    rows.reverse();
    rows.retain(|row| row.version < before);
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.version.to_string()]
    });
    let mut document_versions: Vec<Version> = rows
        .into_iter()
        .map(|row| Version {
            document_version: row.version.to_string(),
            created_date: seconds(row.created_at),
            is_default_version: row.is_default,
            name: row.name,
            display_name: row.display_name,
            version_name: row.version_name,
            document_format: row.format,
            status: "Active",
        })
        .collect();
    if newest.owner == OWNER {
        document_versions = vec![Version {
            name: newest.name,
            display_name: newest.display_name,
            document_version: newest.version.to_string(),
            version_name: newest.version_name,
            created_date: seconds(newest.created_at),
            is_default_version: true,
            document_format: newest.format,
            status: "Active",
        }];
    }
    Ok(Output {
        document_versions,
        next_token,
    })
}
