//! What comes next, by examples and for random documents and random ends.

use super::*;
use crate::retry;
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(steps: Value) -> Document {
    Document::read(&json!({"schemaVersion": "0.3", "mainSteps": steps})).unwrap()
}

fn sleep(name: &str, more: Value) -> Value {
    let mut step = json!({"name": name, "action": "aws:runCommand", "inputs": {}});
    for (key, value) in more.as_object().unwrap() {
        step[key] = value.clone();
    }
    step
}

fn at(step: usize, status: StepStatus) -> Executed {
    Executed {
        step,
        status,
        attempts: 1,
        chosen: None,
        within: None,
        iteration: 0,
        retried: false,
    }
}

use StepStatus::{Cancelled, Failed, InProgress, Success, TimedOut};

#[test]
fn steps_follow_each_other_to_the_end() {
    let document = document(json!([
        sleep("a", json!({})),
        sleep("b", json!({"maxAttempts": 2})),
        sleep("c", json!({}))
    ]));
    assert_eq!(next(&document, &[], Stop::No), Decision::Start(0, None));
    assert_eq!(next(&document, &[at(0, InProgress)], Stop::No), Decision::Wait);
    assert_eq!(
        next(&document, &[at(0, Success)], Stop::No),
        Decision::Start(1, None)
    );
    let failed = Executed {
        attempts: 1,
        ..at(1, Failed)
    };
    assert_eq!(
        next(&document, &[at(0, Success), failed.clone()], Stop::No),
        Decision::Retry
    );
    let twice = Executed {
        attempts: 2,
        ..failed
    };
    assert_eq!(
        next(&document, &[at(0, Success), twice], Stop::No),
        Decision::Finish(RunStatus::Failed, "Step b failed.".into())
    );
    assert_eq!(
        next(
            &document,
            &[at(0, Success), at(1, Success), at(2, Success)],
            Stop::No
        ),
        Decision::Finish(RunStatus::Success, String::new())
    );
    let slow = [Executed {
        attempts: 1,
        ..at(0, TimedOut)
    }];
    assert_eq!(
        next(&document, &slow, Stop::No),
        Decision::Finish(RunStatus::TimedOut, "Step a failed.".into())
    );
}

#[test]
fn failures_lead_where_the_document_says() {
    let document = document(json!([
        sleep("a", json!({"onFailure": "step:c"})),
        sleep("b", json!({"onFailure": "Continue"})),
        sleep("c", json!({"nextStep": "d", "isEnd": false})),
        sleep("d", json!({"isEnd": true})),
        sleep("e", json!({}))
    ]));
    assert_eq!(
        next(&document, &[at(0, Failed)], Stop::No),
        Decision::Start(2, None)
    );
    assert_eq!(
        next(&document, &[at(0, Success), at(1, Failed)], Stop::No),
        Decision::Start(2, None)
    );
    // What failed first still counts at the end, what may fail does not.
    let critical = [at(0, Failed), at(2, Success), at(3, Success)];
    assert_eq!(
        next(&document, &critical, Stop::No),
        Decision::Finish(RunStatus::Failed, "Step a failed.".into())
    );
    let fine = [at(0, Success), at(1, Failed), at(2, Success), at(3, Success)];
    assert_eq!(
        next(&document, &fine, Stop::No),
        Decision::Finish(RunStatus::Success, String::new())
    );
    let branched = [Executed {
        chosen: Some("e".into()),
        ..at(0, Success)
    }];
    assert_eq!(next(&document, &branched, Stop::No), Decision::Start(4, None));
    // A branch ends all where no choice holds, and only there.
    let branched = [Executed {
        chosen: Some("e".into()),
        ..at(3, Success)
    }];
    assert_eq!(next(&document, &branched, Stop::No), Decision::Start(4, None));
    let slow = [at(0, TimedOut), at(2, Success), at(3, Success)];
    assert_eq!(
        next(&document, &slow, Stop::No),
        Decision::Finish(RunStatus::TimedOut, "Step a failed.".into())
    );
}

#[test]
fn a_run_that_is_stopped_stops() {
    let document = document(json!([
        sleep("a", json!({"onCancel": "step:c"})),
        sleep("b", json!({})),
        sleep("c", json!({"isEnd": true}))
    ]));
    let cancelled = |message: &str| Decision::Finish(RunStatus::Cancelled, message.to_owned());
    assert_eq!(next(&document, &[], Stop::Cancel), cancelled(""));
    assert_eq!(
        next(&document, &[at(0, InProgress)], Stop::Cancel),
        Decision::CancelStep
    );
    assert_eq!(
        next(&document, &[at(0, StepStatus::Cancelling)], Stop::Cancel),
        Decision::Wait
    );
    assert_eq!(
        next(&document, &[at(0, Cancelled)], Stop::Cancel),
        Decision::Start(2, None)
    );
    assert_eq!(
        next(&document, &[at(0, Cancelled), at(2, InProgress)], Stop::Cancel),
        Decision::Wait
    );
    assert_eq!(
        next(&document, &[at(0, Cancelled), at(2, Success)], Stop::Cancel),
        cancelled("")
    );
    assert_eq!(
        next(&document, &[at(0, Cancelled), at(2, Failed)], Stop::Cancel),
        cancelled("Step c failed.")
    );
    assert_eq!(
        next(&document, &[at(1, Cancelled)], Stop::Cancel),
        cancelled("Step b was cancelled.")
    );
    // Cleaning up that takes too long is cancelled itself, once.
    assert_eq!(
        next(&document, &[at(0, Cancelled), at(0, Cancelled)], Stop::Cancel),
        cancelled("Step a was cancelled.")
    );
    // It ended before it heard of it.
    assert_eq!(next(&document, &[at(0, Success)], Stop::Cancel), cancelled(""));
    assert_eq!(
        next(&document, &[at(0, InProgress)], Stop::Complete),
        Decision::Wait
    );
    assert_eq!(
        next(&document, &[at(0, Success)], Stop::Complete),
        Decision::Finish(RunStatus::Success, String::new())
    );
}

#[test]
fn cleaning_up_in_circles_is_cancelled_all_the_same() {
    let step = json!({"nextStep": "a", "onFailure": "Continue", "onCancel": "step:a"});
    let document = document(json!([sleep("a", step)]));
    let mut done = vec![at(0, Cancelled)];
    done.extend(vec![at(0, Failed); MOST_EXECUTED]);
    assert!(matches!(
        next(&document, &done, Stop::Cancel),
        Decision::Finish(RunStatus::Cancelled, _)
    ));
}

#[test]
fn circles_come_to_an_end() {
    let document = document(json!([sleep("a", json!({"nextStep": "a"}))]));
    let done = vec![at(0, Success); MOST_EXECUTED];
    assert!(matches!(
        next(&document, &done, Stop::No),
        Decision::Finish(RunStatus::Failed, _)
    ));
}

fn looping(name: &str, steps: Value, more: Value) -> Value {
    let mut step =
        json!({"name": name, "action": "aws:loop", "inputs": {"Iterators": ["a", "b"], "Steps": steps}});
    for (key, value) in more.as_object().unwrap() {
        step[key] = value.clone();
    }
    step
}

fn within(step: usize, status: StepStatus, at_place: usize, iteration: usize) -> Executed {
    let place = Within {
        at: at_place,
        iteration,
    };
    Executed {
        within: Some(place),
        ..at(step, status)
    }
}

#[test]
fn a_loop_goes_round_and_its_steps_end_it() {
    let document = document(json!([
        looping(
            "l",
            json!([
                sleep("a", json!({"onFailure": "Continue"})),
                sleep("b", json!({"onCancel": "step:a"}))
            ]),
            json!({"onFailure": "step:c"})
        ),
        sleep("n", json!({})),
        sleep("c", json!({"isEnd": true}))
    ]));
    let names: Vec<_> = document
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.parent))
        .collect();
    assert_eq!(
        names,
        [
            ("l", None),
            ("a", Some(0)),
            ("b", Some(0)),
            ("n", None),
            ("c", None)
        ]
    );
    let round = |iteration: usize| Executed {
        iteration,
        ..at(0, InProgress)
    };
    let first = Some(Within { at: 0, iteration: 1 });
    for (done, then) in [
        (vec![], Decision::Start(0, None)),
        (vec![round(0)], Decision::Iterate(0)),
        (vec![round(1)], Decision::Start(1, first)),
        (vec![round(1), within(1, Failed, 0, 1)], Decision::Start(2, first)),
        (
            vec![round(1), within(1, Failed, 0, 1), within(2, InProgress, 0, 1)],
            Decision::Wait,
        ),
        (
            vec![round(1), within(1, Success, 0, 1), within(2, Success, 0, 1)],
            Decision::Iterate(0),
        ),
        (
            vec![round(2), within(1, Success, 0, 1), within(2, Success, 0, 1)],
            Decision::Start(1, Some(Within { at: 0, iteration: 2 })),
        ),
        (
            vec![round(1), within(1, Success, 0, 1), within(2, TimedOut, 0, 1)],
            Decision::EndLoop(0, RunStatus::TimedOut, "Step b failed.".into()),
        ),
        (
            vec![at(0, Success), within(1, Success, 0, 1), within(2, Success, 0, 1)],
            Decision::Start(3, None),
        ),
        (
            vec![at(0, Failed), within(1, Success, 0, 1), within(2, Failed, 0, 1)],
            Decision::Start(4, None),
        ),
    ] {
        assert_eq!(next(&document, &done, Stop::No), then, "{done:?}");
    }
    let running = [round(1), within(1, Success, 0, 1), within(2, InProgress, 0, 1)];
    assert_eq!(next(&document, &running, Stop::Cancel), Decision::CancelStep);
    let cancelled = [round(1), within(1, Success, 0, 1), within(2, Cancelled, 0, 1)];
    assert_eq!(
        next(&document, &cancelled, Stop::Cancel),
        Decision::Start(1, first)
    );
    // Before its first iteration, and after the step that runs.
    assert_eq!(
        next(&document, &[round(0)], Stop::Cancel),
        Decision::EndLoop(0, RunStatus::Cancelled, String::new())
    );
    let ended = [round(1), within(1, Success, 0, 1)];
    assert_eq!(
        next(&document, &ended, Stop::Complete),
        Decision::EndLoop(0, RunStatus::Success, String::new())
    );
}

#[test]
fn a_loop_that_cleans_up_goes_round() {
    let document = document(json!([
        sleep("a", json!({"onCancel": "step:l", "isEnd": true})),
        looping("l", json!([sleep("b", json!({}))]), json!({}))
    ]));
    let round = Executed {
        iteration: 1,
        ..at(1, InProgress)
    };
    let mut done = vec![at(0, Cancelled), round];
    assert_eq!(
        next(&document, &done, Stop::Cancel),
        Decision::Start(2, Some(Within { at: 1, iteration: 1 }))
    );
    done.push(within(2, Success, 1, 1));
    assert_eq!(next(&document, &done, Stop::Cancel), Decision::Iterate(1));
    done.push(within(2, Cancelled, 1, 1));
    assert!(matches!(
        next(&document, &done, Stop::Cancel),
        Decision::EndLoop(1, RunStatus::Cancelled, _)
    ));
}

/// A block of steps whose ends lead anywhere within it; some are loops, over blocks of their own.
fn block(deep: u32) -> BoxedStrategy<Vec<Value>> {
    let step = move |count: usize| {
        let somewhere = prop_oneof![Just(None), (0..count).prop_map(Some)];
        let failure = prop_oneof![Just(None), Just(Some(count)), (0..count).prop_map(Some)];
        let cancel = prop_oneof![Just(None), (0..count).prop_map(Some)];
        let inner = if deep == 0 {
            Just(None).boxed()
        } else {
            prop_oneof![2 => Just(None), 1 => block(deep - 1).prop_map(Some)].boxed()
        };
        (somewhere, failure, cancel, any::<bool>(), 1..3_u32, inner)
    };
    (1..5_usize)
        .prop_flat_map(move |count| {
            prop::collection::vec(step(count), count).prop_map(move |steps| {
                steps
                    .into_iter()
                    .map(|(next, failure, cancel, is_end, attempts, inner)| {
                        let mut step =
                            json!({"isEnd": is_end, "nextStep": next, "onFailure": failure, "count": count});
                        match inner {
                            Some(inner) => step["steps"] = Value::Array(inner),
                            None => {
                                step["maxAttempts"] = attempts.into();
                                step["onCancel"] = json!(cancel);
                            }
                        }
                        step
                    })
                    .collect()
            })
        })
        .boxed()
}

/// Gives the steps of a block names, and what leads to them the names too.
fn named(steps: Vec<Value>, prefix: &str) -> Value {
    let step = |(at, mut step): (usize, Value)| {
        let name = format!("{prefix}{at}");
        let lead = |to: &Value| to.as_u64().map(|to| format!("{prefix}{to}"));
        let failure = match lead(&step["onFailure"]) {
            Some(_) if step["onFailure"] == step["count"] => "Continue".to_owned(),
            Some(name) => format!("step:{name}"),
            None => "Abort".to_owned(),
        };
        let mut more =
            json!({"isEnd": step["isEnd"], "nextStep": lead(&step["nextStep"]), "onFailure": failure});
        if let Value::Array(inner) = step["steps"].take() {
            return looping(&name, named(inner, &format!("{name}_")), more);
        }
        more["maxAttempts"] = step["maxAttempts"].clone();
        more["onCancel"] =
            lead(&step["onCancel"]).map_or_else(|| "Abort".into(), |name| format!("step:{name}").into());
        sleep(&name, more)
    };
    steps.into_iter().enumerate().map(step).collect()
}

fn documents() -> impl Strategy<Value = Document> {
    block(2).prop_map(|steps| document(named(steps, "s")))
}

proptest! {
    /// Whoever does what is said comes to an end; a step that has ended is never begun anew by the same row, nothing runs
    /// beside something else but loops around it, each iteration's steps stand in it, and a run that is stopped ends soon.
    #[test]
    fn every_run_ends(document in documents(), ends in prop::collection::vec(0..3_u8, 1..40), rounds in 0..4_usize, stop_at in 0..60_usize, kind in 0..3_u8, mut retries in 0..4_u8) {
        let mut done: Vec<Executed> = Vec::new();
        let mut stop = Stop::No;
        let mut after_stop = 0;
        let is_loop = |one: &Executed| document.steps[one.step].action == Action::Loop;
        for turn in 0..16 * MOST_EXECUTED {
            if turn == stop_at {
                stop = [Stop::No, Stop::Complete, Stop::Cancel][usize::from(kind)];
            }
            after_stop += usize::from(stop == Stop::Complete);
            let runs = done.last().is_some_and(|last| !last.status.is_final() && !is_loop(last));
            match next(&document, &done, stop) {
                Decision::Start(step, place) => {
                    prop_assert!(!runs);
                    prop_assert_eq!(document.steps[step].parent, place.map(|place| done[place.at].step));
                    if let Some(place) = place {
                        prop_assert!(!done[place.at].status.is_final());
                        prop_assert_eq!(done[place.at].iteration, place.iteration);
                    }
                    done.push(Executed { within: place, ..at(step, InProgress) });
                }
                Decision::Retry => {
                    let last = done.last_mut().unwrap();
                    prop_assert!(last.status.is_final() && last.status != Success);
                    last.attempts += 1;
                    last.status = InProgress;
                }
                Decision::Wait | Decision::CancelStep if !runs => {
                    prop_assert!(false, "it waits for what has ended");
                }
                Decision::CancelStep => done.last_mut().unwrap().status = Cancelled,
                Decision::Wait => {
                    let end = ends[turn % ends.len()];
                    done.last_mut().unwrap().status = [Success, Failed, TimedOut][usize::from(end)];
                }
                Decision::Iterate(place) => {
                    prop_assert!(!runs && is_loop(&done[place]) && !done[place].status.is_final());
                    if done[place].iteration < rounds {
                        done[place].iteration += 1;
                    } else {
                        done[place].status = Success;
                    }
                }
                Decision::EndLoop(place, status, _) => {
                    prop_assert!(!runs && is_loop(&done[place]) && !done[place].status.is_final());
                    done[place].status = status.of_step();
                }
                Decision::Finish(status, _) => {
                    prop_assert!(done.iter().all(|one| one.status.is_final()));
                    if stop == Stop::Cancel && status != RunStatus::Cancelled {
                        prop_assert!(done.iter().all(|one| one.retried || one.status != Cancelled));
                    }
                    // Where it may be retried, exactly that step is begun anew, and that comes to an end, too.
                    let mut names = document.steps.iter().map(|step| step.name.as_str());
                    let found = names.find_map(|name| retry(&document, &done, name).ok());
                    let Some(from) = found.filter(|_| retries > 0) else {
                        return Ok(());
                    };
                    retries -= 1;
                    let step = done[from].step;
                    prop_assert!(done[from].within.is_none() && done[from].status != Success);
                    for one in &mut done[from..] {
                        one.retried = true;
                    }
                    (stop, after_stop) = (Stop::No, 0);
                    prop_assert_eq!(next(&document, &done, stop), Decision::Start(step, None));
                }
            }
            prop_assert!(after_stop < 7, "it goes on after it was to stop");
        }
        prop_assert!(false, "it never ends");
    }
}
