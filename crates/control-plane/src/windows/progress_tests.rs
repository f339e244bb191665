//! The rules of an execution, and that whatever happens it ends, in order, within its limits.

use super::*;
use proptest::prelude::*;

fn part(priority: i64, invocations: Vec<Piece>) -> Part {
    Part {
        status: Status::Pending,
        priority,
        ends_at_cutoff: false,
        max_concurrency: Limit::Percent(100),
        max_errors: Limit::Number(0),
        invocations,
    }
}

fn piece(nodes: i64) -> Piece {
    Piece {
        status: Status::Pending,
        nodes,
        errors: 0,
        ended: None,
    }
}

fn whole() -> Whole {
    Whole {
        status: Status::InProgress,
        cutoff_at: Timestamp(100),
    }
}

#[test]
fn an_empty_window_is_done_at_once() {
    let done = Step::EndAll {
        status: Status::Success,
        details: NO_TASKS,
    };
    assert_eq!(next(whole(), &[], Timestamp(0)), [done]);
}

#[test]
fn tasks_begin_by_priority() {
    let parts = [part(1, vec![]), part(0, vec![]), part(0, vec![])];
    assert_eq!(
        next(whole(), &parts, Timestamp(0)),
        [Step::StartTask(1), Step::StartTask(2)]
    );
}

#[test]
fn nothing_begins_after_the_cutoff_and_what_runs_is_cancelled_only_where_asked_for() {
    let mut running = part(0, vec![piece(1), piece(1)]);
    running.status = Status::InProgress;
    running.max_concurrency = Limit::Number(1);
    running.invocations[0].status = Status::InProgress;
    let parts = [running.clone(), part(1, vec![])];
    let late = Step::End {
        task: 0,
        piece: 1,
        status: Status::TimedOut,
        details: NOT_BEFORE_CUTOFF.into(),
    };
    let never = Step::EndTask {
        task: 1,
        status: Status::TimedOut,
        details: NOT_BEFORE_CUTOFF,
    };
    assert_eq!(
        next(whole(), &parts, Timestamp(100)),
        [late.clone(), never.clone()]
    );
    running.ends_at_cutoff = true;
    let stop = Step::Stop { task: 0, piece: 0 };
    assert_eq!(
        next(whole(), &[running, part(1, vec![])], Timestamp(100)),
        [stop, late, never]
    );
}

#[test]
fn errors_of_earlier_targets_count_for_later_ones() {
    let mut running = part(0, vec![piece(4), piece(4)]);
    running.status = Status::InProgress;
    running.max_concurrency = Limit::Number(2);
    running.max_errors = Limit::Percent(25);
    let start = |piece, max_errors| Step::Start {
        task: 0,
        piece,
        max_concurrency: 2,
        max_errors,
    };
    assert_eq!(next(whole(), &[running.clone()], Timestamp(0)), [start(0, 2)]);
    running.invocations[0].status = Status::Failed;
    running.invocations[0].errors = 1;
    assert_eq!(next(whole(), &[running.clone()], Timestamp(0)), [start(1, 1)]);
    running.invocations[0].errors = 3;
    let given_up = Step::End {
        task: 0,
        piece: 1,
        status: Status::Failed,
        details: TOO_MANY_ERRORS.into(),
    };
    assert_eq!(next(whole(), &[running], Timestamp(0)), [given_up]);
}

#[test]
fn what_was_stopped_says_why_unless_it_was_done() {
    let mut running = part(0, vec![piece(1)]);
    running.status = Status::InProgress;
    running.ends_at_cutoff = true;
    running.invocations[0].status = Status::Cancelling;
    for (whole_status, ended, status) in [
        (Status::InProgress, Status::Cancelled, Status::TimedOut),
        (Status::InProgress, Status::Success, Status::Success),
        (Status::Cancelling, Status::Cancelled, Status::Cancelled),
        (Status::Cancelling, Status::Failed, Status::Cancelled),
    ] {
        running.invocations[0].ended = Some((ended, "x".into()));
        let whole = Whole {
            status: whole_status,
            ..whole()
        };
        let steps = next(whole, &[running.clone()], Timestamp(100));
        assert!(
            matches!(&steps[..], [Step::End { status: s, .. }] if *s == status),
            "{steps:?}"
        );
    }
}

/// Does what `next` says, with commands that end as `ends` says; gives how many nodes ran at once at most.
fn run(
    mut whole: Whole,
    mut parts: Vec<Part>,
    mut ends: impl FnMut() -> (u8, bool),
    cancel_at: i64,
) -> (Status, i64) {
    let mut most = 0;
    for now in 0..1_000 {
        if now == cancel_at && !whole.status.is_final() {
            whole.status = Status::Cancelling;
        }
        loop {
            let steps = next(whole, &parts, Timestamp(now));
            if steps.is_empty() {
                break;
            }
            for step in steps {
                match step {
                    Step::StartTask(task) => {
                        assert!(now < whole.cutoff_at.0);
                        for other in &parts {
                            assert!(other.status.is_final() || other.priority >= parts[task].priority);
                        }
                        parts[task].status = Status::InProgress;
                    }
                    Step::Start { task, piece, .. } => {
                        assert!(now < whole.cutoff_at.0);
                        parts[task].invocations[piece].status = Status::InProgress;
                    }
                    Step::Stop { task, piece } => {
                        let piece = &mut parts[task].invocations[piece];
                        assert_eq!(piece.status, Status::InProgress);
                        piece.status = Status::Cancelling;
                    }
                    Step::End {
                        task, piece, status, ..
                    } => {
                        let piece = &mut parts[task].invocations[piece];
                        assert!(!piece.status.is_final() && status.is_final());
                        piece.status = status;
                    }
                    Step::EndTask { task, status, .. } => {
                        assert!(!parts[task].status.is_final() && status.is_final());
                        parts[task].status = status;
                    }
                    Step::EndAll { status, .. } => {
                        assert!(parts.iter().all(|part| part.status.is_final()));
                        return (status, most);
                    }
                }
            }
            for part in &parts {
                let running = part.invocations.iter().filter(|p| p.status == Status::InProgress);
                most = most.max(running.count() as i64);
            }
        }
        for part in &mut parts {
            for piece in &mut part.invocations {
                let runs = matches!(piece.status, Status::InProgress | Status::Cancelling);
                if runs && piece.ended.is_none() {
                    let (of_four, failed) = ends();
                    if of_four == 0 {
                        piece.errors = i64::from(failed);
                        let status = if failed { Status::Failed } else { Status::Success };
                        piece.ended = Some((status, String::new()));
                    }
                }
            }
        }
    }
    panic!("it never ended: {parts:?}");
}

proptest! {
    #[test]
    fn every_execution_ends_in_order(
        shapes in prop::collection::vec((0_i64..3, prop::collection::vec(1_i64..4, 0..4), any::<bool>()), 0..5),
        seed in prop::collection::vec((0_u8..4, any::<bool>()), 1..50),
        cancel_at in prop_oneof![Just(-1_i64), 0_i64..150],
        at_once in 1_i64..10,
    ) {
        let parts: Vec<Part> = shapes
            .into_iter()
            .map(|(priority, pieces, ends_at_cutoff)| Part {
                ends_at_cutoff,
                max_concurrency: Limit::Number(at_once),
                ..part(priority, pieces.into_iter().map(piece).collect())
            })
            .collect();
        let is_empty = parts.is_empty();
        let mut turn = 0;
        let (status, _) = run(whole(), parts, || { turn += 1; (if turn % 7 == 0 { 0 } else { seed[turn % seed.len()].0 }, seed[turn % seed.len()].1) }, cancel_at);
        prop_assert!(status.is_final());
        if cancel_at == 0 {
            prop_assert!(is_empty || status == Status::Cancelled);
        }
    }

    #[test]
    fn one_at_a_time_means_one_target_at_a_time(count in 2_usize..6) {
        let mut one = part(0, (0..count).map(|_| piece(2)).collect());
        one.max_concurrency = Limit::Number(1);
        let (status, most) = run(whole(), vec![one], || (0, false), -1);
        prop_assert_eq!((status, most), (Status::Success, 1));
    }
}
