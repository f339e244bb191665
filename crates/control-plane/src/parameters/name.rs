//! Names of parameters: their rules, their place in the hierarchy, and how a caller refers to a version. The rules
//! and their messages are the service's (Systems Manager user guide, "Parameter names"; messages as clients quote them).

use crate::errors::{ApiError, ApiResult};

/// Levels of a hierarchy at most.
const MAX_LEVELS: usize = 15;
/// Characters of a parameter's ARN at most.
const MAX_ARN: usize = 1011;

/// Where a region's parameters are, for ARNs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
}

impl Place<'_> {
    fn prefix(&self) -> String {
        format!("arn:aws:ssm:{}:{}:parameter/", self.region, self.account)
    }

    /// The ARN of a parameter.
    pub(crate) fn arn(&self, key: &str) -> String {
        self.prefix() + key
    }
}

/// A name that follows the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Without the leading slash: `foo` and `/foo` are one parameter.
    pub(crate) key: String,
    /// As it was written.
    pub(crate) spelled: String,
}

impl Name {
    /// The key up to its last slash.
    pub(crate) fn parent(&self) -> &str {
        self.key.rsplit_once('/').map_or("", |(parent, _)| parent)
    }
}

/// Which version of a parameter is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    Version(i64),
    Label(String),
}

/// A name and perhaps a version of it, as a caller writes them: `name`, `name:3`, `name:label`, or an ARN of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) name: Name,
    pub(crate) selector: Option<Selector>,
    /// The name in the answer is the stored one when the caller gave an ARN.
    pub(crate) is_arn: bool,
}

impl Reference {
    /// The selector as the answer repeats it.
    pub(crate) fn selector_text(&self) -> Option<String> {
        Some(match self.selector.as_ref()? {
            Selector::Version(version) => format!(":{version}"),
            Selector::Label(label) => format!(":{label}"),
        })
    }
}

fn bad_name() -> ApiError {
    ApiError::validation(
        "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
         sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following \
         3 symbols .-_",
    )
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn begins(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Reads a name by the rules that hold for reading and for writing.
fn parse(text: &str) -> ApiResult<Name> {
    let spelled = text.trim();
    let key = spelled.strip_prefix('/').unwrap_or(spelled);
    let has_slash = spelled.len() != key.len();
    if !key.split('/').all(is_part) || begins(key, "ssm") && has_slash || key.contains('/') && !has_slash {
        return Err(bad_name());
    }
    Ok(Name {
        key: key.to_owned(),
        spelled: spelled.to_owned(),
    })
}

impl Name {
    /// A name that is to be written.
    pub(crate) fn for_writing(text: &str, place: Place<'_>) -> ApiResult<Self> {
        let trimmed = text.trim();
        let has_slash = trimmed.starts_with('/');
        let first = trimmed.trim_start_matches('/');
        if begins(first, "aws") && has_slash {
            return Err(ApiError::denied(format!(
                "No access to reserved parameter name: {trimmed}."
            )));
        }
        if !has_slash && (begins(first, "aws") || begins(first, "ssm")) {
            return Err(ApiError::validation(
                "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
            ));
        }
        let name = parse(text)?;
        if name.key.split('/').count() > MAX_LEVELS {
            return Err(ApiError::new(
                "HierarchyLevelLimitExceededException",
                format!("A parameter name has at most {MAX_LEVELS} levels."),
            ));
        }
        if place.arn(&name.key).len() > MAX_ARN {
            return Err(ApiError::validation(format!(
                "The name is too long: with \"{}\" before it, it has at most {MAX_ARN} characters.",
                place.prefix()
            )));
        }
        Ok(name)
    }

    /// A name without a selector: of what is deleted, labelled or listed.
    pub(crate) fn plain(text: &str) -> ApiResult<Self> {
        parse(text)
    }
}

/// Reads a name with its selector. `None` is an ARN of another account or region, which has no parameters here.
pub(crate) fn reference(text: &str, place: Place<'_>) -> ApiResult<Option<Reference>> {
    let trimmed = text.trim();
    let is_arn = trimmed.starts_with("arn:");
    let rest = if is_arn {
        match trimmed.strip_prefix(place.prefix().as_str()) {
            Some(rest) => rest,
            None => return Ok(None),
        }
    } else {
        trimmed
    };
    let (name, selector) = match rest.split_once(':') {
        Some((name, selector)) => (name, Some(read_selector(selector)?)),
        None => (rest, None),
    };
    // After the ARN's slash the hierarchy has lost its own.
    let name = if is_arn {
        format!("/{name}")
    } else {
        name.to_owned()
    };
    Ok(Some(Reference {
        name: parse(&name)?,
        selector,
        is_arn,
    }))
}

fn read_selector(text: &str) -> ApiResult<Selector> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number has: there is no such version, which is said where versions are looked up.
        return Ok(Selector::Version(text.parse().unwrap_or(i64::MAX)));
    }
    if super::labels::is_label(text) {
        return Ok(Selector::Label(text.to_owned()));
    }
    Err(ApiError::validation(format!(
        "Invalid selector: \"{}\" after the name is neither a version nor a label.",
        text.chars().take(100).collect::<String>()
    )))
}

/// A path to list by, without slashes at its ends; empty for the root.
pub(crate) fn path(text: &str) -> ApiResult<String> {
    let bad = || {
        ApiError::validation(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward \
             slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only \
             letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are \
             not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: \
             /get/parameters2-/by1./path0_.",
        )
    };
    let rest = text.strip_prefix('/').ok_or_else(bad)?;
    if rest.is_empty() {
        return Ok(String::new());
    }
    let inside = rest.strip_suffix('/').unwrap_or(rest);
    if !inside.split('/').all(is_part) || begins(inside, "ssm") {
        return Err(bad());
    }
    Ok(inside.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place {
        region: "eu-west-1",
        account: "123456789012",
    };

    fn write(text: &str) -> Result<Name, &'static str> {
        Name::for_writing(text, PLACE).map_err(|error| error.code)
    }

    #[test]
    fn one_parameter_is_spelled_with_and_without_its_slash() {
        assert_eq!(write("foo").unwrap().key, write(" /foo ").unwrap().key);
        assert_eq!(write("/foo").unwrap().spelled, "/foo");
        assert_eq!(write("/a/b/c").unwrap().parent(), "a/b");
        assert_eq!(write("/a").unwrap().parent(), "");
    }

    #[test]
    fn the_rules_of_names_hold() {
        for (name, code) in [
            ("a/b", "ValidationException"),
            ("/a//b", "ValidationException"),
            ("/a/", "ValidationException"),
            ("//a", "ValidationException"),
            ("/", "ValidationException"),
            ("a b", "ValidationException"),
            ("/ä", "ValidationException"),
            ("a:1", "ValidationException"),
            ("ssmx", "ValidationException"),
            ("AWSx", "ValidationException"),
            ("/SSM/x", "ValidationException"),
            ("/aws/x", "AccessDeniedException"),
            (
                "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
                "HierarchyLevelLimitExceededException",
            ),
        ] {
            assert_eq!(write(name).unwrap_err(), code, "{name}");
        }
        assert!(write("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o").is_ok());
        let longest = 1011 - "arn:aws:ssm:eu-west-1:123456789012:parameter/".len();
        assert!(write(&"x".repeat(longest)).is_ok());
        assert_eq!(
            write(&"x".repeat(longest + 1)).unwrap_err(),
            "ValidationException"
        );
    }

    #[test]
    fn references_name_versions_labels_and_arns() {
        let read = |text: &str| reference(text, PLACE).unwrap().unwrap();
        assert_eq!(read("/a/b").selector, None);
        assert_eq!(read("/a/b:3").selector_text().as_deref(), Some(":3"));
        assert_eq!(read("foo:live").selector, Some(Selector::Label("live".into())));
        let arn = read("arn:aws:ssm:eu-west-1:123456789012:parameter/a/b:7");
        assert_eq!((arn.name.key.as_str(), arn.is_arn), ("a/b", true));
        assert_eq!(arn.selector, Some(Selector::Version(7)));
        assert_eq!(
            reference("arn:aws:ssm:us-east-1:123456789012:parameter/a", PLACE).unwrap(),
            None
        );
        for bad in ["a:", "a:b:c", "/a b", "", ":3", "a:1st"] {
            assert!(reference(bad, PLACE).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_begin_with_a_slash() {
        assert_eq!(path("/").unwrap(), "");
        assert_eq!(path("/a/b/").unwrap(), "a/b");
        for bad in ["", "a", "//", "/a//b", "/a*", "/ssm/x"] {
            let message = path(bad).unwrap_err().message.unwrap();
            assert!(
                message.ends_with("Valid example: /get/parameters2-/by1./path0_."),
                "{bad}"
            );
        }
    }
}
