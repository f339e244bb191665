//! The content of Session documents that accounts make: read, and refused with the place of what is wrong.

use super::declared::{check_defaults, check_form, check_placeholders, only, text_of};
use super::text::invalid;
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::session::SessionDocument;
use muster_session_channel::SessionType;
use serde_json::Value;

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

/// Reads and checks a Session document.
pub(crate) fn read(value: &Value) -> ApiResult<SessionDocument> {
    let Value::Object(members) = value else {
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
        check_form(parameters, &["String", "StringList", "Integer", "Boolean"])?;
    }
    let document: SessionDocument =
        serde_json::from_value(value.clone()).map_err(|error| invalid(error.to_string()))?;
    check_defaults(&document.parameters)?;
    check_properties(session_type, &document)?;
    let used = ["inputs", "properties"]
        .into_iter()
        .filter_map(|name| value.get(name));
    check_placeholders(used, &document.parameters)?;
    Ok(document)
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

#[cfg(test)]
#[path = "session_content_tests.rs"]
mod tests;
