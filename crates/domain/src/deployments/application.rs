//! Applications and their environments: what they are, what is done with them, and what can be said against that before
//! anything is looked up.

use crate::commands::parse_rate;
use crate::error::{FieldError, PortalError};
use crate::fleet_filter::FleetFilter;
use crate::ids::ApplicationId;
use crate::runbooks::without_secrets;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The runbook that deploys an application, where nobody says another one.
pub const USUAL_RUNBOOK: &str = "Muster-DeployApplication";
/// Environments of one application at most.
pub const MAX_ENVIRONMENTS: usize = 20;
/// Characters of a name at most.
const MAX_NAME: usize = 80;
/// Characters of a description at most.
const MAX_DESCRIPTION: usize = 500;
/// Bytes of parameters at most, as JSON.
const MAX_PARAMETERS: usize = 16 * 1_024;

/// An application, but for its environments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationSettings {
    /// What it is called: unique.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The runbook that deploys it.
    pub document: String,
    /// The runbook's parameter that takes the version.
    pub version_parameter: String,
    /// The one that takes the version that runs before; empty where none does.
    pub previous_parameter: String,
    /// The one that takes the artefact's address; empty where none does.
    pub artefact_parameter: String,
    /// The one that takes the artefact's SHA-256; empty where none does.
    pub sha256_parameter: String,
    /// What the runbook is given each time.
    pub parameters: BTreeMap<String, Vec<String>>,
}

/// A place where an application runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// What it is called: by this it is known.
    pub name: String,
    /// The fleet's filter that finds its nodes; empty for those tagged with the application and the environment.
    pub filter: String,
    /// What the runbook is given here, before what the release says.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// At most so many executions at once, where the runbook has one for each node.
    pub max_concurrency: String,
    /// No further ones after so many errors, where the runbook has one for each node.
    pub max_errors: String,
}

impl Environment {
    /// The filter that finds its nodes.
    #[must_use]
    pub fn filter_for(&self, application: &str) -> String {
        let escaped = |text: &str| {
            text.chars().fold(String::new(), |mut all, c| {
                if matches!(c, ';' | ',' | '\\') {
                    all.push('\\');
                }
                all.push(c);
                all
            })
        };
        match self.filter.trim() {
            "" => format!(
                "tag:Application={};tag:Environment={}",
                escaped(application),
                escaped(&self.name)
            ),
            filter => filter.to_owned(),
        }
    }

    fn check(&self, fields: &mut Vec<FieldError>) {
        fields.extend(name_of("environment_name", &self.name));
        if let Err(error) = FleetFilter::parse(&self.filter) {
            let said = match error {
                PortalError::Invalid { fields } => fields.into_iter().map(|one| one.message).collect(),
                other => vec![other.to_string()],
            };
            fields.push(FieldError::new("filter", said.join(" ")));
        }
        fields.extend(parameters(&self.parameters));
        if !matches!(
            parse_rate(&self.max_concurrency),
            Some((1.., false)) | Some((1..=100, true))
        ) {
            fields.push(FieldError::new(
                "max_concurrency",
                "Write a number from 1, or a percentage from 1% to 100%.",
            ));
        }
        if !matches!(
            parse_rate(&self.max_errors),
            Some((_, false)) | Some((0..=100, true))
        ) {
            fields.push(FieldError::new(
                "max_errors",
                "Write a number from 0, or a percentage from 0% to 100%.",
            ));
        }
    }
}

/// One change of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ApplicationChange {
    /// Makes it.
    Create {
        /// What it is.
        settings: ApplicationSettings,
        /// Its environments, in their order.
        environments: Vec<String>,
    },
    /// Gives it other settings.
    Edit {
        /// All of them.
        settings: ApplicationSettings,
    },
    /// Adds an environment, or changes one.
    PutEnvironment {
        /// The one that is changed; empty where one is added.
        was: String,
        /// What it is.
        environment: Environment,
        /// Its place among the others, from 1.
        place: usize,
    },
    /// Takes an environment away. What was deployed there stays in the history.
    RemoveEnvironment {
        /// Which.
        environment: String,
    },
    /// Deletes the application. Its releases and its history stay.
    Delete,
}

/// Input: make, change or delete an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeApplication {
    /// Which; empty where one is made.
    pub application: ApplicationId,
    /// What is done.
    pub change: ApplicationChange,
    /// The revision that was looked at; 0 where one is made.
    pub seen: i64,
    /// The application's name, typed, where it is deleted.
    pub confirmation: String,
}

/// What is wrong with a name.
fn name_of(field: &str, name: &str) -> Option<FieldError> {
    let count = name.trim().chars().count();
    let is_plain = name
        .trim()
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-' | '@' | '+' | ':'));
    (!(1..=MAX_NAME).contains(&count) || !is_plain).then(|| {
        FieldError::new(
            field,
            "Use 1 to 80 letters, digits, blanks, dots, hyphens and underscores.",
        )
    })
}

/// What is wrong with parameters that are kept.
pub(super) fn parameters(given: &BTreeMap<String, Vec<String>>) -> Vec<FieldError> {
    let mut fields = Vec::new();
    for name in without_secrets(given).1 {
        fields.push(FieldError::new(
            "parameters",
            format!(
                "{name} looks like a secret, and what is kept here everybody can read: put it into Parameter Store as a \
                 SecureString, and write {{{{ssm-secure:/its/name}}}}."
            ),
        ));
    }
    if serde_json::to_string(given).map_or(true, |text| text.len() > MAX_PARAMETERS) {
        fields.push(FieldError::new("parameters", "Use at most 16 KiB."));
    }
    fields
}

/// Reads parameters, one `Name=value` on each line; a name that stands there again has several values.
///
/// # Errors
/// The line that cannot be read.
pub fn read_parameters(text: &str) -> Result<BTreeMap<String, Vec<String>>, FieldError> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let read = line
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        let Some((name, value)) = read.filter(|(name, _)| !name.is_empty()) else {
            return Err(FieldError::new(
                "parameters",
                format!("“{line}” is no parameter: write Name=value, each on its line."),
            ));
        };
        found.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    Ok(found)
}

/// Parameters as [`read_parameters`] reads them.
#[must_use]
pub fn parameter_lines(parameters: &BTreeMap<String, Vec<String>>) -> String {
    let lines = parameters
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| format!("{name}={value}")));
    lines.collect::<Vec<_>>().join("\n")
}

impl ApplicationSettings {
    fn check(&self, fields: &mut Vec<FieldError>) {
        fields.extend(name_of("name", &self.name));
        if self.description.chars().count() > MAX_DESCRIPTION {
            fields.push(FieldError::new("description", "Use at most 500 characters."));
        }
        if self.document.trim().is_empty() {
            fields.push(FieldError::new("document", "Say which runbook deploys it."));
        }
        if self.version_parameter.trim().is_empty() {
            fields.push(FieldError::new(
                "version_parameter",
                "Say which parameter of the runbook takes the version.",
            ));
        }
        let named: Vec<(&str, &str)> = self.named().collect();
        for (at, (field, name)) in named.iter().enumerate() {
            if named[..at].iter().any(|(_, other)| other == name) {
                fields.push(FieldError::new(
                    *field,
                    format!("{name} takes something else already: choose another parameter."),
                ));
            }
        }
        fields.extend(parameters(&self.parameters));
    }

    /// The parameters that take something of a release, with the fields that say so.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("version_parameter", &self.version_parameter),
            ("previous_parameter", &self.previous_parameter),
            ("artefact_parameter", &self.artefact_parameter),
            ("sha256_parameter", &self.sha256_parameter),
        ]
        .into_iter()
        .map(|(field, name)| (field, name.trim()))
        .filter(|(_, name)| !name.is_empty())
    }
}

impl ChangeApplication {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        match &self.change {
            ApplicationChange::Create {
                settings,
                environments,
            } => {
                settings.check(&mut fields);
                if environments.is_empty() || environments.len() > MAX_ENVIRONMENTS {
                    fields.push(FieldError::new(
                        "environments",
                        "Name 1 to 20 environments, each on its line.",
                    ));
                }
                for (at, name) in environments.iter().enumerate() {
                    fields.extend(name_of("environments", name));
                    if environments[..at]
                        .iter()
                        .any(|other| other.eq_ignore_ascii_case(name))
                    {
                        fields.push(FieldError::new(
                            "environments",
                            format!("{name} stands there twice."),
                        ));
                    }
                }
            }
            ApplicationChange::Edit { settings } => settings.check(&mut fields),
            ApplicationChange::PutEnvironment { environment, .. } => environment.check(&mut fields),
            ApplicationChange::RemoveEnvironment { .. } | ApplicationChange::Delete => {}
        }
        PortalError::from_fields(fields)
    }

    /// What the environments are afterwards.
    ///
    /// # Errors
    /// When there is no such environment, or another one of that name.
    pub fn environments(&self, now: &[Environment]) -> Result<Vec<Environment>, PortalError> {
        let gone = |name: &str| PortalError::NotFound {
            what: format!("The environment {name}"),
        };
        let mut all = now.to_vec();
        match &self.change {
            ApplicationChange::Create { environments, .. } => Ok(environments
                .iter()
                .map(|name| Environment {
                    name: name.trim().to_owned(),
                    max_concurrency: "1".into(),
                    max_errors: "0".into(),
                    ..Environment::default()
                })
                .collect()),
            ApplicationChange::PutEnvironment {
                was,
                environment,
                place,
            } => {
                if !was.is_empty() {
                    let at = all
                        .iter()
                        .position(|one| one.name == *was)
                        .ok_or_else(|| gone(was))?;
                    all.remove(at);
                }
                let name = environment.name.trim();
                if all.iter().any(|one| one.name.eq_ignore_ascii_case(name)) {
                    return Err(PortalError::invalid(
                        "environment_name",
                        format!("There is an environment {name} already."),
                    ));
                }
                if all.len() >= MAX_ENVIRONMENTS {
                    return Err(PortalError::invalid(
                        "environment_name",
                        "An application has at most 20 environments.",
                    ));
                }
                let place = place.saturating_sub(1).min(all.len());
                all.insert(
                    place,
                    Environment {
                        name: name.to_owned(),
                        filter: environment.filter.trim().to_owned(),
                        ..environment.clone()
                    },
                );
                Ok(all)
            }
            ApplicationChange::RemoveEnvironment { environment } => {
                let at = all
                    .iter()
                    .position(|one| one.name == *environment)
                    .ok_or_else(|| gone(environment))?;
                all.remove(at);
                Ok(all)
            }
            ApplicationChange::Edit { .. } | ApplicationChange::Delete => Ok(all),
        }
    }
}

#[cfg(test)]
#[path = "application_tests.rs"]
mod tests;
