//! What a plan about a patch baseline says: which content it stands on, and what would be there afterwards.

use crate::patching::{BaselineContent, system_label};
use serde::{Deserialize, Serialize};

/// What would be done with a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineAct {
    /// It would be made.
    Create,
    /// It would say something else.
    Edit,
    /// It would hold for its operating system.
    SetDefault,
    /// It would hold for a patch group.
    AddGroup,
    /// It would hold for a patch group no longer.
    RemoveGroup,
    /// It would be gone.
    Delete,
}

/// What a baseline says, as a plan stands on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedState {
    /// SHA-256 of what it says.
    pub sha256: String,
    /// What it says.
    pub content: BaselineContent,
}

/// What would be done with a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBaseline {
    /// What.
    pub does: BaselineAct,
    /// Which; empty where it would be made.
    pub baseline_id: String,
    /// What it is called.
    pub name: String,
    /// For which operating system.
    pub operating_system: String,
    /// What it says now; `None` where it would be made.
    pub now: Option<PlannedState>,
    /// What it would say, where that would be something else.
    pub becomes: Option<BaselineContent>,
    /// The patch group, where it is about one.
    pub group: String,
    /// The baseline that holds there now, by id, where another would take its place.
    pub displaces: String,
}

impl PlannedBaseline {
    /// One line that says what it is.
    #[must_use]
    pub fn title(&self) -> String {
        let name = &self.name;
        match self.does {
            BaselineAct::Create => format!("Make the patch baseline {name}"),
            BaselineAct::Edit => format!("Change the patch baseline {name}"),
            BaselineAct::SetDefault => format!(
                "Let {name} be the default for {}",
                system_label(&self.operating_system)
            ),
            BaselineAct::AddGroup => format!("Let {name} hold for the patch group {}", self.group),
            BaselineAct::RemoveGroup => format!("Take the patch group {} from {name}", self.group),
            BaselineAct::Delete => format!("Delete the patch baseline {name}"),
        }
    }

    /// What is different from `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let name = &other.name;
        match (&self.now, &other.now) {
            (Some(_), None) => said.push(format!("The patch baseline {name} is gone.")),
            (None, Some(_)) => said.push(format!("The patch baseline {name} exists now.")),
            (Some(old), Some(new)) if old != new => {
                said.push(format!("The patch baseline {name} says something else now."));
            }
            _ => {}
        }
        if self.displaces != other.displaces {
            said.push("Another baseline holds there now.".into());
        }
        if self.does != other.does
            || self.becomes != other.becomes
            || self.group != other.group
            || self.baseline_id != other.baseline_id
            || (said.is_empty() && self != other)
        {
            said.push(format!(
                "What would be done with the patch baseline {name} has changed."
            ));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sha256: &str) -> PlannedBaseline {
        PlannedBaseline {
            does: BaselineAct::Edit,
            baseline_id: "pb-1".into(),
            name: "web".into(),
            operating_system: "DEBIAN".into(),
            now: Some(PlannedState {
                sha256: sha256.into(),
                content: BaselineContent::default(),
            }),
            becomes: Some(BaselineContent::default()),
            group: String::new(),
            displaces: String::new(),
        }
    }

    #[test]
    fn whatever_has_changed_is_said() {
        assert!(plan("a").differences(&plan("a")).is_empty());
        assert!(plan("a").differences(&plan("b"))[0].contains("something else"));
        let gone = PlannedBaseline {
            now: None,
            ..plan("a")
        };
        assert!(plan("a").differences(&gone)[0].contains("is gone"));
        let other = PlannedBaseline {
            displaces: "pb-2".into(),
            ..plan("a")
        };
        assert!(plan("a").differences(&other)[0].contains("Another baseline"));
        let mut becomes = plan("a");
        becomes.becomes = None;
        assert_eq!(plan("a").differences(&becomes).len(), 1);
        let mut renamed = plan("a");
        renamed.operating_system = "UBUNTU".into();
        assert_eq!(plan("a").differences(&renamed).len(), 1);
    }
}
