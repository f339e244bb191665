//! Every order in which a few people can act on a request, explored to the end: what must never be is never reached.
use super::*;
use crate::approvals::Party;
use crate::time::Timestamp;
use std::collections::{BTreeSet, HashSet, VecDeque};

const USABLE: i64 = 100;
const WAITS: i64 = 4;

fn voter(account: &str, person: &str, names: &[&str]) -> Voter {
    Voter {
        account: account.into(),
        person: person.into(),
        on_behalf_of: None,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Somebody who stands in for somebody: with what the other one is.
fn for_another(account: &str, person: &str, other: (&str, &str), names: &[&str]) -> Voter {
    Voter {
        on_behalf_of: Some(Party {
            account: other.0.into(),
            person: other.1.into(),
        }),
        ..voter(account, person, names)
    }
}

fn level(approvals: u32, of: &[&str]) -> Level {
    Level {
        approvals,
        of: of.iter().map(|name| (*name).to_owned()).collect(),
        escalate_after_minutes: None,
        escalate_to: Vec::new(),
    }
}

fn waiting(tracks: Vec<Track>) -> Standing {
    Standing {
        state: RequestState::Waiting,
        generation: 1,
        requester: "rita".into(),
        requester_person: "person:Rita".into(),
        tracks,
        decisions: Vec::new(),
        waits_since: Timestamp(0),
        expires_at: Timestamp(WAITS),
        usable_until: None,
        glass_broken: false,
    }
}

fn track(levels: Vec<Level>) -> Track {
    Track {
        policy: "p".into(),
        levels,
    }
}

/// Everything that the small world can be: the request, who still holds the role, whether what would run has
/// changed, the time, and how often it was done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    state: RequestState,
    generation: u32,
    decisions: Vec<Decision>,
    expires_at: Timestamp,
    usable_until: Option<Timestamp>,
    allowed: [bool; 4],
    changed: bool,
    now: i64,
    done: u32,
    begun_with: u32,
}

/// The requester, another account of the same person, and two others; all hold the role of an approver.
const PEOPLE: [(&str, &str); 4] = [
    ("rita", "person:Rita"),
    ("rita-admin", "person:Rita"),
    ("bob", "bob"),
    ("eve", "eve"),
];

/// Who stands in for whom, where somebody does: one who may decide too, and who asked; and somebody for who asked.
const STAND_INS: [(&str, &str, usize); 3] = [
    ("bob", "bob", 3),
    ("rita-admin", "person:Rita", 3),
    ("bob", "bob", 0),
];

fn voters(allowed: [bool; 4], stand_ins: &[(&str, &str, usize)]) -> Vec<Voter> {
    const NAMES: &[&str] = &["role:approver", "role:administrator"];
    let own = PEOPLE
        .iter()
        .zip(allowed)
        .filter(|(_, allowed)| *allowed)
        .map(|((account, person), _)| voter(account, person, NAMES));
    let others = stand_ins
        .iter()
        .filter(|(_, _, of)| allowed[*of])
        .map(|(account, person, of)| for_another(account, person, PEOPLE[*of], NAMES));
    own.chain(others).collect()
}

fn standing(world: &World, template: &Standing) -> Standing {
    Standing {
        state: world.state,
        generation: world.generation,
        decisions: world.decisions.clone(),
        expires_at: world.expires_at,
        usable_until: world.usable_until,
        ..template.clone()
    }
}

fn put(world: &World, next: &Standing) -> World {
    World {
        state: next.state,
        generation: next.generation,
        decisions: next.decisions.clone(),
        expires_at: next.expires_at,
        usable_until: next.usable_until,
        ..world.clone()
    }
}

/// All worlds that one thing that happens can lead to.
fn successors(world: &World, template: &Standing, stand_ins: &[(&str, &str, usize)]) -> Vec<World> {
    let now = Timestamp(world.now);
    let request = standing(world, template);
    let mut found = Vec::new();
    let mut happen = |event: Event<'_>| {
        if let Ok(next) = step(&request, event, now) {
            found.push(put(world, &next));
        }
    };
    let present = voters(world.allowed, stand_ins);
    for by in &present {
        for verdict in [Verdict::Approve, Verdict::Reject] {
            happen(Event::Decide {
                by,
                verdict,
                comment: "",
                usable_until: now.plus_ms(USABLE),
            });
        }
        happen(Event::Withdraw { person: &by.person });
        happen(Event::Extend {
            person: &by.person,
            until: now.plus_ms(WAITS),
        });
    }
    happen(Event::Tick);
    happen(Event::Lost);
    happen(Event::End { well: false });
    if let Ok(next) = step(
        &request,
        Event::Begin {
            voters: &present,
            changed: world.changed,
            until: now.plus_ms(WAITS),
        },
        now,
    ) {
        let mut after = put(world, &next);
        if next.state == RequestState::Running {
            after.begun_with = world.generation;
            assert!(
                !world.changed,
                "what would run is not what was approved: {world:?}"
            );
            assert!(
                world.now < world.usable_until.unwrap().0,
                "used after its time: {world:?}"
            );
            let counting: Vec<&Decision> = next
                .decisions
                .iter()
                .filter(|d| d.generation == next.generation && !d.struck && d.verdict == Verdict::Approve)
                .collect();
            let mut people: HashSet<&str> = HashSet::new();
            for decision in &counting {
                // Whose hand it was, and whose voice.
                let both: HashSet<&str> = [decision.person.as_str(), decision.voice()].into();
                assert!(!both.contains("person:Rita"), "the requester approved: {world:?}");
                for person in both {
                    assert!(people.insert(person), "{person} counts twice: {world:?}");
                }
                let index = PEOPLE.iter().position(|(_, p)| *p == decision.voice()).unwrap();
                assert!(
                    world.allowed[index],
                    "{} may not approve any more: {world:?}",
                    decision.voice()
                );
            }
            assert!(counting.len() >= 2, "two people have to approve: {world:?}");
        } else {
            // What has changed was looked at anew: it is what would run now.
            after.changed = false;
        }
        found.push(after);
    }
    if let Ok(next) = step(&request, Event::End { well: true }, now) {
        let mut after = put(world, &next);
        after.done += 1;
        found.push(after);
    }
    // The world outside: time passes, roles come and go, somebody edits the document.
    if world.now < 2 * WAITS {
        let mut later = world.clone();
        later.now += WAITS;
        found.push(later);
    }
    for index in 0..PEOPLE.len() {
        if world.state.is_open() && world.allowed[index] {
            let mut without = world.clone();
            without.allowed[index] = false;
            found.push(without);
        }
    }
    if !world.changed && world.state.is_open() && world.generation < 3 {
        let mut edited = world.clone();
        edited.changed = true;
        found.push(edited);
    }
    found
}

fn explore(tracks: Vec<Track>, stand_ins: &[(&str, &str, usize)]) -> usize {
    let template = waiting(tracks);
    let start = World {
        state: RequestState::Waiting,
        generation: 1,
        decisions: Vec::new(),
        expires_at: template.expires_at,
        usable_until: None,
        allowed: [true; 4],
        changed: false,
        now: 0,
        done: 0,
        begun_with: 0,
    };
    let mut seen: HashSet<World> = HashSet::from([start.clone()]);
    let mut queue = VecDeque::from([start]);
    let mut ends = HashSet::new();
    while let Some(world) = queue.pop_front() {
        assert!(world.done <= 1, "done twice: {world:?}");
        if !world.state.is_open() {
            ends.insert(world.state);
        }
        if matches!(
            world.state,
            RequestState::Rejected | RequestState::Withdrawn | RequestState::Expired
        ) {
            assert_eq!(world.done, 0, "done although it had ended: {world:?}");
        }
        for next in successors(&world, &template, stand_ins) {
            if !world.state.is_open() {
                assert_eq!(next.state, world.state, "an end is not the end: {world:?}");
            }
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    // The model is worth something only when everything that can be is reached.
    for state in RequestState::ALL {
        assert_eq!(ends.contains(&state), !state.is_open(), "{state:?}");
    }
    seen.len()
}

#[test]
fn no_order_of_events_runs_what_was_not_approved_by_two_others() {
    let of = &["role:approver", "role:administrator"];
    let two_at_once = explore(vec![track(vec![level(2, of)])], &[]);
    let one_after_the_other = explore(vec![track(vec![level(1, of), level(1, of)])], &[]);
    assert!(two_at_once > 1_000 && one_after_the_other > 1_000);
}

#[test]
fn no_order_of_events_lets_two_hands_or_two_voices_be_one_persons() {
    let of = &["role:approver", "role:administrator"];
    assert!(explore(vec![track(vec![level(2, of)])], &STAND_INS) > 1_000);
}

#[test]
fn who_stands_in_for_somebody_is_as_they_are_and_one_voice_with_them() {
    let of_sre = || waiting(vec![track(vec![level(2, &["group:sre"])])]);
    let request = of_sre();
    let eve = voter("eve", "eve", &["group:sre"]);
    let carol = voter("carol", "carol", &[]);
    let carol_for_eve = for_another("carol", "carol", ("eve", "eve"), &["group:sre"]);
    let carol_for_bob = for_another("carol", "carol", ("bob", "bob"), &["group:sre"]);
    let bob_for_eve = for_another("bob", "bob", ("eve", "eve"), &["group:sre"]);
    let bob = voter("bob", "bob", &["group:sre"]);
    assert_eq!(approve(&request, &carol, 0), Err(Refused::NotAsked));
    let one = approve(&request, &carol_for_eve, 0).unwrap();
    assert_eq!(one.count(), (1, 2));
    assert_eq!(one.decisions[0].voice(), "eve");
    // Neither is asked again: not the one who was away, not another who stands in for them, and not carol for anybody else.
    assert_eq!(approve(&one, &eve, 0), Err(Refused::OneVoice));
    assert_eq!(approve(&one, &bob_for_eve, 0), Err(Refused::OneVoice));
    assert_eq!(approve(&one, &carol_for_bob, 0), Err(Refused::Twice));
    assert_eq!(approve(&one, &bob, 0).unwrap().state, RequestState::Approved);
    // The other way round.
    let one = approve(&request, &eve, 0).unwrap();
    assert_eq!(approve(&one, &carol_for_eve, 0), Err(Refused::OneVoice));
    let one = approve(&request, &bob, 0).unwrap();
    assert_eq!(
        approve(&one, &bob_for_eve, 0),
        Err(Refused::Twice),
        "not for both"
    );
    // Never for who asked, never by who asked, never for another account of one's own.
    let for_rita = for_another("bob", "bob", ("rita-admin", "person:Rita"), &["group:sre"]);
    assert_eq!(approve(&request, &for_rita, 0), Err(Refused::OwnOfDelegator));
    let by_rita = for_another("rita-admin", "person:Rita", ("eve", "eve"), &["group:sre"]);
    assert_eq!(approve(&request, &by_rita, 0), Err(Refused::Own));
    let for_oneself = for_another("bob", "bob", ("bob-admin", "bob"), &["group:sre"]);
    assert_eq!(approve(&request, &for_oneself, 0), Err(Refused::NotAsked));
}

#[test]
fn what_somebody_decided_for_another_counts_only_while_they_may() {
    let request = waiting(vec![track(vec![level(1, &["group:sre"])])]);
    let carol_for_eve = for_another("carol", "carol", ("eve", "eve"), &["group:sre"]);
    let approved = approve(&request, &carol_for_eve, 0).unwrap();
    let begin = |voters: &[Voter]| {
        let event = Event::Begin {
            voters,
            changed: false,
            until: Timestamp(WAITS),
        };
        step(&approved, event, Timestamp(1)).unwrap().state
    };
    assert_eq!(begin(std::slice::from_ref(&carol_for_eve)), RequestState::Running);
    assert_eq!(begin(&[]), RequestState::Waiting, "it was taken back");
    let no_more = Voter {
        names: BTreeSet::new(),
        ..carol_for_eve
    };
    assert_eq!(begin(&[no_more]), RequestState::Waiting, "eve may not any more");
    // That both may decide themselves is not the same.
    let both = [
        voter("carol", "carol", &["group:sre"]),
        voter("eve", "eve", &["group:sre"]),
    ];
    assert_eq!(begin(&both), RequestState::Waiting);
}

fn approve(standing: &Standing, by: &Voter, now: i64) -> Result<Standing, Refused> {
    step(
        standing,
        Event::Decide {
            by,
            verdict: Verdict::Approve,
            comment: "",
            usable_until: Timestamp(now + USABLE),
        },
        Timestamp(now),
    )
}

#[test]
fn one_approval_counts_for_each_policy_but_once_for_each() {
    let both = waiting(vec![
        track(vec![level(1, &["role:approver"])]),
        track(vec![level(2, &["group:sre"])]),
    ]);
    let bob = voter("bob", "bob", &["role:approver", "group:sre"]);
    let eve = voter("eve", "eve", &["group:sre"]);
    let one = approve(&both, &bob, 0).unwrap();
    assert_eq!(one.state, RequestState::Waiting);
    assert_eq!(one.count(), (2, 3));
    assert_eq!(approve(&one, &bob, 0), Err(Refused::Twice));
    let two = approve(&one, &eve, 0).unwrap();
    assert_eq!(two.state, RequestState::Approved);
    assert_eq!(
        approve(&two, &eve, 0),
        Err(Refused::NotNow(RequestState::Approved))
    );
}

#[test]
fn a_level_opens_when_the_one_before_is_passed() {
    let levels = waiting(vec![track(vec![
        level(1, &["group:team"]),
        level(1, &["group:sre"]),
    ])]);
    let sre = voter("eve", "eve", &["group:sre"]);
    assert_eq!(approve(&levels, &sre, 0), Err(Refused::NotAsked));
    let team = approve(&levels, &voter("bob", "bob", &["group:team"]), 0).unwrap();
    assert_eq!(approve(&team, &sre, 0).unwrap().state, RequestState::Approved);
}

#[test]
fn who_is_asked_after_a_while_can_decide_only_then() {
    let mut level = level(1, &["group:sre"]);
    level.escalate_after_minutes = Some(1);
    level.escalate_to = vec!["user:boss".into()];
    let mut request = waiting(vec![track(vec![level])]);
    request.expires_at = Timestamp(600_000);
    let boss = voter("boss", "boss", &["user:boss"]);
    assert_eq!(approve(&request, &boss, 59_999), Err(Refused::NotAsked));
    assert_eq!(
        approve(&request, &boss, 60_000).unwrap().state,
        RequestState::Approved
    );
}

#[test]
fn a_broken_glass_needs_nobody_but_still_runs_once() {
    let mut request = waiting(vec![track(vec![level(2, &["role:approver"])])]);
    request.state = RequestState::Approved;
    request.glass_broken = true;
    request.usable_until = Some(Timestamp(USABLE));
    let begin = |standing: &Standing| {
        step(
            standing,
            Event::Begin {
                voters: &[],
                changed: false,
                until: Timestamp(WAITS),
            },
            Timestamp(1),
        )
    };
    let running = begin(&request).unwrap();
    assert_eq!(running.state, RequestState::Running);
    assert!(begin(&running).is_err());
}
