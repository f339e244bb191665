//! A caller's parameters against what a document declares: names, types, allowed values and patterns.

use crate::commands::embedded;
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::{DocumentContent, DocumentParameter, DocumentStep, EMBEDDED_DOCUMENT};
use muster_agent_protocol::inputs;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a caller gives: every value is a list.
pub(crate) type Given = BTreeMap<String, Vec<String>>;
/// What a document declares.
pub(crate) type Declared = BTreeMap<String, DocumentParameter>;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameters", message)
}

/// Checks that the document declares what was given.
pub(crate) fn check_names(document: &str, declared: &Declared, given: &Given) -> ApiResult<()> {
    if given.keys().any(|name| !declared.contains_key(name)) {
        return Err(invalid(format!(
            "document {document} does not support parameters."
        )));
    }
    Ok(())
}

/// Checks what was given, after its references to Parameter Store were followed.
pub(crate) fn check(document: &str, declared: &Declared, given: &Given) -> ApiResult<()> {
    check_names(document, declared, given)?;
    for (name, declared) in declared {
        match given.get(name) {
            Some(values) => check_one(name, declared, values)?,
            None if declared.default.is_none() => {
                return Err(invalid(format!("Parameter \"{name}\" requires a value.")));
            }
            None => {}
        }
    }
    Ok(())
}

/// Checks the values of one parameter.
pub(crate) fn check_one(name: &str, declared: &DocumentParameter, values: &[String]) -> ApiResult<()> {
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let is_list = matches!(declared.parameter_type.as_str(), "StringList" | "MapList");
    if !is_list && count != 1 {
        return Err(invalid(format!(
            "Parameter \"{name}\" is of type {}: give exactly one value.",
            declared.parameter_type
        )));
    }
    if is_list && count < declared.min_items.unwrap_or(0) {
        return Err(invalid(format!("Parameter \"{name}\" requires a value.")));
    }
    if is_list && declared.max_items.is_some_and(|most| count > most) {
        return Err(invalid(format!("Parameter \"{name}\" has too many values.")));
    }
    let pattern = match &declared.allowed_pattern {
        Some(pattern) => Some(whole(name, pattern)?),
        None => None,
    };
    for value in values {
        check_value(name, declared, pattern.as_ref(), value)?;
    }
    Ok(())
}

/// A pattern that a whole value has to match.
fn whole(name: &str, pattern: &str) -> ApiResult<regex::Regex> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| {
            invalid(format!(
                "The allowed pattern of parameter \"{name}\" cannot be read."
            ))
        })
}

fn check_value(
    name: &str,
    declared: &DocumentParameter,
    pattern: Option<&regex::Regex>,
    value: &str,
) -> ApiResult<()> {
    let fits = match declared.parameter_type.as_str() {
        "Integer" => value.parse::<i64>().is_ok(),
        "Boolean" => matches!(value, "true" | "false"),
        "StringMap" | "MapList" => serde_json::from_str::<Value>(value).is_ok(),
        _ => true,
    };
    if !fits {
        return Err(invalid(format!(
            "Parameter \"{name}\" has a value that is not of type {}.",
            declared.parameter_type
        )));
    }
    let chars = u32::try_from(value.chars().count()).unwrap_or(u32::MAX);
    if declared.min_chars.is_some_and(|least| chars < least)
        || declared.max_chars.is_some_and(|most| chars > most)
    {
        return Err(invalid(format!(
            "Parameter \"{name}\" has a value of a length that is not allowed."
        )));
    }
    if !declared.allowed_values.is_empty() && !declared.allowed_values.iter().any(|allowed| allowed == value)
    {
        return Err(invalid(format!(
            "Parameter \"{name}\" must be one of [{}].",
            declared.allowed_values.join(", ")
        )));
    }
    if pattern.is_some_and(|pattern| !pattern.is_match(value)) {
        let pattern = declared.allowed_pattern.as_deref().unwrap_or_default();
        return Err(invalid(format!(
            "Parameter \"{name}\" does not match its allowed pattern: {pattern}"
        )));
    }
    Ok(())
}

/// What the agent is sent: lists as they are; defaults are its own business.
pub(crate) fn for_agent(given: &Given) -> BTreeMap<String, Value> {
    given
        .iter()
        .map(|(name, values)| (name.clone(), json!(values)))
        .collect()
}

/// Seconds that the document's steps may take together, with this input.
pub(crate) fn execution_seconds(content: &DocumentContent, given: &Given) -> i64 {
    const DEFAULT: i64 = 3600;
    const LONGEST: i64 = 172_800;
    let of_step = |inputs: &BTreeMap<String, Value>| -> i64 {
        let text = match inputs.get("timeoutSeconds") {
            Some(Value::Number(number)) => return number.as_i64().unwrap_or(DEFAULT),
            Some(Value::String(text)) => text.trim(),
            _ => return DEFAULT,
        };
        let name = text
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .map(str::trim);
        let value = match name {
            Some(name) => given
                .get(name)
                .and_then(|values| values.first().cloned())
                .or_else(|| {
                    content
                        .parameters
                        .get(name)
                        .and_then(super::built_in::default_text)
                }),
            None => Some(text.to_owned()),
        };
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(DEFAULT)
    };
    let of = |step: &DocumentStep| {
        if step.action != "aws:runDocument" {
            return of_step(&step.inputs).clamp(1, LONGEST);
        }
        // How long the steps of a document that is on the node may take is not known here.
        nested_seconds(content, given, step).unwrap_or(LONGEST)
    };
    let sum: i64 = content.main_steps.iter().map(of).sum();
    sum.max(1)
}

/// The same for a document within one, with what it is given.
fn nested_seconds(content: &DocumentContent, outer: &Given, step: &DocumentStep) -> Option<i64> {
    let embedded = step.inputs.get(EMBEDDED_DOCUMENT)?;
    let nested: DocumentContent = serde_json::from_value(embedded.clone()).ok()?;
    let values = inputs::parameter_values(content, &for_agent(outer));
    let inner = inputs::object_input(&step.inputs, "documentParameters", &values).unwrap_or_default();
    Some(execution_seconds(&nested, &embedded::given(&inner)))
}

#[cfg(test)]
mod tests {
    use super::super::built_in::all;
    use super::*;

    fn check_shell(given: &[(&str, &[&str])]) -> Result<(), String> {
        let document = all().iter().find(|d| d.name == "AWS-RunShellScript").unwrap();
        check("AWS-RunShellScript", &document.content.parameters, &input(given))
            .map_err(|error| format!("{} {}", error.code, error.message.unwrap_or_default()))
    }

    fn input(given: &[(&str, &[&str])]) -> Given {
        given
            .iter()
            .map(|(name, values)| {
                (
                    (*name).to_owned(),
                    values.iter().map(|v| (*v).to_owned()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn parameters_are_checked_against_the_document() {
        assert_eq!(
            check_shell(&[("commands", &["id"]), ("executionTimeout", &["172800"])]),
            Ok(())
        );
        for (given, says) in [
            (vec![], "\"commands\" requires a value"),
            (vec![("commands", &[][..])], "\"commands\" requires a value"),
            (
                vec![("commands", &["id"][..]), ("x", &["y"])],
                "document AWS-RunShellScript does not support parameters.",
            ),
            (
                vec![("commands", &["id"][..]), ("executionTimeout", &["172801"])],
                "allowed pattern",
            ),
            (
                vec![("commands", &["id"][..]), ("executionTimeout", &["5", "6"])],
                "exactly one value",
            ),
        ] {
            let error = check_shell(&given).unwrap_err();
            assert!(
                error.starts_with("InvalidParameters ") && error.contains(says),
                "{error}"
            );
        }
    }

    #[test]
    fn the_time_to_run_is_the_parameters_or_the_documents_own() {
        let shell = all()
            .iter()
            .find(|document| document.name == "AWS-RunShellScript");
        let document = &shell.unwrap().content;
        assert_eq!(execution_seconds(document, &input(&[])), 3600);
        assert_eq!(
            execution_seconds(document, &input(&[("executionTimeout", &["7"])])),
            7
        );
    }
}
