//! Who decides on a request, what they said, and why they may not. Somebody may stand in for somebody else: then the voice is
//! the other one's, and the hand that writes it down is theirs.

use super::state::RequestState;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decision {
    /// About which form of the request: it changes when what would run changes.
    pub generation: u32,
    /// By which account.
    pub account: String,
    /// By whom: several accounts may be one person.
    pub person: String,
    /// For whom, where that was somebody else.
    pub on_behalf_of: Option<Party>,
    /// What.
    pub verdict: Verdict,
    /// For which levels it counts: track and level.
    pub counts: Vec<(usize, usize)>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub comment: String,
    /// Whether it does not count any more, because who gave it may not decide any more.
    pub struck: bool,
}

impl Decision {
    /// The person whose voice it is.
    #[must_use]
    pub fn voice(&self) -> &str {
        self.on_behalf_of
            .as_ref()
            .map_or(&self.person, |party| &party.person)
    }
}

/// An account, and the person behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// The account.
    pub account: String,
    /// The person.
    pub person: String,
}

/// Somebody who would decide, as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// The account.
    pub account: String,
    /// The person behind it.
    pub person: String,
    /// For whom, where they stand in for somebody.
    pub on_behalf_of: Option<Party>,
    /// What whoever's voice it is is, where the request's nodes are: `user:alice`, `group:sre`, `role:approver`.
    pub names: BTreeSet<String>,
}

impl Voter {
    /// The person whose voice it is.
    #[must_use]
    pub fn voice(&self) -> &str {
        self.on_behalf_of
            .as_ref()
            .map_or(&self.person, |party| &party.person)
    }

    /// Whether this is who decided, for whom they did.
    pub(super) fn gave(&self, decision: &Decision) -> bool {
        self.account == decision.account
            && self.person == decision.person
            && self.on_behalf_of == decision.on_behalf_of
    }
}

/// Why something does not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over, or not there yet.
    #[error("This request is not waiting any more: it is {}.", .0.label().to_lowercase())]
    NotNow(RequestState),
    /// The time is over.
    #[error("This request has expired. Ask again.")]
    Expired,
    /// One's own.
    #[error("You asked for this yourself, so somebody else has to decide.")]
    Own,
    /// The own of whoever one stands in for.
    #[error("Whoever you stand in for asked for this, so nobody decides for them.")]
    OwnOfDelegator,
    /// One has decided already.
    #[error("You have decided on this already.")]
    Twice,
    /// Of two who stand in for each other, one has decided already.
    #[error("One person is one voice: you, or whoever you stand in for, have decided on this already.")]
    OneVoice,
    /// One is not among those who are asked, at the level that is open now.
    #[error("You are not among those who can decide on this now.")]
    NotAsked,
    /// Not one's own.
    #[error("Only who asked for it can do this.")]
    NotOwn,
    /// It waits for decisions again.
    #[error("This was extended already.")]
    Extended,
}
