//! A step's inputs once the parameters are put in, as agents read them. Pure.

use crate::control::DocumentContent;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Values of all parameters: what was sent, else the document's defaults.
#[must_use]
pub fn parameter_values(
    document: &DocumentContent,
    given: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let mut values = given.clone();
    for (name, parameter) in &document.parameters {
        if !values.contains_key(name)
            && let Some(default) = &parameter.default
        {
            values.insert(name.clone(), default.clone());
        }
        // The API carries every value as a list; only lists are meant as lists.
        let is_list = matches!(parameter.parameter_type.as_str(), "StringList" | "MapList");
        if !is_list
            && let Some(Value::Array(items)) = values.get(name)
            && let [single] = items.as_slice()
        {
            let single = single.clone();
            values.insert(name.clone(), single);
        }
    }
    values
}

/// The name in `{{ name }}`, when the text is nothing else.
fn whole_placeholder(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    is_name(inner).then_some(inner)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Puts parameters into a text, once: what they hold is not looked at again.
#[must_use]
pub fn fill(text: &str, values: &BTreeMap<String, Value>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let value = after.split_once("}}").and_then(|(name, tail)| {
            let value = values.get(name.trim())?;
            Some((as_text(value), tail))
        });
        match value {
            Some((value, tail)) => {
                out.push_str(&value);
                rest = tail;
            }
            // No parameter of ours: other things are written in double braces too.
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// An input that is one text.
#[must_use]
pub fn text_input(
    inputs: &BTreeMap<String, Value>,
    name: &str,
    values: &BTreeMap<String, Value>,
) -> Option<String> {
    let filled = fill(&as_text(inputs.get(name)?), values);
    (!filled.trim().is_empty()).then_some(filled)
}

/// An input that is lines; a placeholder of a list stands for all of its items.
#[must_use]
pub fn lines_input(
    inputs: &BTreeMap<String, Value>,
    name: &str,
    values: &BTreeMap<String, Value>,
) -> Vec<String> {
    let items = match inputs.get(name) {
        Some(Value::Array(items)) => items.iter().map(as_text).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(single) => vec![as_text(single)],
    };
    items
        .iter()
        .flat_map(
            |item| match whole_placeholder(item).and_then(|name| values.get(name)) {
                Some(Value::Array(list)) => list.iter().map(as_text).collect(),
                _ => vec![fill(item, values)],
            },
        )
        .collect()
}

/// A value with parameters put in wherever it has text; text that is a parameter and nothing else becomes its value.
fn filled(value: &Value, values: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => match whole_placeholder(text).and_then(|name| values.get(name)) {
            Some(value) => value.clone(),
            None => Value::String(fill(text, values)),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, values)))
            .collect(),
        other => other.clone(),
    }
}

/// An input that is an object, as such or written as JSON. Without it, an empty one.
///
/// # Errors
/// When it is something else; in words that follow "its input …".
pub fn object_input(
    inputs: &BTreeMap<String, Value>,
    name: &str,
    values: &BTreeMap<String, Value>,
) -> Result<Map<String, Value>, String> {
    match inputs.get(name).map(|value| filled(value, values)) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Map::new()),
        Some(Value::String(text)) => {
            serde_json::from_str(&text).map_err(|error| format!("{name} is no object in JSON: {error}"))
        }
        Some(_) => Err(format!("{name} is no object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::SendCommandContent;
    use serde_json::json;

    fn values(json: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn parameters_are_put_in_once_and_lists_expand() {
        let values = values(json!({"commands": ["a {{ x }}", "b"], "x": "1"}));
        let inputs = self::values(json!({"run": ["set -e", "{{ commands }}", "echo {{x}} {{ y }}"]}));
        assert_eq!(
            lines_input(&inputs, "run", &values),
            ["set -e", "a {{ x }}", "b", "echo 1 {{ y }}"]
        );
        let inputs = self::values(json!({"run": "{{ commands }}"}));
        assert_eq!(lines_input(&inputs, "run", &values), ["a {{ x }}", "b"]);
        assert_eq!(fill("{{", &values), "{{");
    }

    #[test]
    fn objects_keep_their_form_whatever_is_put_in() {
        let values =
            values(json!({"quote": "\"}", "list": ["a", "b"], "info": r#"{"url": "x"}"#, "odd": "x"}));
        let inputs = self::values(json!({
            "given": {"a": "{{ quote }}", "b": "{{list}}", "c": ["<{{ quote }}>", 1], "d": "{{ none }}"},
            "text": "{{ info }}", "odd": "{{ odd }}", "list": "{{ list }}", "empty": ""
        }));
        let object = |name: &str| object_input(&inputs, name, &values).map(Value::Object);
        assert_eq!(
            object("given"),
            Ok(json!({"a": "\"}", "b": ["a", "b"], "c": ["<\"}>", 1], "d": "{{ none }}"}))
        );
        assert_eq!(object("text"), Ok(json!({"url": "x"})));
        assert_eq!(object("empty"), Ok(json!({})));
        assert_eq!(object("none"), Ok(json!({})));
        assert!(object("odd").unwrap_err().starts_with("odd is no object in JSON"));
        assert_eq!(object("list"), Err("list is no object".into()));
    }

    #[test]
    fn text_parameters_come_as_lists_of_one() {
        let content: SendCommandContent = serde_json::from_value(json!({
            "CommandId": "c", "DocumentName": "d",
            "DocumentContent": {"schemaVersion": "2.2", "parameters": {
                "executionTimeout": {"type": "String", "default": "3600"},
                "workingDirectory": {"type": "String"},
                "commands": {"type": "StringList"}}},
            "Parameters": {"commands": ["id"], "workingDirectory": ["/tmp"]}
        }))
        .unwrap();
        let values = parameter_values(&content.document_content, &content.parameters);
        assert_eq!(values["workingDirectory"], json!("/tmp"));
        assert_eq!(values["commands"], json!(["id"]));
        let inputs = self::values(json!({"timeoutSeconds": "{{ executionTimeout }}"}));
        assert_eq!(
            text_input(&inputs, "timeoutSeconds", &values).as_deref(),
            Some("3600")
        );
    }
}
