//! What the forms that change a window send, read into what the service takes.

use crate::commands::read_field;
use muster_domain::commands::ParameterType;
use muster_domain::error::FieldError;
use muster_domain::windows::{
    ChangeWindow, TargetKey, WINDOW_TARGETS, WindowChange, WindowSettings, WindowState, WindowTarget,
    WindowTask, read_targets,
};
use muster_domain::{Actor, Backend, PortalError};
use std::collections::BTreeMap;

/// What stands for all targets of the window.
const ALL_TARGETS: &str = "*";
/// What stands for where a task ran before.
const AS_BEFORE: &str = "=";

/// The fields, as they were sent; each form has those of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeFields {
    pub(crate) what: String,
    pub(crate) window_id: Option<String>,
    pub(crate) seen: Option<String>,
    pub(crate) confirmation: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) enabled: Option<String>,
    pub(crate) schedule: Option<String>,
    pub(crate) time_zone: Option<String>,
    pub(crate) offset_days: Option<String>,
    pub(crate) starts: Option<String>,
    pub(crate) ends: Option<String>,
    pub(crate) duration_hours: Option<String>,
    pub(crate) cutoff_hours: Option<String>,
    pub(crate) allow_unassociated: Option<String>,
    pub(crate) target_name: Option<String>,
    pub(crate) target_nodes: Option<String>,
    pub(crate) target_tags: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) task_name: Option<String>,
    /// `runbook`; anything else is a document that Run Command runs.
    pub(crate) kind: Option<String>,
    pub(crate) document: Option<String>,
    pub(crate) document_version: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) task_target: Option<String>,
    pub(crate) task_nodes: Option<String>,
    pub(crate) priority: Option<String>,
    pub(crate) max_concurrency: Option<String>,
    pub(crate) max_errors: Option<String>,
    pub(crate) timeout_seconds: Option<String>,
    pub(crate) comment: Option<String>,
}

fn text(field: Option<&String>) -> String {
    field
        .map(|text| text.trim().replace("\r\n", "\n"))
        .unwrap_or_default()
}

/// A whole number, or the usual one where nothing is given.
fn number(name: &str, field: Option<&String>, otherwise: u32, problems: &mut Vec<FieldError>) -> u32 {
    match text(field).as_str() {
        "" => otherwise,
        given => given.parse().unwrap_or_else(|_| {
            problems.push(FieldError::new(name, "Write a whole number, such as 2."));
            otherwise
        }),
    }
}

impl ChangeFields {
    /// The settings.
    ///
    /// # Errors
    /// What could not be read; what can be read and yet is wrong says the service.
    pub(crate) fn settings(&self) -> Result<WindowSettings, PortalError> {
        let mut problems = Vec::new();
        let settings = WindowSettings {
            name: text(self.name.as_ref()),
            description: text(self.description.as_ref()),
            enabled: self.enabled.is_some(),
            schedule: text(self.schedule.as_ref()),
            time_zone: text(self.time_zone.as_ref()),
            offset_days: number("offset_days", self.offset_days.as_ref(), 0, &mut problems),
            starts: text(self.starts.as_ref()),
            ends: text(self.ends.as_ref()),
            duration_hours: number("duration_hours", self.duration_hours.as_ref(), 0, &mut problems),
            cutoff_hours: number("cutoff_hours", self.cutoff_hours.as_ref(), 0, &mut problems),
            allow_unassociated: self.allow_unassociated.is_some(),
        };
        PortalError::from_fields(problems)?;
        Ok(settings)
    }

    fn target(&self) -> Result<WindowTarget, PortalError> {
        let targets = read_targets(
            &text(self.target_nodes.as_ref()),
            &text(self.target_tags.as_ref()),
        )
        .map_err(|problem| PortalError::Invalid {
            fields: vec![problem],
        })?;
        Ok(WindowTarget {
            id: text(self.id.as_ref()),
            name: text(self.target_name.as_ref()),
            description: text(self.description.as_ref()),
            owner: text(self.owner.as_ref()),
            targets,
        })
    }

    /// What was looked at, where a form says so.
    fn seen(&self) -> Result<Option<WindowState>, PortalError> {
        match text(self.seen.as_ref()).as_str() {
            "" => Ok(None),
            given => serde_json::from_str(given).map(Some).map_err(|_| {
                PortalError::invalid(
                    "seen",
                    "The state that this change was made from cannot be read: open the window's page again.",
                )
            }),
        }
    }

    /// Where a task runs: on named nodes, on one target, on all targets of the window (`*`), or where it ran before (`=`). Where
    /// nothing is said, that is all targets for a command, and none for a runbook.
    fn task_targets(&self) -> Result<Vec<TargetKey>, PortalError> {
        let nodes =
            read_targets(&text(self.task_nodes.as_ref()), "").map_err(|problem| PortalError::Invalid {
                fields: vec![problem],
            })?;
        let target = text(self.task_target.as_ref());
        // Whoever names nodes in place of where it ran before need not choose that away.
        let target = Some(target).filter(|target| nodes.is_empty() || target != AS_BEFORE);
        let target = target.unwrap_or_default();
        match (nodes.is_empty(), target.is_empty()) {
            (false, false) => Err(PortalError::invalid(
                "task_nodes",
                "Name nodes or choose a target, not both.",
            )),
            (false, true) => Ok(nodes),
            (true, false) if target == AS_BEFORE => {
                let id = text(self.id.as_ref());
                let seen = self.seen()?;
                let tasks = seen.iter().flat_map(|seen| &seen.tasks);
                let old = tasks.filter(|task| task.id == id);
                Ok(old.flat_map(|task| task.targets.clone()).collect())
            }
            (true, false) => Ok(vec![TargetKey {
                key: WINDOW_TARGETS.into(),
                values: if target == ALL_TARGETS {
                    Vec::new()
                } else {
                    vec![target]
                },
            }]),
            (true, true) => Ok(Vec::new()),
        }
    }

    async fn task(&self, backend: &Backend, actor: &Actor) -> Result<WindowTask, PortalError> {
        let mut problems = Vec::new();
        let or = |field: Option<&String>, otherwise: &str| match text(field) {
            given if given.is_empty() => otherwise.to_owned(),
            given => given,
        };
        let document = text(self.document.as_ref());
        let document_version = text(self.document_version.as_ref());
        let is_runbook = text(self.kind.as_ref()) == "runbook";
        let kind = if is_runbook { "AUTOMATION" } else { "RUN_COMMAND" };
        let mut task = WindowTask {
            id: text(self.id.as_ref()),
            name: text(self.task_name.as_ref()),
            description: text(self.description.as_ref()),
            kind: kind.into(),
            targets: self.task_targets()?,
            priority: number("priority", self.priority.as_ref(), 1, &mut problems),
            max_concurrency: or(self.max_concurrency.as_ref(), "1"),
            max_errors: or(self.max_errors.as_ref(), "0"),
            timeout_seconds: number("timeout_seconds", self.timeout_seconds.as_ref(), 0, &mut problems),
            comment: text(self.comment.as_ref()),
            cutoff_behavior: "CONTINUE_TASK".into(),
            ..WindowTask::default()
        };
        if document.is_empty() {
            problems.push(FieldError::new("document", "Choose a document."));
        }
        PortalError::from_fields(problems)?;
        let declared = if is_runbook {
            // The catalogue knows versions by their numbers.
            let version = Some(document_version.clone()).filter(|version| !version.starts_with('$'));
            let version = version.filter(|version| !version.is_empty());
            let found = backend.runbooks.get(actor, document.clone(), version).await?;
            found.parameters
        } else {
            let found = backend.commands.document(actor, document.clone()).await?;
            found.parameters
        };
        for (name, text) in &self.parameters {
            // A name that the document does not declare goes on as text, to be refused by name.
            let kind = declared
                .iter()
                .find(|one| &one.name == name)
                .map_or(ParameterType::String, |one| one.parameter_type);
            if let Some(values) = read_field(kind, text) {
                task.parameters.insert(name.clone(), values);
            }
        }
        let complaints: Vec<FieldError> = declared
            .iter()
            .filter_map(|one| {
                let given = task.parameters.get(&one.name).map_or(&[][..], Vec::as_slice);
                // The window puts nodes and itself into these when it opens: what is there then is not known now.
                let is_filled_in = is_runbook && given.iter().any(|value| value.contains("{{"));
                let message = one.complaint(given).filter(|_| !is_filled_in)?;
                Some(FieldError::new(format!("parameters.{}", one.name), message))
            })
            .collect();
        PortalError::from_fields(complaints)?;
        task.document = document;
        task.document_version = document_version;
        Ok(task)
    }

    /// Reads them.
    ///
    /// # Errors
    /// What could not be read, by field.
    pub(crate) async fn read(self, backend: &Backend, actor: &Actor) -> Result<ChangeWindow, PortalError> {
        let id = text(self.id.as_ref());
        let change = match self.what.as_str() {
            "create" => WindowChange::Create {
                settings: self.settings()?,
            },
            "edit" => WindowChange::Edit {
                settings: self.settings()?,
            },
            "enable" => WindowChange::Enable { enabled: true },
            "disable" => WindowChange::Enable { enabled: false },
            "add-target" => WindowChange::AddTarget {
                target: WindowTarget {
                    id: String::new(),
                    ..self.target()?
                },
            },
            "edit-target" => WindowChange::EditTarget {
                target: self.target()?,
            },
            "edit-task" => WindowChange::EditTask {
                task: self.task(backend, actor).await?,
            },
            "remove-target" => WindowChange::RemoveTarget { target: id },
            "add-task" => WindowChange::AddTask {
                task: WindowTask {
                    id: String::new(),
                    ..self.task(backend, actor).await?
                },
            },
            "remove-task" => WindowChange::RemoveTask { task: id },
            "delete" => WindowChange::Delete,
            _ => {
                return Err(PortalError::invalid(
                    "what",
                    "Say what to do: create, edit, enable, disable, add-target, edit-target, remove-target, add-task, edit-task, \
                     remove-task or delete.",
                ));
            }
        };
        let seen = self.seen()?;
        Ok(ChangeWindow {
            window: text(self.window_id.as_ref()).as_str().into(),
            change,
            seen,
            confirmation: text(self.confirmation.as_ref()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_what_cannot_be_is_named() {
        let given = |text: &str| Some(text.to_owned());
        let mut fields = ChangeFields {
            name: given(" nightly "),
            schedule: given("rate(1 day)"),
            duration_hours: given("2"),
            enabled: given("true"),
            ..ChangeFields::default()
        };
        let settings = fields.settings().unwrap();
        assert_eq!((settings.name.as_str(), settings.duration_hours), ("nightly", 2));
        assert!(settings.enabled && !settings.allow_unassociated);
        fields.duration_hours = given("two");
        fields.offset_days = given("-1");
        let error = fields.settings().unwrap_err();
        assert!(error.about("duration_hours").is_some() && error.about("offset_days").is_some());
        assert!(fields.task_targets().unwrap().is_empty(), "all of the window's");
        fields.task_target = given("t-1");
        assert_eq!(fields.task_targets().unwrap()[0].key, WINDOW_TARGETS);
        fields.task_target = given("*");
        assert!(fields.task_targets().unwrap()[0].values.is_empty(), "all of them");
        let before = WindowState {
            tasks: vec![WindowTask {
                id: "k-1".into(),
                targets: read_targets("mi-7", "").unwrap(),
                ..WindowTask::default()
            }],
            ..WindowState::default()
        };
        fields.seen = serde_json::to_string(&before).ok();
        (fields.id, fields.task_target) = (given("k-1"), given("="));
        assert_eq!(fields.task_targets().unwrap(), before.tasks[0].targets);
        fields.task_nodes = given("mi-1");
        assert_eq!(fields.task_targets().unwrap()[0].values, ["mi-1"]);
        fields.task_target = given("t-1");
        assert!(fields.task_targets().unwrap_err().about("task_nodes").is_some());
    }
}
