//! What a command document says: is it one that can be run, and what are a step's inputs once the
//! parameters are put in. Pure: nothing is run here.

use muster_agent_protocol::control::{DocumentContent, SendCommandContent};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Schema versions that are understood.
const SCHEMAS: [&str; 5] = ["2.0", "2.0.1", "2.0.2", "2.0.3", "2.2"];

/// Why a document cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is of another kind.
    Schema(String),
    /// It contradicts itself.
    Document(String),
}

/// Checks what can be checked before anything runs.
pub(crate) fn check(document: &DocumentContent) -> Result<(), Unfit> {
    if !SCHEMAS.contains(&document.schema_version.as_str()) {
        return Err(Unfit::Schema(format!(
            "schema version {:?} is not supported; this agent runs {}",
            document.schema_version,
            SCHEMAS.join(", ")
        )));
    }
    if document.main_steps.is_empty() {
        return Err(Unfit::Document("the document has no mainSteps".into()));
    }
    let mut names = BTreeSet::new();
    for step in &document.main_steps {
        if step.name.is_empty() || step.action.is_empty() {
            return Err(Unfit::Document(
                "a step of mainSteps has no name or no action".into(),
            ));
        }
        if !names.insert(&step.name) {
            return Err(Unfit::Document(format!("two steps are named {:?}", step.name)));
        }
    }
    Ok(())
}

/// Values of all parameters: what was sent, else the document's defaults.
pub(crate) fn parameter_values(content: &SendCommandContent) -> BTreeMap<String, Value> {
    let declared = &content.document_content.parameters;
    let mut values = content.parameters.clone();
    for (name, parameter) in declared {
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
pub(crate) fn fill(text: &str, values: &BTreeMap<String, Value>) -> String {
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
pub(crate) fn text_input(
    inputs: &BTreeMap<String, Value>,
    name: &str,
    values: &BTreeMap<String, Value>,
) -> Option<String> {
    let filled = fill(&as_text(inputs.get(name)?), values);
    (!filled.trim().is_empty()).then_some(filled)
}

/// An input that is lines; a placeholder of a list stands for all of its items.
pub(crate) fn lines_input(
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

/// Whether a step's precondition holds here. An error names what cannot be understood.
pub(crate) fn precondition_holds(
    precondition: Option<&BTreeMap<String, Vec<String>>>,
    values: &BTreeMap<String, Value>,
) -> Result<bool, String> {
    let Some(precondition) = precondition else {
        return Ok(true);
    };
    for (operator, operands) in precondition {
        let [left, right] = operands.as_slice() else {
            return Err(format!("the precondition {operator} does not compare two values"));
        };
        if operator != "StringEquals" {
            return Err(format!(
                "the precondition {operator} is not known; StringEquals is"
            ));
        }
        let resolve = |operand: &str| {
            if operand == "platformType" {
                "linux".to_owned()
            } else {
                fill(operand, values)
            }
        };
        let names_platform = left == "platformType" || right == "platformType";
        let (left, right) = (resolve(left), resolve(right));
        let is_equal = if names_platform {
            left.eq_ignore_ascii_case(&right)
        } else {
            left == right
        };
        if !is_equal {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let values = parameter_values(&content);
        assert_eq!(values["workingDirectory"], json!("/tmp"));
        assert_eq!(values["commands"], json!(["id"]));
        let inputs = self::values(json!({"timeoutSeconds": "{{ executionTimeout }}"}));
        assert_eq!(
            text_input(&inputs, "timeoutSeconds", &values).as_deref(),
            Some("3600")
        );
    }

    #[test]
    fn preconditions_compare_the_platform() {
        let none = BTreeMap::new();
        let with = |json: Value| serde_json::from_value::<BTreeMap<String, Vec<String>>>(json).unwrap();
        let linux = with(json!({"StringEquals": ["platformType", "Linux"]}));
        let windows = with(json!({"StringEquals": ["Windows", "platformType"]}));
        assert_eq!(precondition_holds(Some(&linux), &none), Ok(true));
        assert_eq!(precondition_holds(Some(&windows), &none), Ok(false));
        assert_eq!(precondition_holds(None, &none), Ok(true));
        let odd = with(json!({"NumberEquals": ["1", "1"]}));
        assert!(precondition_holds(Some(&odd), &none).is_err());
    }

    #[test]
    fn documents_that_cannot_be_run_are_told_apart() {
        let document = |json: Value| serde_json::from_value::<DocumentContent>(json).unwrap();
        assert!(matches!(
            check(&document(json!({"schemaVersion": "0.3"}))),
            Err(Unfit::Schema(_))
        ));
        assert!(matches!(
            check(&document(json!({"schemaVersion": "2.2"}))),
            Err(Unfit::Document(_))
        ));
        let step = json!({"name": "a", "action": "aws:runShellScript"});
        let twice = document(json!({"schemaVersion": "2.2", "mainSteps": [step, step]}));
        assert!(matches!(check(&twice), Err(Unfit::Document(_))));
        assert_eq!(
            check(&document(json!({"schemaVersion": "2.2", "mainSteps": [step]}))),
            Ok(())
        );
    }
}
