//! Members of documents as they are written: steps, their outputs, variables. What stands against each other is checked in
//! `document.rs`.

use crate::choice;
use crate::elements::{Action, OnCancel, OnFailure, Output, Step, Variable};
use crate::selector::select;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
/// Steps of one document at most.
const MOST_STEPS: usize = 1_000;
/// Loops within loops.
const MOST_DEEP: usize = 5;
const LOOP_INPUTS: [&str; 5] = [
    "Iterators",
    "IteratorDataType",
    "LoopCondition",
    "MaxIterations",
    "Steps",
];
const ITERATORS: [&str; 4] = ["Boolean", "Integer", "String", "StringMap"];
const KINDS: [&str; 6] = [
    "String",
    "StringList",
    "Integer",
    "Boolean",
    "StringMap",
    "MapList",
];
pub(crate) fn only(members: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), String> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{place} has the unknown property \"{name}\".")),
        None => Ok(()),
    }
}

pub(crate) fn text(members: &Map<String, Value>, name: &str, place: &str) -> Result<Option<String>, String> {
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

pub(crate) fn read_variables(value: Option<&Value>) -> Result<BTreeMap<String, Variable>, String> {
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

/// Reads a list of steps, and behind each loop those that are within it.
pub(crate) fn read_steps(
    value: &Value,
    place: &str,
    parent: Option<usize>,
    into: &mut Vec<Step>,
) -> Result<(), String> {
    let steps = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if steps.is_empty() || steps.len() + into.len() > MOST_STEPS {
        return Err(format!("{place} must have 1 to {MOST_STEPS} steps."));
    }
    for (at, step) in steps.iter().enumerate() {
        let place = format!("{place}[{at}]");
        let mut step = read_step(step, &place)?;
        step.parent = parent;
        let inner = if step.action == Action::Loop {
            Some(read_loop(&mut step, &place)?)
        } else {
            None
        };
        into.push(step);
        if let Some(inner) = inner {
            let own = into.len() - 1;
            if depth(into, own) > MOST_DEEP {
                return Err(format!(
                    "{place}: loops stand within loops {MOST_DEEP} deep at most."
                ));
            }
            read_steps(&inner, &format!("{place}.inputs.Steps"), Some(own), into)?;
        }
    }
    Ok(())
}

fn depth(steps: &[Step], at: usize) -> usize {
    let mut depth = 1;
    let mut above = steps.get(at).and_then(|step| step.parent);
    while let Some(parent) = above {
        depth += 1;
        above = steps.get(parent).and_then(|step| step.parent);
    }
    depth
}

/// Takes what repeats out of a loop's inputs: its condition stays with it, its steps are answered.
fn read_loop(step: &mut Step, place: &str) -> Result<Value, String> {
    only(&step.inputs, &LOOP_INPUTS, &format!("{place}.inputs"))?;
    if step.max_attempts > 1 {
        return Err(format!(
            "{place}.maxAttempts: a loop is not tried again; give it to the steps within."
        ));
    }
    let steps = step
        .inputs
        .remove("Steps")
        .filter(Value::is_array)
        .ok_or_else(|| format!("{place}.inputs.Steps must be a list of steps."))?;
    step.loop_condition = step.inputs.remove("LoopCondition");
    if step.loop_condition.is_some() == step.inputs.contains_key("Iterators") {
        return Err(format!(
            "{place}.inputs must have one of Iterators and LoopCondition."
        ));
    }
    if let Some(condition) = &step.loop_condition {
        choice::check(condition, &step.name)?;
        if step.inputs.contains_key("IteratorDataType") {
            return Err(format!("{place}.inputs.IteratorDataType belongs to Iterators."));
        }
    }
    if let Some(kind) = text(&step.inputs, "IteratorDataType", &format!("{place}.inputs"))?
        && !ITERATORS.contains(&kind.as_str())
    {
        return Err(format!(
            "{place}.inputs.IteratorDataType must be one of {}.",
            ITERATORS.join(", ")
        ));
    }
    Ok(steps)
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
        parent: None,
        loop_condition: None,
    })
}
