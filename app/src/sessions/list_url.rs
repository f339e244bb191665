//! What the address of the list of sessions says, and the addresses of its neighbours.

pub(super) use crate::commands::Period;
use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::sessions::SessionStatus;

/// The status of that name, if one is given.
///
/// # Errors
/// When there is no such status.
pub(super) fn read_status(text: &str) -> Result<Option<SessionStatus>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => SessionStatus::parse(text).map(Some).ok_or_else(|| {
            let all: Vec<&str> = SessionStatus::ALL.iter().map(|one| one.as_str()).collect();
            FieldError::new(
                "status",
                format!("“{text}” is no status: it is one of {}.", all.join(", ")),
            )
        }),
    }
}

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListUrl {
    pub(super) text: String,
    pub(super) node: Option<String>,
    pub(super) owner: String,
    pub(super) status: Option<SessionStatus>,
    pub(super) period: Period,
    pub(super) cursor: Option<String>,
    /// From which row on those are shown that go on.
    pub(super) open: Option<String>,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

impl ListUrl {
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
            text: query.text("text").unwrap_or_default(),
            node: query.text("node"),
            owner: query.text("owner").unwrap_or_default(),
            status,
            period,
            cursor: query.text("cursor"),
            open: query.text("open"),
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

    /// Whether anything narrows those that go on.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.text.is_empty() || self.node.is_some() || !self.owner.is_empty()
    }

    /// Whether anything but the period narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        self.is_narrowed() || self.status.is_some()
    }

    /// The address of this state, from another page of those that go on.
    pub(super) fn open_page(&self, open: Option<String>) -> String {
        let other = Self { open, ..self.clone() };
        other.page(self.cursor.clone())
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        let status = self.status.map(SessionStatus::as_str).unwrap_or_default();
        address(
            "/terminals",
            [
                ("text", self.text.clone()),
                ("node", self.node.clone().unwrap_or_default()),
                ("owner", self.owner.clone()),
                ("status", status.to_owned()),
                ("period", self.period.said()),
                ("cursor", cursor.unwrap_or_default()),
                ("open", self.open.clone().unwrap_or_default()),
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
            "/terminals",
            "/terminals?text=disk&node=mi-1&owner=op&status=Ended&period=all&cursor=x&open=y",
            "/terminals?status=Failed&period=24h",
        ] {
            let state = ListUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(state.page(state.cursor.clone()), text);
        }
        let state = ListUrl::read(&Query::parse("owner=op&cursor=x"));
        assert_eq!(
            state.open_page(Some("y".into())),
            "/terminals?owner=op&cursor=x&open=y"
        );
        let refused = ListUrl::read(&Query::parse("status=Dancing&period=never"))
            .readable()
            .unwrap_err();
        assert!(refused.about("status").unwrap().contains("Dancing"));
        assert!(refused.about("period").unwrap().contains("never"));
    }
}
