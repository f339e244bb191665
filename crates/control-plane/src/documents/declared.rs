//! The parameters that a document declares: names, types, defaults, and that every placeholder has one. The same for
//! every type of document.

use super::text::invalid;
use crate::errors::ApiResult;
use crate::parameters::references;
use muster_agent_protocol::control::DocumentParameter;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const MEMBERS: [&str; 10] = [
    "type",
    "description",
    "default",
    "allowedValues",
    "allowedPattern",
    "minItems",
    "maxItems",
    "minChars",
    "maxChars",
    "displayType",
];

/// That an object has no members but these.
pub(crate) fn only(members: &Map<String, Value>, known: &[&str], place: &str) -> ApiResult<()> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(invalid(format!("{place} has the unknown property \"{name}\"."))),
        None => Ok(()),
    }
}

/// Checks the form of `parameters`; their types have to be among these.
pub(crate) fn check_form(parameters: &Value, types: &[&str]) -> ApiResult<()> {
    let Value::Object(parameters) = parameters else {
        return Err(invalid("parameters must be an object."));
    };
    for (name, declared) in parameters {
        let place = format!("parameters.{name}");
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() > 255 || !name.chars().all(is_word) {
            return Err(invalid(format!(
                "{place}: a parameter's name has 1 to 255 letters, digits and underscores."
            )));
        }
        let Value::Object(declared) = declared else {
            return Err(invalid(format!("{place} must be an object.")));
        };
        only(declared, &MEMBERS, &place)?;
        let kind = declared.get("type").and_then(Value::as_str).unwrap_or_default();
        if !types.contains(&kind) {
            let last = types.split_last().map_or(String::new(), |(last, others)| {
                format!("{} or {last}", others.join(", "))
            });
            return Err(invalid(format!("{place}.type must be {last}.")));
        }
    }
    Ok(())
}

/// Checks patterns and defaults.
pub(crate) fn check_defaults(parameters: &BTreeMap<String, DocumentParameter>) -> ApiResult<()> {
    for (name, declared) in parameters {
        if let Some(pattern) = &declared.allowed_pattern
            && regex::Regex::new(pattern).is_err()
        {
            return Err(invalid(format!(
                "parameters.{name}.allowedPattern is no regular expression that can be read."
            )));
        }
        let is_map = matches!(declared.parameter_type.as_str(), "StringMap" | "MapList");
        let values = match &declared.default {
            None => continue,
            Some(Value::Object(_)) if is_map => Some(vec![
                declared
                    .default
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ]),
            Some(Value::Array(items)) if is_map => Some(items.iter().map(ToString::to_string).collect()),
            Some(Value::Array(items)) => items.iter().map(text_of).collect::<Option<Vec<_>>>(),
            Some(other) => text_of(other).map(|text| vec![text]),
        };
        let values = values.ok_or_else(|| invalid(format!("parameters.{name}.default has a wrong type.")))?;
        // An empty default stands for "not given", whatever else is asked for; a reference is followed when it is used.
        if values.iter().all(String::is_empty) || values.iter().any(|text| references::is_in(text)) {
            continue;
        }
        super::parameters::check_one(name, declared, &values).map_err(|error| {
            invalid(format!(
                "parameters.{name}.default: {}",
                error.message.unwrap_or_default()
            ))
        })?;
    }
    Ok(())
}

/// A single value as text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// That every `{{ name }}` in these values is declared.
pub(crate) fn check_placeholders<'a>(
    values: impl IntoIterator<Item = &'a Value>,
    parameters: &BTreeMap<String, DocumentParameter>,
) -> ApiResult<()> {
    let mut names = BTreeSet::new();
    for value in values {
        collect(value, &mut names);
    }
    match names.iter().find(|name| !parameters.contains_key(*name)) {
        Some(name) if name.starts_with("ssm:") => Err(invalid(format!(
            "{{{{ {name} }}}} refers to Parameter Store, which only values and defaults of parameters may: declare a \
             parameter with this default and use that."
        ))),
        Some(name) => Err(invalid(format!("Parameter \"{name}\" is not declared."))),
        None => Ok(()),
    }
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            substituted(text, |name| {
                names.insert(name.to_owned());
                None
            });
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(members) => members.values().for_each(|item| collect(item, names)),
        _ => {}
    }
}

/// A text with its `{{ name }}` placeholders replaced where `with` knows a value. What is put in is not
/// looked at again.
pub(crate) fn substituted(text: &str, mut with: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inside, behind)) = after.split_once("}}") else {
            break;
        };
        out.push_str(before);
        match with(inside.trim()) {
            Some(value) => out.push_str(&value),
            None => {
                out.push_str("{{");
                out.push_str(inside);
                out.push_str("}}");
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}
