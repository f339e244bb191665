//! Exceptions: a patch is among those that a baseline rejects while its exception holds, and is taken out again when that
//! expires or somebody ends it. An exception is written down before the baseline is changed, so that none holds without being in
//! the register, and what a stop left half done is found by the next round.

use crate::door::Pass;
use crate::error::store;
use crate::patching::baseline_keep::By;
use crate::patching::baseline_ssm::{self as ssm, Live};
use crate::patching::change::{is_given, resource};
use crate::patching::exception_queries as register;
use crate::patching::plan::proposal;
use crate::patching::service::PatchingService;
use muster_domain::action::Action;
use muster_domain::approvals::{Act, Effect};
use muster_domain::audit::Intent;
use muster_domain::patching::{EndException, ExceptionState, GrantException, PatchException};
use muster_domain::{Actor, PortalError};

/// How long granting may take before it counts as left, in ms.
const LEFT_MS: i64 = 120_000;
/// Rejected patches of a baseline at most.
const MAX_REJECTED: usize = 50;

impl PatchingService {
    /// What stands in the audit log of granting.
    pub(crate) fn intent_to_grant(input: &GrantException) -> Intent {
        Intent::new(Action::ExceptionsGrant, resource(&input.baseline_id))
            .with("patch", input.patch.trim())
            .with("until", input.expires_at.rfc3339())
            .with("because", input.because.trim())
            .with("control", input.control.trim())
            .with("was_sha256", input.seen.clone())
    }

    /// That a patch can be excepted there.
    pub(super) fn may_except(now: &Live, input: &GrantException) -> Result<(), PortalError> {
        let (name, patch) = (&now.content.name, input.patch.trim());
        if now.baseline_id.starts_with("arn:") {
            return Err(is_given(name));
        }
        let is_in = |all: &[String]| all.iter().any(|one| one == patch);
        if is_in(&now.content.rejected_patches) {
            return Err(PortalError::invalid(
                "patch",
                format!("{name} rejects it already, so there is nothing to except."),
            ));
        }
        if is_in(&now.content.approved_patches) {
            return Err(PortalError::invalid(
                "patch",
                format!("{name} approves it by name: take it from that list first."),
            ));
        }
        if now.content.rejected_patches.len() >= MAX_REJECTED {
            return Err(PortalError::Conflict {
                message: format!("{name} rejects {MAX_REJECTED} patches, and there can be no more."),
            });
        }
        Ok(())
    }

    /// Grants an exception, as somebody who may, under an id by which it is granted once.
    pub(crate) async fn grant_now(
        &self,
        input: &GrantException,
        id: &str,
        by: By<'_>,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let live = self.still(&input.baseline_id, &input.seen).await?;
        Self::may_except(&live, input)?;
        self.claim(&live).await?;
        let done = self.grant_claimed(&live, input, id, by).await;
        self.release(&live.baseline_id).await;
        pass.note("exception", id);
        done
    }

    async fn grant_claimed(
        &self,
        live: &Live,
        input: &GrantException,
        id: &str,
        by: By<'_>,
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let patch = input.patch.trim().to_owned();
        let one = PatchException {
            exception_id: id.to_owned(),
            baseline_id: live.baseline_id.clone(),
            baseline_name: live.content.name.clone(),
            patch: patch.clone(),
            because: input.because.trim().to_owned(),
            control: input.control.trim().to_owned(),
            expires_at: input.expires_at,
            state: ExceptionState::Granting,
            granted_by: by.who.to_owned(),
            request_id: by.request.to_owned(),
            granted_at: now,
            ended_at: None,
            ended_because: String::new(),
            ended_by: String::new(),
        };
        let begun = register::begin(&self.db, self.connection(), &one)
            .await
            .map_err(store)?;
        // One that was begun under this id before a stop goes on.
        let known = register::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?;
        if !begun && known.is_none_or(|known| known.state != ExceptionState::Granting) {
            return Err(PortalError::invalid(
                "patch",
                "It is excepted on this baseline already, or was a moment ago: look at the register.",
            ));
        }
        let mut content = live.content.clone();
        content.rejected_patches.push(patch);
        if let Err(error) = ssm::update(&self.ssm, live, &content).await {
            if error.refused {
                let why = error.to_string();
                register::end(&self.db, id, ExceptionState::Failed, &why, self.clock.now())
                    .await
                    .map_err(store)?;
            }
            // Whether it was changed where nobody answered, the next round sees.
            return Err(ssm::to_portal(&error, &live.content.name));
        }
        register::holds(&self.db, id).await.map_err(store)?;
        self.renew(&live.baseline_id, by).await;
        Ok(())
    }

    /// What stands in the audit log of ending one.
    pub(super) fn intent_to_end(baseline_id: &str, id: &str) -> Intent {
        Intent::new(Action::ExceptionsEnd, resource(baseline_id)).with("exception", id)
    }

    /// One of the register.
    async fn exception(&self, baseline_id: &str, id: &str) -> Result<PatchException, PortalError> {
        register::get(&self.db, self.connection(), id)
            .await
            .map_err(store)?
            .filter(|one| one.baseline_id == baseline_id)
            .ok_or_else(|| PortalError::NotFound {
                what: "This exception".into(),
            })
    }

    /// Whoever could not even ask for one does not end it either: where policies forbid that, or a freeze holds.
    async fn may_end(&self, actor: &Actor, one: &PatchException) -> Result<(), PortalError> {
        let proposal = proposal(Act::GrantException, &one.baseline_name);
        let finding = self.gate.look(actor, &proposal).await?;
        if finding.meeting.effect == Effect::Deny {
            return Err(PortalError::Forbidden {
                message: format!("{} Nothing was ended.", finding.meeting.because),
            });
        }
        match &finding.freeze {
            None => Ok(()),
            Some((name, until)) => Err(PortalError::Conflict {
                message: format!(
                    "Nothing was ended: the freeze “{name}” holds until {until}. End it afterwards."
                ),
            }),
        }
    }

    /// Ends one before its day, as somebody who may. It is said first, and done at once where that can be; else the next round
    /// does it.
    pub(super) async fn end_one(
        &self,
        actor: &Actor,
        input: &EndException,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        let (baseline_id, id) = (input.baseline_id.trim(), input.exception_id.trim());
        let one = self.exception(baseline_id, id).await?;
        pass.note("patch", one.patch.as_str());
        pass.note("request", one.request_id.as_str());
        self.may_end(actor, &one).await?;
        let said = (actor.name.as_str(), input.because.trim());
        let is_mine = register::ask_end(&self.db, self.connection(), id, said, self.clock.now())
            .await
            .map_err(store)?;
        let now = self.exception(baseline_id, id).await?;
        if !is_mine {
            return Err(PortalError::Conflict {
                message: match (now.state, now.ended_by.as_str()) {
                    (ExceptionState::Failed, _) => "It was never granted, so there is nothing to end.".into(),
                    (_, "") => format!("It is over already: {}", now.ended_because),
                    (_, other) => format!("{other} has ended it already: {}", now.ended_because),
                },
            });
        }
        if let Err(error) = self.take_out(&now).await {
            tracing::warn!(%error, "an exception that was ended is taken out by the next round");
            pass.note("later", error.to_string());
        }
        Ok(())
    }

    /// Ends exceptions whose time is over or that somebody has ended, and settles those that a stop left half done.
    ///
    /// # Errors
    /// When the database or Systems Manager does not answer; the next round does it.
    pub async fn end_exceptions(&self) -> Result<(), PortalError> {
        let now = self.clock.now();
        let due = register::due(&self.db, self.connection(), now, now.plus_ms(-LEFT_MS))
            .await
            .map_err(store)?;
        for one in due {
            let live = self.live_of(&one).await?;
            let holds = live.filter(|live| live.content.rejected_patches.contains(&one.patch));
            match holds {
                None if one.state == ExceptionState::Granting => {
                    let why = "The portal stopped before it was granted.";
                    register::end(&self.db, &one.exception_id, ExceptionState::Failed, why, now)
                        .await
                        .map_err(store)?;
                }
                None if one.state == ExceptionState::Ending => self.expire(&one).await?,
                None => {
                    let why =
                        "The patch had been taken out of the baseline before, or the baseline was deleted.";
                    register::end(&self.db, &one.exception_id, ExceptionState::Ended, why, now)
                        .await
                        .map_err(store)?;
                }
                Some(_) if one.expires_at > now && one.state != ExceptionState::Ending => {
                    register::holds(&self.db, &one.exception_id)
                        .await
                        .map_err(store)?;
                }
                Some(_) => self.expire(&one).await?,
            }
        }
        Ok(())
    }

    /// Takes the patch out of the baseline again, in the server's own name.
    async fn expire(&self, one: &PatchException) -> Result<(), PortalError> {
        let intent = Self::intent_to_end(&one.baseline_id, &one.exception_id)
            .with("patch", one.patch.as_str())
            .with("request", one.request_id.as_str())
            .with("ended_by", one.ended_by.as_str());
        self.door
            .pass(&Actor::server(), intent, Ok(()), async |_| {
                self.take_out(one).await
            })
            .await
    }

    /// Takes the patch out of the baseline, whatever else that says now, and writes down that the exception is over. Whoever
    /// grants it at this moment has the baseline, and then it is not done yet.
    async fn take_out(&self, one: &PatchException) -> Result<(), PortalError> {
        let is_asked = one.state == ExceptionState::Ending;
        if let Some(live) = self.live_of(one).await? {
            self.claim(&live).await?;
            let done = self.take_out_claimed(one, is_asked).await;
            self.release(&live.baseline_id).await;
            done?;
        }
        let now = self.clock.now();
        let id = one.exception_id.as_str();
        if is_asked {
            register::ended(&self.db, id, now).await
        } else {
            register::end(&self.db, id, ExceptionState::Ended, "It expired.", now).await
        }
        .map_err(store)
    }

    async fn live_of(&self, one: &PatchException) -> Result<Option<Live>, PortalError> {
        ssm::get(&self.ssm, &one.baseline_id)
            .await
            .map_err(|error| ssm::to_portal(&error, &one.baseline_name))
    }

    async fn take_out_claimed(&self, one: &PatchException, is_asked: bool) -> Result<(), PortalError> {
        // Read again, now that nobody else of this portal changes it.
        let Some(live) = self.live_of(one).await? else {
            return Ok(());
        };
        if !live.content.rejected_patches.contains(&one.patch) {
            return Ok(());
        }
        let mut content = live.content.clone();
        content.rejected_patches.retain(|patch| *patch != one.patch);
        ssm::update(&self.ssm, &live, &content)
            .await
            .map_err(|error| ssm::to_portal(&error, &one.baseline_name))?;
        let who = if is_asked {
            one.ended_by.as_str()
        } else {
            "muster (an exception expired)"
        };
        let by = By {
            who,
            request: &one.request_id,
        };
        self.renew(&live.baseline_id, by).await;
        Ok(())
    }
}
