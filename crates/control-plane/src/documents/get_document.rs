//! `GetDocument`: a document's text. JSON is YAML too, so both formats get the same text.

use super::built_in::CREATED;
use super::{NAME, VERSION, VERSION_NAME, find};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, one_of, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    optional("VersionName", VERSION_NAME),
    optional("DocumentVersion", VERSION),
    optional("DocumentFormat", one_of(&["YAML", "JSON", "TEXT"])),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    version_name: Option<String>,
    document_version: Option<String>,
    document_format: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    name: &'static str,
    created_date: f64,
    document_version: &'static str,
    status: &'static str,
    content: &'static str,
    document_type: &'static str,
    document_format: String,
}

pub(crate) async fn call(_plane: &ControlPlane, _call: &Call, input: Input) -> ApiResult<Output> {
    let document = find(
        &input.name,
        input.document_version.as_deref(),
        input.version_name.as_deref(),
    )?;
    Ok(Output {
        name: document.name,
        created_date: seconds(CREATED),
        document_version: "1",
        status: "Active",
        content: &document.text,
        document_type: "Command",
        document_format: input.document_format.unwrap_or_else(|| "JSON".into()),
    })
}
