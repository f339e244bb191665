//! An Automation document of schema 0.3: read, and refused with the place of what is wrong.

use crate::choice;
use crate::elements::{Action, OnCancel, OnFailure, Step, Variable};
use crate::reading::{only, read_steps, read_variables, text};
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
    /// At least one. Those within a loop follow their loop.
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
const GLOBALS: [&str; 6] = [
    "global:DATE",
    "global:DATE_TIME",
    "global:REGION",
    "global:ACCOUNT_ID",
    "global:AWS_PARTITION",
    "automation:EXECUTION_ID",
];
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
        let mut steps = Vec::new();
        match members.get("mainSteps") {
            Some(main @ Value::Array(_)) => read_steps(main, "mainSteps", None, &mut steps)?,
            _ => return Err("The required property mainSteps is missing, or is no list.".to_owned()),
        }
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

    /// The first step within a loop, or of all.
    #[must_use]
    pub fn first_within(&self, parent: Option<usize>) -> Option<usize> {
        self.steps.iter().position(|step| step.parent == parent)
    }

    /// The step that stands after one, within the same loop or beside it.
    #[must_use]
    pub fn after(&self, at: usize) -> Option<usize> {
        let parent = self.steps.get(at)?.parent;
        (at + 1..self.steps.len())
            .find(|next| self.steps.get(*next).is_some_and(|step| step.parent == parent))
    }

    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for step in &self.steps {
            if !names.insert(step.name.as_str()) {
                return Err(format!("Two steps are called {}.", step.name));
            }
        }
        for step in &self.steps {
            self.check_step(step)?;
            let condition = step.loop_condition.clone();
            for value in [step.followed(), condition.unwrap_or_default()] {
                for reference in references(&value) {
                    self.check_reference(&reference, &names)
                        .map_err(|why| format!("Step {}: {why}", step.name))?;
                }
            }
        }
        for output in &self.outputs {
            self.check_reference(output, &names)
                .map_err(|why| format!("outputs: {why}"))?;
        }
        Ok(())
    }

    /// Whether what a step leads to is there.
    fn check_step(&self, step: &Step) -> Result<(), String> {
        let known = |name: &str, what: &str| match self.steps.iter().find(|other| other.name == name) {
            Some(other) if other.parent == step.parent => Ok(()),
            Some(_) => Err(format!(
                "{what} of step {} names the step {name}, which is not within the same loop.",
                step.name
            )),
            None => Err(format!(
                "{what} of step {} names the step {name}, which is not there.",
                step.name
            )),
        };
        if let Some(next) = &step.next_step {
            known(next, "nextStep")?;
        }
        if let OnFailure::Step(name) = &step.on_failure {
            known(name, "onFailure")?;
        }
        if let OnCancel::Step(name) = &step.on_cancel {
            known(name, "onCancel")?;
        }
        if step.action == Action::Branch {
            let choices = step.inputs.get("Choices").and_then(Value::as_array);
            let choices = choices.ok_or_else(|| format!("Step {} needs Choices.", step.name))?;
            for one in choices {
                choice::check(one, &step.name)?;
                let next = one.get("NextStep").and_then(Value::as_str);
                let next = next.ok_or_else(|| format!("A choice of step {} needs a NextStep.", step.name))?;
                known(next, "NextStep")?;
            }
            if let Some(next) = step.inputs.get("Default").and_then(Value::as_str) {
                known(next, "Default")?;
            }
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

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
