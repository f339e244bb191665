//! What the address of the audit page says, checked, and the addresses of its neighbours.

use crate::url::{Query, address};
use muster_domain::audit::{ActKind, Outcome};
use muster_domain::error::FieldError;
use muster_domain::{PortalError, Timestamp};
#[cfg(any(feature = "ssr", test))]
use muster_domain::{audit::AuditQuery, paging::Cursor};

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AuditUrl {
    pub(super) actor: Option<String>,
    pub(super) action: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) kind: Option<ActKind>,
    pub(super) address: Option<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) cursor: Option<String>,
    /// Whether the address is not the plain one of this state, because a form made it.
    pub(super) untidy: bool,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

/// `2026-11-23T09:41`, as a date field wants it.
pub(super) fn field_time(at: Option<Timestamp>) -> String {
    at.map(|at| at.rfc3339().chars().take(16).collect())
        .unwrap_or_default()
}

impl AuditUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        let mut time = |name: &'static str| {
            let text = query.text(name)?;
            let read = Timestamp::parse(&text);
            if read.is_none() {
                problems.push(FieldError::new(
                    name,
                    format!("“{text}” is no time: write 2026-11-23 or 2026-11-23T09:41 (UTC)."),
                ));
            }
            read
        };
        let (since, until) = (time("since"), time("until"));
        let outcome = query.text("outcome").and_then(|text| {
            let read = Outcome::parse(&text);
            if read.is_none() {
                let message = format!("“{text}” is no outcome: it is success, failure, denied or unknown.");
                problems.push(FieldError::new("outcome", message));
            }
            read
        });
        let kind = query.text("kind").and_then(|text| {
            let read = ActKind::parse(&text);
            if read.is_none() {
                let message = format!("“{text}” is no kind of act: it is changes or reads.");
                problems.push(FieldError::new("kind", message));
            }
            read
        });
        let mut state = Self {
            actor: query.text("actor"),
            action: query.text("action"),
            resource: query.text("resource"),
            outcome,
            kind,
            address: query.text("address"),
            since,
            until,
            cursor: query.text("cursor"),
            untidy: false,
            problems,
        };
        state.untidy = !query.is_said_by(&state.page_address());
        state
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            ("actor", text(&self.actor)),
            ("action", text(&self.action)),
            ("resource", text(&self.resource)),
            (
                "outcome",
                self.outcome
                    .map(|outcome| outcome.as_str().to_owned())
                    .unwrap_or_default(),
            ),
            (
                "kind",
                self.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            ),
            ("address", text(&self.address)),
            ("since", self.since.map(Timestamp::rfc3339).unwrap_or_default()),
            ("until", self.until.map(Timestamp::rfc3339).unwrap_or_default()),
        ]
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
    pub(super) fn page_address(&self) -> String {
        let mut pairs = self.pairs();
        pairs.push(("cursor", self.cursor.clone().unwrap_or_default()));
        address("/audit", pairs)
    }

    /// The part after `?`, for the server function.
    pub(super) fn query_text(&self) -> String {
        self.page_address()
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default()
    }

    /// The same from another page on, or from the first.
    pub(super) fn page(&self, cursor: Option<String>) -> Self {
        Self {
            cursor,
            ..self.clone()
        }
    }

    /// Whether anything is filtered.
    pub(super) fn is_filtered(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The address of an export of the same rows.
    pub(super) fn export(&self, kind: &str) -> String {
        address(&format!("/export/audit.{kind}"), self.pairs())
    }

    /// The question for the service.
    #[cfg(any(feature = "ssr", test))]
    pub(super) fn query(self) -> AuditQuery {
        AuditQuery {
            actor: self.actor,
            action: self.action,
            resource: self.resource,
            outcome: self.outcome,
            kind: self.kind,
            address: self.address,
            since: self.since,
            until: self.until,
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
        let text = "actor=op-web&action=commands.&outcome=denied&since=2026-11-23&cursor=50";
        let state = AuditUrl::read(&Query::parse(text));
        let again = AuditUrl::read(&Query::parse(&state.query_text()));
        assert!(state.untidy && !again.untidy);
        assert_eq!(
            AuditUrl {
                untidy: true,
                ..again
            },
            state
        );
        assert_eq!(
            state.export("csv"),
            "/export/audit.csv?actor=op-web&action=commands.&outcome=denied&since=2026-11-23T00:00:00.000Z"
        );
        assert_eq!(state.clone().query().outcome, Some(Outcome::Denied));
        assert_eq!(field_time(state.since), "2026-11-23T00:00");
        assert!(!state.page(None).page_address().contains("cursor"));
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_nothing_is_looked_up() {
        let state = AuditUrl::read(&Query::parse("outcome=maybe&since=soon&actor=op&kind=all"));
        let refused = state.clone().readable().unwrap_err();
        for field in ["outcome", "since", "kind"] {
            assert!(refused.about(field).is_some(), "{field}");
        }
        assert!(AuditUrl::read(&Query::parse("kind=reads")).readable().is_ok());
        assert_eq!(
            (state.outcome, state.since, state.actor.as_deref()),
            (None, None, Some("op"))
        );
        assert!(!AuditUrl::read(&Query::parse("since=+")).is_filtered());
    }
}
