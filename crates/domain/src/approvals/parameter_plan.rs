//! What a plan about a stored parameter says: which version it stands on, and what would be there afterwards. A secret
//! stands there as a reference that nobody can turn back, never in the clear.

use serde::{Deserialize, Serialize};

/// A version of a parameter that a plan stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVersion {
    /// Its number.
    pub version: i64,
    /// When it was written, in ms since the epoch: a parameter that was deleted and made again counts from 1, too.
    pub modified_at: i64,
    /// Its value, unless that is a secret.
    pub value: Option<String>,
}

/// What a parameter would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedContent {
    /// Its value, unless that is a secret.
    pub value: Option<String>,
    /// What a secret would be, as a reference: the same secret has the same one, and nothing else does.
    pub value_reference: String,
    /// The version whose value comes back, where it is one.
    pub restores: Option<i64>,
    /// Its tier; `None` stays as it is, here and below.
    pub tier: Option<String>,
    /// Its data type.
    pub data_type: Option<String>,
    /// The key that it is encrypted with.
    pub key_id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What values have to look like.
    pub allowed_pattern: Option<String>,
    /// Its policies.
    pub policies: Option<String>,
}

/// What would be done with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedParameter {
    /// Which, as Systems Manager spells it.
    pub name: String,
    /// What it holds.
    pub kind: String,
    /// The newest version now; `None` where it would be made.
    pub now: Option<PlannedVersion>,
    /// The version that would be shown, where one would.
    pub revealed: Option<i64>,
    /// What would be written, where something would.
    pub becomes: Option<PlannedContent>,
}

impl PlannedParameter {
    /// What is different from `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let name = &other.name;
        match (&self.now, &other.now) {
            (None, Some(_)) => said.push(format!("The parameter {name} exists now.")),
            (Some(_), None) => said.push(format!("The parameter {name} is gone.")),
            (Some(old), Some(new)) if old.version != new.version => said.push(format!(
                "The parameter {name} has version {} now (version {} was looked at).",
                new.version, old.version
            )),
            (Some(old), Some(new)) if old != new => {
                said.push(format!("The parameter {name} was deleted and made again."));
            }
            _ => {}
        }
        if self.becomes != other.becomes || self.revealed != other.revealed || self.kind != other.kind {
            said.push(format!(
                "What would be done with the parameter {name} has changed."
            ));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(version: i64, at: i64) -> PlannedParameter {
        PlannedParameter {
            name: "/a".into(),
            kind: "String".into(),
            now: Some(PlannedVersion {
                version,
                modified_at: at,
                value: Some("x".into()),
            }),
            revealed: None,
            becomes: None,
        }
    }

    #[test]
    fn whatever_has_changed_is_said() {
        assert!(plan(1, 5).differences(&plan(1, 5)).is_empty());
        assert!(plan(1, 5).differences(&plan(2, 6))[0].contains("version 2 now"));
        assert!(plan(1, 5).differences(&plan(1, 9))[0].contains("made again"));
        let made = PlannedParameter {
            now: None,
            ..plan(1, 5)
        };
        assert!(made.differences(&plan(1, 5))[0].contains("exists now"));
        let revealed = PlannedParameter {
            revealed: Some(1),
            ..plan(1, 5)
        };
        assert_eq!(plan(1, 5).differences(&revealed).len(), 1);
    }
}
