//! Who is told what of a request, outside the portal: written with the change that it is about. A notice says which request
//! it is and what happened to it, never what stands in its fields: these may hold what is nobody else's.

use crate::approvals::deputies::Deputies;
use crate::approvals::rows::RequestRow;
use crate::approvals::store::Change;
use crate::notifications::Notice;
use muster_domain::Timestamp;
use muster_domain::approvals::{Level, RequestState, Standing};
use std::collections::BTreeSet;

fn names_of<'a>(levels: impl Iterator<Item = &'a Level>) -> BTreeSet<String> {
    levels.flat_map(|level| level.of.iter().cloned()).collect()
}

/// Those who can decide now, in the policies' words.
pub(super) fn open_names(standing: &Standing) -> BTreeSet<String> {
    let progress = standing.progress();
    let levels = standing
        .tracks
        .iter()
        .zip(&progress)
        .flat_map(|(track, progress)| {
            let pairs = track.levels.iter().zip(progress);
            pairs
                .filter(|(_, progress)| progress.is_open)
                .map(|(level, _)| level)
        });
    names_of(levels)
}

pub(super) fn all_names(standing: &Standing) -> BTreeSet<String> {
    names_of(standing.tracks.iter().flat_map(|track| &track.levels))
}

pub(super) fn requester(standing: &Standing) -> BTreeSet<String> {
    [format!("user:{}", standing.requester.to_lowercase())].into()
}

/// A notice about a request.
pub(super) fn notice(
    row: &RequestRow,
    kind: &str,
    what: &str,
    to: BTreeSet<String>,
    at: Timestamp,
    urgent: bool,
) -> Notice {
    Notice {
        kind: format!("approval.{kind}"),
        about: row.id.to_string(),
        title: format!("{}: {what}", row.id),
        text: format!(
            "{}. Asked for by {}. Nodes: {}, in production: {}.",
            row.title,
            row.standing.requester,
            row.plan.nodes.len(),
            row.in_production
        ),
        href: format!("/approvals/{}", row.id),
        at,
        to: to.into_iter().collect(),
        urgent,
    }
}

/// What is told of a new request.
pub(super) fn of_new(row: &RequestRow, deputies: &Deputies) -> Notice {
    let standing = &row.standing;
    if standing.glass_broken {
        let what = "done without approval, the glass was broken; look at it and review it";
        let to = deputies.with(all_names(standing), standing);
        return notice(row, "glass_broken", what, to, row.asked_at, true);
    }
    let what = "waits for your approval";
    let to = deputies.with(open_names(standing), standing);
    notice(row, "waiting", what, to, row.asked_at, false)
}

/// What is told of a change.
pub(super) fn of_change(
    row: &RequestRow,
    next: &Standing,
    change: &Change,
    now: Timestamp,
    deputies: &Deputies,
) -> Vec<Notice> {
    use RequestState::{Approved, Done, Expired, Failed, Rejected, Waiting, Withdrawn};
    let before = &row.standing;
    let one = |kind: &str, what: &str, to: BTreeSet<String>| notice(row, kind, what, to, now, false);
    let asked_of = |standing: &Standing| deputies.with(open_names(standing), standing);
    if change.review.is_some() {
        return vec![one("reviewed", "was reviewed", requester(next))];
    }
    if change.reminded {
        return vec![one("reminder", "still waits for your approval", asked_of(next))];
    }
    match (before.state, next.state) {
        (Waiting, Waiting) => {
            // The next level: those who were not asked before.
            let asked = open_names(before);
            let new: BTreeSet<String> = open_names(next).difference(&asked).cloned().collect();
            let new = deputies.with(new, next);
            if new.is_empty() {
                Vec::new()
            } else {
                vec![one("waiting", "waits for your approval", new)]
            }
        }
        (Waiting, Approved) => vec![one("decided", "is approved", requester(next))],
        (Waiting, Rejected) => vec![one("decided", "is rejected", requester(next))],
        (Waiting, Expired) => {
            let mut to = requester(next);
            to.extend(asked_of(before));
            vec![one("expired", "has expired: nobody decided in time", to)]
        }
        (Approved, Expired) => vec![one(
            "expired",
            "has expired: the approval was not used in time",
            requester(next),
        )],
        (Approved, Waiting) => {
            let mut to = requester(next);
            to.extend(asked_of(next));
            vec![one(
                "void",
                "is not approved any more: what would run, or who may approve, has changed",
                to,
            )]
        }
        (Waiting, Withdrawn) => vec![one("withdrawn", "was taken back", asked_of(before))],
        (_, Done) if before.state != Done => vec![one("started", "is being done", requester(next))],
        (_, Failed) if before.state != Failed => {
            vec![one("failed", "could not be done", requester(next))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_at_the_open_level_are_told_and_later_ones_later() {
        use muster_domain::approvals::Track;
        let level = |name: &str| Level {
            approvals: 1,
            of: vec![name.to_owned()],
            escalate_after_minutes: None,
            escalate_to: Vec::new(),
        };
        let standing = Standing {
            state: RequestState::Waiting,
            generation: 1,
            requester: "Rita".into(),
            requester_person: "rita".into(),
            tracks: vec![Track {
                policy: "p".into(),
                levels: vec![level("group:team"), level("group:sre")],
            }],
            decisions: Vec::new(),
            waits_since: Timestamp(0),
            expires_at: Timestamp(10),
            usable_until: None,
            glass_broken: false,
        };
        assert_eq!(open_names(&standing), ["group:team".to_owned()].into());
        assert_eq!(all_names(&standing).len(), 2);
        assert_eq!(requester(&standing), ["user:rita".to_owned()].into());
        // Whoever stands in for one of them is told too; whoever has asked is not, nor who stands in for somebody else.
        let deputies = Deputies::of(&[
            (&["user:bob", "group:team"], "Carol"),
            (&["user:eve", "group:sre"], "dave"),
            (&["user:zoe", "group:team"], "rita"),
        ]);
        let told = deputies.with(open_names(&standing), &standing);
        assert_eq!(told, ["group:team".to_owned(), "user:carol".to_owned()].into());
        assert_eq!(
            Deputies::default().with(open_names(&standing), &standing),
            open_names(&standing)
        );
    }
}
