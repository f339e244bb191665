//! The gate: whether an act may go on at once, or what has to be asked for first. Every act that policies may speak about
//! passes here, behind the door.

use crate::approvals::people;
use crate::approvals::policies::{Loaded, PolicyBook, meet};
use crate::approvals::store::Desk;
use crate::approvals::times;
use crate::error::store;
use muster_domain::approvals::{Act, Demand, Effect, Meeting, Proposal};
use muster_domain::error::ApprovalNeeds;
use muster_domain::fleet::NodeSummary;
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError};
use std::sync::Arc;

/// The gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    /// The policies.
    pub book: PolicyBook,
    /// Where requests are written.
    pub desk: Desk,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
}

/// Tags as policies see them.
#[must_use]
pub fn tags(node: &NodeSummary) -> Vec<(String, String)> {
    node.tags
        .iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

/// Whom a demand asks, in words.
#[must_use]
pub fn asked(demand: &Demand) -> Vec<String> {
    demand
        .tracks
        .iter()
        .flat_map(|track| &track.levels)
        .map(|level| format!("{} of {}", level.approvals, level.of.join(", ")))
        .collect()
}

/// What the gate found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What the act met.
    pub meeting: Meeting,
    /// The freeze that stops it now, by name and end.
    pub freeze: Option<(String, String)>,
    /// All freezes that stop it now, by name.
    pub freezes: Vec<String>,
    /// The policies that were asked.
    pub loaded: Arc<Loaded>,
}

impl Gate {
    /// What an act of `actor` meets now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn look(&self, actor: &Actor, proposal: &Proposal) -> Result<Finding, PortalError> {
        let now = self.clock.now();
        let loaded = self.book.current().await.map_err(store)?;
        let mut proposal = proposal.clone();
        proposal.requester = people::names(actor, &loaded.policies);
        self.desk.db.connection().clone_into(&mut proposal.connection);
        let meeting = meet(&loaded.policies, &proposal, now);
        let freeze = loaded
            .policies
            .frozen(&proposal, &|freeze| times::is_frozen(freeze, now))
            .map(|freeze| (freeze.name.clone(), freeze.until.clone()));
        let freezes = loaded
            .policies
            .freezes_of(&proposal, &|freeze| times::is_frozen(freeze, now))
            .into_iter()
            .map(|freeze| freeze.name.clone())
            .collect();
        Ok(Finding {
            meeting,
            freeze,
            freezes,
            loaded,
        })
    }

    /// Lets an act go on, or says what has to be asked for.
    ///
    /// # Errors
    /// [`PortalError::ApprovalNeeded`]; [`PortalError::Forbidden`] where a policy forbids it.
    pub async fn admit(&self, actor: &Actor, proposal: &Proposal) -> Result<(), PortalError> {
        let finding = self.look(actor, proposal).await?;
        let meeting = &finding.meeting;
        let names = people::names(actor, &finding.loaded.policies);
        let may_break_glass = meeting.demand.break_glass.iter().any(|name| names.contains(name));
        if meeting.effect == Effect::Deny {
            return Err(PortalError::Forbidden {
                message: format!("{} Nothing was started.", meeting.because),
            });
        }
        let needs = |may_ask: bool| ApprovalNeeds {
            policies: meeting
                .demand
                .tracks
                .iter()
                .map(|track| track.policy.clone())
                .collect(),
            asked: asked(&meeting.demand),
            reason: meeting.demand.reason,
            tickets: meeting.demand.tickets.clone(),
            may_break_glass,
            may_ask,
        };
        if let Some((name, until)) = &finding.freeze {
            // What needs approval can be asked for in a freeze: it runs afterwards.
            return Err(PortalError::ApprovalNeeded {
                message: format!(
                    "Nothing was started: the freeze “{name}” holds until {until}. What needs approval can be asked for \
                     now, and runs afterwards."
                ),
                needs: needs(meeting.effect == Effect::Approve),
            });
        }
        if meeting.effect == Effect::Approve {
            // A tunnel is opened by a program that waits for the answer: there is no request for one.
            if proposal.act == Some(Act::OpenTunnel) {
                return Err(PortalError::Forbidden {
                    message: format!(
                        "{} A tunnel cannot be asked for, so it is not opened: open a terminal on approval instead.",
                        meeting.because
                    ),
                });
            }
            return Err(PortalError::ApprovalNeeded {
                message: format!(
                    "{} Nothing was started: ask for approval ({}).",
                    meeting.because,
                    asked(&meeting.demand).join(", then ")
                ),
                needs: needs(true),
            });
        }
        Ok(())
    }
}
