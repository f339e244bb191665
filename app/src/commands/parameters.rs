//! Between the text of form fields and the lists that Systems Manager wants, and back. Pure.

use muster_domain::commands::{DocumentParameter, ParameterType};
use muster_domain::error::FieldError;

/// Browsers send line breaks as CR LF; scripts want LF.
fn plain_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// What a field's text says. `None` when nothing was given, so that the default holds.
pub(crate) fn read_field(kind: ParameterType, text: &str) -> Option<Vec<String>> {
    let text = plain_lines(text);
    if text.trim().is_empty() {
        return None;
    }
    Some(match kind {
        ParameterType::StringList => {
            // The break after the last line is no further item; every other line is kept exactly.
            let text = text.strip_suffix('\n').unwrap_or(&text);
            text.split('\n').map(ToOwned::to_owned).collect()
        }
        ParameterType::MapList => text
            .split('\n')
            .filter(|line| !line.trim().is_empty())
            .map(ToOwned::to_owned)
            .collect(),
        ParameterType::Integer | ParameterType::Boolean => vec![text.trim().to_owned()],
        ParameterType::String | ParameterType::StringMap => vec![text],
    })
}

/// What is wrong with what the fields say, as far as it can be told without the server. `text_of` reads the field of
/// a parameter.
pub(crate) fn complaints(
    parameters: &[DocumentParameter],
    text_of: impl Fn(&str) -> Option<String>,
) -> Vec<FieldError> {
    parameters
        .iter()
        .filter_map(|parameter| {
            let text = text_of(&parameter.name).unwrap_or_default();
            let values = read_field(parameter.parameter_type, &text).unwrap_or_default();
            let message = parameter.complaint(&values)?;
            Some(FieldError::new(format!("parameters.{}", parameter.name), message))
        })
        .collect()
}

/// The text of a field that says these values.
pub(super) fn field_text(values: &[String]) -> String {
    values.join("\n")
}

/// Whether the field takes several lines.
pub(super) fn is_multi_line(parameter: &DocumentParameter) -> bool {
    parameter.multi_line
        || matches!(
            parameter.parameter_type,
            ParameterType::StringList | ParameterType::StringMap | ParameterType::MapList
        )
}

/// What the field expects, as a hint.
pub(super) fn expectation(parameter: &DocumentParameter) -> &'static str {
    match parameter.parameter_type {
        ParameterType::StringList => "One item per line; lines are kept exactly.",
        ParameterType::Integer => "A whole number.",
        ParameterType::StringMap => "A JSON object.",
        ParameterType::MapList => "JSON objects, one per line.",
        ParameterType::String | ParameterType::Boolean => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_exactly() {
        let text = "#!/bin/sh\r\n  indented\r\n\r\nlast ";
        let lines = read_field(ParameterType::StringList, text).unwrap();
        assert_eq!(lines, ["#!/bin/sh", "  indented", "", "last "]);
        assert_eq!(
            read_field(ParameterType::StringList, &field_text(&lines)),
            Some(lines)
        );
        assert_eq!(
            read_field(ParameterType::StringList, "one\n"),
            Some(vec!["one".into()])
        );
    }

    #[test]
    fn nothing_given_leaves_the_default() {
        assert_eq!(read_field(ParameterType::StringList, "\r\n"), None);
        assert_eq!(read_field(ParameterType::String, ""), None);
        assert_eq!(read_field(ParameterType::Integer, " 5 "), Some(vec!["5".into()]));
        assert_eq!(
            read_field(ParameterType::StringMap, "{\"a\":1}"),
            Some(vec!["{\"a\":1}".into()])
        );
    }
}
