//! What the address of a runbook's page says, and the addresses of its neighbours.

use super::catalogue_url::runbook_path;
use crate::url::{Query, address};

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TabName {
    #[default]
    Overview,
    Versions,
    Content,
}

impl TabName {
    pub(super) const ALL: [Self; 3] = [Self::Overview, Self::Versions, Self::Content];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Versions => "versions",
            Self::Content => "content",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Versions => "Versions",
            Self::Content => "Content",
        }
    }
}

/// The state of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunbookUrl {
    pub(super) name: String,
    pub(super) tab: TabName,
    /// The version on show; the default one without.
    pub(super) version: Option<String>,
    /// The versions to hold against each other.
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    /// The two side by side rather than as one list of lines.
    pub(super) split: bool,
}

impl RunbookUrl {
    /// Reads the query of the address.
    pub(super) fn read(name: String, query: &Query) -> Self {
        let word = query.get("tab").unwrap_or_default();
        Self {
            name,
            tab: TabName::ALL
                .into_iter()
                .find(|tab| tab.word() == word)
                .unwrap_or_default(),
            version: query.text("version"),
            old: query.text("old"),
            new: query.text("new"),
            split: query.get("view") == Some("split"),
        }
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        let tab = if self.tab == TabName::Overview {
            ""
        } else {
            self.tab.word()
        };
        address(
            &runbook_path(&self.name),
            [
                ("tab", tab.to_owned()),
                ("version", self.version.clone().unwrap_or_default()),
                ("old", self.old.clone().unwrap_or_default()),
                ("new", self.new.clone().unwrap_or_default()),
                ("view", if self.split { "split".into() } else { String::new() }),
            ],
        )
    }

    /// Another part of the same version.
    pub(super) fn tab(&self, tab: TabName) -> Self {
        Self {
            tab,
            old: None,
            new: None,
            split: false,
            ..self.clone()
        }
    }

    /// The same part of another version.
    pub(super) fn with_version(&self, version: &str) -> String {
        Self {
            version: Some(version.to_owned()),
            ..self.tab(TabName::Overview)
        }
        .address()
    }

    /// What `new` says against what `old` says.
    pub(super) fn comparing(&self, old: &str, new: &str, split: bool) -> String {
        Self {
            old: Some(old.to_owned()),
            new: Some(new.to_owned()),
            split,
            ..self.tab(TabName::Versions)
        }
        .address()
    }

    /// The page on which this version is started.
    pub(super) fn start(&self) -> String {
        address(
            &format!("{}/start", runbook_path(&self.name)),
            [("version", self.version.clone().unwrap_or_default())],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for text in [
            "/runbooks/Own-A",
            "/runbooks/Own-A?tab=versions&old=1&new=2&view=split",
            "/runbooks/Own-A?tab=content&version=3",
        ] {
            let query = Query::parse(text.split_once('?').map_or("", |(_, query)| query));
            let state = RunbookUrl::read("Own-A".into(), &query);
            assert_eq!(state.address(), text);
            assert_eq!(
                state.comparing("1", "2", false).split_once('?').unwrap().0,
                "/runbooks/Own-A"
            );
        }
    }
}
