//! Policies of a parameter: what they may say, how they are kept, and when the next one is due. The form is that of the
//! user guide's "Assigning parameter policies".

use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Policies of one parameter at most.
const MAX_POLICIES: usize = 10;

/// What a policy does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rule {
    /// The parameter is deleted at that moment.
    Expiration(Timestamp),
    /// An event so long before it is deleted.
    ExpirationNotification { before_ms: i64 },
    /// An event when it has not been changed for so long.
    NoChangeNotification { after_ms: i64 },
}

/// A policy as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// The JSON that was given.
    pub(crate) text: String,
    pub(crate) rule: Rule,
    /// Whether its event has been made, for this version of the parameter.
    pub(crate) done: bool,
}

impl Policy {
    /// Its type, in the service's words.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.rule {
            Rule::Expiration(_) => "Expiration",
            Rule::ExpirationNotification { .. } => "ExpirationNotification",
            Rule::NoChangeNotification { .. } => "NoChangeNotification",
        }
    }

    /// When it acts: `None` once it has, or when what it counts from is missing.
    pub(crate) fn due(&self, all: &[Self], modified_at: Timestamp) -> Option<Timestamp> {
        if self.done {
            return None;
        }
        Some(match self.rule {
            Rule::Expiration(at) => at,
            Rule::ExpirationNotification { before_ms } => expiration(all)?.plus_ms(-before_ms),
            Rule::NoChangeNotification { after_ms } => modified_at.plus_ms(after_ms),
        })
    }
}

/// When these policies delete the parameter.
fn expiration(all: &[Policy]) -> Option<Timestamp> {
    all.iter().find_map(|policy| match policy.rule {
        Rule::Expiration(at) => Some(at),
        _ => None,
    })
}

/// When the first of them acts.
pub(crate) fn first_due(all: &[Policy], modified_at: Timestamp) -> Option<Timestamp> {
    all.iter().filter_map(|policy| policy.due(all, modified_at)).min()
}

/// The same policies for a new version: what was told of the old one may be told again.
pub(crate) fn renewed(mut all: Vec<Policy>) -> Vec<Policy> {
    for policy in &mut all {
        policy.done = false;
    }
    all
}

fn bad_type(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidPolicyTypeException", message)
}

fn bad_attribute(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidPolicyAttributeException", message)
}

/// Reads what a caller gave: a JSON list, where `[{}]` and `[]` mean none.
pub(crate) fn read(text: &str, now: Timestamp) -> ApiResult<Vec<Policy>> {
    let given: Vec<serde_json::Map<String, Value>> = serde_json::from_str(text).map_err(|_| {
        bad_type(
            "Policies is not a JSON list of policies: write [{\"Type\":\"Expiration\",\"Version\":\"1.0\",\
             \"Attributes\":{\"Timestamp\":\"2030-01-01T00:00:00Z\"}}], or [{}] to remove them.",
        )
    })?;
    let given: Vec<_> = given.into_iter().filter(|policy| !policy.is_empty()).collect();
    if given.len() > MAX_POLICIES {
        return Err(ApiError::new(
            "PoliciesLimitExceededException",
            format!(
                "You specified more than the maximum number of allowed policies for the parameter. The maximum is {MAX_POLICIES}."
            ),
        ));
    }
    let policies: Vec<Policy> = given
        .into_iter()
        .map(|policy| read_one(policy, now))
        .collect::<ApiResult<_>>()?;
    let expirations = policies
        .iter()
        .filter(|policy| matches!(policy.rule, Rule::Expiration(_)))
        .count();
    let conflict = |message: &str| Err(ApiError::new("IncompatiblePolicyException", message));
    if expirations > 1 {
        return conflict(
            "There is a conflict in the policies specified for this parameter. You can't, for example, specify two \
             Expiration policies for a parameter. Review your policies, and try again.",
        );
    }
    let notifies = policies
        .iter()
        .any(|policy| matches!(policy.rule, Rule::ExpirationNotification { .. }));
    if notifies && expirations == 0 {
        return conflict("An ExpirationNotification needs an Expiration policy beside it: add one.");
    }
    Ok(policies)
}

fn read_one(policy: serde_json::Map<String, Value>, now: Timestamp) -> ApiResult<Policy> {
    let word = |name: &str| policy.get(name).and_then(Value::as_str);
    let kind = word("Type").ok_or_else(|| bad_type("A policy has no Type."))?;
    if word("Version") != Some("1.0") {
        return Err(bad_attribute(format!(
            "The Version of the policy {kind} has to be \"1.0\"."
        )));
    }
    let attribute = |name: &str| {
        policy
            .get("Attributes")
            .and_then(|attributes| attributes.get(name))
            .and_then(Value::as_str)
            .ok_or_else(|| bad_attribute(format!("The policy {kind} has no text as its attribute {name}.")))
    };
    let rule = match kind {
        "Expiration" => {
            let text = attribute("Timestamp")?;
            let at = timestamp(text).ok_or_else(|| {
                bad_attribute(format!(
                    "The Timestamp {} of the policy Expiration is not of the form 2030-01-31T21:34:33.000Z.",
                    text.chars().take(64).collect::<String>()
                ))
            })?;
            if at <= now {
                return Err(bad_attribute(
                    "The Timestamp of the policy Expiration is in the past.",
                ));
            }
            Rule::Expiration(at)
        }
        "ExpirationNotification" => Rule::ExpirationNotification {
            before_ms: span(kind, "Before", attribute("Before")?, attribute("Unit")?)?,
        },
        "NoChangeNotification" => Rule::NoChangeNotification {
            after_ms: span(kind, "After", attribute("After")?, attribute("Unit")?)?,
        },
        _ => {
            return Err(bad_type(
                "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, \
                 ExpirationNotification, and NoChangeNotification.",
            ));
        }
    };
    Ok(Policy {
        text: Value::Object(policy).to_string(),
        rule,
        done: false,
    })
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .ok()
        .map(Timestamp)
}

fn span(kind: &str, name: &str, count: &str, unit: &str) -> ApiResult<i64> {
    const HOUR_MS: i64 = 3_600_000;
    /// Years beyond which nobody waits.
    const MOST: i64 = 100_000;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "days" => 24 * HOUR_MS,
        "hours" => HOUR_MS,
        _ => {
            return Err(bad_attribute(format!(
                "The Unit of the policy {kind} has to be \"Days\" or \"Hours\"."
            )));
        }
    };
    match count.parse::<i64>() {
        Ok(count @ 1..=MOST) => Ok(count * unit),
        _ => Err(bad_attribute(format!(
            "{name} of the policy {kind} has to be a whole number from 1 to {MOST}, written as a text."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const EXPIRES: &str =
        r#"{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-01T02:00:00.000+02:00"}}"#;
    const BEFORE: &str =
        r#"{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"15","Unit":"Days"}}"#;
    const AFTER: &str =
        r#"{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Hours"}}"#;

    #[test]
    fn policies_say_when_they_are_due() {
        let all = read(&format!("[{EXPIRES},{BEFORE},{AFTER}]"), NOW).unwrap();
        let at = Timestamp::parse("2030-01-01T00:00:00Z").unwrap();
        let due: Vec<_> = all.iter().map(|policy| policy.due(&all, NOW).unwrap()).collect();
        assert_eq!(
            due,
            [at, at.plus_ms(-15 * 86_400_000), NOW.plus_ms(20 * 3_600_000)]
        );
        assert_eq!(first_due(&all, NOW), Some(due[2]));
        let mut told = all.clone();
        told[2].done = true;
        assert_eq!(first_due(&told, NOW), Some(due[1]));
        assert_eq!(first_due(&renewed(told), NOW), Some(due[2]));
        assert_eq!(read("[{}]", NOW).unwrap(), []);
        assert_eq!(read("[]", NOW).unwrap(), []);
    }

    #[test]
    fn what_no_policy_is_is_refused_by_name() {
        let past = EXPIRES.replace("2030", "2020");
        for (text, code) in [
            ("x".to_owned(), "InvalidPolicyTypeException"),
            ("{}".to_owned(), "InvalidPolicyTypeException"),
            (
                r#"[{"Type":"Other","Version":"1.0"}]"#.to_owned(),
                "InvalidPolicyTypeException",
            ),
            (
                r#"[{"Type":"Expiration"}]"#.to_owned(),
                "InvalidPolicyAttributeException",
            ),
            (format!("[{past}]"), "InvalidPolicyAttributeException"),
            (
                format!("[{}]", AFTER.replace("20", "0")),
                "InvalidPolicyAttributeException",
            ),
            (
                format!("[{}]", AFTER.replace("Hours", "Years")),
                "InvalidPolicyAttributeException",
            ),
            (format!("[{EXPIRES},{EXPIRES}]"), "IncompatiblePolicyException"),
            (format!("[{BEFORE}]"), "IncompatiblePolicyException"),
            (
                format!("[{}]", [AFTER; 11].join(",")),
                "PoliciesLimitExceededException",
            ),
        ] {
            assert_eq!(read(&text, NOW).unwrap_err().code, code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_given_makes_it_panic(text in "\\PC{0,200}", count in "[0-9]{0,7}", at in 0_i64..4_000_000_000_000) {
            let _ = read(&text, NOW);
            let policy = serde_json::json!([{"Type": "NoChangeNotification", "Version": "1.0",
                "Attributes": {"After": count, "Unit": "Days"}}, {"Type": "Expiration", "Version": "1.0",
                "Attributes": {"Timestamp": Timestamp(at).rfc3339()}}]);
            let is_count = count.parse::<i64>().is_ok_and(|count| (1..=100_000).contains(&count));
            match read(&policy.to_string(), NOW) {
                Ok(all) => {
                    prop_assert!(is_count && at > NOW.0);
                    let wait = NOW.plus_ms(count.parse::<i64>().unwrap() * 86_400_000);
                    prop_assert_eq!(first_due(&all, NOW), Some(wait.min(Timestamp(at))));
                }
                Err(_) => prop_assert!(!is_count || at <= NOW.0),
            }
        }
    }
}
