//! What a plan about a maintenance window says: all that it is now, and all that it would be.

use crate::windows::{WindowState, WindowTask};
use serde::{Deserialize, Serialize};

/// A document that a window would run, as it was when that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDocument {
    /// The task that runs it, by what people know it.
    pub task: String,
    /// Its name, or its ARN.
    pub document: String,
    /// In which version: a number, `$LATEST`, or `$DEFAULT`.
    pub version: String,
    /// SHA-256 of what it says in that version; empty where that cannot be read.
    pub sha256: String,
}

impl PlannedDocument {
    /// The document of a task, whose content has this SHA-256.
    #[must_use]
    pub fn of(task: &WindowTask, sha256: String) -> Self {
        let version = match task.document_version.as_str() {
            "" => "$DEFAULT",
            given => given,
        };
        Self {
            task: task.label(),
            document: task.document.clone(),
            version: version.to_owned(),
            sha256,
        }
    }

    fn difference(&self, all: &[Self]) -> Option<String> {
        let is_same = |one: &&Self| {
            (&one.task, &one.document, &one.version) == (&self.task, &self.document, &self.version)
        };
        let now = all.iter().find(is_same)?;
        let short = |sha256: &str| sha256.chars().take(12).collect::<String>();
        (now.sha256 != self.sha256).then(|| {
            format!(
                "The document {} says something else now in its version {}: {} was looked at, {} is there.",
                self.document,
                self.version,
                short(&self.sha256),
                short(&now.sha256)
            )
        })
    }
}

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
    /// The documents that it would run, where it is let run something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<PlannedDocument>,
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
        said.extend(
            self.documents
                .iter()
                .filter_map(|one| one.difference(&other.documents)),
        );
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
            documents: Vec::new(),
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
        // What a task runs may say something else, though the window is the same.
        let task = WindowTask {
            document: "Own-Restart".into(),
            ..WindowTask::default()
        };
        let runs = |sha256: &str| PlannedWindow {
            documents: vec![PlannedDocument::of(&task, sha256.into())],
            ..old.clone()
        };
        assert!(runs("aa").differences(&runs("aa")).is_empty());
        let said = runs("aa").differences(&runs("bb"));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("Own-Restart")
                && said[0].contains("$DEFAULT")
                && said[0].contains("bb is there")
        );
        assert_eq!(
            old.differences(&runs("aa")).len(),
            1,
            "it was not looked at before"
        );
    }
}
