//! `UpdateDocument`: a new version of a document. The default version stays what it is.

use super::create_document::{
    ATTACHMENTS, DISPLAY_NAME, FORMAT, Output, PLAIN_NAME, TARGET_TYPE, written_schema_version,
};
use super::queries::{self, DocumentRow};
use super::shown::{Shown, missing, no_version, pick};
use super::{VERSION, VERSION_NAME, content};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, optional, required, text};
use muster_agent_protocol::signing::sha256_hex;
use serde::Deserialize;

/// Versions of one document at most.
const MAX_VERSIONS: usize = 1_000;

pub(crate) const INPUT: &[Member] = &[
    required("Content", text(1, usize::MAX)),
    optional("Attachments", ATTACHMENTS),
    required("Name", PLAIN_NAME),
    optional("DisplayName", DISPLAY_NAME),
    optional("VersionName", VERSION_NAME),
    optional("DocumentVersion", VERSION),
    optional("DocumentFormat", FORMAT),
    optional("TargetType", TARGET_TYPE),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    content: String,
    name: String,
    display_name: Option<String>,
    version_name: Option<String>,
    document_version: Option<String>,
    document_format: Option<String>,
    target_type: Option<String>,
    attachments: Option<Vec<serde_json::Value>>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if input.attachments.is_some_and(|list| !list.is_empty()) {
        return Err(ApiError::validation(
            "Documents have no Attachments at this endpoint: leave it out.",
        ));
    }
    let mut transaction = plane.db.begin().await?;
    // Nobody deletes it meanwhile: a version without a default one beside it would not be found.
    if !queries::lock(&mut *transaction, &call.region, &input.name).await? {
        return Err(missing(&input.name));
    }
    let rows = queries::versions(&mut *transaction, &call.region, &input.name).await?;
    let (Some(last), count) = (rows.last().cloned(), rows.len()) else {
        return Err(missing(&input.name));
    };
    let version_name = input.version_name.unwrap_or_default();
    if !version_name.is_empty() && rows.iter().any(|row| row.version_name == version_name) {
        return Err(ApiError::new(
            "DuplicateDocumentVersionName",
            "The specified version name is a duplicate.",
        ));
    }
    let edited =
        pick(rows, input.document_version.as_deref().or(Some("$LATEST")), None).map_err(|_| no_version())?;
    let format = input.document_format.unwrap_or_else(|| "JSON".into());
    content::read(&last.document_type, &input.content, &format)?;
    let schema_version = written_schema_version(&input.content, &format)?;
    let sha256 = sha256_hex(input.content.as_bytes());
    if sha256 == last.sha256 {
        return Err(ApiError::new(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the content of the document and \
             try again.",
        ));
    }
    if count >= MAX_VERSIONS {
        return Err(ApiError::new(
            "DocumentVersionLimitExceeded",
            format!("The document has {MAX_VERSIONS} versions, which is the most: delete some first."),
        ));
    }
    let version = last.version + 1;
    let row = DocumentRow {
        version,
        version_name,
        display_name: input.display_name.unwrap_or(last.display_name),
        target_type: input.target_type.unwrap_or(last.target_type),
        schema_version,
        format,
        content: input.content,
        sha256,
        created_at: call.now,
        is_default: false,
        ..last
    };
    match queries::insert(&mut *transaction, &row).await {
        Err(error) if error.is_unique_violation() => {
            return Err(ApiError::new(
                "TooManyUpdates",
                "Another update of this document came at the same moment: try again.",
            ));
        }
        other => other?,
    }
    transaction.commit().await?;
    let shown = Shown::of_row(row, version, edited.default)?;
    Ok(Output::of(&shown.tagged(plane, &call.region).await?))
}
