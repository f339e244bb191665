//! What the address of an execution's page says, and the addresses of its neighbours.

use crate::url::{Query, address};

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TabName {
    #[default]
    Steps,
    Graph,
    Definition,
    Audit,
}

impl TabName {
    pub(super) const ALL: [Self; 4] = [Self::Steps, Self::Graph, Self::Definition, Self::Audit];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Graph => "graph",
            Self::Definition => "definition",
            Self::Audit => "audit",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Steps => "Steps",
            Self::Graph => "Graph",
            Self::Definition => "Definition",
            Self::Audit => "Audit",
        }
    }
}

/// The state of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExecutionUrl {
    pub(super) id: String,
    pub(super) tab: TabName,
    /// The step on show, by its place.
    pub(super) step: Option<u32>,
}

impl ExecutionUrl {
    /// Reads the query of the address.
    pub(super) fn read(id: String, query: &Query) -> Self {
        let word = query.get("tab").unwrap_or_default();
        Self {
            id,
            tab: TabName::ALL
                .into_iter()
                .find(|tab| tab.word() == word)
                .unwrap_or_default(),
            step: query.get("step").and_then(|text| text.parse().ok()),
        }
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        let tab = if self.tab == TabName::Steps {
            ""
        } else {
            self.tab.word()
        };
        address(
            &format!("/executions/{}", self.id),
            [
                ("tab", tab.to_owned()),
                ("step", self.step.map(|step| step.to_string()).unwrap_or_default()),
            ],
        )
    }

    /// Another part.
    pub(super) fn tab(&self, tab: TabName) -> Self {
        Self {
            id: self.id.clone(),
            tab,
            step: None,
        }
    }

    /// The steps with that one open, or with none.
    pub(super) fn with_step(&self, step: Option<u32>) -> String {
        Self {
            step,
            ..self.tab(TabName::Steps)
        }
        .address()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for text in [
            "/executions/e-1",
            "/executions/e-1?step=3",
            "/executions/e-1?tab=graph",
            "/executions/e-1?tab=audit",
        ] {
            let query = Query::parse(text.split_once('?').map_or("", |(_, query)| query));
            let state = ExecutionUrl::read("e-1".into(), &query);
            assert_eq!(state.address(), text);
            assert_eq!(state.with_step(Some(2)), "/executions/e-1?step=2");
        }
    }
}
