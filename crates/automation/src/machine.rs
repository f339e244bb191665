//! Which step comes next: a function of the document and of what was run so far, and of nothing else. Who runs it writes
//! every change down before asking again, so it may be asked at any time by anybody.

use crate::document::Document;
use crate::elements::{OnCancel, OnFailure};
use serde::{Deserialize, Serialize};

/// How a step stands, in the service's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StepStatus {
    /// It runs.
    InProgress,
    /// It waits for somebody.
    Waiting,
    /// It was asked to stop.
    Cancelling,
    /// It did what it should.
    Success,
    /// It did not.
    Failed,
    /// It took too long.
    TimedOut,
    /// It was stopped.
    Cancelled,
}

impl StepStatus {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InProgress,
        Self::Waiting,
        Self::Cancelling,
        Self::Success,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelled,
    ];

    /// As it goes over the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Waiting => "Waiting",
            Self::Cancelling => "Cancelling",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether it stays so.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Failed | Self::TimedOut | Self::Cancelled
        )
    }
}

/// How all of it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// It did what it should.
    Success,
    /// It did not.
    Failed,
    /// A step took too long.
    TimedOut,
    /// It was stopped.
    Cancelled,
}

impl RunStatus {
    /// As it goes over the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// A step that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its place in the document.
    pub step: usize,
    /// How it stands, after its last attempt.
    pub status: StepStatus,
    /// Attempts so far, this one too.
    pub attempts: u32,
    /// Where a branch went.
    pub chosen: Option<String>,
}

/// What somebody asked of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing.
    No,
    /// To stop after the step that runs.
    Complete,
    /// To stop at once.
    Cancel,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Begin that step.
    Start(usize),
    /// Try the last step once more.
    Retry,
    /// The last step runs; let it.
    Wait,
    /// Stop the last step.
    CancelStep,
    /// It is over.
    Finish(RunStatus, String),
}

/// Steps that one run begins at most: documents may go in circles.
pub const MOST_EXECUTED: usize = 2_000;

/// What comes next.
#[must_use]
pub fn next(document: &Document, done: &[Executed], stop: Stop) -> Decision {
    match decide(document, done, stop) {
        // However what cleans up ends: it was cancelled.
        Decision::Finish(_, message) if stop == Stop::Cancel && cancelled(done) > 0 => {
            Decision::Finish(RunStatus::Cancelled, message)
        }
        decision => decision,
    }
}

fn decide(document: &Document, done: &[Executed], stop: Stop) -> Decision {
    let Some(last) = done.last() else {
        return match stop {
            Stop::No => Decision::Start(0),
            Stop::Complete => Decision::Finish(RunStatus::Success, String::new()),
            Stop::Cancel => Decision::Finish(RunStatus::Cancelled, String::new()),
        };
    };
    let Some(step) = document.steps.get(last.step) else {
        return Decision::Finish(RunStatus::Failed, "The document has no such step.".to_owned());
    };
    let is_cancelled = stop == Stop::Cancel;
    // From the first cancelled step on, a run that is cancelled only cleans up.
    let is_cleaning = is_cancelled && done.iter().any(|one| one.status == StepStatus::Cancelled);
    match last.status {
        StepStatus::InProgress | StepStatus::Waiting if is_cancelled && !is_cleaning => Decision::CancelStep,
        StepStatus::InProgress | StepStatus::Waiting | StepStatus::Cancelling => Decision::Wait,
        StepStatus::Cancelled => match &step.on_cancel {
            // What cleans up and is cancelled itself is not cleaned up after.
            OnCancel::Step(name) if is_cancelled && cancelled(done) == 1 => start(document, done, name),
            _ => Decision::Finish(RunStatus::Cancelled, format!("Step {} was cancelled.", step.name)),
        },
        StepStatus::Success => go_on(document, done, stop, last.chosen.as_deref()),
        StepStatus::Failed | StepStatus::TimedOut => {
            if last.attempts < step.max_attempts && stop == Stop::No {
                return if attempts(done) < MOST_EXECUTED {
                    Decision::Retry
                } else {
                    in_circles()
                };
            }
            match &step.on_failure {
                OnFailure::Abort => {
                    let status = if last.status == StepStatus::TimedOut {
                        RunStatus::TimedOut
                    } else {
                        RunStatus::Failed
                    };
                    let status = if is_cleaning { RunStatus::Cancelled } else { status };
                    Decision::Finish(status, format!("Step {} failed.", step.name))
                }
                OnFailure::Continue => go_on(document, done, stop, None),
                OnFailure::Step(name) if stop == Stop::No || is_cleaning => {
                    if step.is_end {
                        return ended(document, done, is_cleaning);
                    }
                    start(document, done, name)
                }
                OnFailure::Step(_) => go_on(document, done, stop, None),
            }
        }
    }
}

fn cancelled(done: &[Executed]) -> usize {
    done.iter()
        .filter(|one| one.status == StepStatus::Cancelled)
        .count()
}

/// After a step whose end does not end all.
fn go_on(document: &Document, done: &[Executed], stop: Stop, chosen: Option<&str>) -> Decision {
    let is_cleaning = stop == Stop::Cancel && done.iter().any(|one| one.status == StepStatus::Cancelled);
    match stop {
        Stop::Cancel if !is_cleaning => {
            return Decision::Finish(RunStatus::Cancelled, String::new());
        }
        Stop::Complete => return ended(document, done, false),
        _ => {}
    }
    let Some((last, step)) = done
        .last()
        .and_then(|last| Some((last, document.steps.get(last.step)?)))
    else {
        return ended(document, done, is_cleaning);
    };
    // The end of a branch is where no choice holds.
    if let Some(name) = chosen {
        return start(document, done, name);
    }
    if step.is_end {
        return ended(document, done, is_cleaning);
    }
    if let Some(name) = step.next_step.as_deref() {
        return start(document, done, name);
    }
    if last.step + 1 < document.steps.len() {
        return begin(done, last.step + 1);
    }
    ended(document, done, is_cleaning)
}

/// How often a step was begun, each attempt by itself.
fn attempts(done: &[Executed]) -> usize {
    done.iter()
        .map(|one| usize::try_from(one.attempts).unwrap_or(usize::MAX))
        .fold(0, usize::saturating_add)
}

fn in_circles() -> Decision {
    Decision::Finish(
        RunStatus::Failed,
        format!("More than {MOST_EXECUTED} steps were run: the document goes in circles."),
    )
}

fn begin(done: &[Executed], step: usize) -> Decision {
    if attempts(done) >= MOST_EXECUTED {
        return in_circles();
    }
    Decision::Start(step)
}

fn start(document: &Document, done: &[Executed], name: &str) -> Decision {
    match document.step(name) {
        Some(step) => begin(done, step),
        None => Decision::Finish(RunStatus::Failed, format!("The document has no step {name}.")),
    }
}

/// The natural end: well, unless a step failed that all hangs on.
fn ended(document: &Document, done: &[Executed], is_cleaning: bool) -> Decision {
    if is_cleaning {
        return Decision::Finish(RunStatus::Cancelled, String::new());
    }
    let failed = done.iter().find(|one| {
        matches!(one.status, StepStatus::Failed | StepStatus::TimedOut)
            && document.steps.get(one.step).is_some_and(|step| step.is_critical)
    });
    match failed {
        Some(one) => {
            let name = document.steps.get(one.step).map_or("", |step| step.name.as_str());
            let status = if one.status == StepStatus::TimedOut {
                RunStatus::TimedOut
            } else {
                RunStatus::Failed
            };
            Decision::Finish(status, format!("Step {name} failed."))
        }
        None => Decision::Finish(RunStatus::Success, String::new()),
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
