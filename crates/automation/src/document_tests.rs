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
fn loops_hold_steps_of_their_own() {
    let document = Document::read(&with(json!([
        {"name": "Each", "action": "aws:loop", "inputs": {"Iterators": "{{ Ids }}", "MaxIterations": 3, "Steps": [
            {"name": "One", "action": "aws:runCommand", "inputs": {"InstanceIds": ["{{ Each.CurrentIteratorValue }}"]}},
            {"name": "Until", "action": "aws:loop", "inputs": {"LoopCondition":
                {"Variable": "{{ Look.Code }}", "NumericGreater": 0}, "Steps": [
                    {"name": "Look", "action": "aws:runCommand", "isEnd": true}]}}]}},
        {"name": "After", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}
    ])))
    .unwrap();
    let parents: Vec<_> = document.steps.iter().map(|step| step.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(0), Some(2), None]);
    assert_eq!(
        (
            document.after(0),
            document.after(1),
            document.after(2),
            document.after(3)
        ),
        (Some(4), Some(2), None, None)
    );
    assert_eq!(document.first_within(Some(2)), Some(3));
    assert!(document.steps[2].loop_condition.is_some() && !document.steps[0].inputs.contains_key("Steps"));
    let each = |more: Value| {
        let mut inputs = json!({"Iterators": ["a"], "Steps": [{"name": "In", "action": "aws:sleep"}]});
        for (name, value) in more.as_object().unwrap() {
            inputs[name] = value.clone();
        }
        inputs
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        with(
            json!([{"name": "L", "action": "aws:loop", "inputs": inputs}, {"name": "Out", "action": "aws:sleep"}]),
        )
    };
    let condition = json!({"Variable": "1", "StringEquals": "1"});
    for (document, says) in [
        (
            each(json!({"Iterators": null})),
            "one of Iterators and LoopCondition",
        ),
        (
            each(json!({"LoopCondition": condition})),
            "one of Iterators and LoopCondition",
        ),
        (
            each(json!({"Iterators": null, "LoopCondition": {"Variable": "1"}})),
            "a choice of step L needs one of",
        ),
        (
            each(json!({"Iterators": null, "LoopCondition": condition, "IteratorDataType": "String"})),
            "belongs to Iterators",
        ),
        (
            each(json!({"IteratorDataType": "List"})),
            "IteratorDataType must be one of",
        ),
        (each(json!({"Steps": null})), "inputs.Steps must be a list"),
        (
            each(json!({"Steps": []})),
            "mainSteps[0].inputs.Steps must have 1 to",
        ),
        (
            each(json!({"More": 1})),
            "mainSteps[0].inputs has the unknown property \"More\"",
        ),
        (
            each(json!({"Steps": [{"name": "In", "action": "aws:sleep", "nextStep": "Out"}]})),
            "not within the same loop",
        ),
        (
            each(json!({"Steps": [{"name": "Out", "action": "aws:sleep"}]})),
            "Two steps are called Out",
        ),
        (
            each(json!({"Steps": [{"name": "In", "action": "aws:none"}]})),
            "mainSteps[0].inputs.Steps[0].action",
        ),
    ] {
        let told = Document::read(&document).unwrap_err();
        assert!(told.contains(says), "{told:?} does not say {says:?}");
    }
    let mut deep = json!([{"name": "S", "action": "aws:sleep"}]);
    for at in 0..6 {
        deep = json!([{"name": format!("L{at}"), "action": "aws:loop", "inputs": {"Iterators": ["a"], "Steps": deep}}]);
    }
    assert!(Document::read(&with(deep)).unwrap_err().contains("5 deep"));
    let twice = json!([{"name": "L", "action": "aws:loop", "maxAttempts": 2, "inputs": {"Iterators": [], "Steps": []}}]);
    assert!(
        Document::read(&with(twice))
            .unwrap_err()
            .contains("a loop is not tried again")
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
