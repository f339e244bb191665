//! What the address of the list of requests says, and the addresses of its neighbours.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::approvals::{Act, RequestState, Tab};
use muster_domain::error::FieldError;
#[cfg(any(feature = "ssr", test))]
use muster_domain::{approvals::RequestQuery, paging::Cursor};

/// The path of the page.
pub(super) const PATH: &str = "/approvals";

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestsUrl {
    pub(super) tab: Tab,
    pub(super) state: Option<RequestState>,
    pub(super) act: Option<Act>,
    pub(super) text: String,
    pub(super) cursor: Option<String>,
    /// The request that is shown beside the list.
    pub(super) selected: Option<String>,
    /// Whether the address is not the plain one of this state, because a form made it.
    pub(super) untidy: bool,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

/// The thing of that name, if one is given.
fn read<T: Copy>(
    query: &Query,
    field: &'static str,
    noun: &str,
    all: &[(&str, T)],
) -> Result<Option<T>, FieldError> {
    let Some(text) = query.text(field) else {
        return Ok(None);
    };
    let found = all
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, thing)| *thing);
    found.map(Some).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
        FieldError::new(
            field,
            format!("“{text}” is no {noun}: it is one of {}.", words.join(", ")),
        )
    })
}

impl RequestsUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        let tabs = Tab::ALL.map(|tab| (tab.as_str(), tab));
        let states = RequestState::ALL.map(|state| (state.as_str(), state));
        let acts: Vec<(&str, Act)> = Act::ALL
            .into_iter()
            .chain([Act::AnswerStep])
            .map(|act| (act.as_str(), act))
            .collect();
        let mut url = Self {
            tab: keep(read(query, "tab", "list", &tabs), &mut problems).unwrap_or_default(),
            state: keep(read(query, "state", "state", &states), &mut problems),
            act: keep(read(query, "act", "act", &acts), &mut problems),
            text: query.text("q").unwrap_or_default(),
            cursor: query.text("cursor"),
            selected: query.text("selected"),
            untidy: false,
            problems,
        };
        url.untidy = !query.is_said_by(&url.address());
        url
    }

    /// The same, when all of it could be read.
    ///
    /// # Errors
    /// What could not.
    pub(super) fn readable(self) -> Result<Self, PortalError> {
        PortalError::from_fields(self.problems.clone())?;
        Ok(self)
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        let tab = if self.tab == Tab::default() {
            ""
        } else {
            self.tab.as_str()
        };
        address(
            PATH,
            [
                ("tab", tab.to_owned()),
                (
                    "state",
                    self.state
                        .map(RequestState::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
                ("act", self.act.map(Act::as_str).unwrap_or_default().to_owned()),
                ("q", self.text.clone()),
                ("cursor", self.cursor.clone().unwrap_or_default()),
                ("selected", self.selected.clone().unwrap_or_default()),
            ],
        )
    }

    /// The part after `?` that says which rows, for the server function.
    pub(super) fn rows(&self) -> String {
        let address = self.with_selected(None).address();
        address
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default()
    }

    /// The same list with that request beside it.
    pub(super) fn with_selected(&self, selected: Option<String>) -> Self {
        Self {
            selected,
            ..self.clone()
        }
    }

    /// The same list from another page on, or from its beginning.
    pub(super) fn page(&self, cursor: Option<String>) -> Self {
        Self {
            cursor,
            selected: None,
            ..self.clone()
        }
    }

    /// Another list, with nothing filtered.
    pub(super) fn on(tab: Tab) -> Self {
        Self {
            tab,
            ..Self::default()
        }
    }

    /// Whether anything but the list itself narrows it.
    pub(super) fn is_filtered(&self) -> bool {
        self.state.is_some() || self.act.is_some() || !self.text.is_empty()
    }

    /// The question for the service.
    #[cfg(any(feature = "ssr", test))]
    pub(super) fn query(self) -> RequestQuery {
        RequestQuery {
            tab: self.tab,
            state: self.state,
            act: self.act,
            text: self.text,
            cursor: self.cursor.map(Cursor),
            limit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for text in [
            "/approvals",
            "/approvals?tab=history&state=rejected&act=commands.run&q=OPS-1&cursor=x&selected=CR-1042",
            "/approvals?tab=mine&act=runbooks.signal",
        ] {
            let url = RequestsUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(url.address(), text);
            assert!(!url.untidy);
        }
        let form = RequestsUrl::read(&Query::parse("tab=waiting&state=&act=&q=+disk+"));
        assert!(form.untidy);
        assert_eq!(form.address(), "/approvals?q=disk");
    }

    #[test]
    fn what_is_beside_the_list_is_no_question_to_it() {
        let url = RequestsUrl::read(&Query::parse("tab=all&selected=CR-7&cursor=9"));
        assert_eq!(url.rows(), "tab=all&cursor=9");
        assert_eq!(url.page(None).address(), "/approvals?tab=all");
        assert_eq!(url.query().cursor, Some(Cursor("9".into())));
        assert!(!RequestsUrl::on(Tab::History).is_filtered());
    }

    #[test]
    fn what_cannot_be_read_is_said_and_not_taken_for_nothing() {
        let refused = RequestsUrl::read(&Query::parse("tab=yours&state=fine&act=dance"))
            .readable()
            .unwrap_err();
        for (field, word) in [("tab", "yours"), ("state", "fine"), ("act", "dance")] {
            assert!(refused.about(field).unwrap().contains(word), "{field}");
        }
    }
}
