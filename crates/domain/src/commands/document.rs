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

/// The parameter by which the documents of Systems Manager say how long a script may run.
pub const EXECUTION_TIMEOUT: &str = "executionTimeout";
/// Seconds that a script may run at most.
pub const LONGEST_EXECUTION: i64 = 172_800;

impl DocumentParameter {
    /// What is wrong with the values given, as far as their words tell: nothing about patterns and JSON. No values
    /// mean the default.
    #[must_use]
    pub fn complaint(&self, values: &[String]) -> Option<String> {
        if values.iter().all(|value| value.trim().is_empty()) {
            return self.default.is_none().then(|| "This is required.".to_owned());
        }
        if self.parameter_type != ParameterType::StringList
            && self.parameter_type != ParameterType::MapList
            && values.len() > 1
        {
            return Some("This takes one value.".into());
        }
        values.iter().find_map(|value| self.complaint_about(value))
    }

    fn complaint_about(&self, value: &str) -> Option<String> {
        let text = value.trim();
        let whole = text.parse::<i64>().ok();
        match self.parameter_type {
            ParameterType::Integer if whole.is_none() => Some("Write a whole number.".into()),
            ParameterType::Boolean if !matches!(text, "true" | "false") => {
                Some("Choose true or false.".into())
            }
            // Digits only: Systems Manager takes neither signs nor blanks nor leading noughts.
            ParameterType::String
                if self.name == EXECUTION_TIMEOUT
                    && self.allowed_pattern.is_some()
                    && (!value.bytes().all(|byte| byte.is_ascii_digit())
                        || value.starts_with('0')
                        || !whole.is_some_and(|seconds| (1..=LONGEST_EXECUTION).contains(&seconds))) =>
            {
                Some(
                    "Write whole seconds, from 1 to 172800 (two days), in digits only: 3600 is one hour."
                        .into(),
                )
            }
            _ if !self.allowed_values.is_empty()
                && self.parameter_type != ParameterType::Boolean
                && !self.allowed_values.iter().any(|allowed| allowed == value) =>
            {
                Some(format!("Choose one of {}.", self.allowed_values.join(", ")))
            }
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_asked_for_in_plain_words() {
        let parameter = DocumentParameter {
            name: EXECUTION_TIMEOUT.into(),
            parameter_type: ParameterType::String,
            description: String::new(),
            default: Some(vec!["3600".into()]),
            allowed_values: Vec::new(),
            allowed_pattern: Some("[0-9]+".into()),
            multi_line: false,
        };
        let said = |value: &str| parameter.complaint(&[value.to_owned()]);
        for right in ["", "1", "3600", "172800"] {
            assert_eq!(said(right), None, "{right}");
        }
        for wrong in ["abc", "0", "-5", "172801", "1.5", "+7", "060", "60 s"] {
            assert!(
                said(wrong).is_some_and(|text| text.contains("whole seconds")),
                "{wrong}"
            );
        }
        assert!(parameter.complaint(&["1".into(), "2".into()]).is_some());
    }

    #[test]
    fn types_and_choices_are_checked() {
        let parameter = |parameter_type, allowed: &[&str]| DocumentParameter {
            name: "x".into(),
            parameter_type,
            description: String::new(),
            default: None,
            allowed_values: allowed.iter().map(|one| (*one).to_owned()).collect(),
            allowed_pattern: None,
            multi_line: false,
        };
        let number = parameter(ParameterType::Integer, &[]);
        assert!(number.complaint(&["7".into()]).is_none());
        assert!(number.complaint(&["seven".into()]).is_some());
        assert_eq!(number.complaint(&[]), Some("This is required.".into()));
        let choice = parameter(ParameterType::String, &["on", "off"]);
        assert!(choice.complaint(&["on".into()]).is_none());
        assert_eq!(
            choice.complaint(&["On".into()]),
            Some("Choose one of on, off.".into())
        );
    }
}
