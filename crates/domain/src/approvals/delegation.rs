//! Delegations: an approver hands their part over to somebody else for a time. What one is, and what can be said against
//! making it. That one person is one voice is decided with everything else, in `machine`.

use crate::error::{FieldError, PortalError};
use crate::ids::DelegationId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Days for which a part can be handed over at most.
const MAX_DAYS: i64 = 90;
/// Characters of a reason at most.
const MAX_REASON: usize = 200;

/// Input: hand one's part over to somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// To whom: an account.
    pub to: String,
    /// Until when.
    pub until: Timestamp,
    /// Why, for all to read.
    pub reason: String,
}

impl HandOver {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self, now: Timestamp) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.to.trim().is_empty() || self.to.contains('\0') {
            fields.push(FieldError::new(
                "to",
                "Write the name of the account that stands in for you.",
            ));
        }
        if self.until <= now || self.until.since_ms(now) > MAX_DAYS * 86_400_000 {
            fields.push(FieldError::new(
                "until",
                "Choose a time within the next 90 days: it ends by itself then.",
            ));
        }
        if self.reason.chars().count() > MAX_REASON || self.reason.chars().any(char::is_control) {
            fields.push(FieldError::new(
                "reason",
                "Use at most 200 characters, on one line.",
            ));
        }
        PortalError::from_fields(fields)
    }
}

/// A part in approvals that was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// Which.
    pub id: DelegationId,
    /// Whose part it is: an account.
    pub from: String,
    /// Who stands in: an account.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub made_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// When it ended, where it has ended before that: it was taken back, or one of both was disabled.
    pub ended_at: Option<Timestamp>,
}

impl Delegation {
    /// Whether somebody stands in for somebody at `now`.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.made_at <= now && now < self.until
    }

    /// Whether what was decided under it while it held still counts. It does when its time is over, which was said before; it
    /// does not when it was taken back.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.ended_at.is_none_or(|at| at >= self.until)
    }
}

/// A delegation, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegationView {
    /// What it is.
    pub delegation: Delegation,
    /// Whether it holds now.
    pub holds: bool,
    /// Whether the actor handed it over.
    pub is_own: bool,
    /// Whether the actor can end it: who handed it over, and who stands in.
    pub may_end: bool,
}

/// Somebody for whom the actor can decide on a request now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandsIn {
    /// For whom: an account.
    pub account: String,
    /// Until when.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn what_is_wrong_with_handing_over_is_said_at_its_field() {
        let good = HandOver {
            to: "bob".into(),
            until: Timestamp(7 * DAY),
            reason: "on leave".into(),
        };
        let now = Timestamp(0);
        assert!(good.check(now).is_ok());
        for (bad, field) in [
            (
                HandOver {
                    to: " ".into(),
                    ..good.clone()
                },
                "to",
            ),
            (
                HandOver {
                    until: now,
                    ..good.clone()
                },
                "until",
            ),
            (
                HandOver {
                    until: Timestamp(91 * DAY),
                    ..good.clone()
                },
                "until",
            ),
            (
                HandOver {
                    reason: "a\nb".into(),
                    ..good.clone()
                },
                "reason",
            ),
            (
                HandOver {
                    reason: "x".repeat(201),
                    ..good.clone()
                },
                "reason",
            ),
        ] {
            let said = bad.check(now).unwrap_err();
            assert!(said.about(field).is_some(), "{field}: {said}");
        }
    }

    #[test]
    fn it_holds_for_its_time_and_what_was_decided_then_stands_unless_it_was_taken_back() {
        let mut one = Delegation {
            id: DelegationId::new("d"),
            from: "alice".into(),
            to: "bob".into(),
            reason: String::new(),
            made_at: Timestamp(10),
            until: Timestamp(20),
            ended_at: None,
        };
        let at = |one: &Delegation| [9, 10, 19, 20].map(|now| one.holds(Timestamp(now)));
        assert_eq!(at(&one), [false, true, true, false]);
        assert!(one.stands());
        one.ended_at = Some(Timestamp(20));
        assert!(one.stands() && !one.holds(Timestamp(19)));
        one.ended_at = Some(Timestamp(15));
        assert!(!one.stands());
    }
}
