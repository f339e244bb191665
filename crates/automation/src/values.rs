//! Values in the inputs of steps: what stands between `{{` and `}}` is replaced when the step runs.

use serde_json::{Map, Value};

/// Of what one step's inputs may become, so that values that hold one another stay small.
pub const MOST_BYTES: usize = 1 << 20;

/// The parts of a text: what is between the braces, and what is not.
enum Part<'a> {
    Text(&'a str),
    Reference(&'a str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inside, after)) = after.split_once("}}") else {
            break;
        };
        if !before.is_empty() {
            all.push(Part::Text(before));
        }
        all.push(Part::Reference(inside.trim()));
        rest = after;
    }
    if !rest.is_empty() {
        all.push(Part::Text(rest));
    }
    all
}

/// All references in a value, in order.
#[must_use]
pub fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            for part in parts(text) {
                if let Part::Reference(name) = part {
                    into.push(name.to_owned());
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(members) => members.values().for_each(|member| collect(member, into)),
        _ => {}
    }
}

/// A value as it stands within a text: lists and maps as JSON.
#[must_use]
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A value as lists of texts hold it, as outputs are told: each item of a list, or the value itself.
#[must_use]
pub fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text_of).collect(),
        other => vec![text_of(other)],
    }
}

/// Replaces all references. One that is all of a text becomes the value as it is, so that `"{{ InstanceIds }}"` is a list.
///
/// # Errors
/// A reference that has no value, or that the whole is too large.
pub fn resolve(value: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<Value, String> {
    let mut left = MOST_BYTES;
    replace(value, lookup, &mut left)
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), String> {
    *left = left
        .checked_sub(bytes)
        .ok_or_else(|| format!("its inputs are larger than {MOST_BYTES} bytes"))?;
    Ok(())
}

fn replace(value: &Value, lookup: &dyn Fn(&str) -> Option<Value>, left: &mut usize) -> Result<Value, String> {
    let known = |name: &str| lookup(name).ok_or_else(|| format!("{{{{ {name} }}}} has no value"));
    Ok(match value {
        Value::String(text) => match parts(text).as_slice() {
            [Part::Reference(name)] => {
                let found = known(name)?;
                spend(left, found.to_string().len())?;
                found
            }
            parts => {
                let mut whole = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => whole.push_str(text),
                        Part::Reference(name) => whole.push_str(&text_of(&known(name)?)),
                    }
                    if whole.len() > *left {
                        spend(left, whole.len())?;
                    }
                }
                spend(left, whole.len())?;
                Value::String(whole)
            }
        },
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| replace(item, lookup, left))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(members) => {
            let mut all = Map::new();
            for (name, member) in members {
                all.insert(name.clone(), replace(member, lookup, left)?);
            }
            Value::Object(all)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn lookup(name: &str) -> Option<Value> {
        match name {
            "InstanceIds" => Some(json!(["i-1", "i-2"])),
            "Service" => Some(json!("web")),
            "Count" => Some(json!(3)),
            "global:DATE" => Some(json!("2026-11-26")),
            "Big" => Some(json!("x".repeat(MOST_BYTES / 2))),
            _ => None,
        }
    }

    #[test]
    fn a_reference_alone_is_the_value_and_within_a_text_its_words() {
        let inputs = json!({"InstanceIds": "{{ InstanceIds }}", "Parameters": {"commands":
            ["stop {{Service}} {{ Count }}", "on {{ InstanceIds }} at {{ global:DATE }}", "{{ open"]}, "n": 1});
        let found = resolve(&inputs, &lookup).unwrap();
        assert_eq!(found["InstanceIds"], json!(["i-1", "i-2"]));
        assert_eq!(found["Parameters"]["commands"][0], "stop web 3");
        assert_eq!(
            found["Parameters"]["commands"][1],
            "on [\"i-1\",\"i-2\"] at 2026-11-26"
        );
        assert_eq!(found["Parameters"]["commands"][2], "{{ open");
        assert_eq!(
            resolve(&json!("{{ None }}"), &lookup).unwrap_err(),
            "{{ None }} has no value"
        );
        assert_eq!(
            references(&inputs),
            ["InstanceIds", "Service", "Count", "InstanceIds", "global:DATE"]
        );
    }

    #[test]
    fn what_grows_too_large_is_refused() {
        let bomb = json!(["{{ Big }}", "{{ Big }}{{ Big }}", "{{ Big }}"]);
        assert!(resolve(&bomb, &lookup).unwrap_err().contains("larger than"));
    }

    proptest! {
        #[test]
        fn a_text_without_references_stays(text in "[^{]{0,40}") {
            prop_assert_eq!(resolve(&json!(text), &|_| None).unwrap(), json!(text));
        }

        #[test]
        fn values_are_not_read_again(text in ".{0,20}") {
            let value = format!("{{{{ {text} }}}}");
            let found = resolve(&json!("{{ x }}"), &|_| Some(json!(value.clone()))).unwrap();
            prop_assert_eq!(found, json!(value));
        }
    }
}
