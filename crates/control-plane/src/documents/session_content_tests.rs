//! Session documents that must be refused, each with the place of what is wrong.

use super::*;
use crate::documents::declared::substituted;
use serde_json::json;

fn refusal(value: &Value) -> String {
    let error = read(value).unwrap_err();
    format!("{}: {}", error.code, error.message.unwrap_or_default())
}

fn commands(properties: Value) -> Value {
    json!({"schemaVersion": "1.0", "sessionType": "InteractiveCommands", "properties": properties,
        "parameters": {"logpath": {"type": "String", "default": "/var/log/messages",
            "allowedPattern": "^[a-zA-Z0-9_/]+$"}}})
}

#[test]
fn a_document_as_the_manual_shows_it_is_read() {
    let value = commands(json!({"linux": {"commands": "tail -f {{ logpath }}", "runAsElevated": true}}));
    let document = read(&value).unwrap();
    assert_eq!(document.session_type, "InteractiveCommands");
    let preferences = json!({"schemaVersion": "1.0", "description": "d", "sessionType": "Standard_Stream",
        "inputs": {"s3BucketName": "", "runAsEnabled": true, "runAsDefaultUser": "web", "idleSessionTimeout": "60",
            "maxSessionDuration": "1440", "shellProfile": {"linux": "cd /"}}});
    assert!(read(&preferences).is_ok());
}

#[test]
fn whatever_is_wrong_is_named() {
    let with =
        |inputs: Value| json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs});
    for (value, says) in [
        (
            json!([]),
            "InvalidDocumentContent: The content must be a JSON object.",
        ),
        (json!({"schemaVersion": "2.2"}), "InvalidDocumentSchemaVersion: "),
        (json!({"sessionType": "Port"}), "schemaVersion is missing"),
        (
            json!({"schemaVersion": "1.0", "sessionType": "Shell"}),
            "sessionType must be",
        ),
        (
            json!({"schemaVersion": "1.0", "sessionType": "Port", "mainSteps": []}),
            "unknown property \"mainSteps\"",
        ),
        (
            with(json!({"idleSessionTimeout": "61"})),
            "inputs.idleSessionTimeout must be",
        ),
        (
            with(json!({"idleSessionTimeout": 20})),
            "inputs.idleSessionTimeout must be a text",
        ),
        (
            with(json!({"maxSessionDuration": "1441"})),
            "inputs.maxSessionDuration",
        ),
        (
            with(json!({"runAsEnabled": "true"})),
            "inputs.runAsEnabled must be true or false",
        ),
        (
            with(json!({"shellProfile": {"linux": "x".repeat(513)}})),
            "shellProfile.linux",
        ),
        (with(json!({"other": 1})), "unknown property \"other\""),
        (
            with(json!({"runAsDefaultUser": "{{ user }}"})),
            "Parameter \"user\" is not declared.",
        ),
        (commands(json!({})), "names no platform"),
        (
            commands(json!({"plan9": {"commands": "x"}})),
            "unknown property \"plan9\"",
        ),
        (commands(json!({"linux": {}})), "properties.linux.commands"),
        (
            commands(json!({"linux": {"commands": "{{x}}"}})),
            "Parameter \"x\" is not declared.",
        ),
        (
            json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": "22"},
                "parameters": {"p": {"type": "String", "default": "b", "allowedPattern": "^a$"}}}),
            "parameters.p.default",
        ),
        (
            json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": "22"},
                "parameters": {"p": {"type": "String", "allowedPattern": "("}}}),
            "parameters.p.allowedPattern",
        ),
        (
            json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": "22"},
                "parameters": {"p": {"type": "Text"}}}),
            "parameters.p.type",
        ),
    ] {
        let found = refusal(&value);
        assert!(found.contains(says), "{value}: {found}");
    }
}

#[test]
fn placeholders_are_replaced_once() {
    let with = |name: &str| (name == "a").then(|| "{{ b }}".to_owned());
    assert_eq!(
        substituted("x {{ a }}{{a}} {{ b }} {{", with),
        "x {{ b }}{{ b }} {{ b }} {{"
    );
    assert_eq!(substituted("}} {{}}", with), "}} {{}}");
}
