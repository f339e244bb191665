//! The content of Command documents that accounts make, of all their schema versions: read into the form that agents
//! run, and refused with the place of what is wrong. Facts: the user guide's "Command document plugin reference" and
//! "Schemas, features, and examples".

use super::declared::{check_defaults, check_form, check_placeholders, only};
use super::text::invalid;
use crate::commands::output_store::is_component;
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::{DocumentContent, DocumentStep};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const TYPES: [&str; 6] = [
    "String",
    "StringList",
    "Integer",
    "Boolean",
    "StringMap",
    "MapList",
];
const STEP_MEMBERS: [&str; 9] = [
    "action",
    "name",
    "inputs",
    "precondition",
    "onFailure",
    "onSuccess",
    "finallyStep",
    "maxAttempts",
    "timeoutSeconds",
];

const WINDOWS: &str = "Windows";
const LINUX: &str = "Linux";
const MAC: &str = "MacOS";
const EVERYWHERE: &[&str] = &[WINDOWS, LINUX, MAC];

/// The plugins of the service, and where each one runs.
const PLUGINS: [(&str, &[&str]); 16] = [
    ("aws:runShellScript", &[LINUX, MAC]),
    ("aws:runPowerShellScript", EVERYWHERE),
    ("aws:runDocument", EVERYWHERE),
    ("aws:downloadContent", EVERYWHERE),
    ("aws:configurePackage", EVERYWHERE),
    ("aws:softwareInventory", EVERYWHERE),
    ("aws:runPatchBaseline", EVERYWHERE),
    ("aws:refreshAssociation", EVERYWHERE),
    ("aws:updateSsmAgent", EVERYWHERE),
    ("aws:applications", &[WINDOWS]),
    ("aws:cloudWatch", &[WINDOWS]),
    ("aws:configureDocker", &[WINDOWS, LINUX]),
    ("aws:domainJoin", &[WINDOWS, LINUX]),
    ("aws:psModule", &[WINDOWS]),
    ("aws:runDockerAction", &[WINDOWS, LINUX]),
    ("aws:updateAgent", &[WINDOWS]),
];

fn plugin(action: &str) -> Option<&'static [&'static str]> {
    PLUGINS
        .iter()
        .find(|(name, _)| *name == action)
        .map(|(_, platforms)| *platforms)
}

fn missing(names: &[&str], parent: &str) -> ApiError {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    invalid(format!(
        "[message: \"object has missing required properties ([{}])\" - parent node: {parent}]",
        names.join(",")
    ))
}

/// Reads and checks a Command document.
pub(crate) fn read(value: &Value) -> ApiResult<DocumentContent> {
    let Value::Object(members) = value else {
        return Err(invalid("The content must be an object."));
    };
    let Some(version) = members.get("schemaVersion") else {
        return Err(missing(&["schemaVersion"], "/"));
    };
    match version.as_str() {
        Some("2.2" | "2.0" | "2.0.1" | "2.0.2" | "2.0.3") => {
            only(
                members,
                &["schemaVersion", "description", "parameters", "mainSteps", "files"],
                "the document",
            )?;
        }
        Some("1.2" | "1.0" | "1.1") => {
            only(
                members,
                &["schemaVersion", "description", "parameters", "runtimeConfig"],
                "the document",
            )?;
        }
        _ => {
            return Err(ApiError::new(
                "InvalidDocumentSchemaVersion",
                "The schemaVersion of a Command document is the text \"2.2\", \"2.0\" or \"1.2\".",
            ));
        }
    }
    if members.get("description").is_some_and(|text| !text.is_string()) {
        return Err(invalid("description must be a text."));
    }
    if let Some(parameters) = members.get("parameters") {
        check_form(parameters, &TYPES)?;
    }
    let steps = if version.as_str().is_some_and(|text| text.starts_with('1')) {
        old_steps(members)?
    } else {
        steps(members)?
    };
    let mut whole = members.clone();
    whole.retain(|name, _| matches!(name.as_str(), "description" | "parameters"));
    let mut document: DocumentContent = serde_json::from_value(Value::Object(whole))
        .map_err(|error| invalid(format!("The content cannot be read: {error}.")))?;
    // What older documents say, the newer form says too; of them 2.0 fails where a plugin does not fit, as they do.
    document.schema_version = match version.as_str() {
        Some(text) if text.starts_with('2') => text.to_owned(),
        _ => "2.0".to_owned(),
    };
    document.main_steps = steps;
    check_defaults(&document.parameters)?;
    let inputs: Vec<Value> = document
        .main_steps
        .iter()
        .map(|step| Value::Object(step.inputs.clone().into_iter().collect()))
        .collect();
    check_placeholders(&inputs, &document.parameters)?;
    Ok(document)
}

fn steps(members: &Map<String, Value>) -> ApiResult<Vec<DocumentStep>> {
    let steps = match members.get("mainSteps") {
        Some(Value::Array(steps)) if !steps.is_empty() => steps,
        Some(Value::Array(_)) => return Err(invalid("mainSteps must have at least one step.")),
        Some(_) => return Err(invalid("mainSteps must be a list.")),
        None => return Err(missing(&["mainSteps"], "/")),
    };
    let mut names = BTreeSet::new();
    let mut read = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let place = format!("/mainSteps/{at}");
        let Value::Object(step) = step else {
            return Err(invalid(format!("{place} must be an object.")));
        };
        let absent: Vec<&str> = ["action", "name"]
            .into_iter()
            .filter(|name| !step.contains_key(*name))
            .collect();
        if !absent.is_empty() {
            return Err(missing(&absent, &place));
        }
        only(step, &STEP_MEMBERS, &place)?;
        let step = step_of(step, &place)?;
        if !names.insert(step.name.clone()) {
            return Err(invalid(format!(
                "{place}: two steps are named \"{}\"; names of steps are unique.",
                step.name
            )));
        }
        read.push(step);
    }
    Ok(read)
}

fn step_of(step: &Map<String, Value>, place: &str) -> ApiResult<DocumentStep> {
    let word = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = word("name");
    // Output is kept under this name.
    if !is_component(name) {
        return Err(invalid(format!(
            "{place}/name must be a text of 1 to 128 letters, digits, and _ - . : and not begin with a dot."
        )));
    }
    check_action(word("action"), place)?;
    if step.get("inputs").is_some_and(|inputs| !inputs.is_object()) {
        return Err(invalid(format!("{place}/inputs must be an object.")));
    }
    check_precondition(step.get("precondition"), place)?;
    let option = |name: &str| {
        let shared = step.get("inputs").and_then(|inputs| inputs.get(name));
        step.get(name).or(shared)
    };
    for (name, known) in [
        ("onFailure", &["exit", "successAndExit"][..]),
        ("onSuccess", &["exit"][..]),
    ] {
        if let Some(value) = option(name)
            && !value.as_str().is_some_and(|text| known.contains(&text))
        {
            return Err(invalid(format!("{place}/{name} must be {}.", known.join(" or "))));
        }
    }
    if let Some(value) = option("finallyStep")
        && !matches!(value, Value::Bool(_))
        && !matches!(value.as_str(), Some("true" | "false"))
    {
        return Err(invalid(format!("{place}/finallyStep must be true or false.")));
    }
    serde_json::from_value(Value::Object(step.clone()))
        .map_err(|error| invalid(format!("{place} cannot be read: {error}.")))
}

fn check_action(action: &str, place: &str) -> ApiResult<()> {
    if plugin(action).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = PLUGINS.iter().map(|(name, _)| *name).collect();
    Err(invalid(format!(
        "{place}/action is \"{action}\", which is no plugin of Command documents: {}.",
        known.join(", ")
    )))
}

fn check_precondition(precondition: Option<&Value>, place: &str) -> ApiResult<()> {
    let Some(precondition) = precondition else {
        return Ok(());
    };
    let operands = precondition.as_object().and_then(|operators| {
        let mut all = operators.iter();
        match (all.next(), all.next()) {
            (Some((operator, operands)), None) if operator == "StringEquals" => operands.as_array(),
            _ => None,
        }
    });
    let is_pair = operands.is_some_and(|list| list.len() == 2 && list.iter().all(Value::is_string));
    if is_pair {
        return Ok(());
    }
    Err(invalid(format!(
        "{place}/precondition must be {{\"StringEquals\": [\"platformType\", \"Linux\"]}} or compare two texts so."
    )))
}

/// The plugins of a `runtimeConfig` as steps.
fn old_steps(members: &Map<String, Value>) -> ApiResult<Vec<DocumentStep>> {
    let plugins = match members.get("runtimeConfig") {
        Some(Value::Object(plugins)) if !plugins.is_empty() => plugins,
        Some(_) => return Err(invalid("runtimeConfig must be an object with a plugin.")),
        None => return Err(missing(&["runtimeConfig"], "/")),
    };
    let mut steps = Vec::new();
    for (action, config) in plugins {
        let place = format!("/runtimeConfig/{action}");
        check_action(action, &place)?;
        let all = match config.get("properties") {
            Some(Value::Array(all)) => all.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            // A text stands for all inputs at once, as `"{{ properties }}"`, which only Windows plugins take.
            _ => return Err(invalid(format!("{place}/properties must be a list of objects."))),
        };
        for (at, inputs) in all.iter().enumerate() {
            let Value::Object(inputs) = inputs else {
                return Err(invalid(format!("{place}/properties/{at} must be an object.")));
            };
            let name = match at {
                0 => action.clone(),
                more => format!("{action}.{more}"),
            };
            steps.push(DocumentStep {
                action: action.clone(),
                name,
                inputs: inputs
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect::<BTreeMap<_, _>>(),
                ..DocumentStep::default()
            });
        }
    }
    if steps.is_empty() {
        return Err(invalid("runtimeConfig has no properties to run."));
    }
    Ok(steps)
}

/// Where a document runs: wherever one of its steps does.
pub(crate) fn platforms(document: &DocumentContent) -> Vec<&'static str> {
    let runs = |step: &DocumentStep, platform: &str| {
        let demanded = step.precondition.as_ref().and_then(|all| all.get("StringEquals"));
        let fits = demanded.is_none_or(|operands| match operands.as_slice() {
            [left, right] if left == "platformType" => right.eq_ignore_ascii_case(platform),
            [left, right] if right == "platformType" => left.eq_ignore_ascii_case(platform),
            _ => true,
        });
        // PowerShell is on every platform, but a document that names none means Windows.
        let usual = step.action != "aws:runPowerShellScript" || demanded.is_some() || platform == WINDOWS;
        fits && usual && plugin(&step.action).is_some_and(|platforms| platforms.contains(&platform))
    };
    EVERYWHERE
        .iter()
        .copied()
        .filter(|platform| document.main_steps.iter().any(|step| runs(step, platform)))
        .collect()
}

#[cfg(test)]
#[path = "command_content_tests.rs"]
mod tests;
