//! What the address of a command's page says, and the addresses of its neighbours.

use crate::url::{Query, address};
use muster_domain::commands::{CommandStatus, OutputStream};

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TabName {
    #[default]
    Summary,
    Nodes,
    Log,
    Definition,
}

impl TabName {
    pub(super) const ALL: [Self; 4] = [Self::Summary, Self::Nodes, Self::Log, Self::Definition];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Nodes => "nodes",
            Self::Log => "log",
            Self::Definition => "definition",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Nodes => "Nodes",
            Self::Log => "Log",
            Self::Definition => "Definition",
        }
    }
}

/// The state of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DetailUrl {
    pub(super) id: String,
    pub(super) tab: TabName,
    pub(super) status: Option<CommandStatus>,
    pub(super) text: String,
    pub(super) cursor: Option<String>,
    pub(super) node: Option<String>,
    pub(super) stream: OutputStream,
}

impl DetailUrl {
    /// Reads the query of the address.
    pub(super) fn read(id: String, query: &Query) -> Self {
        let word = query.get("tab").unwrap_or_default();
        Self {
            id,
            tab: TabName::ALL
                .into_iter()
                .find(|tab| tab.word() == word)
                .unwrap_or_default(),
            status: query.text("status").as_deref().and_then(CommandStatus::parse),
            text: query.text("text").unwrap_or_default(),
            cursor: query.text("cursor"),
            node: query.text("node"),
            stream: query
                .text("stream")
                .as_deref()
                .and_then(OutputStream::parse)
                .unwrap_or(OutputStream::Stdout),
        }
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        let tab = if self.tab == TabName::Summary {
            ""
        } else {
            self.tab.word()
        };
        let stream = if self.stream == OutputStream::Stdout {
            ""
        } else {
            self.stream.as_str()
        };
        address(
            &format!("/commands/{}", self.id),
            [
                ("tab", tab.to_owned()),
                (
                    "status",
                    self.status
                        .map(CommandStatus::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
                ("text", self.text.clone()),
                ("cursor", self.cursor.clone().unwrap_or_default()),
                ("node", self.node.clone().unwrap_or_default()),
                ("stream", stream.to_owned()),
            ],
        )
    }

    /// Another part, without what belongs to this one.
    pub(super) fn tab(&self, tab: TabName) -> Self {
        Self {
            id: self.id.clone(),
            tab,
            status: None,
            text: String::new(),
            cursor: None,
            node: None,
            stream: OutputStream::Stdout,
        }
    }

    /// The nodes of that status.
    pub(super) fn nodes(&self, status: Option<CommandStatus>) -> String {
        Self {
            status,
            ..self.tab(TabName::Nodes)
        }
        .address()
    }

    /// The same from another page of nodes on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        Self {
            cursor,
            ..self.clone()
        }
        .address()
    }

    /// The same with a node's output, or without.
    pub(super) fn with_node(&self, node: Option<String>) -> String {
        Self {
            node,
            stream: OutputStream::Stdout,
            ..self.clone()
        }
        .address()
    }

    /// The same with the other stream.
    pub(super) fn with_stream(&self, stream: OutputStream) -> String {
        Self {
            stream,
            ..self.clone()
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
            "/commands/c-1",
            "/commands/c-1?tab=nodes&status=Failed&text=web&cursor=x&node=mi-1&stream=stderr",
            "/commands/c-1?tab=log",
        ] {
            let query = Query::parse(text.split_once('?').map_or("", |(_, query)| query));
            let state = DetailUrl::read("c-1".into(), &query);
            assert_eq!(state.address(), text);
            assert_eq!(
                state.nodes(Some(CommandStatus::TimedOut)),
                "/commands/c-1?tab=nodes&status=TimedOut"
            );
        }
    }
}
