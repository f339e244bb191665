//! Documents: what can be run on nodes, and the parameters that they take.

use serde::{Deserialize, Serialize};

/// The type of a document parameter, in the document's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterType {
    /// One text.
    String,
    /// Several texts.
    StringList,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// JSON object.
    StringMap,
    /// JSON list of objects.
    MapList,
}

/// A parameter that a document declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentParameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub parameter_type: ParameterType,
    /// What it means.
    pub description: String,
    /// What is used when nothing is given; `None` makes it required.
    pub default: Option<Vec<String>>,
    /// Only these, when not empty.
    pub allowed_values: Vec<String>,
    /// Must match, when given.
    pub allowed_pattern: Option<String>,
    /// Shown as a text area when above 1 line or a list of commands.
    pub multi_line: bool,
}

/// A document, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentSummary {
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// What it does.
    pub description: String,
    /// Where it runs.
    pub platform_types: Vec<String>,
    /// `Command`, `Automation`, `Session` …
    pub document_type: String,
    /// The version used when none is named.
    pub default_version: String,
}

/// A document, with what a form for it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentDetail {
    /// The row.
    pub summary: DocumentSummary,
    /// Its parameters, in the order declared.
    pub parameters: Vec<DocumentParameter>,
    /// Its text.
    pub content: String,
    /// SHA-256 of the text, hexadecimal.
    pub hash: String,
}
