//! What references in the inputs of steps stand for, and inputs as actions read them.

use super::queries::ExecutionRow;
use super::step_queries::StepRow;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::{Declared, Given};
use muster_automation::{text_of, texts_of};
use muster_domain::Timestamp;
use serde_json::{Map, Value, json};

/// A parameter's value, by its declared type; a caller gives lists of texts.
fn parameter(name: &str, declared: &Declared, given: &Given) -> Option<Value> {
    let values = given.get(name)?;
    let kind = declared
        .get(name)
        .map_or("String", |one| one.parameter_type.as_str());
    let first = || values.first().cloned().unwrap_or_default();
    Some(match kind {
        "StringList" => json!(values),
        "Integer" => first()
            .trim()
            .parse::<i64>()
            .map_or_else(|_| json!(first()), Value::from),
        "Boolean" => json!(first() == "true"),
        "StringMap" => serde_json::from_str(&first()).unwrap_or_else(|_| json!(first())),
        "MapList" => Value::Array(
            values
                .iter()
                .map(|value| serde_json::from_str(value).unwrap_or_else(|_| json!(value)))
                .collect(),
        ),
        _ => json!(first()),
    })
}

/// `2026-11-26` and `2026-11-26_12.30.05`, in UTC.
fn date(now: Timestamp) -> (String, String) {
    let text = now.rfc3339();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    let time: String = time
        .chars()
        .take(8)
        .map(|c| if c == ':' { '.' } else { c })
        .collect();
    (day.to_owned(), format!("{day}_{time}"))
}

/// What a reference stands for in an execution, after these steps.
pub(crate) fn lookup(
    plane: &ControlPlane,
    execution: &ExecutionRow,
    declared: &Declared,
    steps: &[StepRow],
    reference: &str,
) -> Option<Value> {
    let (day, moment) = date(plane.clock.now());
    if let Some(variable) = reference.strip_prefix("variable:") {
        return execution.variables.get(variable).cloned();
    }
    match reference {
        "global:DATE" => return Some(json!(day)),
        "global:DATE_TIME" => return Some(json!(moment)),
        "global:REGION" => return Some(json!(execution.region)),
        "global:ACCOUNT_ID" => return Some(json!(plane.config.account)),
        "global:AWS_PARTITION" => return Some(json!("aws")),
        "automation:EXECUTION_ID" => return Some(json!(execution.execution_id)),
        _ => {}
    }
    match reference.split_once('.') {
        // A step may have run several times: the last one counts.
        Some((name, output)) => steps
            .iter()
            .rev()
            .find(|row| row.name == name && !row.retried)
            .and_then(|row| row.outputs.get(output).cloned()),
        None => parameter(reference, declared, &execution.parameters),
    }
}

/// A text among inputs.
pub(crate) fn text(inputs: &Value, name: &str) -> Option<String> {
    inputs
        .get(name)
        .filter(|value| !value.is_null())
        .map(text_of)
        .filter(|text| !text.is_empty())
}

/// Values of parameters for something else that is started: each a list of texts.
pub(crate) fn given(inputs: &Value, name: &str) -> Result<Map<String, Value>, String> {
    match inputs.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members
            .iter()
            .map(|(name, value)| (name.clone(), json!(texts_of(value))))
            .collect()),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|_| format!("its input {name} is no object"))
            .and_then(|value| given(&json!({ name: Value::Object(value) }), name)),
        Some(_) => Err(format!("its input {name} is no object")),
    }
}

/// Milliseconds in `PT10S`, `PT1H30M`, `P2DT1S` (ISO 8601; no months and years, which have no length).
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let rest = text.trim().strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total: i64 = 0;
    let mut found = false;
    for (part, units) in [
        (days, &[('W', 604_800), ('D', 86_400)][..]),
        (time, &[('H', 3_600), ('M', 60), ('S', 1)][..]),
    ] {
        let mut rest = part;
        for (unit, seconds) in units {
            if let Some((number, after)) = rest.split_once(*unit) {
                let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
                total = total.checked_add(number.checked_mul(*seconds)?.checked_mul(1_000)?)?;
                found = true;
                rest = after;
            }
        }
        if !rest.is_empty() {
            return None;
        }
    }
    found.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, ms) in [
            ("PT10S", Some(10_000)),
            ("PT1H30M", Some(5_400_000)),
            ("P2DT1S", Some(172_801_000)),
            ("P1W", Some(604_800_000)),
            ("PT", None),
            ("P", None),
            ("10", None),
            ("PT-1S", None),
            ("P1Y", None),
            ("PT99999999999999999999S", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text}");
        }
    }

    #[test]
    fn dates_are_written_as_the_guide_says() {
        let now = Timestamp::parse("2026-11-26T12:30:05.123Z").unwrap();
        assert_eq!(date(now), ("2026-11-26".into(), "2026-11-26_12.30.05".into()));
    }

    #[test]
    fn values_for_others_are_lists_of_texts() {
        let inputs = json!({"a": {"x": "1", "y": ["2", 3], "z": {"k": 1}}, "b": "{\"x\": \"1\"}", "c": 1});
        assert_eq!(
            Value::Object(given(&inputs, "a").unwrap()),
            json!({"x": ["1"], "y": ["2", "3"], "z": ["{\"k\":1}"]})
        );
        assert_eq!(Value::Object(given(&inputs, "b").unwrap()), json!({"x": ["1"]}));
        assert!(given(&inputs, "c").is_err());
        assert!(given(&inputs, "none").unwrap().is_empty());
    }
}
