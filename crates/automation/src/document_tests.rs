//! Documents that are read, and what is said of those that are not.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn with(steps: Value) -> Value {
    json!({"schemaVersion": "0.3", "parameters": {"Ids": {"type": "StringList"}},
        "variables": {"seen": {"type": "Integer", "default": 0}}, "mainSteps": steps})
}

#[test]
fn a_document_of_the_guide_is_read() {
    let document = Document::read(&with(json!([
        {"name": "Stop", "action": "aws:runCommand", "maxAttempts": 3, "timeoutSeconds": "60", "onFailure": "step:Tell",
            "inputs": {"DocumentName": "AWS-RunShellScript", "InstanceIds": "{{ Ids }}",
                "Parameters": {"commands": ["stop {{ variable:seen }} {{ global:DATE }}"]}},
            "outputs": [{"Name": "Code", "Selector": "$.ResponseCode", "Type": "Integer"}]},
        {"name": "Choose", "action": "aws:branch", "inputs": {"Choices": [
            {"NextStep": "Tell", "Variable": "{{ Stop.Code }}", "NumericEquals": 0}], "Default": "Tell"}},
        {"name": "Tell", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "isEnd": true, "onFailure": "Continue"}
    ])))
    .unwrap();
    let stop = &document.steps[0];
    assert_eq!((stop.max_attempts, stop.timeout_seconds), (3, Some(60)));
    assert_eq!(stop.on_failure, OnFailure::Step("Tell".into()));
    assert!(stop.is_critical && !document.steps[2].is_critical);
    assert_eq!(document.step("Tell"), Some(2));
    assert_eq!(Action::parse("aws:pause").unwrap().name(), "aws:pause");
    assert_eq!(
        Action::parse("aws:runInstances").unwrap().name(),
        "aws:runInstances"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let sleep = |more: Value| {
        let mut step = json!({"name": "S", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}});
        for (name, value) in more.as_object().unwrap() {
            step[name] = value.clone();
        }
        with(json!([step]))
    };
    for (document, says) in [
        (json!([]), "must be a JSON object"),
        (json!({}), "schemaVersion is missing"),
        (
            json!({"schemaVersion": "2.2", "mainSteps": []}),
            "schemaVersion \"0.3\"",
        ),
        (json!({"schemaVersion": "0.3"}), "mainSteps is missing"),
        (with(json!([])), "1 to 1000 steps"),
        (with(json!([1])), "mainSteps[0] must be an object"),
        (
            json!({"schemaVersion": "0.3", "mainSteps": [], "x": 1}),
            "unknown property \"x\"",
        ),
        (sleep(json!({"x": 1})), "mainSteps[0] has the unknown property"),
        (sleep(json!({"name": "a b"})), "mainSteps[0].name"),
        (sleep(json!({"action": "aws:none"})), "no action \"aws:none\""),
        (
            sleep(json!({"nextStep": "T"})),
            "nextStep of step S names the step T",
        ),
        (
            sleep(json!({"onFailure": "step:T"})),
            "onFailure of step S names the step T",
        ),
        (
            sleep(json!({"onFailure": "Stop"})),
            "must be Abort, Continue or step:NAME",
        ),
        (sleep(json!({"onCancel": "step:S"})), "takes Abort only"),
        (
            sleep(json!({"maxAttempts": 0})),
            "maxAttempts must be a whole number",
        ),
        (sleep(json!({"isEnd": "maybe"})), "isEnd must be true or false"),
        (
            sleep(json!({"inputs": {"Duration": "{{ None }}"}})),
            "Parameter \"None\" is not declared.",
        ),
        (
            sleep(json!({"inputs": {"Duration": "{{ T.Out }}"}})),
            "names the step T",
        ),
        (
            sleep(json!({"inputs": {"Duration": "{{ variable:no }}"}})),
            "variable no is not declared",
        ),
        (
            sleep(json!({"inputs": {"Duration": "{{ global:NO }}"}})),
            "is not known",
        ),
        (
            sleep(json!({"inputs": {"Duration": "{{ ssm:/a }}"}})),
            "default of a parameter only",
        ),
        (
            sleep(json!({"outputs": [{"Name": "a", "Selector": "b"}]})),
            "outputs[0].Selector",
        ),
        (
            sleep(json!({"outputs": [{"Name": "a"}]})),
            "needs a Name and a Selector",
        ),
        (
            with(json!([{"name": "S", "action": "aws:sleep"}, {"name": "S", "action": "aws:sleep"}])),
            "Two steps are called S",
        ),
        (
            with(
                json!([{"name": "S", "action": "aws:branch", "inputs": {"Choices": [
                {"Variable": "1", "StringEquals": "1"}]}}]),
            ),
            "needs a NextStep",
        ),
        (
            with(
                json!([{"name": "S", "action": "aws:branch", "inputs": {"Choices": [
                {"NextStep": "S", "And": [{"Variable": "1", "StringEquals": "1"}]}]}}]),
            ),
            "Expect at lease two expressions for operator: And in step: S. Provided: 1",
        ),
    ] {
        let told = Document::read(&document).unwrap_err();
        assert!(told.contains(says), "{told:?} does not say {says:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused(text in "[\\[\\]{}\":,a-zA-Z0-9. ]{0,80}") {
        if let Ok(value) = serde_json::from_str(&text) {
            let _ = Document::read(&value);
            let _ = Document::read(&with(value));
        }
    }
}
