//! The content of Session documents that accounts make: read, and refused with the place of what is wrong.

use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::session::SessionDocument;
use muster_session_channel::SessionType;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The longest content of a document in bytes.
pub(crate) const MAX_CONTENT: usize = 64 * 1024;

const MEMBERS: [&str; 6] = [
    "schemaVersion",
    "description",
    "sessionType",
    "inputs",
    "parameters",
    "properties",
];
const TEXTS: [&str; 7] = [
    "s3BucketName",
    "s3KeyPrefix",
    "cloudWatchLogGroupName",
    "kmsKeyId",
    "runAsDefaultUser",
    "idleSessionTimeout",
    "maxSessionDuration",
];
const FLAGS: [&str; 4] = [
    "s3EncryptionEnabled",
    "cloudWatchEncryptionEnabled",
    "cloudWatchStreamingEnabled",
    "runAsEnabled",
];
const PARAMETER_MEMBERS: [&str; 10] = [
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

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidDocumentContent", message)
}

/// Reads and checks a Session document.
pub(crate) fn read(text: &str) -> ApiResult<SessionDocument> {
    if text.len() > MAX_CONTENT {
        return Err(ApiError::new(
            "MaxDocumentSizeExceeded",
            format!(
                "The content has {} bytes; a document has at most {MAX_CONTENT}.",
                text.len()
            ),
        ));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        invalid(format!(
            "JSON not well-formed. at Line: {}, Column: {}",
            error.line(),
            error.column()
        ))
    })?;
    let Value::Object(members) = &value else {
        return Err(invalid("The content must be a JSON object."));
    };
    only(members, &MEMBERS, "the document")?;
    match members.get("schemaVersion") {
        Some(Value::String(version)) if version == "1.0" => {}
        Some(other) => {
            return Err(ApiError::new(
                "InvalidDocumentSchemaVersion",
                format!("A Session document has schemaVersion \"1.0\", not {other}."),
            ));
        }
        None => return Err(invalid("The required property schemaVersion is missing.")),
    }
    let session_type = members
        .get("sessionType")
        .and_then(Value::as_str)
        .and_then(SessionType::from_name)
        .ok_or_else(|| {
            invalid(
                "sessionType must be Standard_Stream, InteractiveCommands, NonInteractiveCommands or Port.",
            )
        })?;
    if let Some(inputs) = members.get("inputs") {
        check_inputs(inputs)?;
    }
    if let Some(parameters) = members.get("parameters") {
        check_parameters(parameters)?;
    }
    let document: SessionDocument =
        serde_json::from_value(value.clone()).map_err(|error| invalid(error.to_string()))?;
    check_defaults(&document)?;
    check_properties(session_type, &document)?;
    check_placeholders(&value, &document)?;
    Ok(document)
}

fn only(members: &Map<String, Value>, known: &[&str], place: &str) -> ApiResult<()> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(invalid(format!("{place} has the unknown property \"{name}\"."))),
        None => Ok(()),
    }
}

fn check_inputs(inputs: &Value) -> ApiResult<()> {
    let Value::Object(inputs) = inputs else {
        return Err(invalid("inputs must be an object."));
    };
    let known: Vec<&str> = TEXTS.into_iter().chain(FLAGS).chain(["shellProfile"]).collect();
    only(inputs, &known, "inputs")?;
    for name in TEXTS {
        if inputs.get(name).is_some_and(|value| !value.is_string()) {
            return Err(invalid(format!("inputs.{name} must be a text.")));
        }
    }
    for name in FLAGS {
        if inputs.get(name).is_some_and(|value| !value.is_boolean()) {
            return Err(invalid(format!("inputs.{name} must be true or false.")));
        }
    }
    for (name, most) in [("idleSessionTimeout", 60), ("maxSessionDuration", 1_440)] {
        let text = inputs.get(name).and_then(Value::as_str).unwrap_or_default();
        if !text.contains("{{") {
            minutes(name, text, most).map_err(|message| invalid(format!("inputs.{message}")))?;
        }
    }
    match inputs.get("shellProfile") {
        None => Ok(()),
        Some(Value::Object(profile)) => {
            only(profile, &["windows", "linux"], "inputs.shellProfile")?;
            for (name, value) in profile {
                if value.as_str().is_none_or(|text| text.chars().count() > 512) {
                    return Err(invalid(format!(
                        "inputs.shellProfile.{name} must be a text of at most 512 characters."
                    )));
                }
            }
            Ok(())
        }
        Some(_) => Err(invalid("inputs.shellProfile must be an object.")),
    }
}

/// Minutes as preferences write them; nothing for an empty text.
pub(crate) fn minutes(name: &str, text: &str, most: i64) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .ok()
        .filter(|minutes| (1..=most).contains(minutes))
        .map(Some)
        .ok_or_else(|| format!("{name} must be a whole number of minutes from 1 to {most}, or empty."))
}

fn check_parameters(parameters: &Value) -> ApiResult<()> {
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
        only(declared, &PARAMETER_MEMBERS, &place)?;
        let kind = declared.get("type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "String" | "StringList" | "Integer" | "Boolean") {
            return Err(invalid(format!(
                "{place}.type must be String, StringList, Integer or Boolean."
            )));
        }
    }
    Ok(())
}

fn check_defaults(document: &SessionDocument) -> ApiResult<()> {
    for (name, declared) in &document.parameters {
        if let Some(pattern) = &declared.allowed_pattern
            && regex::Regex::new(pattern).is_err()
        {
            return Err(invalid(format!(
                "parameters.{name}.allowedPattern is no regular expression that can be read."
            )));
        }
        let values = match &declared.default {
            None => continue,
            Some(Value::Array(items)) => items.iter().map(text_of).collect::<Option<Vec<_>>>(),
            Some(other) => text_of(other).map(|text| vec![text]),
        };
        let values = values.ok_or_else(|| invalid(format!("parameters.{name}.default has a wrong type.")))?;
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

fn check_properties(session_type: SessionType, document: &SessionDocument) -> ApiResult<()> {
    let properties = &document.properties;
    match session_type {
        SessionType::StandardStream => {
            if !(properties.is_null() || properties.is_object()) {
                return Err(invalid("properties must be an object."));
            }
        }
        SessionType::InteractiveCommands | SessionType::NonInteractiveCommands => {
            let Value::Object(platforms) = properties else {
                return Err(invalid(
                    "properties must be an object with linux, windows or macos.",
                ));
            };
            only(platforms, &["linux", "windows", "macos"], "properties")?;
            if platforms.is_empty() {
                return Err(invalid("properties names no platform: linux, windows or macos."));
            }
            for (platform, of_platform) in platforms {
                if !of_platform.get("commands").is_some_and(Value::is_string) {
                    return Err(invalid(format!("properties.{platform}.commands must be a text.")));
                }
            }
        }
        SessionType::Port => {
            if properties.get("portNumber").and_then(text_of).is_none() {
                return Err(invalid("properties.portNumber is missing."));
            }
        }
    }
    Ok(())
}

fn check_placeholders(value: &Value, document: &SessionDocument) -> ApiResult<()> {
    let mut names = BTreeSet::new();
    for member in ["inputs", "properties"] {
        if let Some(value) = value.get(member) {
            collect(value, &mut names);
        }
    }
    match names.iter().find(|name| !document.parameters.contains_key(*name)) {
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

#[cfg(test)]
#[path = "session_content_tests.rs"]
mod tests;
