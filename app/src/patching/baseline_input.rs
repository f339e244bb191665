//! What the form that writes a baseline sends, read into what the service takes.

use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::patching::{ApprovalRule, BaselineChange, BaselineFields, PatchFilter};
use std::collections::BTreeMap;

/// The fields, as they were sent. Those of a rule have its number.
#[derive(Clone, Default)]
pub(crate) struct PutFields {
    pub(crate) baseline_id: Option<String>,
    pub(crate) seen: Option<String>,
    pub(crate) name: String,
    pub(crate) operating_system: String,
    pub(crate) description: Option<String>,
    pub(crate) filters: BTreeMap<String, String>,
    pub(crate) days: BTreeMap<String, String>,
    pub(crate) until: BTreeMap<String, String>,
    pub(crate) levels: BTreeMap<String, String>,
    pub(crate) non_security: BTreeMap<String, String>,
    pub(crate) approved_patches: Option<String>,
    pub(crate) approved_level: Option<String>,
    pub(crate) approved_non_security: Option<String>,
    pub(crate) rejected_patches: Option<String>,
    pub(crate) rejected_action: Option<String>,
}

/// Patches, one a line.
fn patches(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// A complaint about the rule in that place of the list, about the rule of that number in the form.
fn in_the_form(error: PortalError, numbers: &[String]) -> PortalError {
    let PortalError::Invalid { mut fields } = error else {
        return error;
    };
    for field in &mut fields {
        let place = field
            .field
            .rsplit_once('.')
            .and_then(|(name, at)| Some((name.to_owned(), at.parse::<usize>().ok()?)));
        if let Some((name, number)) = place.and_then(|(name, at)| Some((name, numbers.get(at)?))) {
            field.field = format!("{name}.{number}");
        }
    }
    PortalError::Invalid { fields }
}

impl PutFields {
    /// Reads the rules, with the number that each has in the form. One that is left empty is none.
    fn rules(&self, problems: &mut Vec<FieldError>) -> (Vec<ApprovalRule>, Vec<String>) {
        let mut numbers: Vec<(usize, &String)> = self
            .filters
            .keys()
            .filter_map(|number| Some((number.parse().ok()?, number)))
            .collect();
        numbers.sort_unstable();
        let (mut rules, mut kept) = (Vec::new(), Vec::new());
        for (_, number) in numbers {
            let given = |all: &BTreeMap<String, String>| {
                all.get(number)
                    .map(|text| text.trim().to_owned())
                    .unwrap_or_default()
            };
            let (conditions, days, until) = (given(&self.filters), given(&self.days), given(&self.until));
            if conditions.is_empty() && days.is_empty() && until.is_empty() {
                continue;
            }
            let filters = PatchFilter::read(&conditions).unwrap_or_else(|complaint| {
                problems.push(FieldError::new(format!("filters.{number}"), complaint));
                // Not empty, so that nothing else is said of it.
                vec![PatchFilter {
                    key: "PRODUCT".into(),
                    values: vec!["*".into()],
                }]
            });
            let approve_after_days = match days.as_str() {
                "" => None,
                text => Some(text.parse::<u32>().unwrap_or_else(|_| {
                    problems.push(FieldError::new(
                        format!("days.{number}"),
                        format!("“{text}” is no number of days: write 0 to 360."),
                    ));
                    0
                })),
            };
            let level = given(&self.levels);
            rules.push(ApprovalRule {
                filters,
                compliance_level: if level.is_empty() {
                    "UNSPECIFIED".into()
                } else {
                    level
                },
                approve_after_days,
                approve_until_date: Some(until).filter(|until| !until.is_empty()),
                enable_non_security: self.non_security.contains_key(number),
            });
            kept.push(number.clone());
        }
        (rules, kept)
    }

    /// Reads them.
    ///
    /// # Errors
    /// Everything that is wrong, by the field that it is about.
    pub(crate) fn read(self) -> Result<BaselineChange, PortalError> {
        let mut problems = Vec::new();
        let (rules, numbers) = self.rules(&mut problems);
        let word = |text: Option<String>, otherwise: &str| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| otherwise.to_owned())
        };
        let fields = BaselineFields {
            name: self.name.trim().to_owned(),
            operating_system: self.operating_system.trim().to_owned(),
            description: word(self.description, "").replace("\r\n", "\n"),
            rules,
            approved_patches: patches(self.approved_patches),
            approved_level: word(self.approved_level, "UNSPECIFIED"),
            approved_non_security: self.approved_non_security.is_some(),
            rejected_patches: patches(self.rejected_patches),
            rejected_action: word(self.rejected_action, "ALLOW_AS_DEPENDENCY"),
        };
        let change = match word(self.baseline_id, "") {
            id if id.is_empty() => BaselineChange::Create { fields },
            baseline_id => BaselineChange::Edit {
                baseline_id,
                seen: word(self.seen, ""),
                fields,
            },
        };
        if let Err(error) = change.check() {
            match in_the_form(error, &numbers) {
                PortalError::Invalid { fields } => problems.extend(fields),
                other => return Err(other),
            }
        }
        PortalError::from_fields(problems)?;
        Ok(change)
    }
}

/// Reads for what else a baseline is changed.
///
/// # Errors
/// When the word is none.
pub(super) fn read_apply(
    baseline_id: String,
    seen: String,
    what: &str,
    group: Option<String>,
) -> Result<BaselineChange, PortalError> {
    let group = group.unwrap_or_default().trim().to_owned();
    let change = match what {
        "default" => BaselineChange::SetDefault { baseline_id, seen },
        "group" => BaselineChange::AddGroup {
            baseline_id,
            seen,
            group,
        },
        "ungroup" => BaselineChange::RemoveGroup {
            baseline_id,
            seen,
            group,
        },
        _ => {
            return Err(PortalError::invalid(
                "what",
                "Say what: default, group or ungroup.",
            ));
        }
    };
    change.check()?;
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn fields() -> PutFields {
        PutFields {
            name: "web".into(),
            operating_system: "DEBIAN".into(),
            filters: map(&[("0", ""), ("1", "PRODUCT=*"), ("2", " ")]),
            days: map(&[("0", ""), ("1", "3"), ("2", "")]),
            levels: map(&[("0", "HIGH"), ("1", "HIGH"), ("2", "LOW")]),
            rejected_patches: Some("a\r\n\r\n b ".into()),
            ..PutFields::default()
        }
    }

    #[test]
    fn rules_that_are_left_empty_are_none() {
        let BaselineChange::Create { fields } = fields().read().unwrap() else {
            panic!("no baseline is named, so one is made");
        };
        assert_eq!(fields.rules.len(), 1);
        assert_eq!(fields.rules[0].approve_after_days, Some(3));
        assert_eq!(fields.rejected_patches, ["a", "b"]);
    }

    #[test]
    fn what_is_wrong_is_said_of_the_rule_in_the_form() {
        let mut wrong = fields();
        wrong.days = map(&[("1", "soon"), ("2", "500")]);
        wrong.filters = map(&[("1", "COLOUR=red"), ("2", "PRODUCT=*")]);
        let error = wrong.read().unwrap_err();
        for field in ["filters.1", "days.1", "days.2"] {
            assert!(error.about(field).is_some(), "{field}: {error}");
        }
        assert!(error.about("days.0").is_none(), "{error}");
        assert!(read_apply("pb-1".into(), String::new(), "move", None).is_err());
        assert!(read_apply("pb-1".into(), String::new(), "default", None).is_ok());
    }
}
