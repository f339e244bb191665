//! Selectors: the part of JSONPath that runbooks use to pick values out of answers: `$.a.b[0]`, `$..Name`, `$.list[*].Id`.

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part<'a> {
    Member(&'a str),
    /// At any depth.
    Deep(&'a str),
    Index(usize),
    All,
}

fn parse(selector: &str) -> Result<Vec<Part<'_>>, String> {
    let wrong =
        || format!("{selector:?} is no selector: write it like $.Reservations[0].Instances..InstanceId");
    let mut rest = selector.trim().strip_prefix('$').ok_or_else(wrong)?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']').ok_or_else(wrong)?;
            let inside = inside.trim();
            let quoted = inside
                .strip_prefix(['\'', '"'])
                .and_then(|name| name.strip_suffix(['\'', '"']));
            parts.push(match (quoted, inside) {
                (Some(name), _) => Part::Member(name),
                (None, "*") => Part::All,
                (None, number) => Part::Index(number.parse().map_err(|_| wrong())?),
            });
            rest = after;
            continue;
        }
        let (is_deep, after) = match rest.strip_prefix("..") {
            Some(after) => (true, after),
            None => (false, rest.strip_prefix('.').ok_or_else(wrong)?),
        };
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        if name.is_empty() {
            return Err(wrong());
        }
        parts.push(match (is_deep, name) {
            (true, name) => Part::Deep(name),
            (false, "*") => Part::All,
            (false, name) => Part::Member(name),
        });
        rest = after;
    }
    Ok(parts)
}

fn deep<'a>(value: &'a Value, name: &str, into: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                if key == name {
                    into.push(inner);
                }
                deep(inner, name, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| deep(item, name, into)),
        _ => {}
    }
}

/// What a selector picks; nothing when it is not there. One that looks at many places picks a list.
///
/// # Errors
/// What is wrong with the selector.
pub fn select(selector: &str, value: &Value) -> Result<Option<Value>, String> {
    let mut found = vec![value];
    let mut is_list = false;
    for part in parse(selector)? {
        let mut next = Vec::new();
        for value in found {
            match part {
                Part::Member(name) => next.extend(value.get(name)),
                Part::Index(at) => next.extend(value.get(at)),
                Part::All => match value {
                    Value::Array(items) => next.extend(items),
                    Value::Object(members) => next.extend(members.values()),
                    _ => {}
                },
                Part::Deep(name) => deep(value, name, &mut next),
            }
        }
        is_list |= matches!(part, Part::All | Part::Deep(_));
        found = next;
    }
    if is_list {
        return Ok(Some(Value::Array(found.into_iter().cloned().collect())));
    }
    Ok(found.first().map(|value| (*value).clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_picked() {
        let value = json!({"Reservations": [{"Instances": [{"Id": "a", "State": {"Name": "on"}}]},
            {"Instances": [{"Id": "b"}]}], "a.b": 1});
        for (selector, picked) in [
            ("$.Reservations[0].Instances[0].Id", Some(json!("a"))),
            ("$.Reservations[*].Instances[0].Id", Some(json!(["a", "b"]))),
            ("$.Reservations..Id", Some(json!(["a", "b"]))),
            ("$..Name", Some(json!(["on"]))),
            ("$['a.b']", Some(json!(1))),
            ("$.Reservations[7]", None),
            ("$.None.Deeper", None),
            ("$..None", Some(json!([]))),
        ] {
            assert_eq!(select(selector, &value).unwrap(), picked, "{selector}");
        }
        assert_eq!(select("$", &json!(1)).unwrap(), Some(json!(1)));
        for bad in ["", "a", "$a", "$.", "$[", "$[x]", "$...a", "$.a."] {
            assert!(select(bad, &value).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_selector_does_harm(selector in "[$.\\[\\]*'a0]{0,12}") {
            let _ = select(&selector, &json!({"a": [{"a": 0}]}));
        }
    }
}
