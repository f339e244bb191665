//! Documents: the ones that are built in, the Session documents that accounts make themselves, how they are
//! listed and shown, and how a caller's parameters are checked against them.

pub(crate) mod built_in;
pub(crate) mod create_document;
pub(crate) mod delete_document;
pub(crate) mod describe_document;
pub(crate) mod get_document;
pub(crate) mod list_documents;
pub(crate) mod parameters;
pub(crate) mod queries;
pub(crate) mod session_built_in;
pub(crate) mod session_content;
pub(crate) mod shown;
pub(crate) mod update_document;
pub(crate) mod update_document_default_version;

use crate::errors::{ApiError, ApiResult};
use crate::validation::{Pattern, Shape, matching};
use built_in::Document;

/// Name or ARN of a document.
pub(crate) const NAME: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.:/]{3,128}$",
        holds: |text| {
            (3..=128).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b))
        },
    },
);
pub(crate) const VERSION: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)",
        holds: |text| {
            text.contains("$LATEST")
                || text.contains("$DEFAULT")
                || (text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() && !text.starts_with('0'))
        },
    },
);
pub(crate) const VERSION_NAME: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.]{1,128}$",
        holds: |text| {
            (1..=128).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        },
    },
);

/// The command document of that name (or ARN) and version.
pub(crate) fn find(
    name: &str,
    version: Option<&str>,
    version_name: Option<&str>,
) -> ApiResult<&'static Document> {
    let short = name.rsplit_once("document/").map_or(name, |(_, short)| short);
    let document = built_in::all()
        .iter()
        .find(|document| document.name == short)
        .ok_or_else(|| {
            ApiError::new(
                "InvalidDocument",
                format!("Document with name {name} does not exist."),
            )
        })?;
    let is_known = matches!(version, None | Some("" | "$DEFAULT" | "$LATEST" | "1"));
    if !is_known || version_name.is_some() {
        return Err(ApiError::new(
            "InvalidDocumentVersion",
            format!("Document {short} has version 1 only."),
        ));
    }
    Ok(document)
}
