//! What the address of the list of executions says, and the addresses of its neighbours.

use crate::commands::Period;
use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::runbooks::ExecutionStatus;

/// The status of that name, if one is given.
///
/// # Errors
/// When there is no such status.
pub(super) fn read_status(text: &str) -> Result<Option<ExecutionStatus>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => ExecutionStatus::parse(text).map(Some).ok_or_else(|| {
            let all: Vec<&str> = ExecutionStatus::ALL
                .iter()
                .map(|status| status.as_str())
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
    pub(super) status: Option<ExecutionStatus>,
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
            "/executions",
            [
                (
                    "status",
                    self.status
                        .map(ExecutionStatus::as_str)
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
            "/executions",
            "/executions?status=Failed&document=Own-&text=patch&period=all&cursor=x",
            "/executions?node=mi-1&period=24h",
        ] {
            let state = HistoryUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(state.page(state.cursor.clone()), text);
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_and_not_taken_for_nothing() {
        let refused = HistoryUrl::read(&Query::parse("period=never&status=Fine"))
            .readable()
            .unwrap_err();
        assert!(refused.about("period").unwrap().contains("never"));
        assert!(refused.about("status").unwrap().contains("Fine"));
    }
}
