//! What the addresses of the pages of maintenance windows say, and the addresses of their neighbours.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::windows::WindowStanding;

/// The page of a window.
pub(crate) fn view_path(id: &str) -> String {
    format!("/windows/{id}")
}

/// The page where a window's settings are changed.
pub(super) fn edit_path(id: &str) -> String {
    format!("/windows/{id}/edit")
}

/// Where one goes after a change.
#[cfg(feature = "ssr")]
pub(super) fn saved_path(what: &str, id: &str) -> String {
    if what == "delete" {
        return "/windows".to_owned();
    }
    address(&view_path(id), [("saved", what.to_owned())])
}

/// The page of a window where something is about to be done with it.
pub(super) fn do_path(id: &str, what: &str, which: &str) -> String {
    address(
        &view_path(id),
        [("do", what.to_owned()), ("id", which.to_owned())],
    )
}

/// The same with a runbook, or none where the task says it, in one of its versions.
pub(super) fn version_path(base: &str, runbook: &str, version: &str) -> String {
    let more = address(
        "",
        [("runbook", runbook.to_owned()), ("version", version.to_owned())],
    );
    format!("{base}{}", more.replacen('?', "&", 1))
}

/// One execution of a window.
pub(super) fn execution_path(id: &str, execution: &str) -> String {
    address(&view_path(id), [("execution", execution.to_owned())])
}

/// Whether windows may open, if that is given.
///
/// # Errors
/// When it is neither.
pub(super) fn read_enabled(text: &str) -> Result<Option<bool>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        other => Err(FieldError::new(
            "enabled",
            format!("“{other}” is neither yes nor no."),
        )),
    }
}

/// How windows went the last time, if that is given.
///
/// # Errors
/// When there is no such word.
pub(super) fn read_standing(text: &str) -> Result<Option<WindowStanding>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => WindowStanding::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "last",
                format!("“{text}” is none of success, failed, running and never."),
            )
        }),
    }
}

/// The state of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListUrl {
    pub(super) text: String,
    pub(super) enabled: Option<bool>,
    pub(super) standing: Option<WindowStanding>,
    pub(super) cursor: Option<String>,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

impl ListUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        let given = |name: &str| query.get(name).unwrap_or_default();
        Self {
            text: query.text("text").unwrap_or_default(),
            enabled: keep(read_enabled(given("enabled")), &mut problems),
            standing: keep(read_standing(given("last")), &mut problems),
            cursor: query.text("cursor"),
            problems,
        }
    }

    /// The same, when all of it could be read.
    ///
    /// # Errors
    /// What could not.
    pub(super) fn readable(self) -> Result<Self, PortalError> {
        PortalError::from_fields(self.problems.clone())?;
        Ok(self)
    }

    /// Whether anything narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.enabled.is_some() || self.standing.is_some()
    }

    /// The word for whether windows may open.
    pub(super) fn enabled_word(&self) -> String {
        match self.enabled {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        }
        .to_owned()
    }

    /// The word for how they went.
    pub(super) fn standing_word(&self) -> String {
        self.standing
            .map(WindowStanding::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        address(
            "/windows",
            [
                ("text", self.text.clone()),
                ("enabled", self.enabled_word()),
                ("last", self.standing_word()),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }
}

/// What a task runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskDocument {
    /// Its name.
    pub(super) name: String,
    /// Whether it is a runbook.
    pub(super) is_runbook: bool,
    /// In which version; empty is the default one.
    pub(super) version: String,
}

impl TaskDocument {
    fn read(query: &Query) -> Self {
        let version = query.text("version").unwrap_or_default();
        match query.text("runbook") {
            Some(name) => Self {
                name,
                is_runbook: true,
                version,
            },
            None => Self {
                name: query.text("document").unwrap_or_default(),
                is_runbook: false,
                version,
            },
        }
    }
}

/// What is about to be done with a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing: it is looked at.
    #[default]
    Nothing,
    /// It may open, or may not any more.
    Enable(bool),
    /// It is deleted.
    Delete,
    /// Nodes are registered.
    AddTarget,
    /// That target is changed.
    EditTarget(String),
    /// That target is deregistered.
    RemoveTarget(String),
    /// A task is registered that runs that document; none is chosen yet where it is empty.
    AddTask(TaskDocument),
    /// That task is changed, and runs that version from then on where one is chosen.
    EditTask(String, Option<String>),
    /// That task is deregistered.
    RemoveTask(String),
}

/// The state of one window's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ViewUrl {
    /// Which execution is shown in full.
    pub(super) execution: Option<String>,
    /// What was done a moment ago.
    pub(super) saved: Option<String>,
    /// What is about to be done.
    pub(super) doing: Doing,
}

impl ViewUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let which = || query.text("id").unwrap_or_default();
        Self {
            execution: query.text("execution"),
            saved: query.text("saved"),
            doing: match query.get("do") {
                Some("enable") => Doing::Enable(true),
                Some("disable") => Doing::Enable(false),
                Some("delete") => Doing::Delete,
                Some("add-target") => Doing::AddTarget,
                Some("remove-target") => Doing::RemoveTarget(which()),
                Some("edit-target") => Doing::EditTarget(which()),
                Some("add-task") => Doing::AddTask(TaskDocument::read(query)),
                Some("edit-task") => Doing::EditTask(which(), query.get("version").map(str::to_owned)),
                Some("remove-task") => Doing::RemoveTask(which()),
                _ => Doing::Nothing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_state() {
        let state = ListUrl::read(&Query::parse("text=night&enabled=no&last=failed"));
        assert_eq!(
            (state.enabled, state.standing),
            (Some(false), Some(WindowStanding::Failed))
        );
        assert!(state.is_filtered());
        assert_eq!(
            state.page(Some("c".into())),
            "/windows?text=night&enabled=no&last=failed&cursor=c"
        );
        assert!(
            ListUrl::read(&Query::parse("enabled=perhaps"))
                .readable()
                .is_err()
        );
        assert!(ListUrl::read(&Query::parse("last=well")).readable().is_err());
        let read =
            |path: &str| ViewUrl::read(&Query::parse(path.split_once('?').map_or("", |(_, query)| query)));
        assert_eq!(read(&do_path("mw-1", "disable", "")).doing, Doing::Enable(false));
        assert_eq!(
            read(&do_path("mw-1", "remove-task", "k-1")).doing,
            Doing::RemoveTask("k-1".into())
        );
        let chosen = version_path(&do_path("mw-1", "add-task", ""), "Own-A", "3");
        assert_eq!(
            read(&chosen).doing,
            Doing::AddTask(TaskDocument {
                name: "Own-A".into(),
                is_runbook: true,
                version: "3".into(),
            })
        );
        let older = version_path(&do_path("mw-1", "edit-task", "k-1"), "", "2");
        assert_eq!(
            read(&older).doing,
            Doing::EditTask("k-1".into(), Some("2".into()))
        );
        assert_eq!(
            read(&execution_path("mw-1", "e-1")).execution.as_deref(),
            Some("e-1")
        );
        assert_eq!(read("/windows/mw-1").doing, Doing::Nothing);
    }
}
