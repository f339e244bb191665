//! Making and changing applications: held against the runbook that deploys them, and done on what was looked at.

use crate::deployments::queries::{self, Stored};
use crate::deployments::service::DeploymentService;
use crate::deployments::write;
use crate::door::Pass;
use crate::error::store;
use crate::runbooks::content::{self, Content};
use crate::runbooks::copy;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::deployments::{
    ApplicationChange, ApplicationSettings, ChangeApplication, CreateRelease, Release, ReleaseContent,
    parameters_of,
};
use muster_domain::error::FieldError;
use muster_domain::ids::{ApplicationId, ReleaseId};
use muster_domain::{Actor, PortalError};
use std::collections::BTreeMap;

/// The resource that an application is in the audit log.
pub(super) fn resource(id: &str) -> String {
    format!("application:{id}")
}

fn taken(name: &str) -> PortalError {
    PortalError::invalid("name", format!("There is an application {name} already."))
}

/// What of some parameters a runbook does not take, at the field where they are written.
fn undeclared(
    document: &str,
    content: &Content,
    given: &BTreeMap<String, Vec<String>>,
    own: &[&str],
) -> Vec<FieldError> {
    let node = content.node_parameters.first().map(|one| one.name.as_str());
    let mut fields = Vec::new();
    for name in given.keys() {
        let why = if content.parameters.iter().all(|one| &one.name != name) {
            format!("{document} has no parameter {name}.")
        } else if Some(name.as_str()) == node {
            format!("{name} takes the nodes, which environments find.")
        } else if own.contains(&name.as_str()) {
            format!("{name} says what the release is: it is not given here.")
        } else {
            continue;
        };
        fields.push(FieldError::new("parameters", why));
    }
    fields
}

impl DeploymentService {
    /// What stands in the audit log of a change.
    pub(super) fn intent_of(input: &ChangeApplication) -> Intent {
        let action = match input.change {
            ApplicationChange::Delete => Action::DeploymentsDelete,
            _ => Action::DeploymentsChange,
        };
        let about = match &input.change {
            ApplicationChange::Create { settings, .. } => resource(settings.name.trim()),
            _ => resource(input.application.as_str()),
        };
        let intent = Intent::new(action, about);
        let with_settings = |intent: Intent, settings: &ApplicationSettings| {
            let shown = muster_domain::runbooks::without_secrets(&settings.parameters).0;
            intent
                .with("name", settings.name.clone())
                .with("document", settings.document.clone())
                .with("parameters", serde_json::json!(shown))
        };
        match &input.change {
            ApplicationChange::Create {
                settings,
                environments,
            } => with_settings(intent.with("act", "create"), settings)
                .with("environments", serde_json::json!(environments)),
            ApplicationChange::Edit { settings } => with_settings(intent.with("act", "edit"), settings),
            ApplicationChange::PutEnvironment { was, environment, .. } => intent
                .with("act", "put_environment")
                .with("was", was.clone())
                .with("environment", environment.name.clone())
                .with("filter", environment.filter.clone())
                .with(
                    "parameters",
                    serde_json::json!(muster_domain::runbooks::without_secrets(&environment.parameters).0),
                ),
            ApplicationChange::RemoveEnvironment { environment } => intent
                .with("act", "remove_environment")
                .with("environment", environment.clone()),
            ApplicationChange::Delete => intent.with("act", "delete"),
        }
    }

    /// The runbook in its default version: the version's number, the hash of its text, and what that says.
    async fn runbook(&self, document: &str) -> Result<(String, String, Content), PortalError> {
        let (db, ssm) = (&self.db, &self.runbooks.ssm);
        let document = document.trim();
        let found = copy::known(db, ssm, document, self.clock.now()).await;
        let summary = found.map_err(|error| match error {
            PortalError::NotFound { what } => {
                PortalError::invalid("document", format!("{what} was not found."))
            }
            other => other,
        })?;
        let connection = ssm.connection.id.as_str();
        let versions = crate::runbooks::catalogue::versions(db, connection, document)
            .await
            .map_err(store)?;
        // The list may be older than the versions.
        let default = versions.into_iter().find(|one| one.is_default);
        let version = default.map_or(summary.default_version, |one| one.version);
        let (hash, text) = copy::text(db, ssm, document, &version).await?;
        Ok((version, hash, content::read(&text)))
    }

    /// Refuses an application that its runbook could not deploy.
    async fn fits(&self, settings: &ApplicationSettings) -> Result<(), PortalError> {
        let document = settings.document.trim();
        let (_, _, content) = self.runbook(document).await?;
        let mut fields = Vec::new();
        if content.node_parameters.is_empty() {
            fields.push(FieldError::new(
                "document",
                format!("{document} takes no nodes, so it cannot deploy to an environment."),
            ));
        }
        for (field, name) in settings.named() {
            if content.parameters.iter().all(|one| one.name != name) {
                let all: Vec<&str> = content.parameters.iter().map(|one| one.name.as_str()).collect();
                fields.push(FieldError::new(
                    field,
                    format!(
                        "{document} has no parameter {name}: it has {}.",
                        if all.is_empty() {
                            "none".to_owned()
                        } else {
                            all.join(", ")
                        }
                    ),
                ));
            }
        }
        let own = [
            settings.version_parameter.trim(),
            settings.previous_parameter.trim(),
            settings.sha256_parameter.trim(),
        ];
        fields.extend(undeclared(document, &content, &settings.parameters, &own));
        PortalError::from_fields(fields)
    }

    /// An application that is there.
    pub(super) async fn there(&self, id: &ApplicationId) -> Result<Stored, PortalError> {
        let stored = self.known(id).await?;
        if stored.deleted_at.is_some() {
            return Err(PortalError::Conflict {
                message: "This application was deleted: only its history is left.".into(),
            });
        }
        Ok(stored)
    }

    /// An application, also one that was deleted.
    pub(super) async fn known(&self, id: &ApplicationId) -> Result<Stored, PortalError> {
        queries::application(&self.db, self.connection(), id)
            .await
            .map_err(store)?
            .ok_or_else(|| PortalError::NotFound {
                what: "The application".into(),
            })
    }

    /// Why a change was not made, on what is there now.
    async fn overtaken(&self, input: &ChangeApplication) -> PortalError {
        match self.there(&input.application).await {
            Err(error) => error,
            Ok(now) if now.revision != input.seen => PortalError::Conflict {
                message: format!(
                    "Nothing was changed: {} has changed {} since you looked at it, at {}. Open it again, and do it on what is \
                     there now.",
                    now.changed_by,
                    now.settings.name,
                    now.changed_at.readable()
                ),
            },
            Ok(now) => PortalError::Conflict {
                message: format!(
                    "Nothing was deleted: {} is being deployed now. Wait for the end of that.",
                    now.settings.name
                ),
            },
        }
    }

    pub(super) async fn change_now(
        &self,
        actor: &Actor,
        input: &ChangeApplication,
        pass: &Pass,
    ) -> Result<ApplicationId, PortalError> {
        let now = self.clock.now();
        if let ApplicationChange::Create { settings, .. } = &input.change {
            self.fits(settings).await?;
            let environments = input.environments(&[])?;
            let id = ApplicationId::new(self.random.uuid());
            pass.note("application", id.as_str());
            return match write::create(
                &self.db,
                self.connection(),
                &id,
                settings,
                &environments,
                &actor.name,
                now,
            )
            .await
            {
                Ok(()) => Ok(id),
                Err(error) if error.is_unique_violation() => Err(taken(&settings.name)),
                Err(error) => Err(store(error)),
            };
        }
        let id = &input.application;
        let stored = self.there(id).await?;
        if stored.revision != input.seen {
            return Err(self.overtaken(input).await);
        }
        if matches!(input.change, ApplicationChange::Delete) {
            if input.confirmation.trim() != stored.settings.name {
                return Err(PortalError::invalid(
                    "confirmation",
                    format!("Type its name to delete it: {}.", stored.settings.name),
                ));
            }
            let done = write::delete(&self.db, id, input.seen, &actor.name, now)
                .await
                .map_err(store)?;
            return if done {
                Ok(id.clone())
            } else {
                Err(self.overtaken(input).await)
            };
        }
        let settings = match &input.change {
            ApplicationChange::Edit { settings } => {
                self.fits(settings).await?;
                settings
            }
            _ => &stored.settings,
        };
        if let ApplicationChange::PutEnvironment { environment, .. } = &input.change {
            let (_, _, content) = self.runbook(&settings.document).await?;
            let own: Vec<&str> = settings.named().map(|(_, name)| name).collect();
            let document = settings.document.trim();
            PortalError::from_fields(undeclared(document, &content, &environment.parameters, &own))?;
        }
        let environments = input.environments(&stored.environments)?;
        match write::change(
            &self.db,
            id,
            input.seen,
            settings,
            &environments,
            &actor.name,
            now,
        )
        .await
        {
            Ok(true) => Ok(id.clone()),
            Ok(false) => Err(self.overtaken(input).await),
            Err(error) if error.is_unique_violation() => Err(taken(&settings.name)),
            Err(error) => Err(store(error)),
        }
    }

    pub(super) async fn release_now(
        &self,
        actor: &Actor,
        input: &CreateRelease,
        pass: &Pass,
    ) -> Result<ReleaseId, PortalError> {
        let application = self.there(&input.application).await?;
        let settings = &application.settings;
        let document = settings.document.trim();
        let (document_version, content_hash, content) = self.runbook(document).await?;
        let own: Vec<&str> = settings.named().map(|(_, name)| name).collect();
        let mut fields = undeclared(document, &content, &input.parameters, &own);
        if !input.artefact.trim().is_empty() && settings.artefact_parameter.trim().is_empty() {
            fields.push(FieldError::new(
                "artefact",
                format!("No parameter of {document} takes an address: say which one does on the application's page, or leave this empty."),
            ));
        }
        PortalError::from_fields(fields)?;
        let parameters = parameters_of(settings, input);
        let artefact = match input.artefact.trim() {
            "" => parameters
                .get(settings.artefact_parameter.trim())
                .and_then(|values| values.first())
                .cloned()
                .unwrap_or_default(),
            given => given.to_owned(),
        };
        let release = Release {
            release_id: ReleaseId::new(self.random.uuid()),
            application_id: application.id.clone(),
            number: 0,
            version: input.version.trim().to_owned(),
            notes: input.notes.trim().replace("\r\n", "\n"),
            content: ReleaseContent {
                artefact,
                sha256: input.sha256.trim().to_ascii_lowercase(),
                document: document.to_owned(),
                document_version,
                content_hash,
                parameters,
                previous_parameter: settings.previous_parameter.trim().to_owned(),
                own: own.into_iter().map(str::to_owned).collect(),
            },
            created_by: actor.name.clone(),
            created_at: self.clock.now(),
        };
        pass.note("release", release.release_id.as_str());
        pass.note("content_hash", release.content.content_hash.as_str());
        match write::create_release(&self.db, &release, application.revision, actor.user_id.as_ref()).await {
            Ok(true) => Ok(release.release_id),
            Ok(false) => Err(PortalError::Conflict {
                message: format!(
                    "{} was changed this moment: look at it, and make the release again.",
                    settings.name
                ),
            }),
            Err(error) if error.is_unique_violation() => Err(PortalError::invalid(
                "version",
                format!(
                    "{} has a release {} already, and releases are never changed: choose another version.",
                    settings.name, release.version
                ),
            )),
            Err(error) => Err(store(error)),
        }
    }
}
