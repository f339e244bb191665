//! Where `aws:branch` goes: the first choice that holds, else its default.

use serde_json::{Map, Value};
use std::cmp::Ordering;

const COMPARISONS: [&str; 11] = [
    "StringEquals",
    "EqualsIgnoreCase",
    "StartsWith",
    "EndsWith",
    "Contains",
    "NumericEquals",
    "NumericGreater",
    "NumericLesser",
    "NumericGreaterOrEquals",
    "NumericLesserOrEquals",
    "BooleanEquals",
];

fn text(value: &Value) -> String {
    crate::values::text_of(value)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn compares(how: &str, left: &Value, right: &Value) -> Result<bool, String> {
    let numbers = |fits: fn(Ordering) -> bool| match (number(left), number(right)) {
        (Some(left), Some(right)) => Ok(left.partial_cmp(&right).is_some_and(fits)),
        _ => Err(format!(
            "{how} compares numbers, not {} and {}",
            text(left),
            text(right)
        )),
    };
    Ok(match how {
        "StringEquals" => text(left) == text(right),
        "EqualsIgnoreCase" => text(left).to_lowercase() == text(right).to_lowercase(),
        "StartsWith" => text(left).starts_with(&text(right)),
        "EndsWith" => text(left).ends_with(&text(right)),
        "Contains" => match left {
            Value::Array(items) => items.iter().any(|item| text(item) == text(right)),
            other => text(other).contains(&text(right)),
        },
        "NumericEquals" => numbers(Ordering::is_eq)?,
        "NumericGreater" => numbers(Ordering::is_gt)?,
        "NumericLesser" => numbers(Ordering::is_lt)?,
        "NumericGreaterOrEquals" => numbers(Ordering::is_ge)?,
        "NumericLesserOrEquals" => numbers(Ordering::is_le)?,
        _ => match (boolean(left), boolean(right)) {
            (Some(left), Some(right)) => left == right,
            _ => {
                return Err(format!(
                    "{how} compares true and false, not {} and {}",
                    text(left),
                    text(right)
                ));
            }
        },
    })
}

fn holds(rule: &Map<String, Value>) -> Result<bool, String> {
    let list = |name: &str| rule.get(name).and_then(Value::as_array);
    let inner = |value: &Value| match value {
        Value::Object(rule) => holds(rule),
        _ => Err("a choice has to be an object".to_owned()),
    };
    if let Some(rules) = list("And") {
        for rule in rules {
            if !inner(rule)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let Some(rules) = list("Or") {
        for rule in rules {
            if inner(rule)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(rule) = rule.get("Not") {
        return inner(rule).map(|is| !is);
    }
    let left = rule.get("Variable").ok_or("a choice needs a Variable")?;
    let (how, right) = COMPARISONS
        .iter()
        .find_map(|how| Some((*how, rule.get(*how)?)))
        .ok_or("a choice needs a comparison, as StringEquals")?;
    compares(how, left, right)
}

/// Checks the form of a rule before anything runs; its values are not known yet.
pub(crate) fn check(rule: &Value, step: &str) -> Result<(), String> {
    let Value::Object(members) = rule else {
        return Err(format!("a choice of step {step} has to be an object"));
    };
    for operator in ["And", "Or"] {
        if let Some(rules) = members.get(operator) {
            let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
            if rules.len() < 2 {
                return Err(format!(
                    "Expect at lease two expressions for operator: {operator} in step: {step}. Provided: {}",
                    rules.len()
                ));
            }
            return rules.iter().try_for_each(|rule| check(rule, step));
        }
    }
    if let Some(rule) = members.get("Not") {
        return check(rule, step);
    }
    if !members.contains_key("Variable") {
        return Err(format!("a choice of step {step} needs a Variable"));
    }
    if !COMPARISONS.iter().any(|how| members.contains_key(*how)) {
        return Err(format!(
            "a choice of step {step} needs one of {}",
            COMPARISONS.join(", ")
        ));
    }
    Ok(())
}

/// Whether a resolved condition holds.
///
/// # Errors
/// Values that cannot be compared.
pub fn is_met(condition: &Value) -> Result<bool, String> {
    condition
        .as_object()
        .ok_or_else(|| "a condition has to be an object".to_owned())
        .and_then(holds)
}

/// The step that resolved inputs of `aws:branch` lead to; nothing when it is simply the next one.
///
/// # Errors
/// Values that cannot be compared.
pub fn chosen(inputs: &Value) -> Result<Option<String>, String> {
    let choices = inputs.get("Choices").and_then(Value::as_array);
    for choice in choices.into_iter().flatten() {
        let Value::Object(rule) = choice else {
            return Err("a choice has to be an object".to_owned());
        };
        if holds(rule)? {
            return Ok(rule.get("NextStep").and_then(Value::as_str).map(str::to_owned));
        }
    }
    Ok(inputs.get("Default").and_then(Value::as_str).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comparisons_compare() {
        for (rule, is) in [
            (json!({"Variable": "web", "StringEquals": "web"}), true),
            (json!({"Variable": "WEB", "EqualsIgnoreCase": "web"}), true),
            (json!({"Variable": "web-1", "StartsWith": "web"}), true),
            (json!({"Variable": "web-1", "EndsWith": "2"}), false),
            (json!({"Variable": ["a", "b"], "Contains": "b"}), true),
            (json!({"Variable": "abc", "Contains": "d"}), false),
            (json!({"Variable": "10", "NumericGreater": 9}), true),
            (json!({"Variable": 3, "NumericLesserOrEquals": "3"}), true),
            (json!({"Variable": "true", "BooleanEquals": true}), true),
            (json!({"Not": {"Variable": 1, "NumericEquals": 1}}), false),
            (
                json!({"And": [{"Variable": 1, "NumericEquals": 1}, {"Variable": "a", "StringEquals": "b"}]}),
                false,
            ),
            (
                json!({"Or": [{"Variable": 1, "NumericEquals": 2}, {"Variable": "a", "StringEquals": "a"}]}),
                true,
            ),
        ] {
            assert_eq!(holds(rule.as_object().unwrap()).unwrap(), is, "{rule}");
        }
        for rule in [
            json!({"Variable": "x", "NumericEquals": 1}),
            json!({"Variable": "x", "BooleanEquals": true}),
            json!({"Variable": "x"}),
            json!({"StringEquals": "x"}),
        ] {
            assert!(holds(rule.as_object().unwrap()).is_err(), "{rule}");
        }
    }

    #[test]
    fn the_first_choice_that_holds_is_taken() {
        let inputs = json!({"Choices": [
            {"NextStep": "a", "Variable": 1, "NumericGreater": 1},
            {"NextStep": "b", "Variable": 1, "NumericEquals": 1},
            {"NextStep": "c", "Variable": 1, "NumericEquals": 1}], "Default": "d"});
        assert_eq!(chosen(&inputs).unwrap().as_deref(), Some("b"));
        assert_eq!(
            chosen(&json!({"Choices": [], "Default": "d"}))
                .unwrap()
                .as_deref(),
            Some("d")
        );
        assert_eq!(chosen(&json!({"Choices": []})).unwrap(), None);
    }

    #[test]
    fn one_expression_is_too_few_for_two() {
        let error = check(&json!({"Or": [{"Variable": 1, "NumericEquals": 1}]}), "S").unwrap_err();
        assert_eq!(
            error,
            "Expect at lease two expressions for operator: Or in step: S. Provided: 1"
        );
    }
}
