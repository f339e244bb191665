//! References to parameters in what a document is given: `{{ssm:name}}`, `{{ ssm:name:3 }}`. They are followed when the
//! document is run, for String and StringList only: a secret is never written into a command.

use super::SECURE;
use super::get_parameter::find;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use std::collections::BTreeMap;

/// One reference in a text: where it stands, and the name in it.
#[derive(Debug, PartialEq, Eq)]
struct Found<'a> {
    before: &'a str,
    name: &'a str,
    after: &'a str,
}

/// The first reference in a text.
fn next(text: &str) -> Option<Found<'_>> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("{{") {
        let open = from + at;
        let rest = text.get(open + 2..)?;
        let close = rest.find("}}")?;
        let inside = rest.get(..close)?.trim();
        if let Some(name) = inside.strip_prefix("ssm:") {
            return Some(Found {
                before: text.get(..open)?,
                name: name.trim(),
                after: rest.get(close + 2..)?,
            });
        }
        from = open + 2;
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

/// Follows all references in one text. A reference in what is put in is not followed.
async fn follow(plane: &ControlPlane, call: &Call, parameter: &str, text: &str) -> ApiResult<String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some(found) = next(rest) {
        let row = match find(plane, call, found.name).await {
            Ok((_, row)) => row,
            Err(error) if error.status == 400 => {
                return Err(refused(
                    parameter,
                    found.name,
                    "does not exist in Parameter Store",
                ));
            }
            Err(error) => return Err(error),
        };
        if row.kind == SECURE {
            return Err(refused(
                parameter,
                found.name,
                "is a SecureString: secrets cannot be used in documents",
            ));
        }
        done.push_str(found.before);
        done.push_str(&row.value);
        rest = found.after;
    }
    done.push_str(rest);
    Ok(done)
}

/// The same input with all references followed; `None` where there is none.
pub(crate) async fn resolved(
    plane: &ControlPlane,
    call: &Call,
    given: &BTreeMap<String, Vec<String>>,
) -> ApiResult<Option<BTreeMap<String, Vec<String>>>> {
    if !given.values().flatten().any(|value| is_in(value)) {
        return Ok(None);
    }
    let mut all = BTreeMap::new();
    for (parameter, values) in given {
        let mut followed = Vec::with_capacity(values.len());
        for value in values {
            followed.push(follow(plane, call, parameter, value).await?);
        }
        all.insert(parameter.clone(), followed);
    }
    Ok(Some(all))
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
    }
}
