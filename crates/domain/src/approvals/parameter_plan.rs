//! What a plan about a stored parameter says: which version it stands on, and what would be there afterwards. A secret
//! stands there as a reference that nobody can turn back, never in the clear.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// Labels that would be set on a version, or taken from it. A label decides which value is read by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLabels {
    /// Which version.
    pub version: i64,
    /// When that was written, in ms since the epoch.
    pub modified_at: i64,
    /// Which labels.
    pub labels: Vec<String>,
    /// Whether they are taken away.
    pub away: bool,
    /// The versions that have them now.
    pub held: BTreeMap<String, i64>,
    /// What that version holds, unless that is a secret.
    pub value: Option<String>,
    /// What was read by the label until now, where it is one, and no secret.
    pub replaced: Option<String>,
}

impl PlannedLabels {
    fn title(&self, name: &str) -> String {
        let word = if self.labels.len() == 1 { "label" } else { "labels" };
        let (labels, version) = (self.labels.join(", "), self.version);
        if self.away {
            format!("Take the {word} {labels} from version {version} of {name}")
        } else {
            format!("Set the {word} {labels} on version {version} of {name}")
        }
    }

    fn differences(&self, other: &Self, name: &str) -> Vec<String> {
        let mut said = Vec::new();
        for label in &other.labels {
            let held = |plan: &Self| plan.held.get(label).copied();
            if held(self) != held(other) {
                said.push(match held(other) {
                    Some(version) => format!("The label {label} of {name} is at version {version} now."),
                    None => format!("The label {label} of {name} is at no version now."),
                });
            }
        }
        if said.is_empty() && self != other {
            said.push(format!("Version {} of {name} is another one now.", other.version));
        }
        said
    }
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
    /// The labels that would be set or taken away, where that is it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Box<PlannedLabels>>,
}

impl PlannedParameter {
    /// What moves labels, in words.
    #[must_use]
    pub fn labels_title(&self) -> Option<String> {
        self.labels.as_ref().map(|labels| labels.title(&self.name))
    }

    /// What is different from `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let name = &other.name;
        if let (Some(old), Some(new)) = (&self.labels, &other.labels) {
            // A version that is written meanwhile changes nothing about the one that is labelled.
            return old.differences(new, name);
        }
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
            labels: None,
        }
    }

    #[test]
    fn a_label_that_was_moved_meanwhile_is_said_and_a_new_version_is_not() {
        let labelled = |newest: i64, held: &[(&str, i64)]| PlannedParameter {
            labels: Some(Box::new(PlannedLabels {
                version: 1,
                modified_at: 5,
                labels: vec!["live".into(), "tested".into()],
                away: false,
                held: held
                    .iter()
                    .map(|(label, at)| ((*label).to_owned(), *at))
                    .collect(),
                value: Some("x".into()),
                replaced: None,
            })),
            ..plan(newest, 9)
        };
        let asked = labelled(2, &[("live", 2)]);
        assert!(asked.differences(&labelled(3, &[("live", 2)])).is_empty());
        assert_eq!(
            asked.differences(&labelled(2, &[("live", 3), ("tested", 3)])),
            [
                "The label live of /a is at version 3 now.",
                "The label tested of /a is at version 3 now."
            ]
        );
        assert!(asked.differences(&labelled(2, &[]))[0].contains("no version"));
        let mut again = asked.clone();
        if let Some(labels) = &mut again.labels {
            labels.modified_at = 7;
        }
        assert!(asked.differences(&again)[0].contains("another one"));
        assert_eq!(
            asked.labels_title().unwrap(),
            "Set the labels live, tested on version 1 of /a"
        );
        // Plans that were written before there were such ones read and hash as ever.
        let old = serde_json::to_string(&plan(1, 5)).unwrap();
        assert!(!old.contains("labels"), "{old}");
        assert_eq!(
            serde_json::from_str::<PlannedParameter>(&old).unwrap(),
            plan(1, 5)
        );
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
