//! What a maintenance window is, as a whole: its settings, targets and tasks. It is what an edit stands on, what a request
//! for approval freezes, and what two people's changes are compared by.

use crate::commands::script_line;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key by which a task names registered targets.
pub const WINDOW_TARGETS: &str = "WindowTargetIds";

/// What a window is called, and when it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSettings {
    /// 3 to 128 letters, digits, dots, hyphens and underscores.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it opens at all.
    pub enabled: bool,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub schedule: String,
    /// The time zone in which cron and at are meant; empty is UTC.
    pub time_zone: String,
    /// Days that are waited after a cron expression's day; 0 waits for none.
    pub offset_days: u32,
    /// It does not open before this time; empty opens at once.
    pub starts: String,
    /// It does not open any more from this time on; empty opens for ever.
    pub ends: String,
    /// For how many hours it is open.
    pub duration_hours: u32,
    /// How many hours before its end nothing is begun any more.
    pub cutoff_hours: u32,
    /// Whether tasks may name nodes that are no targets of the window.
    pub allow_unassociated: bool,
}

/// Nodes, as Systems Manager is told of them: `InstanceIds`, `tag:Environment`, `WindowTargetIds` and what is meant by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetKey {
    /// What names them.
    pub key: String,
    /// The values.
    pub values: Vec<String>,
}

impl TargetKey {
    /// As people read it.
    #[must_use]
    pub fn words(&self) -> String {
        let values = self.values.join(", ");
        match self.key.strip_prefix("tag:") {
            Some(tag) => format!("{tag} = {values}"),
            None if self.key == "InstanceIds" => values,
            None => format!("{} = {values}", self.key),
        }
    }

    /// Whether it names nodes by their ids.
    #[must_use]
    pub fn is_by_id(&self) -> bool {
        self.key == "InstanceIds"
    }
}

fn words(targets: &[TargetKey]) -> String {
    targets
        .iter()
        .map(TargetKey::words)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Nodes that are registered with a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowTarget {
    /// Its id; empty until it is registered.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// What it is; may be empty.
    pub description: String,
    /// What events about it carry along; may be empty.
    pub owner: String,
    /// Which nodes: all keys have to hold.
    pub targets: Vec<TargetKey>,
}

impl WindowTarget {
    /// Which nodes, as people read it.
    #[must_use]
    pub fn words(&self) -> String {
        words(&self.targets)
    }

    /// By what people know it.
    #[must_use]
    pub fn label(&self) -> String {
        if self.name.is_empty() {
            self.words()
        } else {
            self.name.clone()
        }
    }
}

/// Something that a window does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowTask {
    /// Its id; empty until it is registered.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// `RUN_COMMAND`, `AUTOMATION`, `LAMBDA`, `STEP_FUNCTIONS`. The first two are made here.
    pub kind: String,
    /// The document, or the ARN of what is run.
    pub document: String,
    /// The document's version; empty is the default one.
    pub document_version: String,
    /// The parameters.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// On what it is run; empty where it needs nothing, or, in what is asked for, on all targets of the window.
    pub targets: Vec<TargetKey>,
    /// The smallest is done first.
    pub priority: u32,
    /// On how many at once.
    pub max_concurrency: String,
    /// No further ones after so many errors.
    pub max_errors: String,
    /// Give up delivering to a node after so many seconds; 0 is the service's own choice.
    pub timeout_seconds: u32,
    /// What the commands that it sends say they are for.
    pub comment: String,
    /// What is done with it when the cutoff comes.
    pub cutoff_behavior: String,
    /// SHA-256 of everything else that it says; empty where it says nothing else.
    pub others: String,
}

impl WindowTask {
    /// Whether it is a document that Run Command runs.
    #[must_use]
    pub fn is_command(&self) -> bool {
        self.kind == "RUN_COMMAND"
    }

    /// Whether it is a runbook.
    #[must_use]
    pub fn is_runbook(&self) -> bool {
        self.kind == "AUTOMATION"
    }

    /// By what people know it.
    #[must_use]
    pub fn label(&self) -> String {
        if self.name.is_empty() {
            self.document.clone()
        } else {
            format!("{} ({})", self.name, self.document)
        }
    }

    /// The first line of its script that says something.
    #[must_use]
    pub fn script_line(&self) -> String {
        script_line(&self.parameters)
    }
}

/// A window, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowState {
    /// What it is called, and when it is open.
    pub settings: WindowSettings,
    /// Its targets, by id.
    pub targets: Vec<WindowTarget>,
    /// Its tasks, by priority and id.
    pub tasks: Vec<WindowTask>,
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise } else { text }.to_owned()
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

impl WindowSettings {
    /// Everything that it says, each with a word for it.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("description", or(&self.description, "—")),
            ("enabled", yes(self.enabled)),
            ("schedule", self.schedule.clone()),
            ("time zone", or(&self.time_zone, "UTC")),
            ("days of offset", self.offset_days.to_string()),
            ("start date", or(&self.starts, "—")),
            ("end date", or(&self.ends, "—")),
            ("duration in hours", self.duration_hours.to_string()),
            ("cutoff in hours", self.cutoff_hours.to_string()),
            ("unregistered targets allowed", yes(self.allow_unassociated)),
        ]
    }
}

impl WindowState {
    /// A target, by what a task calls it.
    fn target(&self, id: &str) -> String {
        let found = self.targets.iter().find(|target| target.id == id);
        found.map_or_else(|| id.to_owned(), WindowTarget::label)
    }

    /// On what a task is run, as people read it.
    #[must_use]
    pub fn where_of(&self, task: &WindowTask) -> String {
        let said = task.targets.iter().map(|key| {
            if key.key == WINDOW_TARGETS {
                let names: Vec<String> = key.values.iter().map(|id| self.target(id)).collect();
                names.join("; ")
            } else {
                key.words()
            }
        });
        said.collect::<Vec<_>>().join("; ")
    }

    /// All of it as lines, which are compared for those who decide.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .settings
            .facts()
            .into_iter()
            .map(|(word, text)| format!("{word}: {text}"))
            .collect();
        for target in &self.targets {
            lines.push(format!("target: {}", target.words()));
            for (word, text) in [
                ("name", &target.name),
                ("description", &target.description),
                ("owner information", &target.owner),
            ] {
                if !text.is_empty() {
                    lines.push(format!("  {word}: {text}"));
                }
            }
        }
        for task in &self.tasks {
            lines.push(format!("task: {} {}", task.kind, task.label()));
            let timeout = match task.timeout_seconds {
                0 => String::new(),
                seconds => format!("{seconds} s"),
            };
            for (word, text) in [
                ("description", task.description.clone()),
                ("version", task.document_version.clone()),
                ("on", self.where_of(task)),
                ("priority", task.priority.to_string()),
                ("concurrency", task.max_concurrency.clone()),
                ("errors", task.max_errors.clone()),
                ("delivery time-out", timeout),
                ("comment", task.comment.clone()),
                ("at the cutoff", task.cutoff_behavior.clone()),
                ("SHA-256 of what else it says", task.others.clone()),
            ] {
                if !text.is_empty() {
                    lines.push(format!("  {word}: {text}"));
                }
            }
            for (name, values) in &task.parameters {
                lines.push(format!("  {name}:"));
                let all = values.iter().flat_map(|value| value.split('\n'));
                lines.extend(all.map(|line| format!("    {line}")));
            }
        }
        lines.join("\n")
    }

    /// What is different in `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let (old, new) = (self.settings.facts(), other.settings.facts());
        for ((word, old), (_, new)) in old.iter().zip(&new) {
            if old != new {
                said.push(format!("Its {word} is {new} now ({old} was looked at)."));
            }
        }
        for old in &self.targets {
            match other.targets.iter().find(|new| new.id == old.id) {
                None => said.push(format!("The target {} is gone.", old.label())),
                Some(new) if new != old => said.push(format!("The target {} has changed.", old.label())),
                Some(_) => {}
            }
        }
        for old in &self.tasks {
            match other.tasks.iter().find(|new| new.id == old.id) {
                None => said.push(format!("The task {} is gone.", old.label())),
                Some(new) if new != old => said.push(format!("The task {} has changed.", old.label())),
                Some(_) => {}
            }
        }
        let is_new_target = |new: &&WindowTarget| self.targets.iter().all(|old| old.id != new.id);
        let targets = other.targets.iter().filter(is_new_target);
        said.extend(targets.map(|new| format!("The target {} is new.", new.label())));
        let is_new_task = |new: &&WindowTask| self.tasks.iter().all(|old| old.id != new.id);
        let tasks = other.tasks.iter().filter(is_new_task);
        said.extend(tasks.map(|new| format!("The task {} is new.", new.label())));
        if said.is_empty() && self != other {
            said.push("Its targets or tasks stand in another order now.".into());
        }
        said
    }
}
