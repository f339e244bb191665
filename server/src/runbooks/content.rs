//! What a runbook's text says, as far as pages and plans need it: steps and where they lead, parameters, and which of them
//! take nodes. Read leniently: Amazon's runbooks use more than the embedded endpoint runs, and all are shown.

use crate::commands::documents;
use muster_domain::commands::{DocumentParameter, ParameterType};
use muster_domain::runbooks::{EdgeKind, RunbookStep, StepEdge};
use serde_json::Value;

/// A parameter that takes nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeParameter {
    /// Its name.
    pub name: String,
    /// Whether it takes several.
    pub takes_several: bool,
    /// Whether commands are run on what it names: then the nodes have to be managed ones that report.
    pub runs_commands: bool,
}

/// A runbook's text, read.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// What it does.
    pub description: String,
    /// Its parameters, in the order declared.
    pub parameters: Vec<DocumentParameter>,
    /// Those that take nodes, in the order declared.
    pub node_parameters: Vec<NodeParameter>,
    /// Its steps, in order.
    pub steps: Vec<RunbookStep>,
    /// What it tells in the end.
    pub outputs: Vec<String>,
    /// The whole, for what is looked at rarely.
    pub value: Value,
}

fn text(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn flag(value: &Value, name: &str) -> Option<bool> {
    match &value[name] {
        Value::Bool(is) => Some(*is),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Where a step leads.
fn edges(step: &Value, following: Option<&str>) -> Vec<StepEdge> {
    let edge = |to: &str, kind| StepEdge {
        to: to.to_owned(),
        kind,
    };
    let mut found = Vec::new();
    if step["action"] == "aws:branch" {
        let choices = step["inputs"]["Choices"].as_array().into_iter().flatten();
        found.extend(
            choices
                .filter_map(|choice| choice["NextStep"].as_str())
                .map(|to| edge(to, EdgeKind::Choice)),
        );
        found.extend(
            step["inputs"]["Default"]
                .as_str()
                .map(|to| edge(to, EdgeKind::Choice)),
        );
    }
    // A branch without a default goes on with the step that follows it.
    let is_decided = step["inputs"]["Default"].is_string() && step["action"] == "aws:branch";
    if flag(step, "isEnd") != Some(true) && !is_decided {
        found.extend(
            step["nextStep"]
                .as_str()
                .or(following)
                .map(|to| edge(to, EdgeKind::Next)),
        );
    }
    for (member, kind) in [("onFailure", EdgeKind::Failure), ("onCancel", EdgeKind::Cancel)] {
        let to = step[member].as_str().and_then(|text| text.strip_prefix("step:"));
        found.extend(to.map(|to| edge(to.trim(), kind)));
    }
    let mut once: Vec<StepEdge> = Vec::new();
    for edge in found {
        if !once.contains(&edge) {
            once.push(edge);
        }
    }
    once
}

fn steps(document: &Value) -> Vec<RunbookStep> {
    let all = document["mainSteps"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter()
        .enumerate()
        .map(|(at, step)| RunbookStep {
            name: text(step, "name"),
            action: text(step, "action"),
            description: text(step, "description"),
            edges: edges(step, all.get(at + 1).and_then(|next| next["name"].as_str())),
            is_end: flag(step, "isEnd") == Some(true),
            is_critical: flag(step, "isCritical") != Some(false),
            on_failure: step["onFailure"].as_str().unwrap_or("Abort").to_owned(),
            inputs: match &step["inputs"] {
                Value::Null => String::new(),
                inputs => serde_json::to_string_pretty(inputs).unwrap_or_default(),
            },
        })
        .collect()
}

/// The parameter that `value` is a reference to, and nothing else: `{{ InstanceIds }}`.
pub(super) fn reference(value: &Value) -> Option<&str> {
    let inner = value
        .as_str()?
        .trim()
        .strip_prefix("{{")?
        .strip_suffix("}}")?
        .trim();
    (!inner.is_empty() && !inner.contains(['{', '}', '.', ':'])).then_some(inner)
}

/// The parameters by which a step that runs commands is told its nodes.
fn told_nodes(step: &Value) -> Vec<&str> {
    let inputs = &step["inputs"];
    let listed = |value: &'static str| inputs[value].as_array().into_iter().flatten();
    let mut found: Vec<&str> = reference(&inputs["InstanceIds"]).into_iter().collect();
    found.extend(listed("InstanceIds").filter_map(reference));
    for target in listed("Targets").filter(|target| {
        let key = target["Key"].as_str().or(target["key"].as_str());
        key.is_some_and(|key| key.eq_ignore_ascii_case("InstanceIds"))
    }) {
        for values in [&target["Values"], &target["values"]] {
            found.extend(reference(values));
            found.extend(values.as_array().into_iter().flatten().filter_map(reference));
        }
    }
    found
}

const NODE_NAMES: [&str; 4] = ["instanceid", "instanceids", "nodeid", "nodeids"];
const NODE_TYPES: [&str; 2] = ["AWS::EC2::Instance::Id", "AWS::SSM::ManagedInstance::Id"];

/// Reads a runbook's text.
#[must_use]
pub fn read(content: &str) -> Content {
    let value: Value = serde_json::from_str(content).unwrap_or_default();
    let mut parameters = documents::parameters(content);
    let mut node_parameters = Vec::new();
    let commands: Vec<&str> = value["mainSteps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|step| step["action"] == "aws:runCommand")
        .flat_map(told_nodes)
        .collect();
    for parameter in &mut parameters {
        let declared = value["parameters"][&parameter.name]["type"]
            .as_str()
            .unwrap_or_default();
        // Types that are the names of resources are texts.
        let inner = declared
            .strip_prefix("List<")
            .and_then(|rest| rest.strip_suffix('>'));
        if inner.is_some() {
            parameter.parameter_type = ParameterType::StringList;
            parameter.multi_line = true;
        }
        let is_text = matches!(
            parameter.parameter_type,
            ParameterType::String | ParameterType::StringList
        );
        let runs_commands = commands.contains(&parameter.name.as_str());
        let is_named = NODE_NAMES.contains(&parameter.name.to_ascii_lowercase().as_str());
        let is_typed = NODE_TYPES.contains(&inner.unwrap_or(declared));
        if is_text && (runs_commands || is_named || is_typed) {
            node_parameters.push(NodeParameter {
                name: parameter.name.clone(),
                takes_several: parameter.parameter_type == ParameterType::StringList,
                runs_commands,
            });
        }
    }
    Content {
        description: text(&value, "description"),
        outputs: value["outputs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|one| one.trim_matches(['{', '}', ' ']).to_owned())
            .collect(),
        steps: steps(&value),
        parameters,
        node_parameters,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn steps_lead_where_the_document_says() {
        let content = json!({"schemaVersion": "0.3", "description": "d", "mainSteps": [
            {"name": "A", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "onFailure": "step:Mend"},
            {"name": "B", "action": "aws:branch", "inputs": {"Choices": [
                {"NextStep": "C", "Variable": "{{ p }}", "StringEquals": "x"},
                {"NextStep": "C", "Variable": "{{ p }}", "StringEquals": "y"}], "Default": "Mend"}},
            {"name": "C", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "nextStep": "Mend"},
            {"name": "Mend", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "isEnd": true, "isCritical": "false",
                "onCancel": "step:A"},
        ]});
        let read = read(&content.to_string());
        let ways = |at: usize| -> Vec<(&str, EdgeKind)> {
            let edges = &read.steps[at].edges;
            edges.iter().map(|edge| (edge.to.as_str(), edge.kind)).collect()
        };
        assert_eq!(ways(0), [("B", EdgeKind::Next), ("Mend", EdgeKind::Failure)]);
        assert_eq!(ways(1), [("C", EdgeKind::Choice), ("Mend", EdgeKind::Choice)]);
        assert_eq!(ways(2), [("Mend", EdgeKind::Next)]);
        assert_eq!(ways(3), [("A", EdgeKind::Cancel)]);
        assert!(read.steps[3].is_end && !read.steps[3].is_critical && read.steps[0].is_critical);
    }

    #[test]
    fn nodes_are_what_commands_run_on_or_what_is_called_or_typed_so() {
        let content = json!({"parameters": {
                "On": {"type": "StringList"}, "InstanceId": {"type": "String"}, "Hosts": {"type": "List<AWS::EC2::Instance::Id>"},
                "Other": {"type": "String"}, "nodeIds": {"type": "Boolean"}},
            "mainSteps": [{"name": "A", "action": "aws:runCommand", "inputs": {"InstanceIds": ["{{On}}"]}}]});
        let read = read(&content.to_string());
        let found: Vec<(&str, bool, bool)> = read
            .node_parameters
            .iter()
            .map(|one| (one.name.as_str(), one.takes_several, one.runs_commands))
            .collect();
        assert_eq!(found.iter().find(|one| one.0 == "On"), Some(&("On", true, true)));
        assert_eq!(
            found.iter().find(|one| one.0 == "InstanceId"),
            Some(&("InstanceId", false, false))
        );
        assert_eq!(
            found.iter().find(|one| one.0 == "Hosts"),
            Some(&("Hosts", true, false))
        );
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_cannot_be_read_has_no_steps() {
        assert!(read("schemaVersion: '0.3'").steps.is_empty());
        assert!(read("{\"mainSteps\": 3}").steps.is_empty());
    }
}
