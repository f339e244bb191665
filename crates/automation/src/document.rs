//! An Automation document of schema 0.3: read, and refused with the place of what is wrong.

use crate::choice;
use crate::elements::{Action, OnCancel, OnFailure, Output, Step, Variable};
use crate::selector::select;
use crate::values::references;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// For people.
    pub description: String,
    /// As they are declared; who keeps documents checks them.
    pub parameters: Map<String, Value>,
    /// What steps may change.
    pub variables: BTreeMap<String, Variable>,
    /// At least one.
    pub steps: Vec<Step>,
    /// `Step.Output` of those that the whole tells.
    pub outputs: Vec<String>,
}

const MEMBERS: [&str; 9] = [
    "schemaVersion",
    "description",
    "assumeRole",
    "parameters",
    "variables",
    "mainSteps",
    "outputs",
    "files",
    "metadata",
];
const STEP_MEMBERS: [&str; 13] = [
    "name",
    "action",
    "description",
    "inputs",
    "outputs",
    "onFailure",
    "onCancel",
    "isCritical",
    "isEnd",
    "nextStep",
    "maxAttempts",
    "timeoutSeconds",
    "comment",
];
const KINDS: [&str; 6] = [
    "String",
    "StringList",
    "Integer",
    "Boolean",
    "StringMap",
    "MapList",
];
const GLOBALS: [&str; 6] = [
    "global:DATE",
    "global:DATE_TIME",
    "global:REGION",
    "global:ACCOUNT_ID",
    "global:AWS_PARTITION",
    "automation:EXECUTION_ID",
];
/// Steps of one document at most.
const MOST_STEPS: usize = 1_000;

fn only(members: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), String> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{place} has the unknown property \"{name}\".")),
        None => Ok(()),
    }
}

fn text(members: &Map<String, Value>, name: &str, place: &str) -> Result<Option<String>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{place}.{name} must be a text.")),
    }
}

/// Written as true, or as `"true"`.
fn flag(members: &Map<String, Value>, name: &str, place: &str) -> Result<Option<bool>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(is)) => Ok(Some(*is)),
        Some(Value::String(text)) if text == "true" || text == "false" => Ok(Some(text == "true")),
        Some(_) => Err(format!("{place}.{name} must be true or false.")),
    }
}

/// Written as 3, or as `"3"`.
fn whole(members: &Map<String, Value>, name: &str, place: &str) -> Result<Option<u64>, String> {
    let wrong = || format!("{place}.{name} must be a whole number of 1 or more.");
    let number = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    number.filter(|number| *number >= 1).map(Some).ok_or_else(wrong)
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Document {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else {
            return Err("The content must be a JSON object.".to_owned());
        };
        only(members, &MEMBERS, "the document")?;
        match members.get("schemaVersion").and_then(Value::as_str) {
            Some("0.3") => {}
            Some(other) => {
                return Err(format!(
                    "An Automation document has schemaVersion \"0.3\", not {other:?}."
                ));
            }
            None => return Err("The required property schemaVersion is missing.".to_owned()),
        }
        let parameters = match members.get("parameters") {
            None => Map::new(),
            Some(Value::Object(parameters)) => parameters.clone(),
            Some(_) => return Err("parameters must be an object.".to_owned()),
        };
        let steps = match members.get("mainSteps") {
            Some(Value::Array(steps)) if (1..=MOST_STEPS).contains(&steps.len()) => steps
                .iter()
                .enumerate()
                .map(|(at, step)| read_step(step, &format!("mainSteps[{at}]")))
                .collect::<Result<Vec<_>, _>>()?,
            Some(Value::Array(_)) => {
                return Err(format!("mainSteps must have 1 to {MOST_STEPS} steps."));
            }
            _ => return Err("The required property mainSteps is missing, or is no list.".to_owned()),
        };
        let outputs = match members.get("outputs") {
            None => Vec::new(),
            Some(Value::Array(all)) => all
                .iter()
                .map(|one| {
                    let name = one.as_str().ok_or("outputs must be a list of texts.")?;
                    Ok(name.trim_matches(['{', '}', ' ']).to_owned())
                })
                .collect::<Result<_, String>>()?,
            Some(_) => return Err("outputs must be a list of texts.".to_owned()),
        };
        let document = Self {
            description: text(members, "description", "the document")?.unwrap_or_default(),
            variables: read_variables(members.get("variables"))?,
            parameters,
            steps,
            outputs,
        };
        document.check()?;
        Ok(document)
    }

    /// The place of a step.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }

    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for step in &self.steps {
            if !names.insert(step.name.as_str()) {
                return Err(format!("Two steps are called {}.", step.name));
            }
        }
        let known = |name: &str, from: &str, what: &str| {
            if names.contains(name) {
                Ok(())
            } else {
                Err(format!(
                    "{what} of step {from} names the step {name}, which is not there."
                ))
            }
        };
        for step in &self.steps {
            if let Some(next) = &step.next_step {
                known(next, &step.name, "nextStep")?;
            }
            if let OnFailure::Step(name) = &step.on_failure {
                known(name, &step.name, "onFailure")?;
            }
            if let OnCancel::Step(name) = &step.on_cancel {
                known(name, &step.name, "onCancel")?;
            }
            if step.action == Action::Branch {
                let choices = step.inputs.get("Choices").and_then(Value::as_array);
                let choices = choices.ok_or_else(|| format!("Step {} needs Choices.", step.name))?;
                for one in choices {
                    choice::check(one, &step.name)?;
                    let next = one.get("NextStep").and_then(Value::as_str);
                    let next =
                        next.ok_or_else(|| format!("A choice of step {} needs a NextStep.", step.name))?;
                    known(next, &step.name, "NextStep")?;
                }
                if let Some(next) = step.inputs.get("Default").and_then(Value::as_str) {
                    known(next, &step.name, "Default")?;
                }
            }
            for reference in references(&Value::Object(step.inputs.clone())) {
                self.check_reference(&reference, &names)
                    .map_err(|why| format!("Step {}: {why}", step.name))?;
            }
        }
        for output in &self.outputs {
            self.check_reference(output, &names)
                .map_err(|why| format!("outputs: {why}"))?;
        }
        Ok(())
    }

    fn check_reference(&self, reference: &str, names: &BTreeSet<&str>) -> Result<(), String> {
        if reference.starts_with("ssm:") {
            return Err(format!(
                "{{{{ {reference} }}}} may stand in the default of a parameter only."
            ));
        }
        if let Some(variable) = reference.strip_prefix("variable:") {
            return match self.variables.contains_key(variable) {
                true => Ok(()),
                false => Err(format!("the variable {variable} is not declared.")),
            };
        }
        if reference.contains(':') {
            return match GLOBALS.contains(&reference) {
                true => Ok(()),
                false => Err(format!(
                    "{{{{ {reference} }}}} is not known; there are {}.",
                    GLOBALS.join(", ")
                )),
            };
        }
        match reference.split_once('.') {
            Some((step, _)) if names.contains(step) => Ok(()),
            Some((step, _)) => Err(format!(
                "{{{{ {reference} }}}} names the step {step}, which is not there."
            )),
            None if self.parameters.contains_key(reference) => Ok(()),
            None => Err(format!("Parameter \"{reference}\" is not declared.")),
        }
    }
}

fn read_variables(value: Option<&Value>) -> Result<BTreeMap<String, Variable>, String> {
    let Some(value) = value else {
        return Ok(BTreeMap::new());
    };
    let Value::Object(members) = value else {
        return Err("variables must be an object.".to_owned());
    };
    let mut all = BTreeMap::new();
    for (name, declared) in members {
        let place = format!("variables.{name}");
        let declared = declared
            .as_object()
            .ok_or_else(|| format!("{place} must be an object."))?;
        let kind = text(declared, "type", &place)?.unwrap_or_else(|| "String".to_owned());
        if !is_name(name) || !KINDS.contains(&kind.as_str()) {
            return Err(format!(
                "{place}: a variable has a name of letters, digits and underscores, and a type of {}.",
                KINDS.join(", ")
            ));
        }
        let default = declared.get("default").cloned();
        all.insert(name.clone(), Variable { kind, default });
    }
    Ok(all)
}

fn read_outputs(value: Option<&Value>, place: &str) -> Result<Vec<Output>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let items = value
        .as_array()
        .ok_or_else(|| format!("{place}.outputs must be a list."))?;
    let mut all = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let place = format!("{place}.outputs[{at}]");
        let members = item
            .as_object()
            .ok_or_else(|| format!("{place} must be an object."))?;
        let pick = |lower: &str, upper: &str| match text(members, upper, &place)? {
            None => text(members, lower, &place),
            found => Ok(found),
        };
        let (Some(name), Some(selector)) = (pick("name", "Name")?, pick("selector", "Selector")?) else {
            return Err(format!("{place} needs a Name and a Selector."));
        };
        let kind = pick("type", "Type")?.unwrap_or_else(|| "String".to_owned());
        if !KINDS.contains(&kind.as_str()) {
            return Err(format!("{place}.Type must be one of {}.", KINDS.join(", ")));
        }
        select(&selector, &Value::Null).map_err(|why| format!("{place}.Selector: {why}."))?;
        all.push(Output { name, selector, kind });
    }
    Ok(all)
}

fn read_step(value: &Value, place: &str) -> Result<Step, String> {
    let Value::Object(members) = value else {
        return Err(format!("{place} must be an object."));
    };
    only(members, &STEP_MEMBERS, place)?;
    let name = text(members, "name", place)?
        .filter(|name| is_name(name))
        .ok_or_else(|| format!("{place}.name must be 1 to 128 letters, digits and underscores."))?;
    let action = text(members, "action", place)?.unwrap_or_default();
    let action =
        Action::parse(&action).ok_or_else(|| format!("{place}.action: there is no action {action:?}."))?;
    let inputs = match members.get("inputs") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(inputs)) => inputs.clone(),
        Some(_) => return Err(format!("{place}.inputs must be an object.")),
    };
    let on_failure = match text(members, "onFailure", place)?.as_deref() {
        None | Some("Abort") => OnFailure::Abort,
        Some("Continue") => OnFailure::Continue,
        Some(other) => OnFailure::Step(
            other
                .strip_prefix("step:")
                .ok_or_else(|| format!("{place}.onFailure must be Abort, Continue or step:NAME."))?
                .to_owned(),
        ),
    };
    let on_cancel = match text(members, "onCancel", place)?.as_deref() {
        None | Some("Abort") => OnCancel::Abort,
        Some(other) => {
            let step = other
                .strip_prefix("step:")
                .ok_or_else(|| format!("{place}.onCancel must be Abort or step:NAME."))?;
            if !action.takes_cancel_step() {
                return Err(format!("{place}.onCancel: {} takes Abort only.", action.name()));
            }
            OnCancel::Step(step.to_owned())
        }
    };
    let attempts = whole(members, "maxAttempts", place)?.unwrap_or(1);
    Ok(Step {
        is_critical: flag(members, "isCritical", place)?.unwrap_or(on_failure != OnFailure::Continue),
        is_end: flag(members, "isEnd", place)?.unwrap_or(false),
        next_step: text(members, "nextStep", place)?,
        max_attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        timeout_seconds: whole(members, "timeoutSeconds", place)?,
        outputs: read_outputs(members.get("outputs"), place)?,
        name,
        action,
        inputs,
        on_failure,
        on_cancel,
    })
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
