//! What is to be done next for an execution of a window, from how it stands and what time it is. Pure: it reads no clock
//! and no database, so every order of events can be tried.

use crate::commands::rate::{Limit, too_many_errors};
use muster_domain::Timestamp;

/// How an execution, a task of it, or a task's invocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    InProgress,
    Success,
    Failed,
    TimedOut,
    Cancelling,
    Cancelled,
    SkippedOverlapping,
}

impl Status {
    const ALL: [Self; 8] = [
        Self::Pending,
        Self::InProgress,
        Self::Success,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelling,
        Self::Cancelled,
        Self::SkippedOverlapping,
    ];

    /// As it goes over the wire and stands in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::SkippedOverlapping => "SKIPPED_OVERLAPPING",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether it stays so.
    pub(crate) const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Cancelling)
    }
}

/// An execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) status: Status,
    /// From here on nothing begins any more.
    pub(crate) cutoff_at: Timestamp,
}

/// A task of it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) status: Status,
    pub(crate) priority: i64,
    /// Whether what runs is cancelled at the cutoff.
    pub(crate) ends_at_cutoff: bool,
    pub(crate) max_concurrency: Limit,
    pub(crate) max_errors: Limit,
    pub(crate) invocations: Vec<Piece>,
}

/// What one target has to do for it.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) status: Status,
    pub(crate) nodes: i64,
    /// Nodes that failed so far.
    pub(crate) errors: i64,
    /// How its command ended, when it has, and the command's own words for it.
    pub(crate) ended: Option<(Status, String)>,
}

/// Something to do; places in the lists tell of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Find the nodes of a task and begin it.
    StartTask(usize),
    /// Send a command, with these limits.
    Start {
        task: usize,
        piece: usize,
        max_concurrency: i64,
        max_errors: i64,
    },
    /// Cancel a command that runs.
    Stop { task: usize, piece: usize },
    /// An invocation has ended.
    End {
        task: usize,
        piece: usize,
        status: Status,
        details: String,
    },
    /// A task has ended.
    EndTask {
        task: usize,
        status: Status,
        details: &'static str,
    },
    /// All has ended.
    EndAll { status: Status, details: &'static str },
}

pub(crate) const NOT_BEFORE_CUTOFF: &str = "Not started before the cutoff of the window.";
pub(crate) const AT_CUTOFF: &str = "Cancelled at the cutoff of the window.";
pub(crate) const BY_SOMEBODY: &str = "The execution of the window was cancelled.";
pub(crate) const TOO_MANY_ERRORS: &str = "Not started: there were more errors than MaxErrors allows.";
pub(crate) const NOTHING_TO_INVOKE: &str = "No invocations to execute.";
pub(crate) const NO_TASKS: &str = "No tasks to execute.";

/// Of several that have ended, how the whole has: the worst of them.
fn worst(all: impl Iterator<Item = Status> + Clone) -> Status {
    [Status::Failed, Status::TimedOut, Status::Cancelled]
        .into_iter()
        .find(|status| all.clone().any(|other| other == *status))
        .unwrap_or(Status::Success)
}

fn of_task(part: &Part, place: usize) -> Step {
    let status = worst(part.invocations.iter().map(|piece| piece.status));
    let details = match status {
        _ if part.invocations.is_empty() => NOTHING_TO_INVOKE,
        Status::Failed => "One or more invocations failed.",
        Status::TimedOut => "One or more invocations were not done in time.",
        Status::Cancelled => BY_SOMEBODY,
        _ => "",
    };
    Step::EndTask {
        task: place,
        status,
        details,
    }
}

fn of_all(whole: Whole, parts: &[Part]) -> Step {
    let status = if whole.status == Status::Cancelling {
        Status::Cancelled
    } else {
        worst(parts.iter().map(|part| part.status))
    };
    let details = match status {
        Status::Cancelled => BY_SOMEBODY,
        Status::Failed => "One or more tasks in the orchestration failed.",
        Status::TimedOut => "One or more tasks were not done in time.",
        _ if parts.is_empty() => NO_TASKS,
        _ => "",
    };
    Step::EndAll { status, details }
}

/// How an invocation ends whose command has ended.
fn outcome(whole: Whole, piece: &Piece, status: Status, details: &str) -> (Status, String) {
    // What was stopped here says why, unless it was done before it heard of it.
    match (piece.status, status) {
        (Status::Cancelling, Status::Success) | (Status::InProgress, _) => (status, details.to_owned()),
        _ if whole.status == Status::Cancelling => (Status::Cancelled, BY_SOMEBODY.to_owned()),
        _ => (Status::TimedOut, AT_CUTOFF.to_owned()),
    }
}

fn of_running(whole: Whole, part: &Part, place: usize, now: Timestamp, steps: &mut Vec<Step>) {
    let is_cancelled = whole.status == Status::Cancelling;
    let is_over = now >= whole.cutoff_at;
    let total: i64 = part.invocations.iter().map(|piece| piece.nodes).sum();
    let errors: i64 = part.invocations.iter().map(|piece| piece.errors).sum();
    let most = part.max_concurrency.of(total).max(1);
    let gives_up = too_many_errors(errors, part.max_errors, total);
    // Those that ended in this very round still count as running: the next one follows in the next round.
    let mut runs = part
        .invocations
        .iter()
        .any(|piece| matches!(piece.status, Status::InProgress | Status::Cancelling));
    for (at, piece) in part.invocations.iter().enumerate() {
        let end = |status: Status, details: &str| Step::End {
            task: place,
            piece: at,
            status,
            details: details.to_owned(),
        };
        match (piece.status, &piece.ended) {
            (Status::InProgress | Status::Cancelling, Some((status, details))) => {
                let (status, details) = outcome(whole, piece, *status, details);
                steps.push(end(status, &details));
            }
            (Status::InProgress, None) if is_cancelled || (is_over && part.ends_at_cutoff) => {
                steps.push(Step::Stop {
                    task: place,
                    piece: at,
                });
            }
            (Status::Pending, _) if is_cancelled => steps.push(end(Status::Cancelled, BY_SOMEBODY)),
            (Status::Pending, _) if is_over => steps.push(end(Status::TimedOut, NOT_BEFORE_CUTOFF)),
            (Status::Pending, _) if gives_up => steps.push(end(Status::Failed, TOO_MANY_ERRORS)),
            // Targets go one after the other when they are together more nodes than may run at once.
            (Status::Pending, _) if total <= most || !runs => {
                runs = true;
                steps.push(Step::Start {
                    task: place,
                    piece: at,
                    max_concurrency: most,
                    max_errors: (part.max_errors.of(total) - errors).max(0),
                });
            }
            _ => {}
        }
    }
    if part.invocations.iter().all(|piece| piece.status.is_final()) {
        steps.push(of_task(part, place));
    }
}

/// What to do now. After it is done, ask again: an empty answer means that something has to happen first.
pub(crate) fn next(whole: Whole, parts: &[Part], now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    if whole.status.is_final() {
        return steps;
    }
    // Tasks of one priority run side by side, and those of the next after them.
    let turn = parts
        .iter()
        .filter(|part| !part.status.is_final())
        .map(|part| part.priority)
        .min();
    let Some(turn) = turn else {
        return vec![of_all(whole, parts)];
    };
    for (place, part) in parts.iter().enumerate() {
        let end = |status, details| Step::EndTask {
            task: place,
            status,
            details,
        };
        match part.status {
            Status::Pending if whole.status == Status::Cancelling => {
                steps.push(end(Status::Cancelled, BY_SOMEBODY));
            }
            Status::Pending if now >= whole.cutoff_at => {
                steps.push(end(Status::TimedOut, NOT_BEFORE_CUTOFF));
            }
            Status::Pending if part.priority == turn => steps.push(Step::StartTask(place)),
            Status::InProgress => of_running(whole, part, place, now, &mut steps),
            _ => {}
        }
    }
    steps
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
