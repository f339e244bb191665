//! What the addresses of the parameter pages say, and the addresses of their neighbours.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::parameters::{ParameterKind, ParameterTier, is_folder};

/// The page of a parameter.
pub(super) fn view_path(name: &str) -> String {
    address("/parameters/view", [("name", name.to_owned())])
}

/// The page where a parameter is changed.
pub(super) fn edit_path(name: &str) -> String {
    address("/parameters/edit", [("name", name.to_owned())])
}

/// The list of a folder.
pub(super) fn folder_path(folder: &str) -> String {
    address("/parameters", [("path", folder.to_owned())])
}

/// The comparison of two versions.
pub(super) fn compare_path(name: &str, old: i64, new: i64) -> String {
    address(
        "/parameters/view",
        [
            ("name", name.to_owned()),
            ("old", old.to_string()),
            ("new", new.to_string()),
        ],
    )
}

/// The folder in the address, without slashes at its ends.
///
/// # Errors
/// When it can be none.
pub(super) fn read_folder(text: &str) -> Result<String, FieldError> {
    let folder = text.trim().trim_matches('/').to_owned();
    if is_folder(&folder) {
        Ok(folder)
    } else {
        Err(FieldError::new(
            "path",
            format!("“{text}” is no folder: write names with single slashes between them."),
        ))
    }
}

/// What a parameter holds, if that is given.
///
/// # Errors
/// When there is no such type.
pub(super) fn read_kind(text: &str) -> Result<Option<ParameterKind>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => ParameterKind::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "type",
                format!("“{text}” is no type: there are String, StringList and SecureString."),
            )
        }),
    }
}

/// The tier, if one is given.
///
/// # Errors
/// When there is no such tier.
pub(super) fn read_tier(text: &str) -> Result<Option<ParameterTier>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => ParameterTier::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "tier",
                format!("“{text}” is no tier: there are Standard and Advanced."),
            )
        }),
    }
}

/// The state of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListUrl {
    pub(super) folder: String,
    pub(super) text: String,
    pub(super) kind: Option<ParameterKind>,
    pub(super) tier: Option<ParameterTier>,
    pub(super) label: String,
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
            folder: keep(read_folder(given("path")), &mut problems),
            text: query.text("text").unwrap_or_default(),
            kind: keep(read_kind(given("type")), &mut problems),
            tier: keep(read_tier(given("tier")), &mut problems),
            label: query.text("label").unwrap_or_default(),
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

    /// Whether anything but the folder narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.kind.is_some() || self.tier.is_some() || !self.label.is_empty()
    }

    fn pairs(&self) -> [(&'static str, String); 5] {
        let word = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
        [
            ("path", self.folder.clone()),
            ("text", self.text.clone()),
            ("type", word(self.kind.map(ParameterKind::as_str))),
            ("tier", word(self.tier.map(ParameterTier::as_str))),
            ("label", self.label.clone()),
        ]
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        let cursor = ("cursor", cursor.unwrap_or_default());
        address("/parameters", self.pairs().into_iter().chain([cursor]))
    }

    /// The address of a file with what the list is of, of all its pages.
    pub(super) fn export(&self, kind: &str) -> String {
        address(&format!("/export/parameters.{kind}"), self.pairs())
    }

    /// The folders on the way here, each with its address; the last one is this.
    pub(super) fn trail(&self) -> Vec<(String, String)> {
        let mut path = String::new();
        let parts = self.folder.split('/').filter(|part| !part.is_empty());
        parts
            .map(|part| {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
                (part.to_owned(), folder_path(&path))
            })
            .collect()
    }
}

/// What is about to be done with a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing: it is looked at.
    #[default]
    Nothing,
    /// It is deleted.
    Delete,
    /// That version is brought back.
    Restore(i64),
    /// That version gets labels.
    Label(i64),
    /// That version loses a label.
    Unlabel(i64, String),
}

/// What was done with labels a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Labelled {
    /// They were set.
    Set,
    /// One was taken away.
    Taken,
}

impl Labelled {
    const fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Taken => "taken",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Set, Self::Taken]
            .into_iter()
            .find(|one| one.word() == text)
    }
}

/// The page of a parameter after its labels were changed.
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "the server leads there"))]
pub(super) fn labelled_path(name: &str, what: Labelled) -> String {
    address(
        "/parameters/view",
        [("name", name.to_owned()), ("labels", what.word().to_owned())],
    )
}

/// The page where a version gets labels.
pub(super) fn label_path(name: &str, version: i64) -> String {
    address(
        "/parameters/view",
        [
            ("name", name.to_owned()),
            ("do", "label".into()),
            ("version", version.to_string()),
        ],
    )
}

/// The page where a version loses a label.
pub(super) fn unlabel_path(name: &str, version: i64, label: &str) -> String {
    address(
        "/parameters/view",
        [
            ("name", name.to_owned()),
            ("do", "unlabel".into()),
            ("version", version.to_string()),
            ("label", label.to_owned()),
        ],
    )
}

/// The page where a parameter is deleted.
pub(super) fn delete_path(name: &str) -> String {
    address(
        "/parameters/view",
        [("name", name.to_owned()), ("do", "delete".into())],
    )
}

/// The page where a version is brought back.
pub(super) fn restore_path(name: &str, version: i64) -> String {
    address(
        "/parameters/view",
        [
            ("name", name.to_owned()),
            ("do", "restore".into()),
            ("version", version.to_string()),
        ],
    )
}

/// The page where a secret is looked at on approval.
pub(crate) fn use_path(name: &str, version: Option<i64>, request: &str) -> String {
    address(
        "/parameters/view",
        [
            ("name", name.to_owned()),
            (
                "version",
                version.map(|version| version.to_string()).unwrap_or_default(),
            ),
            ("request", request.to_owned()),
        ],
    )
}

/// The state of one parameter's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ViewUrl {
    pub(super) name: String,
    /// The versions that are compared.
    pub(super) compared: Option<(i64, i64)>,
    /// The version that was written a moment ago.
    pub(super) saved: Option<i64>,
    /// Whether that replaced one that nobody here has seen.
    pub(super) unseen: bool,
    /// The request on which a secret may be seen.
    pub(super) request: Option<String>,
    /// The version that is shown first.
    pub(super) version: Option<i64>,
    /// What was done with labels a moment ago.
    pub(super) labelled: Option<Labelled>,
    /// What is about to be done.
    pub(super) doing: Doing,
}

impl ViewUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
        Self {
            name: query.text("name").unwrap_or_default(),
            compared: number("old").zip(number("new")),
            saved: number("saved"),
            unseen: query.get("unseen").is_some(),
            request: query.text("request"),
            version: number("version"),
            labelled: query.get("labels").and_then(Labelled::read),
            doing: match (query.get("do"), number("version")) {
                (Some("delete"), _) => Doing::Delete,
                (Some("restore"), Some(version)) => Doing::Restore(version),
                (Some("label"), Some(version)) => Doing::Label(version),
                (Some("unlabel"), Some(version)) => match query.text("label") {
                    Some(label) => Doing::Unlabel(version, label),
                    None => Doing::Nothing,
                },
                _ => Doing::Nothing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for text in [
            "/parameters",
            "/parameters?path=app/prod&text=db&type=SecureString&tier=Advanced&label=live&cursor=x",
        ] {
            let state = ListUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(state.page(state.cursor.clone()), text);
        }
        for (query, field) in [
            ("path=a//b", "path"),
            ("type=Secret", "type"),
            ("tier=Gold", "tier"),
        ] {
            let refused = ListUrl::read(&Query::parse(query)).readable().unwrap_err();
            assert!(refused.about(field).is_some(), "{query}");
        }
    }

    #[test]
    fn a_trail_leads_back_up() {
        let state = ListUrl::read(&Query::parse("path=/app/prod/"));
        let trail = state.trail();
        assert_eq!(trail[0], ("app".into(), "/parameters?path=app".into()));
        assert_eq!(trail[1], ("prod".into(), "/parameters?path=app/prod".into()));
        assert_eq!(view_path("/app/x"), "/parameters/view?name=/app/x");
        let read =
            |path: &str| ViewUrl::read(&Query::parse(path.split_once('?').map_or("", |(_, query)| query)));
        assert_eq!(read(&delete_path("/a")).doing, Doing::Delete);
        assert_eq!(read(&restore_path("/a", 2)).doing, Doing::Restore(2));
        assert_eq!(read(&label_path("/a", 2)).doing, Doing::Label(2));
        assert_eq!(
            read(&unlabel_path("/a", 2, "live")).doing,
            Doing::Unlabel(2, "live".into())
        );
        for what in [Labelled::Set, Labelled::Taken] {
            assert_eq!(read(&labelled_path("/a", what)).labelled, Some(what));
        }
        let used = read(&use_path("/a", Some(2), "CR-7"));
        assert_eq!(
            (used.doing, used.version, used.request.as_deref()),
            (Doing::Nothing, Some(2), Some("CR-7"))
        );
        let view = ViewUrl::read(&Query::parse("name=/a&old=1&new=3"));
        assert_eq!((view.name.as_str(), view.compared), ("/a", Some((1, 3))));
    }
}
