//! References to parameters in what a document is given: `{{ssm:name}}`, `{{ ssm:name:3 }}`. They are followed when the
//! document is run, for String and StringList only: a secret is never written into a command.

use super::SECURE;
use super::get_parameter::find;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use muster_agent_protocol::control::DocumentParameter;
use serde_json::Value;
use std::collections::BTreeMap;

/// One reference in a text: where it stands, and the name in it.
#[derive(Debug, PartialEq, Eq)]
struct Found<'a> {
    before: &'a str,
    name: &'a str,
    after: &'a str,
}

/// The first reference in a text. Every byte is looked at once, however many braces there are.
fn next(text: &str) -> Option<Found<'_>> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("}}") {
        let close = from + at;
        let before = text.get(from..close)?;
        if let Some(open) = before.rfind("{{")
            && let Some(name) = before.get(open + 2..)?.trim().strip_prefix("ssm:")
        {
            return Some(Found {
                before: text.get(..from + open)?,
                name: name.trim(),
                after: text.get(close + 2..)?,
            });
        }
        from = close + 2;
    }
    None
}

/// Whether a text refers to a parameter.
pub(crate) fn is_in(text: &str) -> bool {
    next(text).is_some()
}

fn refused(parameter: &str, name: &str, why: &str) -> ApiError {
    let name: String = name.chars().take(200).collect();
    ApiError::new(
        "InvalidParameters",
        format!("Parameter \"{parameter}\" refers to the parameter {name}, which {why}."),
    )
}

/// Bytes that an input may have after its references were followed.
const MAX_BYTES: usize = 900_000;

/// Follows references, each parameter once however often it is named.
struct Follow<'a> {
    plane: &'a ControlPlane,
    call: &'a Call,
    known: BTreeMap<String, String>,
    bytes: usize,
}

impl Follow<'_> {
    async fn value(&mut self, parameter: &str, name: &str) -> ApiResult<String> {
        if let Some(value) = self.known.get(name) {
            return Ok(value.clone());
        }
        let row = match find(self.plane, self.call, name).await {
            Ok((_, row)) => row,
            Err(error) if error.status == 400 => {
                return Err(refused(parameter, name, "does not exist in Parameter Store"));
            }
            Err(error) => return Err(error),
        };
        if row.kind == SECURE {
            return Err(refused(
                parameter,
                name,
                "is a SecureString: secrets cannot be used in documents",
            ));
        }
        self.known.insert(name.to_owned(), row.value.clone());
        Ok(row.value)
    }

    /// One text; a reference in what is put in is not followed.
    async fn text(&mut self, parameter: &str, text: &str) -> ApiResult<String> {
        let mut done = String::new();
        let mut rest = text;
        while let Some(found) = next(rest) {
            let value = self.value(parameter, found.name).await?;
            self.bytes += value.len();
            if self.bytes > MAX_BYTES {
                return Err(ApiError::new(
                    "MaxDocumentSizeExceeded",
                    format!(
                        "With what Parameter \"{parameter}\" refers to, the command is too large to be sent to a node."
                    ),
                ));
            }
            done.push_str(found.before);
            done.push_str(&value);
            rest = found.after;
        }
        done.push_str(rest);
        Ok(done)
    }
}

/// The same input with all references followed, those in the document's own defaults too; `None` where there is none.
pub(crate) async fn resolved(
    plane: &ControlPlane,
    call: &Call,
    declared: &BTreeMap<String, DocumentParameter>,
    given: &BTreeMap<String, Vec<String>>,
) -> ApiResult<Option<BTreeMap<String, Vec<String>>>> {
    let mut meant = given.clone();
    for (name, declared) in declared {
        let defaults: Vec<String> = match &declared.default {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        };
        if !meant.contains_key(name) && defaults.iter().any(|text| is_in(text)) {
            meant.insert(name.clone(), defaults);
        }
    }
    if !meant.values().flatten().any(|value| is_in(value)) {
        return Ok(None);
    }
    let mut follow = Follow {
        plane,
        call,
        known: BTreeMap::new(),
        bytes: 0,
    };
    for (parameter, values) in &mut meant {
        for value in values {
            *value = follow.text(parameter, value).await?;
        }
    }
    Ok(Some(meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_among_other_braces() {
        let found = next("echo {{ x }} {{ ssm:/a/b:2 }} {{ssm:c}}").unwrap();
        assert_eq!(
            (found.before, found.name, found.after),
            ("echo {{ x }} ", "/a/b:2", " {{ssm:c}}")
        );
        for none in ["", "{{", "{{ssm:", "}}{{", "{{ x }}", "{ssm:a}", "ä{{ö}}"] {
            assert!(!is_in(none), "{none}");
        }
        let nested = next("{{ x {{ssm:a}} }}").unwrap();
        assert_eq!((nested.before, nested.name), ("{{ x ", "a"));
        // A minute, if every pair of braces were a beginning of its own.
        assert!(!is_in(&("{{".repeat(500_000) + "}}")));
    }
}
