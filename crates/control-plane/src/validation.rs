//! The service model's own checks: type, required, length, range, pattern and allowed values of every
//! member, all violations told together in the service's words. What a value means is not checked here.

use crate::errors::{ApiError, ApiResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) mod model;

/// A pattern: its text for the message, and the check itself.
#[derive(Clone, Copy)]
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    pub(crate) holds: fn(&str) -> bool,
}

/// What a value must be.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Text {
        min: usize,
        max: usize,
        pattern: Option<Pattern>,
        one_of: &'static [&'static str],
    },
    Whole {
        min: i64,
        max: i64,
    },
    /// A whole number of 64 bits.
    Long,
    Number,
    Flag,
    /// Bytes in base64; their number is what counts.
    Blob {
        min: usize,
        max: usize,
    },
    List {
        min: usize,
        max: usize,
        of: &'static Shape,
    },
    Map(&'static Shape),
    Record(&'static [Member]),
}

/// A member of a record.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    /// Its value is not repeated in a message.
    pub(crate) sensitive: bool,
    pub(crate) shape: Shape,
}

pub(crate) const fn required(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        required: true,
        sensitive: false,
        shape,
    }
}

pub(crate) const fn optional(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        required: false,
        sensitive: false,
        shape,
    }
}

pub(crate) const fn sensitive(member: Member) -> Member {
    Member {
        sensitive: true,
        ..member
    }
}

/// A text of `min` to `max` characters.
pub(crate) const fn text(min: usize, max: usize) -> Shape {
    Shape::Text {
        min,
        max,
        pattern: None,
        one_of: &[],
    }
}

pub(crate) const ANY_TEXT: Shape = text(0, usize::MAX);

pub(crate) const fn matching(min: usize, max: usize, pattern: Pattern) -> Shape {
    Shape::Text {
        min,
        max,
        pattern: Some(pattern),
        one_of: &[],
    }
}

pub(crate) const fn one_of(values: &'static [&'static str]) -> Shape {
    Shape::Text {
        min: 0,
        max: usize::MAX,
        pattern: None,
        one_of: values,
    }
}

pub(crate) const fn whole(min: i64, max: i64) -> Shape {
    Shape::Whole { min, max }
}

pub(crate) const fn list(min: usize, max: usize, of: &'static Shape) -> Shape {
    Shape::List { min, max, of }
}

/// Checks `input` against `shape` and reads it as `T`.
pub(crate) fn read<T: DeserializeOwned>(members: &'static [Member], input: Value) -> ApiResult<T> {
    let mut violations = Vec::new();
    check(&Shape::Record(members), &input, "", false, &mut violations)?;
    if !violations.is_empty() {
        let count = violations.len();
        let plural = if count == 1 { "" } else { "s" };
        return Err(ApiError::validation(format!(
            "{count} validation error{plural} detected: {}",
            violations.join("; ")
        )));
    }
    serde_json::from_value(without_nulls(input)).map_err(|error| serialization(&error.to_string()))
}

/// The body or a member is not what JSON of that shape looks like.
pub(crate) fn serialization(message: &str) -> ApiError {
    ApiError::new("SerializationException", message)
}

/// A null member is one that was not given.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

const SHOWN_CHARS: usize = 1_000;

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().take(100).map(shown).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

fn within(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Violations beyond this are not collected: the answer stays small whatever was sent.
const MAX_VIOLATIONS: usize = 50;

fn check(
    shape: &Shape,
    value: &Value,
    path: &str,
    hide: bool,
    violations: &mut Vec<String>,
) -> ApiResult<()> {
    let mut violated = |constraint: String| {
        if violations.len() >= MAX_VIOLATIONS {
            return;
        }
        violations.push(if hide {
            format!("Value at '{path}' failed to satisfy constraint: Member must {constraint}")
        } else {
            format!(
                "Value '{}' at '{path}' failed to satisfy constraint: Member must {constraint}",
                shown(value)
            )
        });
    };
    let length = |count: usize, min: usize, max: usize, violated: &mut dyn FnMut(String)| {
        if count < min {
            violated(format!("have length greater than or equal to {min}"));
        }
        if count > max {
            violated(format!("have length less than or equal to {max}"));
        }
    };
    match (shape, value) {
        (
            Shape::Text {
                min,
                max,
                pattern,
                one_of,
            },
            Value::String(text),
        ) => {
            length(text.chars().count(), *min, *max, &mut violated);
            if text.contains('\0') {
                // No database text can hold it, and no sensible value does.
                violated("satisfy regular expression pattern: [^\\x00]*".to_owned());
            } else if let Some(pattern) = pattern
                && !(pattern.holds)(text)
            {
                violated(format!("satisfy regular expression pattern: {}", pattern.text));
            }
            if !one_of.is_empty() && !one_of.contains(&text.as_str()) {
                violated(format!("satisfy enum value set: [{}]", one_of.join(", ")));
            }
        }
        (Shape::Whole { min, max }, Value::Number(number)) => {
            let number = number
                .as_i64()
                .ok_or_else(|| serialization(&format!("'{path}' is not a whole number in range.")))?;
            if i32::try_from(number).is_err() {
                return Err(serialization(&format!("'{path}' does not fit into an integer.")));
            }
            if number < *min {
                violated(format!("have value greater than or equal to {min}"));
            }
            if number > *max {
                violated(format!("have value less than or equal to {max}"));
            }
        }
        (Shape::Long, Value::Number(number)) => {
            if number.as_i64().is_none() {
                return Err(serialization(&format!(
                    "'{path}' is not a whole number in range."
                )));
            }
        }
        (Shape::Blob { min, max }, Value::String(text)) => match STANDARD.decode(text) {
            Ok(bytes) => length(bytes.len(), *min, *max, &mut violated),
            Err(_) => return Err(serialization(&format!("'{path}' is not base64."))),
        },
        (Shape::Number, Value::Number(_)) | (Shape::Flag, Value::Bool(_)) => {}
        (Shape::List { min, max, of }, Value::Array(items)) => {
            length(items.len(), *min, *max, &mut violated);
            for (at, item) in items.iter().enumerate() {
                let place = format!("{path}.{}.member", at + 1);
                if item.is_null() {
                    return Err(serialization(&format!("'{place}' is null.")));
                }
                check(of, item, &place, hide, violations)?;
            }
        }
        (Shape::Map(of), Value::Object(entries)) => {
            for (name, item) in entries {
                let place = format!("{path}.{name}.member");
                if item.is_null() {
                    return Err(serialization(&format!("'{place}' is null.")));
                }
                check(of, item, &place, hide, violations)?;
            }
        }
        (Shape::Record(members), Value::Object(given)) => {
            for member in *members {
                let place = within(path, &camel(member.name));
                match given.get(member.name).filter(|value| !value.is_null()) {
                    Some(value) => check(&member.shape, value, &place, hide || member.sensitive, violations)?,
                    None if member.required && violations.len() < MAX_VIOLATIONS => {
                        let value = if member.sensitive { "Value" } else { "Value null" };
                        violations.push(format!(
                            "{value} at '{place}' failed to satisfy constraint: Member must not be null"
                        ));
                    }
                    None => {}
                }
            }
        }
        _ => {
            let place = if path.is_empty() { "the request" } else { path };
            return Err(serialization(&format!(
                "'{place}' has a value of the wrong type."
            )));
        }
    }
    Ok(())
}

/// Letters, numbers, separators and `_.:/=+-@`: what tags are made of.
pub(crate) fn is_tag_text(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_alphabetic()
            || c.is_numeric()
            || matches!(
                c,
                ' ' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{3000}'
            )
            || "_.:/=+-@".contains(c)
    })
}

/// `mi-` or `i-` with word characters.
pub(crate) fn is_instance_id(text: &str) -> bool {
    let word = |rest: &str, lengths: &[usize]| {
        lengths.contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    text.strip_prefix("mi-").map_or_else(
        || text.strip_prefix("i-").is_some_and(|rest| word(rest, &[8, 17])),
        |rest| word(rest, &[17]),
    )
}

/// `mi-` and 17 hexadecimal digits.
pub(crate) fn is_managed_id(text: &str) -> bool {
    text.strip_prefix("mi-")
        .is_some_and(|rest| rest.len() == 17 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// A UUID in lower case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

pub(crate) const TAG_PATTERN: Pattern = Pattern {
    text: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
    holds: is_tag_text,
};
pub(crate) const INSTANCE_ID: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)",
        holds: is_instance_id,
    },
);
pub(crate) const COMMAND_ID: Shape = text(36, 36);
pub(crate) const NEXT_TOKEN: Shape = ANY_TEXT;
pub(crate) const TAG: Shape = Shape::Record(&[
    required("Key", matching(1, 128, TAG_PATTERN)),
    required("Value", matching(0, 256, TAG_PATTERN)),
]);
pub(crate) const TAGS: Shape = list(0, 1000, &TAG);

#[cfg(test)]
#[path = "validation_tests.rs"]
mod tests;
