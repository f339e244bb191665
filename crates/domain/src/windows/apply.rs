//! What a window is after a change: without looking anything up.

use super::input::WindowChange;
use super::state::{TargetKey, WINDOW_TARGETS, WindowState, WindowTarget, WindowTask};
use crate::error::PortalError;

fn no(message: impl Into<String>) -> PortalError {
    PortalError::Conflict {
        message: message.into(),
    }
}

/// A task with the targets that it really runs on, as far as the window has them.
fn placed(task: &WindowTask, state: &WindowState) -> Result<WindowTask, PortalError> {
    let mut task = task.clone();
    let means_all = |key: &TargetKey| key.key == WINDOW_TARGETS && key.values.is_empty();
    if task.targets.iter().any(means_all) || task.is_command() && task.targets.is_empty() {
        let all: Vec<String> = state.targets.iter().map(|target| target.id.clone()).collect();
        if all.is_empty() {
            return Err(PortalError::invalid(
                "task_target",
                "This window has no targets yet: register one, or name nodes.",
            ));
        }
        task.targets = vec![TargetKey {
            key: WINDOW_TARGETS.into(),
            values: all,
        }];
    }
    if task.targets.is_empty() {
        // Systems Manager takes no rates where there is nothing to count.
        task.max_concurrency.clear();
        task.max_errors.clear();
    }
    let is_known = |id: &String| state.targets.iter().any(|target| &target.id == id);
    let named = task.targets.iter().filter(|key| key.key == WINDOW_TARGETS);
    if !named.flat_map(|key| &key.values).all(is_known) {
        return Err(PortalError::invalid(
            "task_target",
            "This target is not registered with the window (any more): choose another one.",
        ));
    }
    if task.targets.iter().any(TargetKey::is_by_id) && !state.settings.allow_unassociated {
        return Err(PortalError::invalid(
            "task_nodes",
            "This window runs nothing on nodes that are no targets of it: register them as a target.",
        ));
    }
    Ok(task)
}

impl WindowChange {
    /// What a window is after this; nothing where it is deleted.
    ///
    /// # Errors
    /// Why it cannot be done with the window that there is.
    pub fn apply(&self, now: Option<&WindowState>) -> Result<Option<WindowState>, PortalError> {
        if let Self::Create { settings } = self {
            return Ok(Some(WindowState {
                settings: settings.clone(),
                ..WindowState::default()
            }));
        }
        let Some(mut state) = now.cloned() else {
            return Err(PortalError::NotFound {
                what: "The maintenance window".into(),
            });
        };
        match self {
            Self::Create { .. } => {}
            Self::Delete => return Ok(None),
            Self::Edit { settings } => state.settings = settings.clone(),
            Self::Enable { enabled } => state.settings.enabled = *enabled,
            Self::AddTarget { target } => state.targets.push(target.clone()),
            Self::RemoveTarget { target } => {
                let is_it = |one: &WindowTarget| &one.id == target;
                let names_it = |task: &&WindowTask| {
                    task.targets
                        .iter()
                        .any(|key| key.key == WINDOW_TARGETS && key.values.contains(target))
                };
                if !state.targets.iter().any(is_it) {
                    return Err(no("This target is not registered any more."));
                }
                if let Some(task) = state.tasks.iter().find(names_it) {
                    return Err(no(format!(
                        "The task {} runs on it: deregister that first.",
                        task.label()
                    )));
                }
                state.targets.retain(|one| !is_it(one));
            }
            Self::EditTarget { target } => {
                let is_it = |one: &&mut WindowTarget| one.id == target.id;
                let Some(old) = state.targets.iter_mut().find(is_it) else {
                    return Err(no("This target is not registered any more."));
                };
                old.clone_from(target);
            }
            Self::AddTask { task } => {
                let task = placed(task, &state)?;
                state.tasks.push(task);
            }
            Self::EditTask { task } => {
                let new = placed(task, &state)?;
                let Some(old) = state.tasks.iter_mut().find(|one| one.id == task.id) else {
                    return Err(no("This task is not registered any more."));
                };
                if (&old.kind, &old.document) != (&new.kind, &new.document) {
                    return Err(PortalError::invalid(
                        "document",
                        "A task keeps its document: register another task for another one.",
                    ));
                }
                *old = WindowTask {
                    cutoff_behavior: old.cutoff_behavior.clone(),
                    others: old.others.clone(),
                    ..new
                };
            }
            Self::RemoveTask { task } => {
                let before = state.tasks.len();
                state.tasks.retain(|one| &one.id != task);
                if state.tasks.len() == before {
                    return Err(no("This task is not registered any more."));
                }
            }
        }
        Ok(Some(state))
    }
}
