//! How a request for approval goes on: a pure function of how it stands, what happens, and when. Everything that must
//! never happen (approving one's own request, running twice, running after the end) is decided here and nowhere else.

use super::meeting::is_one_of;
use super::policy::Level;
use super::state::RequestState;
use super::voter::{Decision, Refused, Verdict, Voter};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The levels that one policy asks for, passed one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Which policy asks.
    pub policy: String,
    /// Its levels.
    pub levels: Vec<Level>,
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
        let counting = self.decisions.iter().filter(|decision| {
            decision.generation == self.generation
                && !decision.struck
                && decision.verdict == Verdict::Approve
                && decision.counts.contains(&(track, level))
        });
        // One person counts once, whether they decided themselves or somebody did for them; also when two accounts are only
        // found to be one person's after they decided.
        let mut people: BTreeSet<&str> = BTreeSet::new();
        let mut given = 0;
        for decision in counting {
            if !people.contains(decision.person.as_str()) && !people.contains(decision.voice()) {
                people.extend([decision.person.as_str(), decision.voice()]);
                given += 1;
            }
        }
        given
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
        if let Some(other) = &by.on_behalf_of {
            if other.person == self.requester_person || other.account.eq_ignore_ascii_case(&self.requester) {
                return Err(Refused::OwnOfDelegator);
            }
            // Who stands in for another account of their own would have two voices.
            if other.person == by.person {
                return Err(Refused::NotAsked);
            }
        }
        let now_counting = || {
            self.decisions
                .iter()
                .filter(|decision| decision.generation == self.generation && !decision.struck)
        };
        if now_counting().any(|decision| decision.person == by.person) {
            return Err(Refused::Twice);
        }
        // Whoever decided for somebody has used that voice, and whoever was decided for has used theirs.
        let is_used = |person: &str| {
            now_counting().any(|decision| decision.person == person || decision.voice() == person)
        };
        if is_used(&by.person) || is_used(by.voice()) {
            return Err(Refused::OneVoice);
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
                voter.gave(decision)
                    && voter.person != self.requester_person
                    && voter.voice() != self.requester_person
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
                on_behalf_of: by.on_behalf_of.clone(),
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
