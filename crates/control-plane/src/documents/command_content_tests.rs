//! What is a Command document and what is not, by its messages.

use super::*;
use serde_json::json;

fn message(value: Value) -> String {
    let error = read(&value).unwrap_err();
    assert!(
        matches!(
            error.code,
            "InvalidDocumentContent" | "InvalidDocumentSchemaVersion"
        ),
        "{error:?}"
    );
    error.message.unwrap()
}

fn document(step: Value) -> Value {
    json!({"schemaVersion": "2.2", "mainSteps": [step]})
}

#[test]
fn documents_of_all_schema_versions_are_read() {
    let new = read(&json!({
        "schemaVersion": "2.2", "description": "d",
        "parameters": {
            "ref": {"type": "String", "default": "{{ssm:/a/b}}", "allowedValues": ["x"]},
            "who": {"type": "String", "default": "world", "allowedPattern": "[a-z]+"},
            "list": {"type": "StringList", "default": ["a", "b"], "minItems": 1},
            "map": {"type": "StringMap", "default": {"a": "b"}},
            "maps": {"type": "MapList", "default": [{"a": "b"}]},
            "number": {"type": "Integer", "default": 3},
            "flag": {"type": "Boolean", "default": true},
        },
        "mainSteps": [
            {"action": "aws:runShellScript", "name": "one", "precondition": {"StringEquals": ["platformType", "Linux"]},
                "inputs": {"runCommand": ["echo {{ who }}"], "onFailure": "exit"}},
            {"action": "aws:runPowerShellScript", "name": "two", "onFailure": "successAndExit",
                "precondition": {"StringEquals": ["platformType", "Windows"]}, "inputs": {"runCommand": ["x"]}},
        ],
    }))
    .unwrap();
    assert_eq!(new.main_steps.len(), 2);
    assert_eq!(platforms(&new), ["Windows", "Linux"]);
    let old = read(&json!({
        "schemaVersion": "1.2", "description": "d", "parameters": {"commands": {"type": "StringList"}},
        "runtimeConfig": {"aws:runShellScript": {"properties": [
            {"id": "0.aws:runShellScript", "runCommand": "{{ commands }}", "timeoutSeconds": 10}]}},
    }))
    .unwrap();
    assert_eq!(
        (old.schema_version.as_str(), old.main_steps[0].name.as_str()),
        ("2.0", "aws:runShellScript")
    );
    assert_eq!(old.main_steps[0].inputs["runCommand"], "{{ commands }}");
    assert_eq!(platforms(&old), ["Linux", "MacOS"]);
    let shell = read(&document(
        json!({"action": "aws:runPowerShellScript", "name": "x"}),
    ))
    .unwrap();
    assert_eq!(platforms(&shell), ["Windows"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let step = json!({"action": "aws:runShellScript", "name": "x"});
    let with = |more: Value| {
        let mut step = step.clone();
        for (name, value) in more.as_object().unwrap() {
            step[name] = value.clone();
        }
        document(step)
    };
    for (value, says) in [
        (json!([]), "must be an object"),
        (
            json!({}),
            "missing required properties ([\"schemaVersion\"])\" - parent node: /]",
        ),
        (json!({"schemaVersion": 2.2}), "is the text \"2.2\""),
        (json!({"schemaVersion": "0.3"}), "is the text \"2.2\""),
        (json!({"schemaVersion": "2.2"}), "([\"mainSteps\"])"),
        (json!({"schemaVersion": "1.2"}), "([\"runtimeConfig\"])"),
        (
            json!({"schemaVersion": "2.2", "mainSteps": []}),
            "at least one step",
        ),
        (
            json!({"schemaVersion": "2.2", "mainSteps": [1]}),
            "/mainSteps/0 must be an object",
        ),
        (
            json!({"schemaVersion": "2.2", "steps": []}),
            "unknown property \"steps\"",
        ),
        (
            document(json!({"name": "x"})),
            "([\"action\"])\" - parent node: /mainSteps/0]",
        ),
        (with(json!({"action": "aws:nothing"})), "which is no plugin"),
        (with(json!({"name": "a b"})), "/mainSteps/0/name"),
        (with(json!({"inputs": []})), "/mainSteps/0/inputs"),
        (with(json!({"name": ".hidden"})), "not begin with a dot"),
        (with(json!({"extra": 1})), "unknown property \"extra\""),
        (
            with(json!({"onFailure": "stop"})),
            "onFailure must be exit or successAndExit",
        ),
        (
            with(json!({"inputs": {"onSuccess": "stop"}})),
            "onSuccess must be exit",
        ),
        (with(json!({"inputs": {"finallyStep": 3}})), "finallyStep"),
        (
            with(json!({"precondition": {"StringEquals": ["x"]}})),
            "precondition",
        ),
        (
            with(json!({"precondition": {"NumericEquals": ["x", "y"]}})),
            "precondition",
        ),
        (
            with(json!({"inputs": {"runCommand": ["{{ ssm:/a }}"]}})),
            "{{ ssm:/a }} refers to Parameter Store",
        ),
        (
            with(json!({"inputs": {"runCommand": ["{{ nobody }}"]}})),
            "Parameter \"nobody\" is not declared.",
        ),
        (
            json!({"schemaVersion": "2.2", "mainSteps": [step.clone(), step.clone()]}),
            "two steps are named \"x\"",
        ),
    ] {
        let text = message(value);
        assert!(text.contains(says), "{says}: {text}");
    }
    for (declared, says) in [
        (json!({"type": "Text"}), "parameters.p.type must be String, "),
        (json!({"type": "String", "more": 1}), "unknown property \"more\""),
        (
            json!({"type": "String", "default": ["a", "b"]}),
            "parameters.p.default",
        ),
        (
            json!({"type": "String", "allowedValues": ["a"], "default": "b"}),
            "must be one of [a]",
        ),
        (json!({"type": "String", "allowedPattern": "("}), "allowedPattern"),
        (json!({"type": "Integer", "default": "x"}), "not of type Integer"),
    ] {
        let text = message(
            json!({"schemaVersion": "2.2", "mainSteps": [step.clone()], "parameters": {"p": declared}}),
        );
        assert!(text.contains(says), "{says}: {text}");
    }
}
