//! What policies see of a change of a baseline, and what a request for one freezes: what the baseline says now, and what it
//! would say.

use crate::approvals::plan::Planned;
use crate::door::Pass;
use crate::error::store;
use crate::patching::baseline_keep::By;
use crate::patching::baseline_queries as queries;
use crate::patching::baseline_ssm::Live;
use crate::patching::change::is_given;
use crate::patching::service::PatchingService;
use muster_domain::approvals::{
    Act, BaselineAct, Plan, PlanSubject, PlannedBaseline, PlannedException, PlannedState, Proposal,
    ProposedAct,
};
use muster_domain::audit::Intent;
use muster_domain::patching::{BaselineChange, BaselineContent, GrantException};
use muster_domain::{PortalError, Timestamp};

/// A change of a baseline as policies see it: baselines are told apart by name, as if they were documents. Which nodes a
/// baseline is for nobody says beforehand, so every policy about nodes is about it.
#[must_use]
pub fn proposal(act: Act, name: &str) -> Proposal {
    Proposal {
        act: Some(act),
        document: name.to_owned(),
        anywhere: true,
        ..Proposal::default()
    }
}

fn no_baseline() -> PortalError {
    PortalError::Conflict {
        message: "It is about no patch baseline.".into(),
    }
}

fn of_baseline(baseline: PlannedBaseline) -> (String, PlanSubject) {
    let name = baseline.name.clone();
    let baseline = Box::new(baseline);
    (name, PlanSubject::Baseline { baseline })
}

fn state(live: &Live) -> PlannedState {
    PlannedState {
        sha256: live.sha256(),
        content: live.content.clone(),
    }
}

impl PatchingService {
    /// The name that policies know a change's baseline by.
    pub(super) async fn name_of(&self, change: &BaselineChange) -> Result<String, PortalError> {
        match change {
            BaselineChange::Create { fields } => Ok(fields.name.clone()),
            other => {
                let id = other.baseline_id().unwrap_or_default();
                Ok(self.live(id).await?.content.name)
            }
        }
    }

    /// Makes an act ready to be asked for: it has to stand on what is there now.
    ///
    /// # Errors
    /// What is in its way already.
    pub(crate) async fn ready(&self, act: &ProposedAct) -> Result<(), PortalError> {
        match act {
            ProposedAct::ChangeBaseline { change } => {
                if let (Some(id), Some(seen)) = (change.baseline_id(), change.seen()) {
                    self.still(id, seen).await?;
                }
                Ok(())
            }
            ProposedAct::DeleteBaseline { baseline_id, seen } => {
                self.still(baseline_id, seen).await.map(|_| ())
            }
            ProposedAct::GrantException { exception } => {
                let now = self.still(&exception.baseline_id, &exception.seen).await?;
                Self::may_except(&now, exception)
            }
            _ => Ok(()),
        }
    }

    /// The baseline that holds for an operating system now, or for a patch group of it.
    async fn holder(&self, system: &str, group: Option<&str>) -> Result<String, PortalError> {
        let all = queries::all(&self.db, self.connection()).await.map_err(store)?;
        let found = all.into_iter().find(|one| {
            one.operating_system == system
                && group.map_or(one.is_default, |group| one.groups.iter().any(|one| one == group))
        });
        Ok(found.map(|one| one.baseline_id).unwrap_or_default())
    }

    async fn plan_change(&self, change: &BaselineChange) -> Result<PlannedBaseline, PortalError> {
        if let BaselineChange::Create { fields } = change {
            return Ok(PlannedBaseline {
                does: BaselineAct::Create,
                baseline_id: String::new(),
                name: fields.name.clone(),
                operating_system: fields.operating_system.clone(),
                now: None,
                becomes: Some(fields.applied_to(&BaselineContent::default())),
                group: String::new(),
                displaces: String::new(),
            });
        }
        let now = self.live(change.baseline_id().unwrap_or_default()).await?;
        self.may_become(&now, change)?;
        let system = now.content.operating_system.clone();
        let mut planned = PlannedBaseline {
            does: BaselineAct::Edit,
            baseline_id: now.baseline_id.clone(),
            name: now.content.name.clone(),
            operating_system: system.clone(),
            now: Some(state(&now)),
            becomes: None,
            group: String::new(),
            displaces: String::new(),
        };
        match change {
            BaselineChange::Create { .. } => {}
            BaselineChange::Edit { fields, .. } => planned.becomes = Some(fields.applied_to(&now.content)),
            BaselineChange::SetDefault { .. } => {
                planned.does = BaselineAct::SetDefault;
                planned.displaces = self.holder(&system, None).await?;
                if planned.displaces == now.baseline_id {
                    return Err(PortalError::Conflict {
                        message: format!("{} is the default already.", planned.name),
                    });
                }
            }
            BaselineChange::AddGroup { group, .. } => {
                planned.does = BaselineAct::AddGroup;
                planned.group.clone_from(group);
                let holder = self.holder(&system, Some(group)).await?;
                if !holder.is_empty() {
                    return Err(PortalError::invalid(
                        "group",
                        format!(
                            "{} holds for that patch group: take the group from it first.",
                            if holder == now.baseline_id {
                                "This baseline"
                            } else {
                                "Another baseline"
                            }
                        ),
                    ));
                }
            }
            BaselineChange::RemoveGroup { group, .. } => {
                planned.does = BaselineAct::RemoveGroup;
                planned.group.clone_from(group);
                if self.holder(&system, Some(group)).await? != now.baseline_id {
                    return Err(PortalError::Conflict {
                        message: format!(
                            "{} does not hold for the patch group {group} any more.",
                            planned.name
                        ),
                    });
                }
            }
        }
        Ok(planned)
    }

    async fn plan_delete(&self, baseline_id: &str) -> Result<PlannedBaseline, PortalError> {
        let now = self.live(baseline_id).await?;
        if now.baseline_id.starts_with("arn:") {
            return Err(is_given(&now.content.name));
        }
        Ok(PlannedBaseline {
            does: BaselineAct::Delete,
            baseline_id: now.baseline_id.clone(),
            name: now.content.name.clone(),
            operating_system: now.content.operating_system.clone(),
            now: Some(state(&now)),
            becomes: None,
            group: String::new(),
            displaces: String::new(),
        })
    }

    async fn plan_exception(&self, input: &GrantException) -> Result<PlannedException, PortalError> {
        input.check(self.clock.now())?;
        let now = self.live(&input.baseline_id).await?;
        Self::may_except(&now, input)?;
        Ok(PlannedException {
            baseline_id: now.baseline_id.clone(),
            baseline: now.content.name.clone(),
            operating_system: now.content.operating_system.clone(),
            now_sha256: now.sha256(),
            patch: input.patch.trim().to_owned(),
            because: input.because.trim().to_owned(),
            control: input.control.trim().to_owned(),
            expires_at: input.expires_at,
        })
    }

    /// Plans an act on a baseline, as things are now.
    ///
    /// # Errors
    /// What is wrong with it, or when Systems Manager does not answer.
    pub(crate) async fn plan(
        &self,
        act: &ProposedAct,
        not_before: Option<Timestamp>,
    ) -> Result<Planned, PortalError> {
        let (name, subject) = match act {
            ProposedAct::GrantException { exception } => {
                let exception = self.plan_exception(exception).await?;
                (exception.baseline.clone(), PlanSubject::Exception { exception })
            }
            ProposedAct::ChangeBaseline { change } => of_baseline(self.plan_change(change).await?),
            ProposedAct::DeleteBaseline { baseline_id, .. } => {
                of_baseline(self.plan_delete(baseline_id).await?)
            }
            _ => return Err(no_baseline()),
        };
        Ok(Planned {
            proposal: proposal(act.act(), &name),
            plan: Plan {
                act: act.act(),
                targets: String::new(),
                subject,
                nodes: Vec::new(),
                not_before: not_before.map(|at| at.0),
            },
            command: None,
            runbook: None,
        })
    }

    /// What stands in the audit log of an act on a baseline that was approved.
    pub(crate) fn intent_of(act: &ProposedAct) -> Option<Intent> {
        match act {
            ProposedAct::ChangeBaseline { change } => Some(Self::intent_to_change(change)),
            ProposedAct::DeleteBaseline { baseline_id, seen } => {
                Some(Self::intent_to_delete(baseline_id, seen))
            }
            ProposedAct::GrantException { exception } => Some(Self::intent_to_grant(exception)),
            _ => None,
        }
    }

    /// Does what was approved, on what the plan stands on: what was changed since is not replaced. One that is to be made is
    /// made once under `token`.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn carry_out(
        &self,
        act: &ProposedAct,
        plan: &Plan,
        token: &str,
        by: By<'_>,
        pass: &Pass,
    ) -> Result<(), PortalError> {
        if let (ProposedAct::GrantException { exception }, PlanSubject::Exception { exception: planned }) =
            (act, &plan.subject)
        {
            let mut input = exception.clone();
            input.seen.clone_from(&planned.now_sha256);
            return self.grant_now(&input, token, by, pass).await;
        }
        let PlanSubject::Baseline { baseline: planned } = &plan.subject else {
            return Err(no_baseline());
        };
        let planned_sha256 = planned
            .now
            .as_ref()
            .map(|now| now.sha256.clone())
            .unwrap_or_default();
        match act {
            ProposedAct::ChangeBaseline { change } => {
                let mut change = change.clone();
                match &mut change {
                    BaselineChange::Create { .. } => {}
                    BaselineChange::Edit { seen, .. }
                    | BaselineChange::SetDefault { seen, .. }
                    | BaselineChange::AddGroup { seen, .. }
                    | BaselineChange::RemoveGroup { seen, .. } => *seen = planned_sha256,
                }
                self.change_now(&change, token, by, pass).await.map(|_| ())
            }
            ProposedAct::DeleteBaseline { baseline_id, .. } => {
                self.delete_now(baseline_id, &planned_sha256, pass).await
            }
            _ => Err(no_baseline()),
        }
    }
}
