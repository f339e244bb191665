//! What can be done with parameters, behind the door.

use crate::access::passwords::Passwords;
use crate::access::step_up;
use crate::approvals::Gate;
use crate::aws::Ssm;
use crate::door::Door;
use crate::error::store;
use crate::parameters::copy::{self, CopyError, Gone};
use crate::parameters::plan::proposal;
use crate::parameters::seal::Seal;
use crate::parameters::{keep, queries, ssm};
use crate::runbooks::diff;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::approvals::{Act, Effect};
use muster_domain::audit::Intent;
use muster_domain::parameters::{
    Comparison, DeleteParameter, LabelVersion, LiveParameter, ParameterDetail, ParameterPage, ParameterQuery,
    ParameterSummary, Parameters, PutDone, PutParameter, RevealParameter, Revealed, TagParameter,
    UnlabelVersion, UntagParameter, is_folder, name_key, with_slash,
};
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;

/// The parameters' service.
#[derive(Clone)]
pub struct ParameterService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Checks the password that is asked for once more.
    pub passwords: Passwords,
    /// What was deleted a moment ago.
    pub gone: Gone,
    /// Whether an act may be done at once.
    pub gate: Gate,
    /// Keeps secrets that wait for approval.
    pub seal: Seal,
}

/// The resource that a parameter is in the audit log.
pub(crate) fn resource(name: &str) -> String {
    format!("parameter:{}", with_slash(name))
}

pub(super) fn copying(error: CopyError, name: &str) -> PortalError {
    match error {
        CopyError::Store(error) => store(error),
        CopyError::Call(error) => ssm::to_portal(&error, name),
    }
}

impl ParameterService {
    pub(super) fn connection(&self) -> &str {
        self.ssm.connection.id.as_str()
    }

    /// What the copy says of a parameter, or Systems Manager where it is too new for the copy.
    pub(super) async fn known(&self, name: &str) -> Result<ParameterSummary, PortalError> {
        // What can be no name is none, and is not asked for.
        if name_key(name).is_empty() || !is_folder(name_key(name)) {
            return Err(ssm::missing(name));
        }
        let found = queries::get(&self.db, self.connection(), name)
            .await
            .map_err(store)?;
        if let Some(found) = found {
            return Ok(found);
        }
        self.now(name).await?.ok_or_else(|| ssm::missing(name))
    }

    /// What Systems Manager says of a parameter now.
    pub(super) async fn now(&self, name: &str) -> Result<Option<ParameterSummary>, PortalError> {
        copy::one(&self.db, &self.ssm, name, self.clock.now())
            .await
            .map_err(|error| copying(error, name))
    }

    /// What Systems Manager is asked when a parameter's page is opened; its copy is brought up to date along with it.
    async fn live(
        &self,
        mut row: ParameterSummary,
    ) -> Result<(ParameterSummary, Result<LiveParameter, String>), PortalError> {
        let name = row.name.clone();
        let (history, tags) = tokio::join!(ssm::history(&self.ssm, &name), ssm::tags(&self.ssm, &name));
        let (versions, tags) = match (history, tags) {
            (Ok(versions), Ok(tags)) => (versions, tags),
            (Err(error), _) | (_, Err(error)) if ssm::is_missing(&error) => {
                keep::forget_one(&self.db, self.connection(), &name)
                    .await
                    .map_err(store)?;
                return Err(ssm::missing(&name));
            }
            (Err(error), _) | (_, Err(error)) => {
                return Ok((row, Err(ssm::to_portal(&error, &name).to_string())));
            }
        };
        let newest = versions.first().map_or(0, |one| one.version.version);
        if newest != row.version {
            row = self.now(&name).await?.ok_or_else(|| ssm::missing(&name))?;
        }
        keep::labels(
            &self.db,
            self.connection(),
            &name,
            &copy::labels(&versions),
            self.clock.now(),
        )
        .await
        .map_err(store)?;
        let value = versions
            .first()
            .filter(|_| !row.kind.is_secret())
            .map(|newest| newest.value.0.clone());
        let live = LiveParameter {
            value,
            versions: versions.into_iter().map(|one| one.version).collect(),
            tags,
        };
        Ok((row, Ok(live)))
    }

    async fn compared(
        &self,
        actor: &Actor,
        row: &ParameterSummary,
        (old, new): (i64, i64),
    ) -> Result<Comparison, PortalError> {
        let name = row.name.as_str();
        if row.kind.is_secret() {
            // That two secrets are the same is something to know about them.
            if !actor.may(Action::ParametersReveal) {
                return Ok(Comparison::Hidden {
                    old,
                    new,
                    why: "Whether a secret has changed is told to those who may see it: operators and administrators of \
                          all of the fleet."
                        .into(),
                });
            }
            let finding = self
                .gate
                .look(actor, &proposal(Act::RevealParameter, name))
                .await?;
            if finding.meeting.effect != Effect::Allow || finding.freeze.is_some() {
                return Ok(Comparison::Hidden {
                    old,
                    new,
                    why: format!(
                        "Whether the secret has changed is told to those who may see it at once. {}",
                        finding.meeting.because
                    ),
                });
            }
            let (before, after) = tokio::join!(
                ssm::value(&self.ssm, name, Some(old)),
                ssm::value(&self.ssm, name, Some(new))
            );
            let failed = |error| ssm::to_portal(&error, name);
            let is_same = before.map_err(failed)?.1 == after.map_err(failed)?.1;
            return Ok(Comparison::Secret { old, new, is_same });
        }
        let versions = ssm::history(&self.ssm, name)
            .await
            .map_err(|error| ssm::to_portal(&error, name))?;
        let text = |wanted: i64| {
            let found = versions.iter().find(|one| one.version.version == wanted);
            found
                .map(|one| one.value.0.clone())
                .ok_or_else(|| PortalError::NotFound {
                    what: format!("Version {wanted} of the parameter {name}"),
                })
        };
        let (before, after) = (text(old)?, text(new)?);
        // Comparing may take a processor for seconds: not on a thread that others wait for.
        let diff = tokio::task::spawn_blocking(move || {
            diff::differences((&old.to_string(), &before), (&new.to_string(), &after))
        })
        .await
        .map_err(|_| PortalError::Unavailable {
            message: "The comparison was interrupted: the server is stopping. Try again.".into(),
        })?;
        Ok(Comparison::Text { diff })
    }

    /// What stands in the audit log of revealing.
    pub(crate) fn intent_to_reveal(input: &RevealParameter) -> Intent {
        let intent =
            Intent::new(Action::ParametersReveal, resource(&input.name)).with("authentication", "password");
        let intent = match &input.request {
            Some(request) => intent.with("request", request.as_str()),
            None => intent,
        };
        match input.version {
            Some(version) => intent.with("version", version),
            None => intent,
        }
    }
}

#[async_trait]
impl Parameters for ParameterService {
    async fn list(&self, actor: &Actor, query: ParameterQuery) -> Result<ParameterPage, PortalError> {
        let check = if is_folder(&query.path) {
            Ok(())
        } else {
            Err(PortalError::invalid(
                "path",
                "That is no folder: write names with single slashes between them.",
            ))
        };
        self.door
            .pass(
                actor,
                Intent::new(Action::ParametersRead, ""),
                check,
                async |_| {
                    let mut page = queries::list(&self.db, self.connection(), &query)
                        .await
                        .map_err(store)?;
                    page.may_put = actor.may(Action::ParametersPut);
                    Ok(page)
                },
            )
            .await
    }

    async fn get(&self, actor: &Actor, name: String) -> Result<ParameterDetail, PortalError> {
        let intent = Intent::new(Action::ParametersRead, resource(&name));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let (summary, live) = self.live(self.known(&name).await?).await?;
                Ok(ParameterDetail {
                    may_reveal: summary.kind.is_secret() && actor.may(Action::ParametersReveal),
                    may_put: actor.may(Action::ParametersPut),
                    may_delete: actor.may(Action::ParametersDelete),
                    summary,
                    live,
                })
            })
            .await
    }

    async fn compare(
        &self,
        actor: &Actor,
        name: String,
        old: i64,
        new: i64,
    ) -> Result<Comparison, PortalError> {
        let intent = Intent::new(Action::ParametersRead, resource(&name));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let row = self.known(&name).await?;
                self.compared(actor, &row, (old, new)).await
            })
            .await
    }

    async fn reveal(&self, actor: &Actor, input: RevealParameter) -> Result<Revealed, PortalError> {
        let intent = Self::intent_to_reveal(&input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let row = self.known(&input.name).await?;
                if !row.kind.is_secret() {
                    return Err(PortalError::Conflict {
                        message: format!("{} is no secret: its page shows the value.", row.name),
                    });
                }
                // Who has to ask first is not asked for a password before that.
                if input.request.is_none() {
                    let act = proposal(Act::RevealParameter, &row.name);
                    self.gate.admit(actor, &act).await?;
                }
                step_up::confirm(
                    &self.db,
                    &self.passwords,
                    actor,
                    input.password.clone(),
                    self.clock.now(),
                )
                .await?;
                let ticket = match &input.request {
                    Some(request) => Some(self.take(actor, request, &input).await?),
                    None => None,
                };
                let wanted = ticket.as_ref().map(|ticket| ticket.version).or(input.version);
                let found = ssm::value(&self.ssm, &row.name, wanted)
                    .await
                    .map_err(|error| ssm::to_portal(&error, &row.name));
                if let Some(ticket) = ticket {
                    self.shown(ticket, found.as_ref().err()).await?;
                }
                let (version, value) = found?;
                pass.note("version", version);
                Ok(Revealed {
                    name: row.name,
                    version,
                    value,
                })
            })
            .await
    }

    async fn put(&self, actor: &Actor, input: PutParameter) -> Result<PutDone, PortalError> {
        let intent = Self::intent_to_put(&input);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                self.replaced(&input).await?;
                let act = proposal(Act::PutParameter, &input.name);
                self.gate.admit(actor, &act).await?;
                self.put_now(&input, &pass).await
            })
            .await
    }

    async fn delete(&self, actor: &Actor, input: DeleteParameter) -> Result<(), PortalError> {
        let intent = Self::intent_to_delete(&input.name, input.version);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                self.still(&self.known(&input.name).await?.name, input.version)
                    .await?;
                let act = proposal(Act::DeleteParameter, &input.name);
                self.gate.admit(actor, &act).await?;
                self.delete_now(&input, &pass).await
            })
            .await
    }

    async fn label(&self, actor: &Actor, input: LabelVersion) -> Result<(), PortalError> {
        let intent = Self::intent_to_label(&input);
        self.door
            .pass(actor, intent, input.check(), async |_| {
                let row = self.known(&input.name).await?;
                self.may_label(actor, &row.name).await?;
                self.label_now(&input).await
            })
            .await
    }

    async fn unlabel(&self, actor: &Actor, input: UnlabelVersion) -> Result<(), PortalError> {
        let intent = Self::intent_to_unlabel(&input);
        self.door
            .pass(actor, intent, input.check(), async |_| {
                let row = self.known(&input.name).await?;
                self.may_label(actor, &row.name).await?;
                self.unlabel_now(&input).await
            })
            .await
    }

    async fn tag(&self, actor: &Actor, input: TagParameter) -> Result<(), PortalError> {
        let intent = Intent::new(Action::ParametersTag, resource(&input.name))
            .with("set", format!("{}={}", input.key, input.value));
        self.door
            .pass(actor, intent, input.check(), async |_| {
                let row = self.known(&input.name).await?;
                ssm::tag(&self.ssm, &row.name, &input.key, &input.value).await
            })
            .await
    }

    async fn untag(&self, actor: &Actor, input: UntagParameter) -> Result<(), PortalError> {
        let intent =
            Intent::new(Action::ParametersTag, resource(&input.name)).with("remove", input.key.clone());
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let row = self.known(&input.name).await?;
                ssm::untag(&self.ssm, &row.name, &input.key)
                    .await
                    .map_err(|error| ssm::to_portal(&error, &row.name))
            })
            .await
    }
}
