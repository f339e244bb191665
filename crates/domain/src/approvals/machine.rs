//! How a request for approval goes on: a pure function of how it stands, what happens, and when. Everything that must
//! never happen (approving one's own request, running twice, running after the end) is decided here and nowhere else.

use super::meeting::is_one_of;
use super::policy::Level;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestState {
    /// For decisions.
    Waiting,
    /// Approved, and not done yet: it waits for its time, or for the requester.
    Approved,
    /// It is being done.
    Running,
    /// It was done: the act was begun, whatever came of it there.
    Done,
    /// It was tried and refused.
    Failed,
    /// Somebody said no.
    Rejected,
    /// The requester took it back.
    Withdrawn,
    /// Nobody decided, or nobody used it, in time.
    Expired,
}

impl RequestState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Approved,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Rejected,
        Self::Withdrawn,
        Self::Expired,
    ];

    /// The word in the database and in URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Approved => "Approved",
            Self::Running => "Starting",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Rejected => "Rejected",
            Self::Withdrawn => "Withdrawn",
            Self::Expired => "Expired",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether something can still come of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Approved | Self::Running)
    }
}

/// The levels that one policy asks for, passed one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Which policy asks.
    pub policy: String,
    /// Its levels.
    pub levels: Vec<Level>,
}

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

/// Somebody who would decide, as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// The account.
    pub account: String,
    /// The person behind it.
    pub person: String,
    /// What they are, where the request's nodes are: `user:alice`, `group:sre`, `role:approver`.
    pub names: BTreeSet<String>,
}

/// How a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where.
    pub state: RequestState,
    /// Grows by one when what would run has changed.
    pub generation: u32,
    /// Who asked.
    pub requester: String,
    /// The person behind that account.
    pub requester_person: String,
    /// What has to be passed.
    pub tracks: Vec<Track>,
    /// What was decided, in order.
    pub decisions: Vec<Decision>,
    /// Since when it waits.
    pub waits_since: Timestamp,
    /// Until when it waits.
    pub expires_at: Timestamp,
    /// Until when the approval can be used.
    pub usable_until: Option<Timestamp>,
    /// Whether the glass was broken: then nobody had to approve.
    pub glass_broken: bool,
}

/// What may happen to a request.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Somebody decides; when that is the last approval needed, it can be used until `usable_until`.
    Decide {
        /// Who, as they are now.
        by: &'a Voter,
        /// What.
        verdict: Verdict,
        /// Why.
        comment: &'a str,
        /// Until when an approval can be used.
        usable_until: Timestamp,
    },
    /// The person takes it back.
    Withdraw {
        /// Who.
        person: &'a str,
    },
    /// The person asks for the whole waiting time again.
    Extend {
        /// Who.
        person: &'a str,
        /// Until when it would wait.
        until: Timestamp,
    },
    /// Time has passed.
    Tick,
    /// What was approved is about to be done.
    Begin {
        /// Those who approved, as they are now; who is not here may not decide any more.
        voters: &'a [Voter],
        /// Whether what would run differs from what was approved.
        changed: bool,
        /// Until when it would wait again.
        until: Timestamp,
    },
    /// It was done, or refused.
    End {
        /// Whether it was begun.
        well: bool,
    },
    /// The portal stopped before the act was written down: it was not done.
    Lost,
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
    /// One has decided already.
    #[error("You have decided on this already.")]
    Twice,
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

/// How far one level of a track is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackProgress {
    /// Approvals that count.
    pub given: u32,
    /// Approvals that are needed.
    pub needed: u32,
    /// Whether it can be decided now.
    pub is_open: bool,
}

impl Standing {
    fn given(&self, track: usize, level: usize) -> u32 {
        let people: BTreeSet<&str> = self
            .decisions
            .iter()
            .filter(|decision| {
                decision.generation == self.generation
                    && !decision.struck
                    && decision.verdict == Verdict::Approve
                    && decision.counts.contains(&(track, level))
            })
            .map(|decision| decision.person.as_str())
            .collect();
        u32::try_from(people.len()).unwrap_or(u32::MAX)
    }

    /// How far each level of each track is.
    #[must_use]
    pub fn progress(&self) -> Vec<Vec<TrackProgress>> {
        let waits = self.state == RequestState::Waiting;
        (0..self.tracks.len())
            .map(|t| {
                let mut before_is_done = true;
                self.tracks[t]
                    .levels
                    .iter()
                    .enumerate()
                    .map(|(l, level)| {
                        let given = self.given(t, l);
                        let is_done = given >= level.approvals;
                        let progress = TrackProgress {
                            given: given.min(level.approvals),
                            needed: level.approvals,
                            is_open: waits && before_is_done && !is_done,
                        };
                        before_is_done &= is_done;
                        progress
                    })
                    .collect()
            })
            .collect()
    }

    fn is_complete(&self) -> bool {
        !self.tracks.is_empty()
            && self
                .progress()
                .iter()
                .all(|levels| levels.iter().all(|level| level.given >= level.needed))
    }

    /// Approvals that are given and needed in all.
    #[must_use]
    pub fn count(&self) -> (u32, u32) {
        let all = self.progress();
        let sum = |of: fn(&TrackProgress) -> u32| all.iter().flatten().map(of).sum();
        (sum(|level| level.given), sum(|level| level.needed))
    }

    /// Who may decide at a level now.
    #[must_use]
    pub fn asked(&self, level: &Level, now: Timestamp) -> Vec<String> {
        let mut of = level.of.clone();
        if let Some(minutes) = level.escalate_after_minutes
            && now.since_ms(self.waits_since) >= i64::from(minutes) * 60_000
        {
            of.extend(level.escalate_to.iter().cloned());
        }
        of
    }

    /// The levels for which a decision of `by` counts now, or why there is none.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn counts_for(&self, by: &Voter, now: Timestamp) -> Result<Vec<(usize, usize)>, Refused> {
        if self.state != RequestState::Waiting {
            return Err(Refused::NotNow(self.state));
        }
        if now >= self.expires_at {
            return Err(Refused::Expired);
        }
        if by.person == self.requester_person || by.account.eq_ignore_ascii_case(&self.requester) {
            return Err(Refused::Own);
        }
        let has_decided = self.decisions.iter().any(|decision| {
            decision.generation == self.generation && !decision.struck && decision.person == by.person
        });
        if has_decided {
            return Err(Refused::Twice);
        }
        let mut counts = Vec::new();
        for (t, levels) in self.progress().iter().enumerate() {
            for (l, progress) in levels.iter().enumerate() {
                if progress.is_open && is_one_of(&self.asked(&self.tracks[t].levels[l], now), &by.names) {
                    counts.push((t, l));
                }
            }
        }
        if counts.is_empty() {
            return Err(Refused::NotAsked);
        }
        Ok(counts)
    }

    /// Approvals of people who may not decide any more do not count any more.
    fn strike(&mut self, voters: &[Voter]) -> bool {
        let tracks = self.tracks.clone();
        let mut any = false;
        for decision in &mut self.decisions {
            if decision.generation != self.generation
                || decision.struck
                || decision.verdict != Verdict::Approve
            {
                continue;
            }
            let still = voters.iter().any(|voter| {
                voter.account == decision.account
                    && voter.person == decision.person
                    && voter.person != self.requester_person
                    && decision.counts.iter().all(|(t, l)| {
                        tracks
                            .get(*t)
                            .and_then(|track| track.levels.get(*l))
                            .is_some_and(|level| {
                                is_one_of(&level.of, &voter.names)
                                    || is_one_of(&level.escalate_to, &voter.names)
                            })
                    })
            });
            if !still {
                decision.struck = true;
                any = true;
            }
        }
        any
    }

    fn wait_again(&mut self, now: Timestamp, until: Timestamp) {
        self.state = RequestState::Waiting;
        self.waits_since = now;
        self.expires_at = until;
        self.usable_until = None;
    }
}

/// How a request stands after `event` at `now`.
///
/// # Errors
/// [`Refused`] when it does not happen: then nothing is different.
pub fn step(standing: &Standing, event: Event<'_>, now: Timestamp) -> Result<Standing, Refused> {
    let mut next = standing.clone();
    let over = match standing.state {
        RequestState::Waiting => now >= standing.expires_at,
        RequestState::Approved => standing.usable_until.is_some_and(|until| now >= until),
        _ => false,
    };
    match event {
        Event::Tick => {
            if over {
                next.state = RequestState::Expired;
            }
        }
        Event::End { well } if standing.state == RequestState::Running => {
            next.state = if well {
                RequestState::Done
            } else {
                RequestState::Failed
            };
        }
        Event::Lost if standing.state == RequestState::Running => next.state = RequestState::Approved,
        _ if over => return Err(Refused::Expired),
        Event::Decide {
            by,
            verdict,
            comment,
            usable_until,
        } => {
            let counts = standing.counts_for(by, now)?;
            next.decisions.push(Decision {
                generation: standing.generation,
                account: by.account.clone(),
                person: by.person.clone(),
                verdict,
                counts,
                at: now,
                comment: comment.to_owned(),
                struck: false,
            });
            if verdict == Verdict::Reject {
                next.state = RequestState::Rejected;
            } else if next.is_complete() {
                next.state = RequestState::Approved;
                next.usable_until = Some(usable_until);
            }
        }
        Event::Withdraw { person } => {
            if person != standing.requester_person {
                return Err(Refused::NotOwn);
            }
            if !matches!(standing.state, RequestState::Waiting | RequestState::Approved) {
                return Err(Refused::NotNow(standing.state));
            }
            next.state = RequestState::Withdrawn;
        }
        Event::Extend { person, until } => {
            if person != standing.requester_person {
                return Err(Refused::NotOwn);
            }
            if standing.state != RequestState::Waiting {
                return Err(Refused::NotNow(standing.state));
            }
            if until <= standing.expires_at {
                return Err(Refused::Extended);
            }
            next.expires_at = until;
        }
        Event::Begin {
            voters,
            changed,
            until,
        } => {
            if standing.state != RequestState::Approved {
                return Err(Refused::NotNow(standing.state));
            }
            if changed && !standing.glass_broken {
                next.generation += 1;
                next.wait_again(now, until);
            } else if !standing.glass_broken && next.strike(voters) && !next.is_complete() {
                next.wait_again(now, until);
            } else {
                next.state = RequestState::Running;
            }
        }
        Event::End { .. } | Event::Lost => return Err(Refused::NotNow(standing.state)),
    }
    Ok(next)
}
