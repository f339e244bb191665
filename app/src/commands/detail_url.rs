//! What the address of a command's page says, and the addresses of its neighbours.

use super::history_url::read_status;
use crate::url::{Query, address, keep};
use muster_domain::commands::{CommandStatus, OutputStream};
use muster_domain::{FieldError, PortalError};

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TabName {
    #[default]
    Summary,
    Nodes,
    Log,
    Definition,
    Audit,
}

impl TabName {
    pub(super) const ALL: [Self; 5] = [
        Self::Summary,
        Self::Nodes,
        Self::Log,
        Self::Definition,
        Self::Audit,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Nodes => "nodes",
            Self::Log => "log",
            Self::Definition => "definition",
            Self::Audit => "audit",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Nodes => "Nodes",
            Self::Log => "Log",
            Self::Definition => "Definition",
            Self::Audit => "Audit",
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
    /// The node to compare the output with.
    pub(super) with: Option<String>,
    /// Only nodes that wrote exactly this: a hash.
    pub(super) same: Option<String>,
    /// Equal output together.
    pub(super) grouped: bool,
    /// The stream that was asked for; without one, whichever has text.
    pub(super) stream: Option<OutputStream>,
    pub(super) log: LogView,
    /// What could not be read. With any, no nodes are looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

/// How the log looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogView {
    /// What is looked for.
    pub(super) find: String,
    /// Whether each line's time is shown.
    pub(super) times: bool,
    /// Whether long lines go on to the right.
    pub(super) nowrap: bool,
}

impl DetailUrl {
    /// Reads the query of the address.
    pub(super) fn read(id: String, query: &Query) -> Self {
        let word = query.get("tab").unwrap_or_default();
        let mut problems = Vec::new();
        let status = keep(
            read_status(query.get("status").unwrap_or_default()),
            &mut problems,
        );
        Self {
            id,
            tab: TabName::ALL
                .into_iter()
                .find(|tab| tab.word() == word)
                .unwrap_or_default(),
            status,
            text: query.text("text").unwrap_or_default(),
            cursor: query.text("cursor"),
            node: query.text("node"),
            with: query.text("with"),
            same: query.text("same"),
            grouped: query.get("by") == Some("output"),
            stream: query.text("stream").as_deref().and_then(OutputStream::parse),
            log: LogView {
                find: query.text("find").unwrap_or_default(),
                times: query.get("times") == Some("1"),
                nowrap: query.get("wrap") == Some("0"),
            },
            problems,
        }
    }

    /// Nothing, when all of it could be read.
    ///
    /// # Errors
    /// What could not.
    pub(super) fn readable(&self) -> Result<(), PortalError> {
        PortalError::from_fields(self.problems.clone())
    }

    /// The address of this state.
    pub(super) fn address(&self) -> String {
        let tab = if self.tab == TabName::Summary {
            ""
        } else {
            self.tab.word()
        };
        let flag = |on: bool, word: &str| if on { word.to_owned() } else { String::new() };
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
                ("by", flag(self.grouped, "output")),
                ("same", self.same.clone().unwrap_or_default()),
                ("cursor", self.cursor.clone().unwrap_or_default()),
                ("node", self.node.clone().unwrap_or_default()),
                ("with", self.with.clone().unwrap_or_default()),
                (
                    "stream",
                    self.stream
                        .map(OutputStream::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
                ("find", self.log.find.clone()),
                ("times", flag(self.log.times, "1")),
                ("wrap", flag(self.log.nowrap, "0")),
            ],
        )
    }

    /// Another part, without what belongs to this one.
    pub(super) fn tab(&self, tab: TabName) -> Self {
        Self {
            id: self.id.clone(),
            tab,
            problems: Vec::new(),
            status: None,
            text: String::new(),
            cursor: None,
            node: None,
            with: None,
            same: None,
            grouped: false,
            stream: None,
            log: LogView::default(),
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

    /// Nodes by what they wrote.
    pub(super) fn groups(&self) -> String {
        Self {
            grouped: true,
            ..self.tab(TabName::Nodes)
        }
        .address()
    }

    /// The nodes that wrote exactly this.
    pub(super) fn same(&self, status: CommandStatus, hash: &str) -> String {
        Self {
            status: Some(status),
            same: Some(hash.to_owned()),
            ..self.tab(TabName::Nodes)
        }
        .address()
    }

    /// The output of the node `old` against that of `new`.
    pub(super) fn comparing(&self, old: &str, new: &str) -> String {
        Self {
            tab: TabName::Nodes,
            node: Some(old.to_owned()),
            with: Some(new.to_owned()),
            ..self.clone()
        }
        .address()
    }

    /// The same without a comparison.
    pub(super) fn not_comparing(&self) -> String {
        Self {
            with: None,
            ..self.clone()
        }
        .address()
    }

    /// The same with a node's output, or without.
    pub(super) fn with_node(&self, node: Option<String>) -> String {
        Self {
            node,
            with: None,
            stream: None,
            ..self.clone()
        }
        .address()
    }

    /// The output of a node, from any part of the page.
    pub(super) fn output_of(&self, node: &str, stream: Option<OutputStream>) -> String {
        Self {
            node: Some(node.to_owned()),
            stream,
            ..self.tab(TabName::Nodes)
        }
        .address()
    }

    /// The log, looking like this.
    pub(super) fn with_log(&self, log: LogView) -> String {
        Self {
            log,
            ..self.tab(TabName::Log)
        }
        .address()
    }

    /// The same with the other stream.
    pub(super) fn with_stream(&self, stream: OutputStream) -> String {
        Self {
            stream: Some(stream),
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
            "/commands/c-1?tab=log&find=no%20such&times=1&wrap=0",
            "/commands/c-1?tab=nodes&node=mi-1&stream=stdout",
            "/commands/c-1?tab=audit",
            "/commands/c-1?tab=nodes&by=output&node=mi-1&with=mi-2",
            "/commands/c-1?tab=nodes&same=0af1",
        ] {
            let query = Query::parse(text.split_once('?').map_or("", |(_, query)| query));
            let state = DetailUrl::read("c-1".into(), &query);
            assert!(state.readable().is_ok());
            assert_eq!(state.address(), text);
            assert_eq!(
                state.nodes(Some(CommandStatus::TimedOut)),
                "/commands/c-1?tab=nodes&status=TimedOut"
            );
        }
    }

    #[test]
    fn a_status_that_does_not_exist_is_not_passed_over() {
        let state = DetailUrl::read("c-1".into(), &Query::parse("tab=nodes&status=Bad"));
        assert!(
            state
                .readable()
                .is_err_and(|error| error.to_string().contains("“Bad” is no status"))
        );
    }
}
