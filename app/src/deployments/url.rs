//! What the addresses of the pages of deployments say, and the addresses of their neighbours.

use super::input::read_state;
use crate::url::{Query, address, keep};
use muster_domain::PortalError;
use muster_domain::deployments::{DeploymentKind, DeploymentState};
use muster_domain::error::FieldError;

/// The page of an application.
pub(crate) fn application_path(id: &str) -> String {
    format!("/deployments/{id}")
}

/// The page of a release.
pub(crate) fn release_path(application: &str, id: &str) -> String {
    format!("/deployments/{application}/releases/{id}")
}

/// The page of a deployment.
pub(crate) fn run_path(application: &str, id: &str) -> String {
    format!("/deployments/{application}/runs/{id}")
}

/// Where a release is deployed, or rolled back to.
pub(super) fn deploy_path(
    application: &str,
    kind: DeploymentKind,
    environment: &str,
    release: &str,
) -> String {
    let page = match kind {
        DeploymentKind::Deploy => "deploy",
        DeploymentKind::RollBack => "roll-back",
    };
    address(
        &format!("/deployments/{application}/{page}"),
        [
            ("environment", environment.to_owned()),
            ("release", release.to_owned()),
        ],
    )
}

/// Where one goes after a change.
#[cfg(feature = "ssr")]
pub(super) fn saved_path(what: &str, id: &str) -> String {
    if what == "delete" {
        return "/deployments".to_owned();
    }
    address(&application_path(id), [("saved", what.to_owned())])
}

/// The page of an application where something is about to be done with it.
pub(super) fn do_path(id: &str, what: &str, environment: &str) -> String {
    address(
        &application_path(id),
        [("do", what.to_owned()), ("environment", environment.to_owned())],
    )
}

/// The state of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MatrixUrl {
    pub(super) text: String,
    pub(super) cursor: Option<String>,
}

impl MatrixUrl {
    pub(super) fn read(query: &Query) -> Self {
        Self {
            text: query.text("text").unwrap_or_default(),
            cursor: query.text("cursor"),
        }
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        address(
            "/deployments",
            [
                ("text", self.text.clone()),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }
}

/// What is shown of an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    #[default]
    Environments,
    Releases,
    History,
}

impl Shown {
    pub(super) const ALL: [Self; 3] = [Self::Environments, Self::Releases, Self::History];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Environments => "",
            Self::Releases => "releases",
            Self::History => "history",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Environments => "Environments",
            Self::Releases => "Releases",
            Self::History => "History",
        }
    }
}

/// What is about to be done with an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    #[default]
    Nothing,
    /// Add an environment (empty), or change one.
    Put(String),
    Remove(String),
    Delete,
}

/// The state of the page of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ApplicationUrl {
    pub(super) id: String,
    pub(super) shown: Shown,
    pub(super) text: String,
    pub(super) environment: String,
    pub(super) state: Option<DeploymentState>,
    pub(super) cursor: Option<String>,
    pub(super) doing: Doing,
    pub(super) saved: String,
    /// What could not be read. With any, nothing is looked up: more rows than were asked for would mislead.
    pub(super) problems: Vec<FieldError>,
}

impl ApplicationUrl {
    pub(super) fn read(id: String, query: &Query) -> Self {
        let mut problems = Vec::new();
        let given = |name: &str| query.text(name).unwrap_or_default();
        let environment = given("environment");
        let doing = match given("do").as_str() {
            "environment" => Doing::Put(environment.clone()),
            "remove" => Doing::Remove(environment.clone()),
            "delete" => Doing::Delete,
            _ => Doing::Nothing,
        };
        let shown = Shown::ALL.into_iter().find(|one| one.word() == given("tab"));
        if shown.is_none() {
            problems.push(FieldError::new(
                "tab",
                format!("“{}” is neither releases nor history.", given("tab")),
            ));
        }
        Self {
            id,
            shown: shown.unwrap_or_default(),
            text: given("text"),
            environment: if doing == Doing::Nothing {
                environment
            } else {
                String::new()
            },
            state: keep(read_state(&given("state")), &mut problems),
            cursor: query.text("cursor"),
            doing,
            saved: given("saved"),
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

    /// The word for how deployments stand.
    pub(super) fn state_word(&self) -> String {
        self.state
            .map(DeploymentState::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// Whether anything narrows the list.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || !self.environment.is_empty() || self.state.is_some()
    }

    /// The address of one of the tabs.
    pub(super) fn tab(&self, shown: Shown) -> String {
        address(&application_path(&self.id), [("tab", shown.word().to_owned())])
    }

    /// The address of this state, from another page of rows on.
    pub(super) fn page(&self, cursor: Option<String>) -> String {
        address(
            &application_path(&self.id),
            [
                ("tab", self.shown.word().to_owned()),
                ("text", self.text.clone()),
                ("environment", self.environment.clone()),
                ("state", self.state_word()),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_shown() {
        let query = Query::parse("tab=history&environment=Staging&state=failed&text=x&cursor=c");
        let url = ApplicationUrl::read("a".into(), &query);
        assert_eq!(
            url.page(Some("d".into())),
            "/deployments/a?tab=history&text=x&environment=Staging&state=failed&cursor=d"
        );
        assert!(url.is_filtered() && url.clone().readable().is_ok());
        assert_eq!(url.tab(Shown::Environments), "/deployments/a");
        let url = ApplicationUrl::read("a".into(), &Query::parse("do=remove&environment=Staging"));
        assert_eq!(url.doing, Doing::Remove("Staging".into()));
        assert!(!url.is_filtered(), "it is not a filter");
        let url = ApplicationUrl::read("a".into(), &Query::parse("state=gone&tab=x"));
        assert_eq!(url.problems.len(), 2);
    }

    #[test]
    fn a_deployment_has_a_page_before_it_is_done() {
        assert_eq!(
            deploy_path("a", DeploymentKind::RollBack, "Pre prod", ""),
            "/deployments/a/roll-back?environment=Pre%20prod"
        );
        assert_eq!(
            deploy_path("a", DeploymentKind::Deploy, "", "r"),
            "/deployments/a/deploy?release=r"
        );
        assert_eq!(MatrixUrl::default().page(None), "/deployments");
    }
}
