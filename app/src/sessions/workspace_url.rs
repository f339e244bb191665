//! What the address of a terminal says: which session, which one beside it, and whether only to look on.

use super::words::terminal_address;
use crate::url::{Query, address};

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WorkspaceUrl {
    pub(super) id: String,
    pub(super) beside: Option<String>,
    pub(super) watch: bool,
}

impl WorkspaceUrl {
    /// Reads an address. A session is never shown beside itself.
    pub(super) fn read(id: String, query: &Query) -> Self {
        Self {
            beside: query.text("beside").filter(|beside| *beside != id),
            watch: query.get("watch") == Some("1"),
            id,
        }
    }

    /// The sessions on show.
    pub(super) fn on_show(&self) -> Vec<String> {
        [Some(self.id.clone()), self.beside.clone()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        address(
            &terminal_address(&self.id),
            [
                ("beside", self.beside.clone().unwrap_or_default()),
                ("watch", if self.watch { "1".into() } else { String::new() }),
            ],
        )
    }

    /// Another session in its place. The one beside stays; when it is that one, the two change places.
    pub(super) fn tab(&self, id: &str) -> String {
        let beside = match &self.beside {
            Some(beside) if beside == id => Some(self.id.clone()),
            other => other.clone(),
        };
        Self {
            id: id.to_owned(),
            beside,
            watch: false,
        }
        .address()
    }

    /// With another session beside, or none.
    pub(super) fn with_beside(&self, beside: Option<&str>) -> String {
        Self {
            beside: beside.map(ToOwned::to_owned),
            ..self.clone()
        }
        .address()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> WorkspaceUrl {
        WorkspaceUrl::read("a".into(), &Query::parse(query))
    }

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for query in ["", "?beside=b", "?beside=b&watch=1"] {
            assert_eq!(read(query).address(), format!("/terminals/a{query}"));
        }
        assert_eq!(read("?beside=a").beside, None, "not beside itself");
    }

    #[test]
    fn tabs_keep_what_is_beside_or_change_places() {
        assert_eq!(read("?beside=b&watch=1").tab("c"), "/terminals/c?beside=b");
        assert_eq!(read("?beside=b").tab("b"), "/terminals/b?beside=a");
        assert_eq!(read("?beside=b").with_beside(None), "/terminals/a");
        assert_eq!(read("").with_beside(Some("z")), "/terminals/a?beside=z");
    }
}
