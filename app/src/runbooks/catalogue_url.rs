//! What the address of the catalogue says, and the addresses of its neighbours.

use crate::url::{Query, address, encode, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::runbooks::RunbookOwner;

/// The owner of that name, if one is given.
///
/// # Errors
/// When there is no such owner.
pub(super) fn read_owner(text: &str) -> Result<Option<RunbookOwner>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => RunbookOwner::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "owner",
                format!("“{text}” is no owner: it is own, amazon or shared."),
            )
        }),
    }
}

/// The address of a runbook's page. Names of shared ones are ARNs.
pub(super) fn runbook_path(name: &str) -> String {
    format!("/runbooks/{}", encode(name).replace('/', "%2F"))
}

/// The state of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CatalogueUrl {
    pub(super) text: String,
    pub(super) owner: Option<RunbookOwner>,
    pub(super) category: String,
    pub(super) cursor: Option<String>,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

impl CatalogueUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        let owner = keep(read_owner(query.get("owner").unwrap_or_default()), &mut problems);
        Self {
            text: query.text("text").unwrap_or_default(),
            owner,
            category: query.text("category").unwrap_or_default(),
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

    /// Whether anything narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.owner.is_some() || !self.category.is_empty()
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        address(
            "/runbooks",
            [
                ("text", self.text.clone()),
                (
                    "owner",
                    self.owner
                        .map(RunbookOwner::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
                ("category", self.category.clone()),
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
        for text in [
            "/runbooks",
            "/runbooks?text=restart&owner=amazon&category=EC2%20Instance&cursor=x",
            "/runbooks?owner=own",
        ] {
            let state =
                CatalogueUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(state.page(state.cursor.clone()), text);
        }
        let refused = CatalogueUrl::read(&Query::parse("owner=me"))
            .readable()
            .unwrap_err();
        assert!(refused.about("owner").unwrap().contains("me"));
    }

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(runbook_path("AWS-Restart"), "/runbooks/AWS-Restart");
        assert_eq!(
            runbook_path("arn:aws:ssm:eu-west-1:1:document/X"),
            "/runbooks/arn:aws:ssm:eu-west-1:1:document%2FX"
        );
    }
}
