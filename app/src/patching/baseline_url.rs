//! What the addresses of the baseline pages say, and the addresses of their neighbours.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::patching::{OPERATING_SYSTEMS, short_id};

/// The page of a baseline.
pub(crate) fn view_path(baseline_id: &str) -> String {
    format!("/patching/baselines/{}", short_id(baseline_id))
}

/// The page where a baseline is changed.
pub(super) fn edit_path(baseline_id: &str) -> String {
    format!("{}/edit", view_path(baseline_id))
}

/// The page where a baseline is copied to one of one's own.
pub(super) fn copy_path(baseline_id: &str) -> String {
    address(
        "/patching/baselines/new",
        [("copy", short_id(baseline_id).to_owned())],
    )
}

/// The page where it is said for what a baseline holds, or where it is deleted.
pub(super) fn do_path(baseline_id: &str, what: &str, group: &str) -> String {
    address(
        &view_path(baseline_id),
        [("do", what.to_owned()), ("group", group.to_owned())],
    )
}

/// The comparison of what a baseline said at two times.
pub(super) fn compare_path(baseline_id: &str, old: i64, new: i64) -> String {
    address(
        &view_path(baseline_id),
        [("old", old.to_string()), ("new", new.to_string())],
    )
}

/// The word of an operating system; empty is any.
///
/// # Errors
/// When there is no such system.
pub(super) fn read_system(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() || OPERATING_SYSTEMS.iter().any(|(word, _)| *word == text) {
        Ok(text.to_owned())
    } else {
        Err(FieldError::new(
            "system",
            format!("“{text}” is no operating system that baselines are for."),
        ))
    }
}

/// Whose baselines: one's own or those that come with Systems Manager.
///
/// # Errors
/// When it is another word.
pub(super) fn read_owner(text: &str) -> Result<Option<bool>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        "own" => Ok(Some(true)),
        "given" => Ok(Some(false)),
        text => Err(FieldError::new(
            "owner",
            format!("“{text}” is no owner: there are own and given."),
        )),
    }
}

/// The state of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BaselinesUrl {
    pub(super) system: String,
    pub(super) own: Option<bool>,
    pub(super) text: String,
    /// What could not be read.
    pub(super) problems: Vec<FieldError>,
}

impl BaselinesUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        Self {
            system: keep(
                read_system(query.get("system").unwrap_or_default()),
                &mut problems,
            ),
            own: keep(read_owner(query.get("owner").unwrap_or_default()), &mut problems),
            text: query.text("text").unwrap_or_default(),
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

    /// The word for whose baselines.
    pub(super) const fn owner(&self) -> &'static str {
        match self.own {
            None => "",
            Some(true) => "own",
            Some(false) => "given",
        }
    }

    /// Whether anything narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        !self.system.is_empty() || self.own.is_some() || !self.text.is_empty()
    }
}

/// What is about to be done with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing: it is looked at.
    #[default]
    Nothing,
    /// It is deleted.
    Delete,
    /// It becomes the default.
    SetDefault,
    /// It is given a patch group.
    AddGroup,
    /// A patch is excepted on it.
    Except,
    /// A patch group is taken from it.
    RemoveGroup(String),
}

/// The state of one baseline's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ViewUrl {
    /// The versions that are compared.
    pub(super) compared: Option<(i64, i64)>,
    /// Whether it was changed a moment ago.
    pub(super) saved: bool,
    /// What is about to be done.
    pub(super) doing: Doing,
}

impl ViewUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
        Self {
            compared: number("old").zip(number("new")),
            saved: query.get("saved").is_some(),
            doing: match (query.get("do"), query.text("group")) {
                (Some("delete"), _) => Doing::Delete,
                (Some("default"), _) => Doing::SetDefault,
                (Some("group"), _) => Doing::AddGroup,
                (Some("except"), _) => Doing::Except,
                (Some("ungroup"), Some(group)) => Doing::RemoveGroup(group),
                _ => Doing::Nothing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(path: &str) -> Query {
        Query::parse(path.split_once('?').map_or("", |(_, query)| query))
    }

    #[test]
    fn addresses_are_short_and_read_again() {
        let id = "arn:aws:ssm:eu-west-1:aws:patchbaseline/pb-1";
        assert_eq!(view_path(id), "/patching/baselines/pb-1");
        assert_eq!(edit_path(id), "/patching/baselines/pb-1/edit");
        assert_eq!(copy_path(id), "/patching/baselines/new?copy=pb-1");
        let doing = |what: &str, group: &str| ViewUrl::read(&query(&do_path(id, what, group))).doing;
        assert_eq!(doing("ungroup", "web"), Doing::RemoveGroup("web".into()));
        assert_eq!(doing("delete", ""), Doing::Delete);
        assert_eq!(
            ViewUrl::read(&query(&compare_path(id, 1, 2))).compared,
            Some((1, 2))
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let state = BaselinesUrl::read(&Query::parse("system=DEBIAN&owner=own&text=web"));
        assert_eq!((state.system.as_str(), state.owner()), ("DEBIAN", "own"));
        assert!(state.is_filtered());
        for (wrong, field) in [("system=OS2", "system"), ("owner=me", "owner")] {
            let refused = BaselinesUrl::read(&Query::parse(wrong)).readable().unwrap_err();
            assert!(refused.about(field).is_some(), "{wrong}");
        }
    }
}
