//! The text of a document: JSON or YAML in, a value out, and from one form to the other. What a document says is not
//! known here.

use crate::errors::{ApiError, ApiResult};
use serde_json::Value;

/// The longest content of a document in bytes.
pub(crate) const MAX_CONTENT: usize = 64 * 1024;

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidDocumentContent", message)
}

fn not_well_formed(kind: &str, line: u64, column: u64, why: &str) -> ApiError {
    invalid(format!(
        "{kind} not well-formed. at Line: {line}, Column: {column}{why}"
    ))
}

/// Reads a document that is in that format.
pub(crate) fn parse(text: &str, format: &str) -> ApiResult<Value> {
    if text.len() > MAX_CONTENT {
        return Err(ApiError::new(
            "MaxDocumentSizeExceeded",
            format!(
                "The content has {} bytes; a document has at most {MAX_CONTENT}.",
                text.len()
            ),
        ));
    }
    match format {
        "YAML" => from_yaml(text),
        "TEXT" => Err(invalid("A document of this type is JSON or YAML, not TEXT.")),
        _ => serde_json::from_str(text)
            .map_err(|error| not_well_formed("JSON", error.line() as u64, error.column() as u64, "")),
    }
}

fn from_yaml(text: &str) -> ApiResult<Value> {
    serde_saphyr::from_str(text).map_err(|error| {
        let (line, column) = error
            .location()
            .map_or((1, 1), |place| (place.line(), place.column()));
        // Its first line says what is wrong; the rest shows the text around it.
        let shown = error.to_string();
        let why: String = shown
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect();
        not_well_formed("YAML", line, column, &format!(" ({why})"))
    })
}

/// The text in the format that is wanted. Text that is in that format already stays as it was given.
pub(crate) fn converted(text: &str, from: &str, to: &str) -> ApiResult<String> {
    if from == to || to == "TEXT" {
        return Ok(text.to_owned());
    }
    let value = parse(text, from)?;
    if to == "YAML" {
        serde_saphyr::to_string(&value).map_err(ApiError::internal)
    } else {
        serde_json::to_string_pretty(&value).map_err(ApiError::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn refused(text: &str, format: &str) -> String {
        let error = parse(text, format).unwrap_err();
        assert_eq!(error.code, "InvalidDocumentContent");
        error.message.unwrap()
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_its_place() {
        assert_eq!(
            refused("{\n  \"a\": ,\n}", "JSON"),
            "JSON not well-formed. at Line: 2, Column: 8"
        );
        let message = refused("a: 1\nb: [1, 2\nc: 3\n", "YAML");
        assert!(
            message.starts_with("YAML not well-formed. at Line: "),
            "{message}"
        );
        assert!(refused("a: 1\na: 2\n", "YAML").contains("at Line: 2, Column: 1"));
        assert!(refused("x", "TEXT").contains("not TEXT"));
        let long = format!("\"{}\"", "x".repeat(MAX_CONTENT));
        assert_eq!(parse(&long, "JSON").unwrap_err().code, "MaxDocumentSizeExceeded");
    }

    #[test]
    fn yaml_that_grows_when_it_is_read_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let last = n - 1;
            let list = [format!("*a{last}"); 1].concat();
            let all = vec![list; 10].join(", ");
            bomb += &format!("a{n}: &a{n} [{all}]\n");
        }
        assert!(parse(&bomb, "YAML").is_err());
        assert!(parse(&"[".repeat(60_000), "YAML").is_err());
        assert!(parse(&"[".repeat(60_000), "JSON").is_err());
    }

    #[test]
    fn both_forms_say_the_same() {
        let yaml = "schemaVersion: '2.2'\nparameters:\n  a:\n    type: String\n    default: |\n      two\n      lines\n";
        let value = parse(yaml, "YAML").unwrap();
        assert_eq!(value["parameters"]["a"]["default"], "two\nlines\n");
        let json = converted(yaml, "YAML", "JSON").unwrap();
        assert_eq!(parse(&json, "JSON").unwrap(), value);
        let back = converted(&json, "JSON", "YAML").unwrap();
        assert_eq!(parse(&back, "YAML").unwrap(), value);
        assert_eq!(converted(yaml, "YAML", "YAML").unwrap(), yaml);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,300}", lines in proptest::collection::vec("[ a-z:&*\\-\\[\\]{}|>'\"#!%]{0,12}", 0..12)) {
            for text in [text.as_str(), &lines.join("\n")] {
                let _ = parse(text, "JSON");
                if let Ok(value) = parse(text, "YAML") {
                    let json = serde_json::to_string(&value).unwrap();
                    let yaml = converted(&json, "JSON", "YAML").unwrap();
                    prop_assert_eq!(parse(&yaml, "YAML").unwrap(), value);
                }
            }
        }

        #[test]
        fn texts_survive_both_forms(text in "\\PC{0,60}", more in "[ \\t\\n:#'\"x0-9-]{0,20}") {
            let value = json!({"a": text, "b": [more, "true", "0x1f", "null", "~", "1e3", "2.2", "yes"]});
            let yaml = converted(&value.to_string(), "JSON", "YAML").unwrap();
            prop_assert_eq!(parse(&yaml, "YAML").unwrap(), value);
        }
    }
}
