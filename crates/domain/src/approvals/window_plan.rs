//! What a plan about a maintenance window says: all that it is now, and all that it would be.

use crate::windows::WindowState;
use serde::{Deserialize, Serialize};

/// What would be done with a maintenance window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWindow {
    /// Its id; empty where it would be made.
    pub id: String,
    /// Its name, the one that it has now where it would be given another.
    pub name: String,
    /// What would be done, in a line.
    pub title: String,
    /// What it is now; `None` where it would be made.
    pub now: Option<WindowState>,
    /// What it would be; `None` where it would be deleted.
    pub becomes: Option<WindowState>,
}

impl PlannedWindow {
    /// What is different in `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = match (&self.now, &other.now) {
            (Some(old), Some(new)) => old.differences(new),
            (None, None) => Vec::new(),
            _ => vec![format!(
                "The maintenance window {} is another one now.",
                self.name
            )],
        };
        if said.is_empty() && self != other {
            said.push(format!(
                "What would be done with the maintenance window {} has changed.",
                self.name
            ));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::WindowSettings;

    #[test]
    fn whatever_has_changed_is_said() {
        let state = |schedule: &str| WindowState {
            settings: WindowSettings {
                name: "nightly".into(),
                schedule: schedule.into(),
                ..WindowSettings::default()
            },
            ..WindowState::default()
        };
        let plan = |now: &str, then: &str| PlannedWindow {
            id: "mw-1".into(),
            name: "nightly".into(),
            title: "Change it".into(),
            now: Some(state(now)),
            becomes: Some(state(then)),
        };
        let old = plan("rate(1 day)", "rate(2 days)");
        assert!(old.differences(&old).is_empty());
        assert!(old.differences(&plan("rate(3 days)", "rate(2 days)"))[0].contains("rate(3 days) now"));
        assert_eq!(old.differences(&plan("rate(1 day)", "rate(9 days)")).len(), 1);
        let made = PlannedWindow {
            now: None,
            ..old.clone()
        };
        assert!(made.differences(&old)[0].contains("another one"));
    }
}
