//! Approving or rejecting several requests that ask for the same, with the password once. What is the same is the whole plan but
//! for its nodes: document, version, content, parameters and what they refer to, rate. Each is a decision of its own, compared and
//! written like any other, so one that somebody else was faster with is left out and said to be.

use crate::approvals::decide::{Said, refused};
use crate::approvals::policies::sha256;
use crate::approvals::rows::RequestRow;
use crate::approvals::service::{ApprovalService, not_found, resource};
use crate::error::store;
use crate::events::PortalEvent;
use muster_domain::action::Action;
use muster_domain::approvals::{
    Alike, DecideTogether, OneOfSeveral, Plan, Policies, RequestState, Standing, Verdict,
};
use muster_domain::audit::Intent;
use muster_domain::{Actor, PortalError};

/// Characters of a key: enough to tell apart what is in one list.
const KEY: usize = 16;

/// By what a request can be decided on together with others. None where its policies do not let it, as they were when it was
/// asked for and as they are now, and for what ran without approval.
pub(super) fn alike(row: &RequestRow, policies: &Policies) -> Option<Alike> {
    if !may_be(&row.standing, row.demand.bulk, policies) {
        return None;
    }
    of_plan(&row.plan, &row.digest)
}

/// Whether policies let it be decided on together with others: `bulk` is what they said when it was asked for.
pub(super) fn may_be(standing: &Standing, bulk: bool, policies: &Policies) -> bool {
    let waits = standing.state == RequestState::Waiting && !standing.glass_broken;
    let lets = |name: &str| {
        let policy = policies.policies.iter().find(|policy| policy.name == name);
        policy.is_some_and(|policy| policy.bulk)
    };
    waits && bulk && standing.tracks.iter().all(|track| lets(&track.policy))
}

/// What plans of the same have in common.
pub(super) fn of_plan(plan: &Plan, digest: &str) -> Option<Alike> {
    Some(Alike {
        key: sha256(&plan.alike()?).chars().take(KEY).collect(),
        digest: digest.to_owned(),
    })
}

impl ApprovalService {
    pub(super) async fn decide_together_inner(
        &self,
        actor: &Actor,
        input: DecideTogether,
    ) -> Result<Vec<OneOfSeveral>, PortalError> {
        let ids: Vec<&str> = input.requests.iter().map(|(id, _)| id.as_str()).collect();
        let verdict = word(input.verdict);
        let other = input.on_behalf_of.trim();
        // Whoever stands in for somebody need not be an approver.
        let action = if other.is_empty() {
            Action::ApprovalsDecideTogether
        } else {
            Action::ApprovalsDecideForAnother
        };
        let intent = Intent::new(action, "requests")
            .with("requests", serde_json::json!(ids))
            .with("verdict", verdict)
            .with("on_behalf_of", other)
            .with("comment", input.comment.clone())
            .with("authentication", "password");
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let policies = self.gate.book.current().await.map_err(store)?;
                let mut rows = Vec::new();
                let mut keys = std::collections::BTreeSet::new();
                for (id, digest) in &input.requests {
                    let row = self.visible(actor, id, &pass.scopes).await;
                    if let Ok(row) = &row
                        && row.standing.state == RequestState::Waiting
                    {
                        let alike = alike(row, &policies.policies).ok_or_else(|| {
                            PortalError::invalid(
                                "requests",
                                format!("The policies do not let {id} be decided on together with others."),
                            )
                        })?;
                        keys.insert(alike.key);
                    }
                    rows.push((id, digest, row));
                }
                if keys.len() > 1 {
                    return Err(PortalError::invalid(
                        "requests",
                        "These do not all ask for the same: decide on those together that do.",
                    ));
                }
                // Who stands in for nobody is not asked for a password first.
                if !other.is_empty() && !self.stands_in_for(actor, other).await? {
                    return Err(PortalError::Forbidden {
                        message: format!("You do not stand in for {other} now."),
                    });
                }
                self.step_up(actor, input.password.clone()).await?;
                let mut outcomes = Vec::new();
                for (id, digest, row) in rows {
                    let done = match row {
                        Ok(row) => self.decide_one(actor, row, digest, &input).await,
                        Err(_) => Err(not_found(id)),
                    };
                    outcomes.push(OneOfSeveral {
                        request: id.clone(),
                        is_done: done.is_ok(),
                        said: match done {
                            Ok(row) => {
                                let (given, needed) = row.standing.count();
                                format!("{}, {given} of {needed}.", row.standing.state.label())
                            }
                            Err(why) => why.to_string(),
                        },
                    });
                }
                pass.note("decided", outcomes.iter().filter(|one| one.is_done).count());
                self.bus.tell(PortalEvent::Approvals);
                self.wake.notify_one();
                Ok(outcomes)
            })
            .await
    }

    /// One of them, as an act of its own.
    async fn decide_one(
        &self,
        actor: &Actor,
        row: RequestRow,
        digest: &str,
        input: &DecideTogether,
    ) -> Result<RequestRow, PortalError> {
        let other = input.on_behalf_of.trim();
        let action = if other.is_empty() {
            Action::ApprovalsDecide
        } else {
            Action::ApprovalsDecideForAnother
        };
        let intent = Intent::new(action, resource(&row.id))
            .with("verdict", word(input.verdict))
            .with("on_behalf_of", other)
            .with("comment", input.comment.as_str())
            .with("digest", digest)
            .with("together", true)
            .with("authentication", "password");
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let policies = self.gate.book.current().await.map_err(store)?;
                let speaker = self.speaker(actor, other, &row, &policies.policies).await?;
                row.standing
                    .counts_for(&speaker.0, self.clock.now())
                    .map_err(refused)?;
                let said = Said {
                    digest,
                    verdict: input.verdict,
                    comment: input.comment.trim(),
                };
                let row = self.decide_now(actor, &said, row, &speaker).await?;
                pass.note("state", row.standing.state.as_str());
                Ok(row)
            })
            .await
    }
}

/// As the audit log has it.
const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve",
        Verdict::Reject => "reject",
    }
}
