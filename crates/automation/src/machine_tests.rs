//! What comes next, by examples and for random documents and random ends.

use super::*;
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
    assert_eq!(next(&document, &[], Stop::No), Decision::Start(0));
    assert_eq!(next(&document, &[at(0, InProgress)], Stop::No), Decision::Wait);
    assert_eq!(next(&document, &[at(0, Success)], Stop::No), Decision::Start(1));
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
    assert_eq!(next(&document, &[at(0, Failed)], Stop::No), Decision::Start(2));
    assert_eq!(
        next(&document, &[at(0, Success), at(1, Failed)], Stop::No),
        Decision::Start(2)
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
    assert_eq!(next(&document, &branched, Stop::No), Decision::Start(4));
    // A branch ends all where no choice holds, and only there.
    let branched = [Executed {
        chosen: Some("e".into()),
        ..at(3, Success)
    }];
    assert_eq!(next(&document, &branched, Stop::No), Decision::Start(4));
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
        Decision::Start(2)
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

/// Steps whose ends lead anywhere.
fn documents() -> impl Strategy<Value = Document> {
    let step = |count: usize| {
        let somewhere = prop_oneof![Just(String::new()), (0..count).prop_map(|n| format!("s{n}"))];
        let failure = prop_oneof![
            Just("Abort".to_owned()),
            Just("Continue".to_owned()),
            (0..count).prop_map(|n| format!("step:s{n}"))
        ];
        let cancel = prop_oneof![
            Just("Abort".to_owned()),
            (0..count).prop_map(|n| format!("step:s{n}"))
        ];
        (somewhere, failure, cancel, any::<bool>(), 1..3_u32)
    };
    (1..6_usize).prop_flat_map(move |count| {
        prop::collection::vec(step(count), count).prop_map(|steps| {
            let steps: Vec<Value> = steps
                .into_iter()
                .enumerate()
                .map(|(at, (next, failure, cancel, is_end, attempts))| {
                    let mut more = json!({"onFailure": failure, "onCancel": cancel, "isEnd": is_end, "maxAttempts": attempts});
                    if !next.is_empty() {
                        more["nextStep"] = next.into();
                    }
                    sleep(&format!("s{at}"), more)
                })
                .collect();
            document(Value::Array(steps))
        })
    })
}

proptest! {
    /// Whoever does what is said comes to an end; a step that has ended is never begun anew by the same row, nothing runs
    /// beside something else, and a run that is stopped ends soon.
    #[test]
    fn every_run_ends(document in documents(), ends in prop::collection::vec(0..3_u8, 1..40), stop_at in 0..60_usize, kind in 0..3_u8) {
        let mut done: Vec<Executed> = Vec::new();
        let mut stop = Stop::No;
        let mut after_stop = 0;
        for turn in 0..8 * MOST_EXECUTED {
            if turn == stop_at {
                stop = [Stop::No, Stop::Complete, Stop::Cancel][usize::from(kind)];
            }
            after_stop += usize::from(stop == Stop::Complete);
            match next(&document, &done, stop) {
                Decision::Start(step) => {
                    prop_assert!(step < document.steps.len());
                    prop_assert!(done.last().is_none_or(|last| last.status.is_final()));
                    done.push(at(step, InProgress));
                }
                Decision::Retry => {
                    let last = done.last_mut().unwrap();
                    prop_assert!(last.status.is_final() && last.status != Success);
                    last.attempts += 1;
                    last.status = InProgress;
                }
                Decision::Wait | Decision::CancelStep if done.last().unwrap().status.is_final() => {
                    prop_assert!(false, "it waits for what has ended");
                }
                Decision::CancelStep => done.last_mut().unwrap().status = Cancelled,
                Decision::Wait => {
                    let end = ends[turn % ends.len()];
                    done.last_mut().unwrap().status = [Success, Failed, TimedOut][usize::from(end)];
                }
                Decision::Finish(status, _) => {
                    if stop == Stop::Cancel && status != RunStatus::Cancelled {
                        prop_assert!(done.iter().all(|one| one.status != Cancelled));
                    }
                    return Ok(());
                }
            }
            prop_assert!(after_stop < 4, "it goes on after it was to stop");
        }
        prop_assert!(false, "it never ends");
    }
}
