//! Writing and deleting: against the version that was seen. Systems Manager itself replaces whatever is there, so the
//! newest version is looked at first, and of two people of this portal who saw the same one, one may write. Who writes past
//! the portal at the same moment is seen by the version that comes out.

use crate::door::Pass;
use crate::error::store;
use crate::parameters::service::{ParameterService, resource};
use crate::parameters::{copy, keep, ssm};
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::parameters::{
    DeleteParameter, NewValue, ParameterSummary, PutDone, PutParameter, Value, with_slash,
};

/// How long a version may be in the making, in ms: longer than a call may take.
const CLAIM_MS: i64 = 60_000;

fn overtaken(now: &ParameterSummary, seen: i64) -> PortalError {
    let who = now.modified_by.rsplit('/').next().unwrap_or_default();
    let by = if who.is_empty() {
        String::new()
    } else {
        format!(" by {who}")
    };
    PortalError::Conflict {
        message: format!(
            "Nothing was changed: {} has version {} now (written{by}), and you looked at version {seen}. Look at what is \
             different under Versions, then do it again on that version.",
            now.name, now.version
        ),
    }
}

impl ParameterService {
    /// What stands in the audit log of writing. Never the value.
    pub(crate) fn intent_to_put(input: &PutParameter) -> Intent {
        let mut intent = Intent::new(Action::ParametersPut, resource(&input.name))
            .with("type", input.kind.as_str())
            .with("replaces", serde_json::json!(input.replaces));
        if let NewValue::Version { version } = input.value {
            intent = intent.with("restores", version);
        }
        let mut with = |name: &str, text: Option<&str>| {
            if let Some(text) = text {
                intent = intent.clone().with(name, text);
            }
        };
        with("tier", input.tier.map(|tier| tier.as_str()));
        with("data_type", input.data_type.as_deref());
        with("key_id", input.key_id.as_deref());
        with("description", input.description.as_deref());
        with("allowed_pattern", input.allowed_pattern.as_deref());
        with("policies", input.policies.as_deref());
        intent
    }

    /// What stands in the audit log of deleting.
    pub(crate) fn intent_to_delete(name: &str, version: i64) -> Intent {
        Intent::new(Action::ParametersDelete, resource(name)).with("version", version)
    }

    /// The parameter as it is now, if it is still the one that was looked at.
    pub(crate) async fn still(&self, name: &str, seen: i64) -> Result<ParameterSummary, PortalError> {
        let now = self.now(name).await?.ok_or_else(|| ssm::missing(name))?;
        if now.version == seen {
            Ok(now)
        } else {
            Err(overtaken(&now, seen))
        }
    }

    /// What would be replaced, where something would; and that it can be.
    pub(crate) async fn replaced(
        &self,
        input: &PutParameter,
    ) -> Result<Option<ParameterSummary>, PortalError> {
        let Some(seen) = input.replaces else {
            // The same parameter may be there with the other spelling.
            let other = match input.name.trim().strip_prefix('/') {
                Some(bare) if !bare.contains('/') => bare.to_owned(),
                Some(_) => return self.free(input.name.trim()).await.map(|()| None),
                None => with_slash(&input.name),
            };
            self.free(input.name.trim()).await?;
            return self.free(&other).await.map(|()| None);
        };
        let now = self.still(&self.known(&input.name).await?.name, seen).await?;
        if now.kind != input.kind {
            return Err(PortalError::invalid(
                "kind",
                format!(
                    "{} is a {}, and that cannot be changed: delete it first, or use another name.",
                    now.name,
                    now.kind.as_str()
                ),
            ));
        }
        Ok(Some(now))
    }

    async fn free(&self, name: &str) -> Result<(), PortalError> {
        match self.now(name).await? {
            None => Ok(()),
            Some(there) => Err(PortalError::invalid(
                "name",
                format!(
                    "There is a parameter {} already: open it to change it, or choose another name.",
                    there.name
                ),
            )),
        }
    }

    async fn value(&self, name: &str, value: &NewValue) -> Result<Value, PortalError> {
        match value {
            NewValue::Typed { value } => Ok(value.clone()),
            NewValue::Version { version } => ssm::value(&self.ssm, name, Some(*version))
                .await
                .map(|(_, value)| value)
                .map_err(|error| ssm::to_portal(&error, name)),
            NewValue::Sealed { sealed } => self.seal.open(name, sealed),
        }
    }

    /// Takes the right to write what comes after this version.
    async fn claim(&self, row: &ParameterSummary) -> Result<(), PortalError> {
        let now = self.clock.now();
        let until = now.plus_ms(CLAIM_MS);
        let claimed = keep::claim(&self.db, self.connection(), &row.name, row.version, (now, until))
            .await
            .map_err(store)?;
        if claimed {
            return Ok(());
        }
        Err(PortalError::Conflict {
            message: format!(
                "Nothing was changed: somebody else changes {} at this moment. Look at it again, then do it on its new version.",
                row.name
            ),
        })
    }

    async fn release(&self, name: &str) {
        if let Err(error) = keep::release(&self.db, self.connection(), name).await {
            // It runs out by itself.
            tracing::warn!(%error, "the right to write a parameter could not be given back");
        }
    }

    /// Brings the copy of one parameter up to date; where that fails now, the next round does it.
    async fn renew(&self, name: &str) {
        if let Err(error) = copy::one(&self.db, &self.ssm, name, self.clock.now()).await {
            tracing::warn!(%error, "the copy of a parameter could not be renewed after it was written");
        }
    }

    /// Writes a version, as somebody who may.
    pub(crate) async fn put_now(&self, input: &PutParameter, pass: &Pass) -> Result<PutDone, PortalError> {
        let replaced = self.replaced(input).await?;
        let name = match &replaced {
            Some(row) => row.name.clone(),
            None => input.name.trim().to_owned(),
        };
        let value = self.value(&name, &input.value).await?;
        if let Some(row) = &replaced {
            self.claim(row).await?;
        }
        let written = ssm::put(&self.ssm, &name, input, &value).await;
        if !matches!(&written, Err(error) if error.refused) {
            self.renew(&name).await;
        }
        if replaced.is_some() {
            self.release(&name).await;
        }
        let version = written.map_err(|error| {
            if error.unreachable && !error.refused {
                PortalError::Unavailable {
                    message: format!(
                        "Systems Manager did not answer, so it is not known whether {name} was written. Look at its versions \
                         before you try again."
                    ),
                }
            } else {
                ssm::to_portal(&error, &name)
            }
        })?;
        pass.note("version", version);
        let expected = input.replaces.map_or(1, |seen| seen + 1);
        let replaced_unseen = version != expected;
        if replaced_unseen {
            pass.note("replaced_unseen", true);
        }
        Ok(PutDone {
            name,
            version,
            replaced_unseen,
        })
    }

    /// Deletes a parameter, as somebody who may.
    pub(crate) async fn delete_now(&self, input: &DeleteParameter, pass: &Pass) -> Result<(), PortalError> {
        let row = self
            .still(&self.known(&input.name).await?.name, input.version)
            .await?;
        self.claim(&row).await?;
        let input = DeleteParameter {
            name: row.name.clone(),
            ..input.clone()
        };
        match ssm::delete(&self.ssm, &input).await {
            Ok(()) => {}
            // Somebody else was faster, and it is gone as was wanted.
            Err(error) if ssm::is_missing(&error) => {}
            Err(error) => {
                self.renew(&row.name).await;
                self.release(&row.name).await;
                return Err(ssm::to_portal(&error, &row.name));
            }
        }
        pass.note("type", row.kind.as_str());
        self.gone.add(&row.name, self.clock.now());
        keep::forget_one(&self.db, self.connection(), &row.name)
            .await
            .map_err(store)
    }

    /// Keeps the labels of a parameter as they are now.
    pub(super) async fn keep_labels(&self, name: &str) -> Result<(), PortalError> {
        let versions = ssm::history(&self.ssm, name)
            .await
            .map_err(|error| ssm::to_portal(&error, name))?;
        let labels = copy::labels(&versions);
        keep::labels(&self.db, self.connection(), name, &labels, self.clock.now())
            .await
            .map_err(store)
    }
}
