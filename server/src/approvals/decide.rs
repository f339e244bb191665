//! What people do to a request: decide, take back, remind, extend, review. Each is a compare-and-set: of two at once, the
//! second one sees what the first one did.

use crate::access::step_up;
use crate::approvals::listed::Listed;
use crate::approvals::rows;
use crate::approvals::rows::{Decider, RequestRow, ReviewRecord};
use crate::approvals::service::{ApprovalService, not_found, resource};
use crate::approvals::store::{self as requests, Change, Guard};
use crate::approvals::{people, together};
use crate::error::store;
use crate::events::PortalEvent;
use muster_domain::access::Password;
use muster_domain::action::Action;
use muster_domain::approvals::{
    Act, Decide, Event, Policies, Refused, RequestState, RequestSummary, Review, Verdict, Voter, step,
};
use muster_domain::audit::Intent;
use muster_domain::ids::{NodeId, RequestId};
use muster_domain::{Actor, PortalError, Timestamp};

const MINUTE_MS: i64 = 60_000;
/// Between two reminders.
const REMINDED_EVERY_MS: i64 = 15 * MINUTE_MS;
/// How often somebody who was overtaken looks again.
const TRIES: usize = 5;

/// What somebody decides, about what they looked at.
pub(super) struct Said<'a> {
    pub(super) digest: &'a str,
    pub(super) verdict: Verdict,
    pub(super) comment: &'a str,
}

/// A refusal of the state machine, as it is shown.
pub(crate) fn refused(why: Refused) -> PortalError {
    let message = why.to_string();
    match why {
        Refused::Own | Refused::OwnOfDelegator | Refused::NotAsked | Refused::NotOwn => {
            PortalError::Forbidden { message }
        }
        Refused::NotNow(_) | Refused::Expired | Refused::Twice | Refused::OneVoice | Refused::Extended => {
            PortalError::Conflict { message }
        }
    }
}

fn overtaken() -> PortalError {
    PortalError::Conflict {
        message:
            "Somebody else changed this request at the same moment, or it has expired: look at it again."
                .into(),
    }
}

/// The nodes of a request.
pub(crate) fn nodes(row: &RequestRow) -> Vec<NodeId> {
    row.plan.nodes.iter().map(|node| node.node_id.clone()).collect()
}

/// Whether who asked does it, once it is approved: a terminal is opened, a secret is looked at.
pub(super) const fn used_by_hand(act: Act) -> bool {
    matches!(act, Act::OpenTerminal | Act::RevealParameter)
}

/// Whether the portal does it by itself once it is approved.
pub(super) fn runs_itself(row: &RequestRow) -> bool {
    !used_by_hand(row.act)
}

impl ApprovalService {
    /// The actor as a voter on this request.
    pub(super) async fn voter(
        &self,
        actor: &Actor,
        row: &RequestRow,
        policies: &Policies,
    ) -> Result<Voter, PortalError> {
        people::voter(&self.db, &actor.name, &actor.grants, &nodes(row), policies).await
    }

    /// Asks for the password once more, behind the limits of signing in.
    pub(super) async fn step_up(&self, actor: &Actor, password: Password) -> Result<(), PortalError> {
        step_up::confirm(&self.db, &self.passwords, actor, password, self.clock.now()).await
    }

    pub(super) async fn decide_inner(
        &self,
        actor: &Actor,
        input: Decide,
    ) -> Result<RequestSummary, PortalError> {
        let verdict = match input.verdict {
            Verdict::Approve => "approve",
            Verdict::Reject => "reject",
        };
        let other = input.on_behalf_of.trim();
        let action = if other.is_empty() {
            Action::ApprovalsDecide
        } else {
            Action::ApprovalsDecideForAnother
        };
        let intent = Intent::new(action, resource(&input.request))
            .with("verdict", verdict)
            .with("on_behalf_of", other)
            .with("comment", input.comment.clone())
            .with("digest", input.digest.clone())
            .with("authentication", "password");
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let row = self.visible(actor, &input.request, &pass.scopes).await?;
                let policies = self.gate.book.current().await.map_err(store)?;
                let speaker = self.speaker(actor, other, &row, &policies.policies).await?;
                // Who cannot decide is not asked for a password first.
                row.standing
                    .counts_for(&speaker.0, self.clock.now())
                    .map_err(refused)?;
                self.step_up(actor, input.password.clone()).await?;
                let said = Said {
                    digest: &input.digest,
                    verdict: input.verdict,
                    comment: input.comment.trim(),
                };
                let row = self.decide_now(actor, &said, row, &speaker).await?;
                pass.note("state", row.standing.state.as_str());
                self.bus.tell(PortalEvent::Approvals);
                if row.standing.state != RequestState::Waiting {
                    self.wake.notify_one();
                }
                let alike = together::alike(&row, &policies.policies);
                Ok(self.summary(actor, &Listed::from(&row), &[speaker.0], alike))
            })
            .await
    }

    pub(super) async fn decide_now(
        &self,
        actor: &Actor,
        input: &Said<'_>,
        mut row: RequestRow,
        (voter, decider): &(Voter, Decider),
    ) -> Result<RequestRow, PortalError> {
        for _ in 0..TRIES {
            if row.digest != input.digest {
                return Err(PortalError::Conflict {
                    message: "What would run has changed since you looked at it: look at it again.".into(),
                });
            }
            let now = self.clock.now();
            let loaded = self.gate.book.current().await.map_err(store)?;
            let usable = self.usable(&row, &loaded.policies, now).await?;
            let (opens_at, usable_until) = match (usable, input.verdict) {
                (Some(usable), _) => usable,
                (None, Verdict::Reject) => (now, now),
                (None, Verdict::Approve) => {
                    return Err(PortalError::Conflict {
                        message: "There is no time within a year at which the policies let this run, with their windows and freezes."
                            .into(),
                    });
                }
            };
            let event = Event::Decide {
                by: voter,
                verdict: input.verdict,
                comment: input.comment,
                usable_until,
            };
            let next = step(&row.standing, event, now).map_err(refused)?;
            let for_whom = voter
                .on_behalf_of
                .as_ref()
                .map_or_else(String::new, |other| format!(" on behalf of {}", other.account));
            let said = match (input.verdict, next.state) {
                (Verdict::Reject, _) => format!("Rejected it{for_whom}."),
                (_, RequestState::Approved) if opens_at > now => {
                    format!("Approved it{for_whom}; it runs at {}.", opens_at.readable())
                }
                (_, RequestState::Approved) => format!("Approved it{for_whom}; nothing more is needed."),
                _ => {
                    let (given, needed) = next.count();
                    format!("Approved it{for_whom}: {given} of {needed}.")
                }
            };
            let change = Change {
                who: actor.name.clone(),
                what: said,
                decider: Some((decider.clone(), actor.origin.address.clone())),
                runs_at: match next.state {
                    RequestState::Approved if runs_itself(&row) => Some(opens_at),
                    // A runbook is told also that it may not go on.
                    RequestState::Rejected if row.act == Act::AnswerStep => Some(now),
                    _ => None,
                },
                ..Change::default()
            };
            if requests::change(&self.gate.desk, &row, &next, &change, Guard::Waits, now)
                .await
                .map_err(store)?
            {
                return self.again(&row.id).await;
            }
            let newer = self.again(&row.id).await?;
            if newer.version == row.version {
                // Nobody was faster: by the database's clock it does not wait any more.
                return Err(refused(Refused::Expired));
            }
            row = newer;
        }
        Err(overtaken())
    }

    pub(super) async fn again(&self, request: &RequestId) -> Result<RequestRow, PortalError> {
        let policies = self.gate.book.current().await.map_err(store)?;
        rows::get(&self.db, request)
            .await
            .map_err(store)?
            .map(|row| row.as_of(&policies.policies))
            .ok_or_else(|| not_found(request))
    }

    /// Does one thing to one's own request.
    async fn to_own(
        &self,
        actor: &Actor,
        action: Action,
        request: &RequestId,
        said: &str,
        event: impl Fn(
            &RequestRow,
            &str,
            Timestamp,
        ) -> Result<Option<muster_domain::approvals::Standing>, PortalError>,
    ) -> Result<(), PortalError> {
        let intent = Intent::new(action, resource(request));
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                for _ in 0..TRIES {
                    let row = self.visible(actor, request, &pass.scopes).await?;
                    let policies = self.gate.book.current().await.map_err(store)?;
                    let person = policies.policies.person(&actor.name);
                    let now = self.clock.now();
                    let reminds = action == Action::ApprovalsRemind;
                    let next = event(&row, &person, now)?.unwrap_or_else(|| row.standing.clone());
                    let change = Change {
                        who: actor.name.clone(),
                        what: said.to_owned(),
                        runs_at: if next.state.is_open() { row.runs_at } else { None },
                        reminded: reminds,
                        ..Change::default()
                    };
                    let guard = if action == Action::ApprovalsExtend {
                        Guard::Waits
                    } else {
                        Guard::Anytime
                    };
                    if requests::change(&self.gate.desk, &row, &next, &change, guard, now)
                        .await
                        .map_err(store)?
                    {
                        self.bus.tell(PortalEvent::Approvals);
                        return Ok(());
                    }
                }
                Err(overtaken())
            })
            .await
    }

    pub(super) async fn withdraw_inner(&self, actor: &Actor, request: &RequestId) -> Result<(), PortalError> {
        let action = Action::ApprovalsWithdraw;
        self.to_own(actor, action, request, "Took it back.", |row, person, now| {
            step(&row.standing, Event::Withdraw { person }, now)
                .map(Some)
                .map_err(refused)
        })
        .await
    }

    pub(super) async fn extend_inner(&self, actor: &Actor, request: &RequestId) -> Result<(), PortalError> {
        let action = Action::ApprovalsExtend;
        let said = "Asked for more time.";
        self.to_own(actor, action, request, said, |row, person, now| {
            let whole = i64::from(row.demand.expires_minutes) * MINUTE_MS;
            // Once: the last moment is never later than twice the whole time after the request began to wait.
            if row.standing.expires_at.since_ms(row.standing.waits_since) > whole {
                return Err(refused(Refused::Extended));
            }
            let until = now.plus_ms(whole);
            step(&row.standing, Event::Extend { person, until }, now)
                .map(Some)
                .map_err(refused)
        })
        .await
    }

    pub(super) async fn remind_inner(&self, actor: &Actor, request: &RequestId) -> Result<(), PortalError> {
        let action = Action::ApprovalsRemind;
        let said = "Reminded those who can decide.";
        self.to_own(actor, action, request, said, |row, person, now| {
            if person != row.standing.requester_person {
                return Err(refused(Refused::NotOwn));
            }
            if row.standing.state != RequestState::Waiting {
                return Err(refused(Refused::NotNow(row.standing.state)));
            }
            if row
                .reminded_at
                .is_some_and(|at| now.since_ms(at) < REMINDED_EVERY_MS)
            {
                return Err(PortalError::Conflict {
                    message: "They were reminded within the last quarter of an hour.".into(),
                });
            }
            Ok(None)
        })
        .await
    }

    pub(super) async fn review_inner(&self, actor: &Actor, input: Review) -> Result<(), PortalError> {
        let intent = Intent::new(Action::ApprovalsReview, resource(&input.request))
            .with("was_right", input.was_right)
            .with("comment", input.comment.clone());
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let row = self.visible(actor, &input.request, &pass.scopes).await?;
                if let Some(why) = self.why_not_review(actor, &row).await? {
                    return Err(why);
                }
                let now = self.clock.now();
                let change = Change {
                    who: actor.name.clone(),
                    what: if input.was_right {
                        "Reviewed it: it was right to do."
                    } else {
                        "Reviewed it: it should not have been done."
                    }
                    .to_owned(),
                    runs_at: row.runs_at,
                    review: Some(ReviewRecord {
                        by: actor.name.clone(),
                        at: now,
                        was_right: input.was_right,
                        comment: input.comment.trim().to_owned(),
                    }),
                    ..Change::default()
                };
                let standing = row.standing.clone();
                if !requests::change(&self.gate.desk, &row, &standing, &change, Guard::Anytime, now)
                    .await
                    .map_err(store)?
                {
                    return Err(overtaken());
                }
                self.bus.tell(PortalEvent::Approvals);
                Ok(())
            })
            .await
    }

    /// Why the actor cannot review a broken glass; none when they can.
    pub(super) async fn why_not_review(
        &self,
        actor: &Actor,
        row: &RequestRow,
    ) -> Result<Option<PortalError>, PortalError> {
        if row.review_due_at.is_none() {
            return Ok(Some(PortalError::Conflict {
                message: "There is nothing to review here.".into(),
            }));
        }
        if row.standing.state.is_open() {
            return Ok(Some(PortalError::Conflict {
                message: "It has not been used yet: there is nothing to review before it was.".into(),
            }));
        }
        let policies = self.gate.book.current().await.map_err(store)?;
        let voter = self.voter(actor, row, &policies.policies).await?;
        if voter.person == row.standing.requester_person
            || voter.account.eq_ignore_ascii_case(&row.standing.requester)
        {
            return Ok(Some(refused(Refused::Own)));
        }
        let asked = row
            .standing
            .tracks
            .iter()
            .flat_map(|track| &track.levels)
            .any(|level| {
                level
                    .of
                    .iter()
                    .chain(&level.escalate_to)
                    .any(|name| voter.names.contains(name))
            });
        Ok((!asked).then(|| refused(Refused::NotAsked)))
    }
}
