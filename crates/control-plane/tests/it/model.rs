//! Every constraint of every operation's input, broken one after the other: the answer names the member. What there is
//! to break is read from the operations themselves, so none can be forgotten.

use crate::bad_input_tables::members;
use crate::world::World;
use muster_control_plane::{OPERATIONS, Who, input_model};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

/// A value that breaks one constraint: where it stands, what stands there, and what the answer says of it.
struct Broken {
    /// In the service's own form: `tags.1.member.key`.
    path: String,
    input: Value,
    says: String,
}

fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().unwrap().to_lowercase().collect::<String>() + chars.as_str()
}

/// All ways to break `shape`. `good` is a value that fits, `put` makes the whole input out of a value that takes its
/// place.
fn broken(shape: &Value, good: &Value, path: &str, put: &dyn Fn(Value) -> Value, into: &mut Vec<Broken>) {
    let mut add = |value: Value, says: String| {
        into.push(Broken {
            path: path.to_owned(),
            input: put(value),
            says,
        });
    };
    let least = |n: &Value| format!("greater than or equal to {n}");
    let most = |n: &Value| format!("less than or equal to {n}");
    let (min, max) = (&shape["min"], &shape["max"]);
    match shape["type"].as_str().unwrap() {
        "text" => {
            if min.is_u64() {
                add(json!(""), least(min));
            }
            if let Some(n) = max.as_u64() {
                add(json!("x".repeat(n as usize + 1)), most(max));
            }
            if let Some(pattern) = shape["pattern"].as_str() {
                // Two patterns take everything but blanks, one everything but the ends of lines.
                let bad = match pattern {
                    text if text.contains("\\s*$") || text.contains("\\S") => " ",
                    text if text.starts_with("^.{") => "a\nb",
                    _ => "\u{1}",
                };
                add(json!(bad), "regular expression pattern".to_owned());
            }
            if shape["oneOf"].is_array() {
                add(json!("nonsense"), "enum value set: [".to_owned());
            }
        }
        "whole" => {
            let n = |of: &Value| of.as_i64().unwrap();
            if n(min) > i64::from(i32::MIN) {
                add(json!(n(min) - 1), least(min));
            }
            if n(max) < i64::from(i32::MAX) {
                add(json!(n(max) + 1), most(max));
            }
        }
        "blob" => {
            use base64::Engine as _;
            let blob =
                |n: u64| json!(base64::engine::general_purpose::STANDARD.encode(vec![0_u8; n as usize]));
            if min.is_u64() {
                add(blob(0), least(min));
            }
            if let Some(n) = max.as_u64() {
                add(blob(n + 1), most(max));
            }
        }
        "list" => {
            let item = good.get(0).cloned().unwrap_or(Value::Null);
            if min.is_u64() {
                add(json!([]), least(min));
            }
            if let Some(n) = max.as_u64() {
                add(Value::Array(vec![item.clone(); n as usize + 1]), most(max));
            }
            if !item.is_null() {
                let put = |value: Value| put(json!([value]));
                broken(&shape["of"], &item, &format!("{path}.1.member"), &put, into);
            }
        }
        "map" => {
            let (name, item) = good.as_object().and_then(|map| map.iter().next()).unwrap();
            let put = |value: Value| put(json!({name.as_str(): value}));
            broken(&shape["of"], item, &format!("{path}.{name}.member"), &put, into);
        }
        "record" => {
            for member in shape["members"].as_array().unwrap() {
                let name = member["name"].as_str().unwrap();
                let place = format!("{path}.{}", camel(name));
                let place = place.trim_start_matches('.').to_owned();
                let with = |value: Value| {
                    let mut whole = good.clone();
                    whole[name] = value;
                    put(whole)
                };
                if member["required"] == true {
                    into.push(Broken {
                        path: place.clone(),
                        input: with(Value::Null),
                        says: "Member must not be null".to_owned(),
                    });
                }
                match good.get(name) {
                    Some(value) => broken(&member["shape"], value, &place, &with, into),
                    // Nested members of which no example is given are checked as nothing.
                    None => assert!(!path.is_empty(), "no example of {place}"),
                }
            }
        }
        "long" | "flag" | "number" => {}
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_constraint_of_every_operation_is_checked_and_named() {
    on_both(|db| async {
        let world = World::new(db).await;
        let mut count = 0;
        for (operation, good) in members() {
            let model = input_model(operation).unwrap();
            let mut all = Vec::new();
            broken(&model, &good, "", &|value| value, &mut all);
            for Broken { path, input, says } in all {
                let message = world.refused(operation, input, "ValidationException").await;
                assert!(
                    message.contains(&format!("at '{path}' failed to satisfy constraint: Member must"))
                        && message.contains(&says),
                    "{operation} {path} {says}: {message}"
                );
                count += 1;
            }
        }
        assert!(count > 300, "{count} constraints are few");
    })
    .await;
}

#[test]
fn every_operation_of_operators_has_an_example() {
    let known: Vec<&str> = members().iter().map(|(name, _)| *name).collect();
    for operation in OPERATIONS
        .iter()
        .filter(|o| matches!(o.service, "ssm" | "kms") && o.who == Who::Operator)
    {
        assert!(
            known.contains(&operation.name),
            "{} has no example",
            operation.name
        );
    }
}
