//! Documents: the ones that are built in, those that accounts make themselves, how they are listed, shared and shown, and how a caller's parameters are checked against them.

pub(crate) mod automation_built_in;
pub(crate) mod automation_content;
pub(crate) mod built_in;
mod built_in_content;
pub(crate) mod command_content;
pub(crate) mod content;
pub(crate) mod create_document;
pub(crate) mod declared;
pub(crate) mod delete_document;
pub(crate) mod describe_document;
pub(crate) mod describe_document_permission;
pub(crate) mod get_document;
pub(crate) mod list_document_versions;
pub(crate) mod list_documents;
pub(crate) mod modify_document_permission;
pub(crate) mod parameters;
pub(crate) mod queries;
pub(crate) mod session_built_in;
pub(crate) mod session_content;
pub(crate) mod shown;
pub(crate) mod text;
pub(crate) mod update_document;
pub(crate) mod update_document_default_version;

use crate::validation::{Pattern, Shape, matching};

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
/// What versions and required types are called.
pub(crate) const VERSION_NAME_PATTERN: Pattern = Pattern {
    text: "^[a-zA-Z0-9_\\-.]{1,128}$",
    holds: |text| (1..=128).contains(&text.len()) && is_plain(text),
};
pub(crate) const VERSION_NAME: Shape = matching(0, usize::MAX, VERSION_NAME_PATTERN);

/// Letters, digits, and `_-.`.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// The word in `resource_type` for a document's tags.
pub(crate) const TAGS: &str = "Document";
