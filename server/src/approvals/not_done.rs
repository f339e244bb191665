//! When what was approved is not done: the approval is void, it cannot be done at all, or not yet. Each is in the audit log.

use crate::approvals::carry_out::Again;
use crate::approvals::plan::digest;
use crate::approvals::rows::RequestRow;
use crate::approvals::service::{ApprovalService, resource};
use crate::approvals::store::{self as requests, Change, Guard};
use crate::error::store;
use crate::events::PortalEvent;
use muster_domain::action::Action;
use muster_domain::approvals::{Event, RequestState, Standing, step};
use muster_domain::audit::Intent;
use muster_domain::{Actor, PortalError, Timestamp};

/// The shortest and the longest time until something that could not be done is tried again.
const AGAIN_MS: (i64, i64) = (5_000, 600_000);

impl ApprovalService {
    /// The approval does not hold any more: the request waits again, as what it would be now.
    pub(super) async fn void(
        &self,
        actor: &Actor,
        row: &RequestRow,
        mut next: Standing,
        again: Again,
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let Again {
            planned,
            changed,
            demand,
        } = again;
        // What is asked for now is what the policies ask for now.
        let demand = demand.filter(|_| !changed.is_empty());
        if let Some(demand) = &demand {
            next.tracks.clone_from(&demand.tracks);
        }
        let digest = digest(&planned.plan);
        let said = if changed.is_empty() {
            "Not everybody who approved may still decide: it waits for another approval.".to_owned()
        } else {
            format!("The approval is void. {}", changed.join(" "))
        };
        let intent = Intent::new(Action::ApprovalsCarryOut, resource(&row.id))
            .with("requester", actor.name.clone())
            .with("approved_digest", row.digest.clone())
            .with("digest", digest.clone())
            .with("changed", serde_json::json!(changed));
        let change = Change {
            who: "muster".into(),
            what: said.clone(),
            plan: (!changed.is_empty()).then_some((planned.plan, digest, changed)),
            demand,
            ..Change::default()
        };
        let server = Actor::server();
        let voided: Result<(), PortalError> = self
            .door
            .pass(&server, intent, Ok(()), async |_| {
                requests::change(&self.gate.desk, row, &next, &change, Guard::Anytime, now)
                    .await
                    .map_err(store)?;
                self.bus.tell(PortalEvent::Approvals);
                Err(PortalError::Conflict { message: said })
            })
            .await;
        match voided {
            Err(PortalError::Conflict { .. }) | Ok(()) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// It cannot be done at all: the approval is used up, and the reason stands there.
    pub(super) async fn give_up(&self, row: &RequestRow, why: &PortalError) -> Result<(), PortalError> {
        let now = self.clock.now();
        let intent = Intent::new(Action::ApprovalsCarryOut, resource(&row.id))
            .with("requester", row.standing.requester.clone())
            .with("digest", row.digest.clone());
        let mut running = row.standing.clone();
        running.state = RequestState::Running;
        let Ok(failed) = step(&running, Event::End { well: false }, now) else {
            return Ok(());
        };
        let change = Change {
            who: "muster".into(),
            what: format!("It could not be done: {why}"),
            problem: Some(why.to_string()),
            ..Change::default()
        };
        let server = Actor::server();
        let ended: Result<(), PortalError> = self
            .door
            .pass(&server, intent, Ok(()), async |_| {
                requests::change(&self.gate.desk, row, &failed, &change, Guard::Anytime, now)
                    .await
                    .map_err(store)?;
                self.bus.tell(PortalEvent::Approvals);
                Err(why.clone())
            })
            .await;
        match ended {
            Err(error) if error != *why => Err(error),
            _ => Ok(()),
        }
    }

    /// What it needs is away: it stays approved, and is tried again further and further apart.
    pub(super) async fn put_off(
        &self,
        row: &RequestRow,
        why: &PortalError,
        at: Option<Timestamp>,
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let since = row.standing.decisions.last().map_or(row.asked_at, |last| last.at);
        let wait = (now.since_ms(since) / 2).clamp(AGAIN_MS.0, AGAIN_MS.1);
        let again = at.unwrap_or_else(|| now.plus_ms(wait));
        let intent = Intent::new(Action::ApprovalsCarryOut, resource(&row.id))
            .with("requester", row.standing.requester.clone())
            .with("digest", row.digest.clone())
            .with("again_at", again.rfc3339());
        let change = Change {
            who: "muster".into(),
            what: format!("Not yet: {why} It is tried again at {}.", again.readable()),
            runs_at: Some(again),
            ..Change::default()
        };
        let server = Actor::server();
        let put_off: Result<(), PortalError> = self
            .door
            .pass(&server, intent, Ok(()), async |_| {
                requests::change(&self.gate.desk, row, &row.standing, &change, Guard::Anytime, now)
                    .await
                    .map_err(store)?;
                self.bus.tell(PortalEvent::Approvals);
                Err(why.clone())
            })
            .await;
        match put_off {
            Err(error) if error != *why => Err(error),
            _ => Ok(()),
        }
    }
}
