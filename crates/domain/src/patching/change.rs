//! What is asked for of a baseline, and what can be said against it before anything is looked up. The limits are Systems
//! Manager's.

use super::baseline::{
    ApprovalRule, BaselineContent, COMPLIANCE_LEVELS, FILTER_KEYS, OPERATING_SYSTEMS, PatchFilter,
    REJECTED_ACTIONS,
};
use crate::error::{FieldError, PortalError};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Rules at most.
pub const MAX_RULES: usize = 10;
const MAX_FILTERS: usize = 4;
const MAX_VALUES: usize = 20;
const MAX_PATCHES: usize = 50;
const MAX_DAYS: u32 = 360;

/// What a form says of a baseline. What it does not say (global filters, sources) stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineFields {
    /// What it is called.
    pub name: String,
    /// For which operating system; cannot be changed.
    pub operating_system: String,
    /// What it is for.
    pub description: String,
    /// What approves patches by itself.
    pub rules: Vec<ApprovalRule>,
    /// Approved by name.
    pub approved_patches: Vec<String>,
    /// How bad it is when one of those is missing.
    pub approved_level: String,
    /// Whether those may be other than security updates.
    pub approved_non_security: bool,
    /// Rejected by name.
    pub rejected_patches: Vec<String>,
    /// What becomes of rejected ones.
    pub rejected_action: String,
}

/// A date, `2030-01-31`.
fn is_date(text: &str) -> bool {
    text.len() == 10 && Timestamp::parse(text).is_some()
}

fn check_filters(filters: &[PatchFilter]) -> Option<String> {
    if filters.is_empty() {
        return Some("Say which patches, one condition a line; PRODUCT=* is all of them.".into());
    }
    if filters.len() > MAX_FILTERS {
        return Some(format!("A rule takes at most {MAX_FILTERS} conditions."));
    }
    for filter in filters {
        if !FILTER_KEYS.contains(&filter.key.as_str()) {
            return Some(format!("“{}” is no property of patches.", filter.key));
        }
        if filter.values.len() > MAX_VALUES {
            return Some(format!("{} takes at most {MAX_VALUES} values.", filter.key));
        }
        if filter
            .values
            .iter()
            .any(|value| value.is_empty() || value.chars().count() > 64)
        {
            return Some(format!("A value of {} has 1 to 64 characters.", filter.key));
        }
    }
    None
}

fn check_patches(field: &str, patches: &[String], fields: &mut Vec<FieldError>) {
    if patches.len() > MAX_PATCHES {
        fields.push(FieldError::new(
            field,
            format!("Name at most {MAX_PATCHES} patches."),
        ));
    }
    if let Some(long) = patches.iter().find(|patch| patch.chars().count() > 100) {
        fields.push(FieldError::new(
            field,
            format!(
                "“{}…” is too long: a patch has at most 100 characters, one a line.",
                long.chars().take(20).collect::<String>()
            ),
        ));
    }
}

impl BaselineFields {
    fn check_into(&self, fields: &mut Vec<FieldError>) {
        let mut say = |field: &str, message: &str| fields.push(FieldError::new(field, message));
        let is_name = (3..=128).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !is_name {
            say("name", "Use 3 to 128 letters, digits and . - _, without blanks.");
        }
        if OPERATING_SYSTEMS
            .iter()
            .all(|(word, _)| *word != self.operating_system)
        {
            say("operating_system", "Choose an operating system.");
        }
        if self.description.chars().count() > 1_024 {
            say("description", "Use at most 1,024 characters.");
        }
        if !COMPLIANCE_LEVELS.contains(&self.approved_level.as_str()) {
            say("approved_level", "Choose how bad it is when one is missing.");
        }
        if REJECTED_ACTIONS
            .iter()
            .all(|(word, _)| *word != self.rejected_action)
        {
            say("rejected_action", "Choose what becomes of rejected patches.");
        }
        if self.rules.len() > MAX_RULES {
            say("rules", "A baseline has at most 10 rules.");
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let mut wrong = |field: &str, message: String| {
                fields.push(FieldError::new(format!("{field}.{at}"), message));
            };
            if let Some(complaint) = check_filters(&rule.filters) {
                wrong("filters", complaint);
            }
            if !COMPLIANCE_LEVELS.contains(&rule.compliance_level.as_str()) {
                wrong("levels", "Choose how bad it is when one is missing.".into());
            }
            match (rule.approve_after_days, &rule.approve_until_date) {
                (Some(_), Some(_)) => wrong(
                    "until",
                    "Give either days or a date, not both: empty one of them.".into(),
                ),
                (None, None) => wrong("days", "Write after how many days, or until which date.".into()),
                (Some(days), None) if days > MAX_DAYS => {
                    wrong("days", format!("Write 0 to {MAX_DAYS} days."));
                }
                (None, Some(date)) if !is_date(date) => {
                    wrong("until", "Write a date such as 2030-01-31.".into());
                }
                _ => {}
            }
        }
        check_patches("approved_patches", &self.approved_patches, fields);
        check_patches("rejected_patches", &self.rejected_patches, fields);
        let both = self
            .approved_patches
            .iter()
            .find(|patch| self.rejected_patches.contains(patch));
        if let Some(patch) = both {
            fields.push(FieldError::new(
                "rejected_patches",
                format!("{patch} is approved, too: it can only be in one of the lists."),
            ));
        }
    }

    /// What a baseline would say, that says `base` now.
    #[must_use]
    pub fn applied_to(&self, base: &BaselineContent) -> BaselineContent {
        BaselineContent {
            name: self.name.clone(),
            operating_system: self.operating_system.clone(),
            description: self.description.clone(),
            rules: self.rules.clone(),
            approved_patches: self.approved_patches.clone(),
            approved_level: self.approved_level.clone(),
            approved_non_security: self.approved_non_security,
            rejected_patches: self.rejected_patches.clone(),
            rejected_action: self.rejected_action.clone(),
            ..base.clone()
        }
    }
}

/// Input: change a baseline, or for what it holds. `seen` is the SHA-256 of what it said when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum BaselineChange {
    /// Make one.
    Create {
        /// What it says.
        fields: BaselineFields,
    },
    /// Let it say something else.
    Edit {
        /// Which.
        baseline_id: String,
        /// What was looked at.
        seen: String,
        /// What it says from then on.
        fields: BaselineFields,
    },
    /// Let it hold for its operating system where no patch group says otherwise.
    SetDefault {
        /// Which.
        baseline_id: String,
        /// What was looked at.
        seen: String,
    },
    /// Let it hold for a patch group.
    AddGroup {
        /// Which.
        baseline_id: String,
        /// What was looked at.
        seen: String,
        /// For which group.
        group: String,
    },
    /// Let it hold for a patch group no longer.
    RemoveGroup {
        /// Which.
        baseline_id: String,
        /// What was looked at.
        seen: String,
        /// For which group.
        group: String,
    },
}

impl BaselineChange {
    /// The baseline that it is about; none where one is made.
    #[must_use]
    pub fn baseline_id(&self) -> Option<&str> {
        match self {
            Self::Create { .. } => None,
            Self::Edit { baseline_id, .. }
            | Self::SetDefault { baseline_id, .. }
            | Self::AddGroup { baseline_id, .. }
            | Self::RemoveGroup { baseline_id, .. } => Some(baseline_id),
        }
    }

    /// What was looked at; none where a baseline is made.
    #[must_use]
    pub fn seen(&self) -> Option<&str> {
        match self {
            Self::Create { .. } => None,
            Self::Edit { seen, .. }
            | Self::SetDefault { seen, .. }
            | Self::AddGroup { seen, .. }
            | Self::RemoveGroup { seen, .. } => Some(seen),
        }
    }

    /// The word in the audit log.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Edit { .. } => "edit",
            Self::SetDefault { .. } => "set_default",
            Self::AddGroup { .. } => "add_group",
            Self::RemoveGroup { .. } => "remove_group",
        }
    }

    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.baseline_id().is_some_and(str::is_empty) {
            fields.push(FieldError::new("baseline_id", "Say which baseline."));
        }
        match self {
            Self::Create { fields: input } | Self::Edit { fields: input, .. } => {
                input.check_into(&mut fields)
            }
            Self::SetDefault { .. } => {}
            Self::AddGroup { group, .. } | Self::RemoveGroup { group, .. } => {
                let is_group = (1..=256).contains(&group.chars().count())
                    && group
                        .chars()
                        .all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
                if !is_group {
                    fields.push(FieldError::new(
                        "group",
                        "Write the value of the tag “Patch Group”: 1 to 256 letters, digits, blanks and _ . : / = + - @.",
                    ));
                }
            }
        }
        PortalError::from_fields(fields)
    }
}

/// Input: delete a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteBaseline {
    /// Which.
    pub baseline_id: String,
    /// The SHA-256 of what it said when it was looked at.
    pub seen: String,
    /// Its name.
    pub name: String,
    /// Its name, typed once more.
    pub confirmation: String,
}

impl DeleteBaseline {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.baseline_id.is_empty() {
            fields.push(FieldError::new("baseline_id", "Say which baseline."));
        }
        if self.confirmation.trim() != self.name.trim() || self.name.trim().is_empty() {
            fields.push(FieldError::new(
                "confirmation",
                format!("Type {} to delete it.", self.name.trim()),
            ));
        }
        PortalError::from_fields(fields)
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
