//! The checks as data, so that they can be compared with the service's published model and tried one by one.

use super::Shape;
use serde_json::{Map, Value, json};

fn bounds(kind: &str, min: usize, max: usize) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("type".to_owned(), kind.into());
    if min > 0 {
        all.insert("min".to_owned(), min.into());
    }
    if max < usize::MAX {
        all.insert("max".to_owned(), max.into());
    }
    all
}

/// A shape as JSON. Bounds that are not there are left out.
pub(crate) fn described(shape: &Shape) -> Value {
    match shape {
        Shape::Text {
            min,
            max,
            pattern,
            one_of,
        } => {
            let mut all = bounds("text", *min, *max);
            if let Some(pattern) = pattern {
                all.insert("pattern".to_owned(), pattern.text.into());
            }
            if !one_of.is_empty() {
                all.insert("oneOf".to_owned(), json!(one_of));
            }
            Value::Object(all)
        }
        Shape::Whole { min, max } => json!({"type": "whole", "min": min, "max": max}),
        Shape::Long => json!({"type": "long"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Flag => json!({"type": "flag"}),
        Shape::Blob { min, max } => Value::Object(bounds("blob", *min, *max)),
        Shape::List { min, max, of } => {
            let mut all = bounds("list", *min, *max);
            all.insert("of".to_owned(), described(of));
            Value::Object(all)
        }
        Shape::Map(of) => json!({"type": "map", "of": described(of)}),
        Shape::Record(members) => {
            let members: Vec<Value> = members
                .iter()
                .map(|member| {
                    json!({
                        "name": member.name,
                        "required": member.required,
                        "shape": described(&member.shape),
                    })
                })
                .collect();
            json!({"type": "record", "members": members})
        }
    }
}
