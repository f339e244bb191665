//! What the addresses of the patching pages say, and the addresses of their neighbours.

use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::patching::{PatchQuery, PatchStanding};

/// The document that scans and installs.
const DOCUMENT: &str = "AWS-RunPatchBaseline";
/// How the page that runs commands names the parameter that says which of both.
pub(super) const OPERATION: &str = "parameter.Operation";

/// How nodes stand, if that is given.
///
/// # Errors
/// When there is no such state.
pub(super) fn read_standing(text: &str) -> Result<Option<PatchStanding>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => PatchStanding::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "state",
                format!(
                    "“{text}” is no state: there are never, failed, reboot, missing, rejected and compliant."
                ),
            )
        }),
    }
}

/// The page that runs `Scan` or `Install` on one node.
pub(super) fn run_on(node: &str, operation: &str) -> String {
    address(
        "/commands/new",
        [
            ("document", DOCUMENT.to_owned()),
            ("nodes", node.to_owned()),
            (OPERATION, operation.to_owned()),
        ],
    )
}

/// The page that runs `Scan` or `Install` on all nodes that match.
pub(super) fn run_on_all(filter: &FleetFilter, operation: &str) -> String {
    let filter = filter.to_string();
    // A filter that everything matches must not read as "nothing chosen".
    let all = if filter.is_empty() { "true" } else { "" };
    address(
        "/commands/new",
        [
            ("document", DOCUMENT.to_owned()),
            ("filter", filter),
            ("all", all.to_owned()),
            (OPERATION, operation.to_owned()),
        ],
    )
}

/// The state of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListUrl {
    pub(super) standing: Option<PatchStanding>,
    pub(super) tag: String,
    pub(super) text: String,
    pub(super) cursor: Option<String>,
    /// What `tag` and `text` mean.
    pub(super) filter: FleetFilter,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

impl ListUrl {
    /// Reads the query of the address.
    pub(super) fn read(query: &Query) -> Self {
        let mut problems = Vec::new();
        let tag = query.text("tag").unwrap_or_default();
        let text = query.text("text").unwrap_or_default();
        Self {
            standing: keep(
                read_standing(query.get("state").unwrap_or_default()),
                &mut problems,
            ),
            filter: keep(PatchQuery::filter_of(&tag, &text), &mut problems),
            tag,
            text,
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
        self.standing.is_some() || !self.tag.is_empty() || !self.text.is_empty()
    }

    fn pairs(&self, standing: Option<PatchStanding>) -> [(&'static str, String); 3] {
        [
            (
                "state",
                standing.map(PatchStanding::as_str).unwrap_or_default().to_owned(),
            ),
            ("tag", self.tag.clone()),
            ("text", self.text.clone()),
        ]
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        let cursor = ("cursor", cursor.unwrap_or_default());
        address("/patching", self.pairs(self.standing).into_iter().chain([cursor]))
    }

    /// The address of the first page of those that stand so, with the same tag and text.
    pub(super) fn standing(&self, standing: Option<PatchStanding>) -> String {
        address("/patching", self.pairs(standing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_same_after_a_round() {
        for text in [
            "/patching",
            "/patching?state=never&tag=Team%3Dweb&text=db&cursor=x",
        ] {
            let state = ListUrl::read(&Query::parse(text.split_once('?').map_or("", |(_, query)| query)));
            assert_eq!(state.page(state.cursor.clone()), text);
        }
        for (query, field) in [("state=fine", "state"), ("tag=Team", "tag")] {
            let refused = ListUrl::read(&Query::parse(query)).readable().unwrap_err();
            assert!(refused.about(field).is_some(), "{query}");
        }
    }

    #[test]
    fn what_is_run_is_said_by_the_address() {
        assert_eq!(
            run_on("mi-1", "Scan"),
            "/commands/new?document=AWS-RunPatchBaseline&nodes=mi-1&parameter.Operation=Scan"
        );
        let all = ListUrl::read(&Query::parse("tag=Team=web&text=db"));
        assert_eq!(
            run_on_all(&all.filter, "Install"),
            "/commands/new?document=AWS-RunPatchBaseline&filter=tag:Team%3Dweb%3Bdb&parameter.Operation=Install"
        );
        assert!(run_on_all(&FleetFilter::default(), "Scan").contains("&all=true&"));
        let missing = all.standing(Some(PatchStanding::Missing));
        assert_eq!(missing, "/patching?state=missing&tag=Team%3Dweb&text=db");
    }
}
