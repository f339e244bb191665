//! Whether a runbook acts on no more than the nodes that it is given. Whoever has a role on a part of the fleet may start
//! only such: what else a runbook touches, nobody could hold against a role's tags.

use crate::runbooks::content::{Content, reference};
use serde_json::Value;

/// Actions that touch nothing.
const HARMLESS: [&str; 5] = [
    "aws:sleep",
    "aws:pause",
    "aws:approve",
    "aws:branch",
    "aws:updateVariable",
];

/// Whether a step runs commands on nodes that parameters give, and on none else.
fn is_on_given_nodes(step: &Value, content: &Content) -> bool {
    let is_given = |value: &Value| {
        reference(value).is_some_and(|name| content.node_parameters.iter().any(|one| one.name == name))
    };
    let inputs = &step["inputs"];
    if step["action"] != "aws:runCommand" || !inputs["Targets"].is_null() {
        return false;
    }
    match &inputs["InstanceIds"] {
        Value::Array(ids) => !ids.is_empty() && ids.iter().all(is_given),
        one => is_given(one),
    }
}

/// The first step that may act on more than the given nodes; empty where there is none.
#[must_use]
pub fn reaches_further(content: &Content) -> String {
    let steps = content.value["mainSteps"].as_array();
    let Some(steps) = steps.filter(|steps| !steps.is_empty()) else {
        // What cannot be read may do anything.
        return "its text".into();
    };
    let further = steps.iter().find(|step| {
        let is_harmless = step["action"]
            .as_str()
            .is_some_and(|action| HARMLESS.contains(&action));
        !is_harmless && !is_on_given_nodes(step, content)
    });
    further
        .map(|step| {
            step["name"]
                .as_str()
                .unwrap_or("a step without a name")
                .to_owned()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbooks::content::read;
    use serde_json::json;

    fn further(step: Value) -> String {
        let content = json!({"parameters": {"Nodes": {"type": "StringList"}, "InstanceIds": {"type": "StringList"}},
            "variables": {"V": {"type": "StringList"}},
            "mainSteps": [{"name": "First", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}, step]});
        reaches_further(&read(&content.to_string()))
    }

    #[test]
    fn commands_on_given_nodes_alone_reach_no_further() {
        let command = |inputs: Value| json!({"name": "Act", "action": "aws:runCommand", "inputs": inputs});
        for inputs in [
            json!({"DocumentName": "X", "InstanceIds": "{{ InstanceIds }}"}),
            json!({"DocumentName": "X", "InstanceIds": ["{{ InstanceIds }}"]}),
            json!({"DocumentName": "X", "InstanceIds": ["{{ Nodes }}", "{{InstanceIds}}"]}),
        ] {
            assert_eq!(further(command(inputs.clone())), "", "{inputs}");
        }
        for inputs in [
            json!({"DocumentName": "X"}),
            json!({"DocumentName": "X", "InstanceIds": []}),
            json!({"DocumentName": "X", "InstanceIds": ["{{ InstanceIds }}", "mi-1"]}),
            json!({"DocumentName": "X", "InstanceIds": ["{{ variable:V }}"]}),
            json!({"DocumentName": "X", "InstanceIds": "{{ First.Out }}"}),
            json!({"DocumentName": "X", "InstanceIds": "{{ InstanceIds }}", "Targets": [{"Key": "tag:a", "Values": ["b"]}]}),
        ] {
            assert_eq!(further(command(inputs.clone())), "Act", "{inputs}");
        }
    }

    #[test]
    fn whatever_else_acts_reaches_further() {
        for action in [
            "aws:executeAwsApi",
            "aws:executeAutomation",
            "aws:executeScript",
            "aws:loop",
            "",
        ] {
            assert_eq!(
                further(json!({"name": "Act", "action": action})),
                "Act",
                "{action}"
            );
        }
        for action in HARMLESS {
            assert_eq!(further(json!({"name": "Act", "action": action})), "", "{action}");
        }
        assert_ne!(reaches_further(&read("no runbook")), "");
    }
}
