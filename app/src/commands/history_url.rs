//! What the address of the history page says, and the addresses of its neighbours.

use crate::url::{Query, address};
use muster_domain::commands::CommandStatus;

/// How far back to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Period {
    Day,
    #[default]
    Week,
    Month,
    All,
}

impl Period {
    pub(crate) const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::All];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "all",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Day => "Last 24 hours",
            Self::Week => "Last 7 days",
            Self::Month => "Last 30 days",
            Self::All => "All time",
        }
    }

    /// Days back; `None` is without end.
    #[cfg_attr(
        all(not(feature = "ssr"), not(test)),
        expect(dead_code, reason = "the server knows the time")
    )]
    pub(crate) const fn days(self) -> Option<i64> {
        match self {
            Self::Day => Some(1),
            Self::Week => Some(7),
            Self::Month => Some(30),
            Self::All => None,
        }
    }

    /// The period of that word; the usual one for anything else.
    pub(crate) fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|period| period.word() == text)
            .unwrap_or_default()
    }
}

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HistoryUrl {
    pub(super) status: Option<CommandStatus>,
    pub(super) document: String,
    pub(super) text: String,
    pub(super) node: Option<String>,
    pub(super) period: Period,
    pub(super) cursor: Option<String>,
}

impl HistoryUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        Self {
            status: query.text("status").as_deref().and_then(CommandStatus::parse),
            document: query.text("document").unwrap_or_default(),
            text: query.text("text").unwrap_or_default(),
            node: query.text("node"),
            period: Period::parse(query.get("period").unwrap_or_default()),
            cursor: query.text("cursor"),
        }
    }

    /// Whether anything but the period narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        self.status.is_some() || !self.document.is_empty() || !self.text.is_empty() || self.node.is_some()
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        let period = if self.period == Period::default() {
            ""
        } else {
            self.period.word()
        };
        address(
            "/commands",
            [
                (
                    "status",
                    self.status
                        .map(CommandStatus::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
                ("document", self.document.clone()),
                ("text", self.text.clone()),
                ("node", self.node.clone().unwrap_or_default()),
                ("period", period.to_owned()),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }

    /// The same without a period.
    pub(super) fn over_all_time(&self) -> String {
        Self {
            period: Period::All,
            ..self.clone()
        }
        .page(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for text in [
            "/commands",
            "/commands?status=Failed&document=AWS-Run&text=patch&period=all&cursor=x",
            "/commands?node=mi-1&period=24h",
        ] {
            let state = HistoryUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(state.page(state.cursor.clone()), text);
        }
        assert_eq!(
            HistoryUrl::read(&Query::parse("period=never")).period.days(),
            Some(7)
        );
    }
}
