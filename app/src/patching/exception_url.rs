//! What the address of the register of exceptions says.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::patching::ExceptionState;

/// How exceptions stand, if that is given.
///
/// # Errors
/// When there is no such state.
pub(super) fn read_state(text: &str) -> Result<Option<ExceptionState>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => ExceptionState::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "state",
                format!("“{text}” is no state: there are granting, holding, ending, ended and failed."),
            )
        }),
    }
}

/// The state of the register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ExceptionsUrl {
    pub(super) state: Option<ExceptionState>,
    pub(super) cursor: Option<String>,
    /// Whether one was granted a moment ago.
    pub(super) granted: bool,
    /// Whether one was ended a moment ago.
    pub(super) ended: bool,
    /// Which is about to be ended.
    pub(super) end: Option<String>,
    /// What could not be read.
    pub(super) problems: Vec<FieldError>,
}

impl ExceptionsUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        Self {
            state: keep(read_state(query.get("state").unwrap_or_default()), &mut problems),
            cursor: query.text("cursor"),
            granted: query.get("granted").is_some(),
            ended: query.get("ended").is_some(),
            end: query.text("end"),
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

    /// Where an exception of this page is about to be ended; none where the page itself is meant.
    pub(super) fn end_page(&self, exception_id: &str) -> String {
        let state = self.state.map(ExceptionState::as_str).unwrap_or_default();
        address(
            "/patching/exceptions",
            [
                ("state", state.to_owned()),
                ("cursor", self.cursor.clone().unwrap_or_default()),
                ("end", exception_id.to_owned()),
            ],
        )
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        let state = self.state.map(ExceptionState::as_str).unwrap_or_default();
        address(
            "/patching/exceptions",
            [
                ("state", state.to_owned()),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        let state = ExceptionsUrl::read(&Query::parse("state=holding&cursor=x"));
        assert_eq!(
            state.page(state.cursor.clone()),
            "/patching/exceptions?state=holding&cursor=x"
        );
        let address = state.end_page("e-1");
        let again = ExceptionsUrl::read(&Query::parse(
            address.split_once('?').map_or("", |(_, query)| query),
        ));
        assert_eq!(again.end.as_deref(), Some("e-1"));
        assert_eq!((again.state, again.cursor), (state.state, state.cursor));
        let refused = ExceptionsUrl::read(&Query::parse("state=fine"))
            .readable()
            .unwrap_err();
        assert!(refused.about("state").is_some());
    }
}
