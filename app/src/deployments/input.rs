//! What the forms of deployments send, read into what the service takes.

#[cfg(feature = "ssr")]
use crate::commands::read_count;
#[cfg(feature = "ssr")]
use muster_domain::PortalError;
use muster_domain::deployments::DeploymentState;
#[cfg(feature = "ssr")]
use muster_domain::deployments::{
    ApplicationChange, ApplicationSettings, ChangeApplication, DeployRelease, DeploymentKind, Environment,
    read_parameters,
};
use muster_domain::error::FieldError;

/// How deployments stand, if that is given.
///
/// # Errors
/// When there is no such word.
pub(super) fn read_state(text: &str) -> Result<Option<DeploymentState>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => DeploymentState::parse(text).map(Some).ok_or_else(|| {
            FieldError::new(
                "state",
                format!("“{text}” is none of running, succeeded, failed and stopped."),
            )
        }),
    }
}

/// A text that says something.
#[cfg(feature = "ssr")]
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

#[cfg(feature = "ssr")]
pub(super) fn text(field: Option<&String>) -> String {
    field
        .map(|text| text.trim().replace("\r\n", "\n"))
        .unwrap_or_default()
}

/// The fields of the forms that change an application.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default)]
pub(super) struct ChangeFields {
    pub(super) what: String,
    pub(super) application_id: Option<String>,
    pub(super) seen: Option<String>,
    pub(super) confirmation: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) document: Option<String>,
    pub(super) version_parameter: Option<String>,
    pub(super) previous_parameter: Option<String>,
    pub(super) artefact_parameter: Option<String>,
    pub(super) sha256_parameter: Option<String>,
    pub(super) parameters: Option<String>,
    pub(super) environments: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) environment_name: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) place: Option<String>,
    pub(super) max_concurrency: Option<String>,
    pub(super) max_errors: Option<String>,
}

#[cfg(feature = "ssr")]
fn complaint(problem: FieldError) -> PortalError {
    PortalError::Invalid {
        fields: vec![problem],
    }
}

#[cfg(feature = "ssr")]
impl ChangeFields {
    fn settings(&self) -> Result<ApplicationSettings, PortalError> {
        Ok(ApplicationSettings {
            name: text(self.name.as_ref()),
            description: text(self.description.as_ref()),
            document: text(self.document.as_ref()),
            version_parameter: text(self.version_parameter.as_ref()),
            previous_parameter: text(self.previous_parameter.as_ref()),
            artefact_parameter: text(self.artefact_parameter.as_ref()),
            sha256_parameter: text(self.sha256_parameter.as_ref()),
            parameters: read_parameters(&text(self.parameters.as_ref())).map_err(complaint)?,
        })
    }

    fn environment(&self) -> Result<Environment, PortalError> {
        let or = |field: Option<&String>, otherwise: &str| match text(field) {
            given if given.is_empty() => otherwise.to_owned(),
            given => given,
        };
        Ok(Environment {
            name: text(self.environment_name.as_ref()),
            filter: text(self.filter.as_ref()),
            parameters: read_parameters(&text(self.parameters.as_ref())).map_err(complaint)?,
            max_concurrency: or(self.max_concurrency.as_ref(), "1"),
            max_errors: or(self.max_errors.as_ref(), "0"),
        })
    }

    /// Reads them.
    ///
    /// # Errors
    /// What cannot be read.
    pub(super) fn read(self) -> Result<ChangeApplication, PortalError> {
        let change = match self.what.as_str() {
            "create" => ApplicationChange::Create {
                settings: self.settings()?,
                environments: text(self.environments.as_ref())
                    .split([',', '\n'])
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(ToOwned::to_owned)
                    .collect(),
            },
            "edit" => ApplicationChange::Edit {
                settings: self.settings()?,
            },
            "put-environment" => ApplicationChange::PutEnvironment {
                was: text(self.environment.as_ref()),
                environment: self.environment()?,
                place: match text(self.place.as_ref()).as_str() {
                    "" => usize::MAX,
                    place => place.parse().map_err(|_| {
                        PortalError::invalid("place", "Write its place among the others, from 1.")
                    })?,
                },
            },
            "remove-environment" => ApplicationChange::RemoveEnvironment {
                environment: text(self.environment.as_ref()),
            },
            "delete" => ApplicationChange::Delete,
            other => {
                return Err(PortalError::invalid(
                    "what",
                    format!(
                        "“{other}” is none of create, edit, put-environment, remove-environment and delete."
                    ),
                ));
            }
        };
        let seen = text(self.seen.as_ref());
        Ok(ChangeApplication {
            application: text(self.application_id.as_ref()).as_str().into(),
            change,
            seen: match seen.as_str() {
                "" => 0,
                seen => seen
                    .parse()
                    .map_err(|_| PortalError::invalid("seen", "This is no revision: open the page again."))?,
            },
            confirmation: text(self.confirmation.as_ref()),
        })
    }
}

/// The fields of the form that deploys.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default)]
pub(super) struct DeployFields {
    pub(super) application_id: String,
    pub(super) environment: Option<String>,
    pub(super) release: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) deployment_ticket: Option<String>,
    pub(super) confirmed_nodes: Option<String>,
}

#[cfg(feature = "ssr")]
impl DeployFields {
    /// Reads them.
    ///
    /// # Errors
    /// What cannot be read.
    pub(super) fn read(self) -> Result<DeployRelease, PortalError> {
        let kind = match text(self.kind.as_ref()).as_str() {
            "" => DeploymentKind::Deploy,
            word => DeploymentKind::parse(word).ok_or_else(|| {
                PortalError::invalid("kind", format!("“{word}” is neither deploy nor roll_back."))
            })?,
        };
        Ok(DeployRelease {
            application: self.application_id.trim().into(),
            environment: text(self.environment.as_ref()),
            release: text(self.release.as_ref()).as_str().into(),
            kind,
            reason: text(self.reason.as_ref()),
            ticket: text(self.deployment_ticket.as_ref()),
            confirmed_nodes: read_count(self.confirmed_nodes.as_deref().unwrap_or_default())?,
        })
    }
}
