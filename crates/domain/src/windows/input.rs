//! What is done with a window, and what can be said against it before anything is looked up. What the window is afterwards
//! says `apply`.

use super::state::{TargetKey, WindowSettings, WindowState, WindowTarget, WindowTask};
use crate::commands::parse_rate;
use crate::error::{FieldError, PortalError};
use crate::ids::WindowId;
use crate::runbooks::without_secrets;
use serde::{Deserialize, Serialize};

/// Keys of one target at most.
const MOST_KEYS: usize = 5;
/// Values of one key at most.
const MOST_VALUES: usize = 50;

/// One change of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum WindowChange {
    /// Makes it, without targets and tasks.
    Create {
        /// What it is called, and when it is open.
        settings: WindowSettings,
    },
    /// Gives it other settings.
    Edit {
        /// All of them.
        settings: WindowSettings,
    },
    /// Lets it open, or not.
    Enable {
        /// Whether.
        enabled: bool,
    },
    /// Registers nodes.
    AddTarget {
        /// Which.
        target: WindowTarget,
    },
    /// Says of a registered target anew what it is.
    EditTarget {
        /// All of it, with its id.
        target: WindowTarget,
    },
    /// Deregisters nodes.
    RemoveTarget {
        /// Which.
        target: String,
    },
    /// Registers a task: a Run Command document or a runbook.
    AddTask {
        /// Which.
        task: WindowTask,
    },
    /// Says of a registered task anew what it is; its document stays.
    EditTask {
        /// All of it, with its id.
        task: WindowTask,
    },
    /// Deregisters a task.
    RemoveTask {
        /// Which.
        task: String,
    },
    /// Deletes it with its targets and tasks.
    Delete,
}

/// Input: change a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeWindow {
    /// Which; empty where one is made.
    pub window: WindowId,
    /// What is done.
    pub change: WindowChange,
    /// What was looked at; nothing where one is made.
    pub seen: Option<WindowState>,
    /// The window's name, typed, where it is deleted.
    #[serde(default)]
    pub confirmation: String,
}

/// Reads targets from the two fields of a form: ids of nodes, or tags, one `Key=Value,Value` on each line.
///
/// # Errors
/// What cannot be read, at its field.
pub fn read_targets(nodes: &str, tags: &str) -> Result<Vec<TargetKey>, FieldError> {
    let ids: Vec<String> = nodes
        .split([',', '\n', '\r', ' '])
        .filter(|id| !id.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    let lines: Vec<&str> = tags
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if !ids.is_empty() && !lines.is_empty() {
        return Err(FieldError::new(
            "target_tags",
            "Name nodes by their ids or by their tags, not both: register a second target for the others.",
        ));
    }
    if !ids.is_empty() {
        return Ok(vec![TargetKey {
            key: "InstanceIds".into(),
            values: ids,
        }]);
    }
    lines
        .into_iter()
        .map(|line| {
            let read = line.split_once('=').and_then(|(key, values)| {
                let values: Vec<String> = values
                    .split(',')
                    .map(str::trim)
                    .filter(|value| !value.is_empty())
                    .map(ToOwned::to_owned)
                    .collect();
                let key = key.trim();
                (!key.is_empty() && !values.is_empty()).then(|| TargetKey {
                    key: format!("tag:{key}"),
                    values,
                })
            });
            read.ok_or_else(|| {
                FieldError::new(
                    "target_tags",
                    format!("“{line}” is no tag: write Environment=Production, or Environment=Production,Staging for either."),
                )
            })
        })
        .collect()
}

fn complain_about_name(field: &str, name: &str, may_be_empty: bool, fields: &mut Vec<FieldError>) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let fits = (3..=128).contains(&name.len()) && name.chars().all(is_plain);
    if !(fits || may_be_empty && name.is_empty()) {
        fields.push(FieldError::new(
            field,
            "Use 3 to 128 letters, digits, dots, hyphens and underscores.",
        ));
    }
}

fn complain_about_description(text: &str, fields: &mut Vec<FieldError>) {
    if text.chars().count() > 128 || text.chars().any(|c| c.is_control() && c != '\n') {
        fields.push(FieldError::new("description", "Use at most 128 characters."));
    }
}

/// Whether it names a version of a document as tasks do.
fn is_version(text: &str) -> bool {
    let is_number =
        !text.starts_with('0') && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number || matches!(text, "$LATEST" | "$DEFAULT")
}

impl WindowSettings {
    fn complaints(&self, fields: &mut Vec<FieldError>) {
        complain_about_name("name", &self.name, false, fields);
        complain_about_description(&self.description, fields);
        if self.schedule.trim().is_empty() || self.schedule.len() > 256 {
            fields.push(FieldError::new(
                "schedule",
                "Say when: cron(0 2 ? * SUN *), rate(7 days) or at(2030-01-31T02:00:00).",
            ));
        }
        if self.offset_days > 6 {
            fields.push(FieldError::new("offset_days", "Write 1 to 6 days, or nothing."));
        } else if self.offset_days > 0 && !self.schedule.trim().starts_with("cron(") {
            fields.push(FieldError::new(
                "offset_days",
                "Days of offset go with a cron schedule only.",
            ));
        }
        if !(1..=24).contains(&self.duration_hours) {
            fields.push(FieldError::new(
                "duration_hours",
                "The window is open for 1 to 24 hours.",
            ));
        } else if self.cutoff_hours >= self.duration_hours {
            fields.push(FieldError::new(
                "cutoff_hours",
                "It has to be less than the hours for which the window is open; 0 begins until its end.",
            ));
        }
    }

    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        self.complaints(&mut fields);
        PortalError::from_fields(fields)
    }
}

impl WindowTarget {
    fn complaints(&self, fields: &mut Vec<FieldError>) {
        complain_about_name("target_name", &self.name, true, fields);
        complain_about_description(&self.description, fields);
        if self.owner.chars().count() > 128 {
            fields.push(FieldError::new("owner", "Use at most 128 characters."));
        }
        if self.targets.is_empty() {
            fields.push(FieldError::new(
                "target_tags",
                "Name nodes by their tags, or by their ids.",
            ));
        }
        let field = if self.targets.iter().any(TargetKey::is_by_id) {
            "target_nodes"
        } else {
            "target_tags"
        };
        if self.targets.len() > MOST_KEYS {
            fields.push(FieldError::new(field, "Use at most 5 tags."));
        }
        if self.targets.iter().any(|key| key.values.len() > MOST_VALUES) {
            fields.push(FieldError::new(field, "Name at most 50 of them in one target."));
        }
    }
}

impl WindowTask {
    fn complaints(&self, fields: &mut Vec<FieldError>) {
        complain_about_name("task_name", &self.name, true, fields);
        complain_about_description(&self.description, fields);
        if self.document.trim().is_empty() {
            fields.push(FieldError::new("document", "Choose a document."));
        }
        if !self.is_command() && !self.is_runbook() {
            fields.push(FieldError::new(
                "document",
                "Here a window is given Run Command tasks and runbooks.",
            ));
        }
        if !is_version(&self.document_version) {
            fields.push(FieldError::new(
                "document_version",
                "Write a version's number, $LATEST, or nothing for the default one.",
            ));
        }
        if self.is_runbook() && (self.timeout_seconds != 0 || !self.comment.is_empty()) {
            fields.push(FieldError::new(
                "comment",
                "A runbook has neither a comment nor a delivery time-out: leave them empty.",
            ));
        }
        self.rate_complaints(fields);
        if self.timeout_seconds != 0 && !(30..=2_592_000).contains(&self.timeout_seconds) {
            fields.push(FieldError::new(
                "timeout_seconds",
                "Write 30 to 2,592,000 seconds.",
            ));
        }
        if self.comment.chars().count() > 100 {
            fields.push(FieldError::new("comment", "Use at most 100 characters."));
        }
        for name in without_secrets(&self.parameters).1 {
            fields.push(FieldError::new(
                format!("parameters.{name}"),
                "A secret would lie in the window in the clear: put it into Parameter Store, and write {{ssm-secure:/its/name}} here.",
            ));
        }
    }

    fn rate_complaints(&self, fields: &mut Vec<FieldError>) {
        match parse_rate(&self.max_concurrency) {
            Some((1.., false)) | Some((1..=100, true)) => {}
            _ => fields.push(FieldError::new(
                "max_concurrency",
                "Write a number from 1, or a percentage from 1% to 100%.",
            )),
        }
        match parse_rate(&self.max_errors) {
            Some((_, false)) | Some((0..=100, true)) => {}
            _ => fields.push(FieldError::new(
                "max_errors",
                "Write a number from 0, or a percentage from 0% to 100%.",
            )),
        }
    }
}

fn need_id(id: &str, fields: &mut Vec<FieldError>) {
    if id.trim().is_empty() {
        fields.push(FieldError::new("id", "Say which."));
    }
}

impl ChangeWindow {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        let is_made = matches!(self.change, WindowChange::Create { .. });
        if self.window.as_str().trim().is_empty() != is_made {
            fields.push(FieldError::new("window_id", "Say which maintenance window."));
        }
        match &self.change {
            WindowChange::Create { settings } | WindowChange::Edit { settings } => {
                settings.complaints(&mut fields);
            }
            WindowChange::AddTarget { target } => target.complaints(&mut fields),
            WindowChange::AddTask { task } => task.complaints(&mut fields),
            WindowChange::EditTarget { target } => {
                need_id(&target.id, &mut fields);
                target.complaints(&mut fields);
            }
            WindowChange::EditTask { task } => {
                need_id(&task.id, &mut fields);
                task.complaints(&mut fields);
            }
            WindowChange::RemoveTarget { target: id } | WindowChange::RemoveTask { task: id } => {
                need_id(id, &mut fields);
            }
            WindowChange::Delete => {
                let name = self.seen.as_ref().map_or("", |seen| seen.settings.name.as_str());
                if self.confirmation.trim() != name {
                    fields.push(FieldError::new(
                        "confirmation",
                        format!("Type {name} to delete it."),
                    ));
                }
            }
            WindowChange::Enable { .. } => {}
        }
        if !is_made && self.seen.is_none() {
            fields.push(FieldError::new(
                "seen",
                "Say which state of the window this is about: open its page again.",
            ));
        }
        PortalError::from_fields(fields)
    }

    /// Whether something may run after it that did not before: then it is asked who may run that.
    #[must_use]
    pub const fn lets_run(&self) -> bool {
        matches!(
            self.change,
            WindowChange::Edit { .. }
                | WindowChange::Enable { enabled: true }
                | WindowChange::AddTarget { .. }
                | WindowChange::EditTarget { .. }
                | WindowChange::AddTask { .. }
                | WindowChange::EditTask { .. }
        )
    }

    /// What it does, in words.
    #[must_use]
    pub fn title(&self, name: &str) -> String {
        match &self.change {
            WindowChange::Create { .. } => format!("Make the maintenance window {name}"),
            WindowChange::Edit { .. } => format!("Change the maintenance window {name}"),
            WindowChange::Enable { enabled: true } => format!("Enable the maintenance window {name}"),
            WindowChange::Enable { enabled: false } => format!("Disable the maintenance window {name}"),
            WindowChange::AddTarget { target } => format!("Register {} with {name}", target.label()),
            WindowChange::RemoveTarget { .. } => format!("Deregister a target from {name}"),
            WindowChange::AddTask { task } => format!("Run {} in {name}", task.document),
            WindowChange::EditTarget { target } => format!("Change the target {} of {name}", target.label()),
            WindowChange::EditTask { task } => format!("Change how {} runs in {name}", task.document),
            WindowChange::RemoveTask { .. } => format!("Deregister a task from {name}"),
            WindowChange::Delete => format!("Delete the maintenance window {name}"),
        }
    }
}
