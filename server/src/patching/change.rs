//! Changing baselines: against what was looked at. Systems Manager itself replaces whatever is there, so what a baseline says
//! is looked at first, and of two people of this portal who change the same one, one may at a time.

use crate::door::Pass;
use crate::error::store;
use crate::patching::baseline_keep::{self as keep, By, Holds};
use crate::patching::baseline_queries as queries;
use crate::patching::baseline_ssm::{self as ssm, Live};
use crate::patching::copy;
use crate::patching::service::PatchingService;
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::patching::{BaselineChange, BaselineContent, short_id};

/// How long a change may be in the making, in ms: longer than a call may take.
const CLAIM_MS: i64 = 60_000;
/// Lines that a conflict names at most, of each side.
const SHOWN: usize = 5;

/// The resource that a baseline is in the audit log.
pub(crate) fn resource(baseline_id: &str) -> String {
    format!("baseline:{}", short_id(baseline_id))
}

/// The same, of one that may have to be made yet.
pub(crate) fn resource_of(baseline_id: &str, name: &str) -> String {
    if baseline_id.is_empty() {
        format!("baseline:new:{name}")
    } else {
        resource(baseline_id)
    }
}

/// Lines of `of` that `other` does not have.
fn only_in(of: &str, other: &str) -> String {
    let there: std::collections::BTreeSet<&str> = other.lines().collect();
    let only: Vec<&str> = of.lines().filter(|line| !there.contains(line)).collect();
    let shown = only
        .iter()
        .take(SHOWN)
        .map(|line| format!("“{line}”"))
        .collect::<Vec<_>>()
        .join(", ");
    match only.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// What is different between what was looked at and what is there, in words.
fn difference(seen: Option<&BaselineContent>, now: &BaselineContent) -> String {
    let Some(seen) = seen else {
        return String::new();
    };
    let (old, new) = (seen.lines(), now.lines());
    let mut said = String::new();
    for (word, lines) in [
        ("It says now", only_in(&new, &old)),
        ("It says no longer", only_in(&old, &new)),
    ] {
        if !lines.is_empty() {
            said.push_str(&format!(" {word}: {lines}."));
        }
    }
    said
}

/// That what comes with Systems Manager stays as it is.
pub(super) fn is_given(name: &str) -> PortalError {
    PortalError::Conflict {
        message: format!(
            "{name} comes with Systems Manager and cannot be changed: copy it to a baseline of your own."
        ),
    }
}

impl PatchingService {
    /// What stands in the audit log of a change.
    pub(crate) fn intent_to_change(change: &BaselineChange) -> Intent {
        let resource = match change {
            BaselineChange::Create { fields } => resource_of("", &fields.name),
            other => resource(other.baseline_id().unwrap_or_default()),
        };
        let intent = Intent::new(Action::BaselinesChange, resource).with("change", change.word());
        let intent = match change.seen() {
            Some(seen) => intent.with("was_sha256", seen),
            None => intent,
        };
        match change {
            BaselineChange::Create { fields } | BaselineChange::Edit { fields, .. } => {
                intent.with("content", serde_json::json!(fields))
            }
            BaselineChange::AddGroup { group, .. } | BaselineChange::RemoveGroup { group, .. } => {
                intent.with("group", group.clone())
            }
            BaselineChange::SetDefault { .. } => intent,
        }
    }

    /// What stands in the audit log of deleting.
    pub(crate) fn intent_to_delete(baseline_id: &str, seen: &str) -> Intent {
        Intent::new(Action::BaselinesDelete, resource(baseline_id)).with("was_sha256", seen)
    }

    /// A baseline as Systems Manager has it now, by its id or the last part of that.
    pub(super) async fn live(&self, id: &str) -> Result<Live, PortalError> {
        let known = queries::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?;
        let id = known.map_or_else(|| id.to_owned(), |known| known.baseline_id);
        ssm::get(&self.ssm, &id)
            .await
            .map_err(|error| ssm::to_portal(&error, &id))?
            .ok_or_else(|| ssm::missing(&id))
    }

    /// The same, if it still says what was looked at.
    pub(super) async fn still(&self, id: &str, seen: &str) -> Result<Live, PortalError> {
        let now = self.live(id).await?;
        if now.sha256() == seen {
            return Ok(now);
        }
        // What is there now is written down, so that its page shows the difference.
        self.keep_live(&now, By::default()).await?;
        let before = queries::version_of(&self.db, self.connection(), &now.baseline_id, seen)
            .await
            .map_err(store)?;
        Err(PortalError::Conflict {
            message: format!(
                "Nothing was changed: {} says something else than what you looked at.{} Look at it again, then change what is \
                 there now.",
                now.content.name,
                difference(before.as_ref(), &now.content)
            ),
        })
    }

    /// Writes down what a baseline is now; for what it holds stays as it was known.
    async fn keep_live(&self, live: &Live, by: By<'_>) -> Result<(), PortalError> {
        let known = queries::get(&self.db, self.connection(), &live.baseline_id)
            .await
            .map_err(store)?;
        let holds = known.map_or_else(Holds::default, |known| Holds {
            is_default: known.is_default,
            groups: known.groups,
        });
        keep::keep(&self.db, self.connection(), live, &holds, by, self.clock.now())
            .await
            .map_err(store)
    }

    /// Brings the copy up to date after a baseline was changed; where that fails now, the next round does it.
    pub(super) async fn renew(&self, baseline_id: &str, by: By<'_>) {
        match ssm::get(&self.ssm, baseline_id).await {
            Ok(Some(live)) => {
                if let Err(error) = self.keep_live(&live, by).await {
                    tracing::warn!(%error, "a patch baseline that was changed could not be written down");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a patch baseline that was changed could not be read"),
        }
        if let Err(error) = copy::holds(&self.db, &self.ssm, self.clock.as_ref()).await {
            tracing::warn!(%error, "for what patch baselines hold could not be copied after a change");
        }
    }

    /// Takes the right to change a baseline.
    pub(super) async fn claim(&self, live: &Live) -> Result<(), PortalError> {
        self.keep_live(live, By::default()).await?;
        let now = self.clock.now();
        let until = now.plus_ms(CLAIM_MS);
        let claimed = keep::claim(&self.db, self.connection(), &live.baseline_id, (now, until))
            .await
            .map_err(store)?;
        if claimed {
            return Ok(());
        }
        Err(PortalError::Conflict {
            message: format!(
                "Nothing was changed: somebody else changes {} at this moment. Look at it again in a few seconds.",
                live.content.name
            ),
        })
    }

    pub(super) async fn release(&self, baseline_id: &str) {
        if let Err(error) = keep::release(&self.db, self.connection(), baseline_id).await {
            // It runs out by itself.
            tracing::warn!(%error, "the right to change a patch baseline could not be given back");
        }
    }

    /// Makes a baseline. Under the same token only one is made, however often this is done.
    async fn create_now(
        &self,
        content: &BaselineContent,
        token: &str,
        by: By<'_>,
    ) -> Result<String, PortalError> {
        let id = ssm::create(&self.ssm, content, token)
            .await
            .map_err(|error| ssm::to_portal(&error, &content.name))?;
        self.renew(&id, by).await;
        Ok(id)
    }

    /// Does a change, as somebody who may. Answers the baseline's id.
    pub(crate) async fn change_now(
        &self,
        change: &BaselineChange,
        token: &str,
        by: By<'_>,
        pass: &Pass,
    ) -> Result<String, PortalError> {
        if let BaselineChange::Create { fields } = change {
            let content = fields.applied_to(&BaselineContent::default());
            let id = self.create_now(&content, token, by).await?;
            pass.note("baseline", id.as_str());
            return Ok(id);
        }
        let (Some(id), Some(seen)) = (change.baseline_id(), change.seen()) else {
            return Err(PortalError::invalid("baseline_id", "Say which baseline."));
        };
        let now = self.still(id, seen).await?;
        let (id, name) = (now.baseline_id.clone(), now.content.name.clone());
        self.may_become(&now, change)?;
        self.claim(&now).await?;
        let done = match change {
            BaselineChange::Edit { fields, .. } => {
                ssm::update(&self.ssm, &now, &fields.applied_to(&now.content)).await
            }
            BaselineChange::SetDefault { .. } => ssm::set_default(&self.ssm, &id).await,
            BaselineChange::AddGroup { group, .. } => ssm::add_group(&self.ssm, &id, group).await,
            BaselineChange::RemoveGroup { group, .. } => ssm::remove_group(&self.ssm, &id, group).await,
            BaselineChange::Create { .. } => Ok(()),
        };
        let refused = matches!(&done, Err(error) if error.refused);
        if !refused {
            self.renew(&id, by).await;
        }
        self.release(&id).await;
        done.map_err(|error| ssm::to_portal(&error, &name))?;
        pass.note("baseline", id.as_str());
        Ok(id)
    }

    /// That a baseline can be changed so at all.
    pub(super) fn may_become(&self, now: &Live, change: &BaselineChange) -> Result<(), PortalError> {
        let BaselineChange::Edit { fields, .. } = change else {
            return Ok(());
        };
        if now.baseline_id.starts_with("arn:") {
            return Err(is_given(&now.content.name));
        }
        if fields.operating_system != now.content.operating_system {
            return Err(PortalError::invalid(
                "operating_system",
                "The operating system of a baseline cannot be changed: make another one.",
            ));
        }
        Ok(())
    }

    /// Deletes a baseline, as somebody who may.
    pub(crate) async fn delete_now(
        &self,
        baseline_id: &str,
        seen: &str,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let now = self.still(baseline_id, seen).await?;
        let (id, name) = (now.baseline_id.as_str(), now.content.name.as_str());
        if id.starts_with("arn:") {
            return Err(is_given(name));
        }
        self.claim(&now).await?;
        let done = ssm::delete(&self.ssm, id).await;
        self.release(id).await;
        done.map_err(|error| ssm::to_portal(&error, name))?;
        pass.note("name", name);
        keep::forget(&self.db, self.connection(), id).await.map_err(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_says_what_is_different() {
        let old = BaselineContent {
            name: "web".into(),
            rejected_patches: vec!["a".into()],
            ..BaselineContent::default()
        };
        let mut new = old.clone();
        new.rejected_patches = (0..7).map(|number| format!("p{number}")).collect();
        let said = difference(Some(&old), &new);
        assert!(said.contains("It says now: “Rejected: p0”"), "{said}");
        assert!(said.contains("and 2 more"), "{said}");
        assert!(said.contains("It says no longer: “Rejected: a”."), "{said}");
        assert_eq!(difference(None, &new), "");
        assert_eq!(resource("arn:aws:ssm:eu:aws:patchbaseline/pb-1"), "baseline:pb-1");
    }
}
