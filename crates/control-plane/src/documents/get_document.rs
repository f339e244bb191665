//! `GetDocument`: a document's text, in the format that is asked for; JSON unless one is.

use super::shown::find;
use super::text::converted;
use super::{NAME, VERSION, VERSION_NAME};
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
    name: String,
    created_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_name: Option<String>,
    document_version: String,
    status: &'static str,
    content: String,
    document_type: String,
    document_format: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let document = find(
        plane,
        &call.region,
        &input.name,
        input.document_version.as_deref(),
        input.version_name.as_deref(),
    )
    .await?;
    let format = input.document_format.unwrap_or_else(|| "JSON".into());
    let content = converted(&document.text, &document.format, &format)?;
    let given = |text: String| (!text.is_empty()).then_some(text);
    Ok(Output {
        name: document.name,
        created_date: seconds(document.created_at),
        display_name: given(document.display_name),
        version_name: given(document.version_name),
        document_version: document.version.to_string(),
        status: "Active",
        content,
        document_type: document.document_type,
        document_format: format,
    })
}
