//! Terminals that were approved: who asked opens one, once, and it ends when the approval says.

use crate::approvals::decide::refused;
use crate::approvals::gate::Gate;
use crate::approvals::lease;
use crate::approvals::people;
use crate::approvals::plan;
use crate::approvals::rows::{self, RequestRow};
use crate::approvals::store::{self as requests, Change, Guard};
use crate::approvals::times;
use crate::error::store;
use crate::sessions::Chosen;
use muster_domain::approvals::{Effect, Event, ProposedAct, RequestState, differences, step};
use muster_domain::fleet::NodeSummary;
use muster_domain::ids::{NodeSessionId, RequestId};
use muster_domain::sessions::StartSession;
use muster_domain::{Actor, PortalError};
use std::future::Future;

const MINUTE_MS: i64 = 60_000;

/// An approval that was taken for a session.
#[derive(Debug)]
pub struct Ticket {
    row: RequestRow,
    /// For how many minutes the session may go on.
    pub minutes: u32,
}

fn void(message: &str) -> PortalError {
    PortalError::Conflict {
        message: message.into(),
    }
}

impl Gate {
    /// Lets a terminal go on at once, or takes the approval that was given for it. The approval is used up by this, and given
    /// back only when no session has come of it.
    ///
    /// # Errors
    /// What the policies ask for; or why the approval does not hold.
    pub async fn admit_terminal(
        &self,
        actor: &Actor,
        node: &NodeSummary,
        input: &StartSession,
        chosen: &Chosen,
        session: &NodeSessionId,
    ) -> Result<Option<Ticket>, PortalError> {
        let Some(request) = &input.request else {
            self.admit(actor, &plan::terminal_proposal(node, &input.os_user, chosen))
                .await?;
            return Ok(None);
        };
        self.take(actor, request, (node, input, chosen), session)
            .await
            .map(Some)
    }

    async fn take(
        &self,
        actor: &Actor,
        request: &RequestId,
        (node, input, chosen): (&NodeSummary, &StartSession, &Chosen),
        session: &NodeSessionId,
    ) -> Result<Ticket, PortalError> {
        let db = &self.desk.db;
        let now = self.clock.now();
        let row = rows::get(db, request).await.map_err(store)?;
        let row = row
            .filter(|row| row.requester_id.is_some() && row.requester_id == actor.user_id)
            .ok_or_else(|| PortalError::NotFound {
                what: format!("Your request {request}"),
            })?;
        let ProposedAct::Terminal { minutes, .. } = row.proposed else {
            return Err(void("This request is not about a terminal."));
        };
        let policies = self.book.current().await.map_err(store)?;
        let row = row.as_of(&policies.policies);
        let planned = plan::of_terminal(node, input, chosen, minutes);
        let changed = differences(&row.plan, &planned.plan);
        if !changed.is_empty() {
            return Err(void(&format!(
                "{request} approves another terminal than this one. {}",
                changed.join(" ")
            )));
        }
        let finding = self.look(actor, &planned.proposal).await?;
        if finding.meeting.effect == Effect::Deny {
            return Err(PortalError::Forbidden {
                message: finding.meeting.because.clone(),
            });
        }
        let broken = row.standing.glass_broken;
        let asked = &finding.meeting.demand;
        if !broken && finding.meeting.effect == Effect::Approve && asked.tracks != row.demand.tracks {
            return Err(void(&format!(
                "The policies ask for something else now than when {request} was approved: ask again."
            )));
        }
        let windows = if finding.meeting.effect == Effect::Approve {
            &asked.windows
        } else {
            &row.demand.windows
        };
        let fit = times::first_fit(windows, now).map(|(opens_at, _)| opens_at);
        if !broken && fit.is_none_or(|opens_at| opens_at > now) {
            let when = fit.map_or_else(String::new, |at| format!(" It opens at {}.", at.readable()));
            return Err(void(&format!(
                "The window in which this terminal may be opened is closed.{when}"
            )));
        }
        if let (Some((name, until)), false) = (&finding.freeze, row.standing.glass_broken) {
            return Err(void(&format!("The freeze “{name}” holds until {until}.")));
        }
        let voters = people::approvers(db, &row, &finding.loaded.policies, now).await?;
        let begin = Event::Begin {
            voters: &voters,
            changed: false,
            until: now.plus_ms(i64::from(row.demand.expires_minutes) * MINUTE_MS),
        };
        let next = step(&row.standing, begin, now).map_err(refused)?;
        let begun = next.state == RequestState::Running;
        let change = Change {
            who: actor.name.clone(),
            what: if begun {
                "Opens the terminal."
            } else {
                "Not everybody who approved may still decide: it waits for another approval."
            }
            .to_owned(),
            outcome_id: begun.then(|| session.to_string()),
            ..Change::default()
        };
        if !requests::change(&self.desk, &row, &next, &change, Guard::Usable, now)
            .await
            .map_err(store)?
        {
            return Err(void("This approval was used a moment ago, or has run out."));
        }
        if !begun {
            return Err(void(&change.what));
        }
        let row = rows::get(db, request)
            .await
            .map_err(store)?
            .ok_or_else(|| void("This request is gone."))?;
        Ok(Ticket { row, minutes })
    }

    /// Opens the terminal for which an approval was taken, while no other portal takes that for one that was forgotten.
    pub async fn opening<T>(&self, ticket: &Ticket, work: impl Future<Output = T>) -> T {
        lease::holding(&self.desk, &ticket.row.id, work).await
    }

    /// Says what came of a terminal for which an approval was taken.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn opened(&self, ticket: Ticket, opened: Result<(), PortalError>) -> Result<(), PortalError> {
        let now = self.clock.now();
        let row = ticket.row;
        // What was refused has used nothing up: it can be tried again while the approval holds.
        let event = match &opened {
            Ok(()) => Event::End { well: true },
            Err(_) => Event::Lost,
        };
        let Ok(next) = step(&row.standing, event, now) else {
            return Ok(());
        };
        let change = Change {
            who: "muster".into(),
            what: match &opened {
                Ok(()) => "The terminal is open.".to_owned(),
                Err(error) => format!("The terminal could not be opened: {error}"),
            },
            outcome_id: opened.is_err().then(String::new),
            ..Change::default()
        };
        requests::change(&self.desk, &row, &next, &change, Guard::Anytime, now)
            .await
            .map_err(store)?;
        Ok(())
    }
}
