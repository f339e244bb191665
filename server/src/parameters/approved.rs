//! A secret that may be seen on approval: whoever asked sees it once, in the version that was approved.

use crate::approvals::Gate;
use crate::approvals::decide::refused;
use crate::approvals::people;
use crate::approvals::rows::{self, RequestRow};
use crate::approvals::store::{self as requests, Change, Guard};
use crate::approvals::times;
use crate::error::store;
use crate::parameters::service::ParameterService;
use muster_domain::approvals::{Effect, Event, PlanSubject, ProposedAct, RequestState, differences, step};
use muster_domain::ids::RequestId;
use muster_domain::parameters::{RevealParameter, name_key};
use muster_domain::{Actor, PortalError};

const MINUTE_MS: i64 = 60_000;

/// An approval that was taken to see a secret.
#[derive(Debug)]
pub(super) struct Ticket {
    row: RequestRow,
    /// The version that may be seen.
    pub(super) version: i64,
}

fn no(message: impl Into<String>) -> PortalError {
    PortalError::Conflict {
        message: message.into(),
    }
}

/// Whether policies, windows and freezes let it be done now.
async fn admits(gate: &Gate, actor: &Actor, row: &RequestRow) -> Result<(), PortalError> {
    let parameter = match &row.plan.subject {
        PlanSubject::Parameter { parameter } => parameter,
        _ => return Err(no("This request is about no parameter.")),
    };
    let broken = row.standing.glass_broken;
    let proposal = super::plan::proposal(row.act, &parameter.name);
    let finding = gate.look(actor, &proposal).await?;
    let (effect, asked) = (finding.meeting.effect, &finding.meeting.demand);
    if effect == Effect::Deny {
        return Err(PortalError::Forbidden {
            message: finding.meeting.because.clone(),
        });
    }
    if broken {
        return Ok(());
    }
    if effect == Effect::Approve && asked.tracks != row.demand.tracks {
        return Err(no(format!(
            "The policies ask for something else now than when {} was approved: ask again.",
            row.id
        )));
    }
    let windows = if effect == Effect::Approve {
        &asked.windows
    } else {
        &row.demand.windows
    };
    let now = gate.clock.now();
    let fit = times::first_fit(windows, now).map(|(opens_at, _)| opens_at);
    if fit.is_none_or(|opens_at| opens_at > now) {
        let when = fit.map_or_else(String::new, |at| format!(" It opens at {}.", at.readable()));
        return Err(no(format!(
            "The window in which this secret may be seen is closed.{when}"
        )));
    }
    match &finding.freeze {
        Some((name, until)) => Err(no(format!("The freeze “{name}” holds until {until}."))),
        None => Ok(()),
    }
}

impl ParameterService {
    /// Takes the approval that was given to see a secret. It is used up by this, and given back only when nothing was
    /// shown.
    pub(super) async fn take(
        &self,
        actor: &Actor,
        request: &RequestId,
        input: &RevealParameter,
    ) -> Result<Ticket, PortalError> {
        let (gate, now) = (&self.gate, self.clock.now());
        let row = rows::get(&self.db, request).await.map_err(store)?;
        let row = row
            .filter(|row| row.requester_id.is_some() && row.requester_id == actor.user_id)
            .ok_or_else(|| PortalError::NotFound {
                what: format!("Your request {request}"),
            })?;
        let ProposedAct::RevealParameter { name, .. } = &row.proposed else {
            return Err(no("This request is not about seeing a secret."));
        };
        if name_key(name) != name_key(&input.name) {
            return Err(no(format!("{request} is about the parameter {name}.")));
        }
        match row.standing.state {
            RequestState::Waiting => return Err(no(format!("{request} is not approved yet."))),
            RequestState::Done => {
                return Err(no(format!(
                    "{request} was used: it lets you see the secret once. Ask again."
                )));
            }
            _ => {}
        }
        let policies = gate.book.current().await.map_err(store)?;
        let row = row.as_of(&policies.policies);
        let planned = self.plan(&row.proposed, row.not_before).await?;
        let changed = differences(&row.plan, &planned.plan);
        if !changed.is_empty() {
            return Err(no(format!(
                "{request} approves something else than what is there now. {} Ask again.",
                changed.join(" ")
            )));
        }
        let version = match &row.plan.subject {
            PlanSubject::Parameter { parameter } => parameter.revealed.unwrap_or_default(),
            _ => 0,
        };
        if input.version.is_some_and(|wanted| wanted != version) {
            return Err(no(format!("{request} approves version {version} and no other.")));
        }
        admits(gate, actor, &row).await?;
        let voters = people::approvers(&self.db, &row, &policies.policies, now).await?;
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
                "Looks at the secret."
            } else {
                "Not everybody who approved may still decide: it waits for another approval."
            }
            .to_owned(),
            outcome_id: begun.then(|| request.to_string()),
            ..Change::default()
        };
        if !requests::change(&gate.desk, &row, &next, &change, Guard::Usable, now)
            .await
            .map_err(store)?
        {
            return Err(no("This approval was used a moment ago, or has run out."));
        }
        if !begun {
            return Err(no(change.what));
        }
        let row = rows::get(&self.db, request)
            .await
            .map_err(store)?
            .ok_or_else(|| no("This request is gone."))?;
        Ok(Ticket { row, version })
    }

    /// Says what came of it.
    pub(super) async fn shown(
        &self,
        ticket: Ticket,
        problem: Option<&PortalError>,
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let row = ticket.row;
        let event = match problem {
            None => Event::End { well: true },
            Some(_) => Event::Lost,
        };
        let Ok(next) = step(&row.standing, event, now) else {
            return Ok(());
        };
        let change = Change {
            who: "muster".into(),
            what: match problem {
                None => "The secret was shown.".to_owned(),
                Some(error) => format!("The secret could not be shown: {error}"),
            },
            outcome_id: problem.map(|_| String::new()),
            ..Change::default()
        };
        requests::change(&self.gate.desk, &row, &next, &change, Guard::Anytime, now)
            .await
            .map_err(store)?;
        Ok(())
    }
}
