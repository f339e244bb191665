//! What the address of the history page says, and the addresses of its neighbours.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::commands::CommandStatus;
use muster_domain::error::FieldError;

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

    /// All of them, as a form offers them.
    pub(crate) fn options() -> Vec<(String, String)> {
        Self::ALL
            .into_iter()
            .map(|one| (one.word().to_owned(), one.label().to_owned()))
            .collect()
    }

    /// Its word in an address, where the usual period is not said.
    pub(crate) fn said(self) -> String {
        if self == Self::default() {
            String::new()
        } else {
            self.word().to_owned()
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

    /// The period of that word; the usual one for none.
    ///
    /// # Errors
    /// When there is no such period.
    pub(crate) fn read(text: &str) -> Result<Self, FieldError> {
        match text.trim() {
            "" => Ok(Self::default()),
            text => Self::ALL
                .into_iter()
                .find(|period| period.word() == text)
                .ok_or_else(|| {
                    FieldError::new(
                        "period",
                        format!("“{text}” is no period: it is 24h, 7d, 30d or all."),
                    )
                }),
        }
    }
}

/// The status of that name, if one is given.
///
/// # Errors
/// When there is no such status.
pub(super) fn read_status(text: &str) -> Result<Option<CommandStatus>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => CommandStatus::parse(text).map(Some).ok_or_else(|| {
            let all: Vec<&str> = CommandStatus::ALL
                .into_iter()
                .map(CommandStatus::as_str)
                .collect();
            FieldError::new(
                "status",
                format!("“{text}” is no status: it is one of {}.", all.join(", ")),
            )
        }),
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
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

impl HistoryUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        let status = keep(
            read_status(query.get("status").unwrap_or_default()),
            &mut problems,
        );
        let period = keep(
            Period::read(query.get("period").unwrap_or_default()),
            &mut problems,
        );
        Self {
            status,
            document: query.text("document").unwrap_or_default(),
            text: query.text("text").unwrap_or_default(),
            node: query.text("node"),
            period,
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

    /// Whether anything but the period narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        self.status.is_some() || !self.document.is_empty() || !self.text.is_empty() || self.node.is_some()
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
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
                ("period", self.period.said()),
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
        assert_eq!(HistoryUrl::read(&Query::parse("")).period.days(), Some(7));
    }

    #[test]
    fn what_cannot_be_read_is_said_and_not_taken_for_nothing() {
        let refused = HistoryUrl::read(&Query::parse("period=never&status=Fine&text=a"))
            .readable()
            .unwrap_err();
        assert!(refused.about("period").unwrap().contains("never"));
        assert!(refused.about("status").unwrap().contains("Fine"));
    }
}
