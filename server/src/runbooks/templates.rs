//! Templates behind the door: keeping a filled form, opening it, and saying when its runbook is another one by now. A template
//! starts nothing: whoever opens one sends the same form, through the same gate.

use crate::error::store;
use crate::runbooks::service::RunbookService;
use crate::runbooks::template_queries::{self as queries, Looker, NewTemplate, Stored};
use crate::runbooks::{catalogue, copy};
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::{TemplateId, UserId};
use muster_domain::permission::Role;
use muster_domain::runbooks::{
    RenameTemplate, RunbookTemplates, SaveTemplate, SavedTemplate, TemplateRow, TemplateState,
    without_secrets,
};
use muster_domain::{Actor, PortalError};

fn user(actor: &Actor) -> UserId {
    actor
        .user_id
        .clone()
        .unwrap_or_else(|| UserId::new(actor.name.clone()))
}

fn looker<'a>(actor: &Actor, user: &'a UserId) -> Looker<'a> {
    Looker {
        user,
        any: actor.grants.iter().any(|grant| grant.role == Role::Administrator),
    }
}

fn missing() -> PortalError {
    PortalError::NotFound {
        what: "The template".into(),
    }
}

fn taken() -> PortalError {
    PortalError::invalid(
        "template_name",
        "There is a template of that name for this runbook: choose another name, or tick “Replace the one of that name”.",
    )
}

impl RunbookService {
    fn connection(&self) -> &str {
        self.ssm.connection.id.as_str()
    }

    /// Whether a template's runbook is still what it was.
    async fn state(&self, stored: &Stored) -> Result<TemplateState, PortalError> {
        let name = stored.row.document.as_str();
        let known = copy::known(&self.db, &self.ssm, name, self.clock.now()).await;
        let version = match (stored.row.version.as_str(), known) {
            (_, Err(PortalError::NotFound { what })) => {
                return Ok(TemplateState::Gone {
                    why: format!("{what} is not there any more."),
                });
            }
            (_, Err(error)) => return Err(error),
            ("", Ok(summary)) => {
                // The list may be older than the versions.
                let versions = catalogue::versions(&self.db, self.connection(), name)
                    .await
                    .map_err(store)?;
                let default = versions.into_iter().find(|one| one.is_default);
                default.map_or(summary.default_version, |one| one.version)
            }
            (version, Ok(_)) => version.to_owned(),
        };
        match copy::text(&self.db, &self.ssm, name, &version).await {
            Ok((hash, _)) if hash == stored.content_hash => Ok(TemplateState::Same),
            Ok(_) => Ok(TemplateState::Changed {
                saved: stored.saved_version.clone(),
                now: version,
            }),
            Err(PortalError::NotFound { .. }) => Ok(TemplateState::Gone {
                why: format!("Version {version} of {name} is not there any more."),
            }),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl RunbookTemplates for RunbookService {
    async fn templates(
        &self,
        actor: &Actor,
        document: Option<String>,
    ) -> Result<Vec<TemplateRow>, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                // Whoever starts nothing has no use for forms, and does not read what others have filled in.
                if !actor.may(Action::RunbooksStart) {
                    return Ok(Vec::new());
                }
                let user = user(actor);
                queries::list(
                    &self.db,
                    self.connection(),
                    document.as_deref(),
                    looker(actor, &user),
                )
                .await
                .map_err(store)
            })
            .await
    }

    async fn template(&self, actor: &Actor, id: TemplateId) -> Result<SavedTemplate, PortalError> {
        let intent = Intent::new(Action::RunbooksRead, format!("template:{id}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                if !actor.may(Action::RunbooksStart) {
                    return Err(missing());
                }
                let user = user(actor);
                let stored = queries::get(&self.db, self.connection(), &id, looker(actor, &user))
                    .await
                    .map_err(store)?
                    .ok_or_else(missing)?;
                Ok(SavedTemplate {
                    state: self.state(&stored).await?,
                    row: stored.row,
                    input: stored.input,
                    left_out: stored.left_out,
                })
            })
            .await
    }

    async fn save_template(&self, actor: &Actor, input: SaveTemplate) -> Result<TemplateId, PortalError> {
        let (parameters, left_out) = without_secrets(&input.input.parameters);
        let name = input.name.trim();
        let document = input.input.document.trim();
        let intent = Intent::new(Action::RunbooksSaveTemplate, format!("document:{document}"))
            .with("name", name.to_owned())
            .with("shared", input.shared)
            .with("parameters", serde_json::json!(parameters));
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let summary = copy::known(&self.db, &self.ssm, document, self.clock.now()).await?;
                let version = match input.input.version.trim() {
                    "" => summary.default_version,
                    version => version.to_owned(),
                };
                let (content_hash, _) = copy::text(&self.db, &self.ssm, document, &version).await?;
                let mut kept = input.input.clone();
                kept.parameters = parameters;
                kept.confirmed_nodes = None;
                let user = user(actor);
                let new = NewTemplate {
                    id: &self.random.uuid(),
                    owner: &user,
                    owner_name: &actor.name,
                    name,
                    shared: input.shared,
                    input: &kept,
                    left_out: &left_out,
                    saved_version: &version,
                    content_hash: &content_hash,
                };
                let id = queries::save(&self.db, self.connection(), &new, input.replace, self.clock.now())
                    .await
                    .map_err(store)?
                    .ok_or_else(taken)?;
                pass.note("template", id.as_str());
                Ok(id)
            })
            .await
    }

    async fn rename_template(&self, actor: &Actor, input: RenameTemplate) -> Result<(), PortalError> {
        let name = input.name.trim();
        let intent = Intent::new(Action::RunbooksSaveTemplate, format!("template:{}", input.id))
            .with("name", name.to_owned());
        self.door
            .pass(actor, intent, input.check(), async |_| {
                let user = user(actor);
                match queries::rename(&self.db, self.connection(), &input.id, name, looker(actor, &user))
                    .await
                {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(missing()),
                    Err(error) if error.is_unique_violation() => Err(PortalError::invalid(
                        "template_name",
                        "There is a template of that name for this runbook: choose another name.",
                    )),
                    Err(error) => Err(store(error)),
                }
            })
            .await
    }

    async fn delete_template(&self, actor: &Actor, id: TemplateId) -> Result<(), PortalError> {
        let intent = Intent::new(Action::RunbooksDeleteTemplate, format!("template:{id}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let user = user(actor);
                let gone = queries::delete(&self.db, self.connection(), &id, looker(actor, &user))
                    .await
                    .map_err(store)?;
                if gone { Ok(()) } else { Err(missing()) }
            })
            .await
    }
}
