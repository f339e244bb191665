//! Which step comes next: a function of the document and of what was run so far, and of nothing else. Who runs it writes
//! every change down before asking again, so it may be asked at any time by anybody. A loop is a step that stays open while
//! the steps within it run, one iteration after the other; each iteration is decided as a document of its own.

use crate::document::Document;
use crate::elements::{Action, OnCancel, OnFailure};
use crate::status::{RunStatus, StepStatus, Stop};

/// Where a step was begun that is within a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Within {
    /// The loop, by its place among the steps that were begun.
    pub at: usize,
    /// In which of its iterations, from 1.
    pub iteration: usize,
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
    /// The loop that it was begun in.
    pub within: Option<Within>,
    /// The iteration that a loop is in; 0 before its first.
    pub iteration: usize,
    /// Whether it was retried from here, or from before it: then it counts as not begun.
    pub retried: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Begin that step, in that iteration of a loop.
    Start(usize, Option<Within>),
    /// Try the last step once more.
    Retry,
    /// The last step runs; let it.
    Wait,
    /// Stop the last step.
    CancelStep,
    /// The loop at that place among the steps that were begun has done an iteration, or none yet: begin the next one, or end
    /// it well when there is none.
    Iterate(usize),
    /// The loop at that place ends so.
    EndLoop(usize, RunStatus, String),
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

/// What one block of steps, the document or an iteration of a loop, comes to.
enum Step {
    Do(Decision),
    Over(RunStatus, String),
}

fn decide(document: &Document, done: &[Executed], stop: Stop) -> Decision {
    let is_open = |one: &Executed| {
        let is_loop = document
            .steps
            .get(one.step)
            .is_some_and(|step| step.action == Action::Loop);
        is_loop && !one.status.is_final() && !one.retried
    };
    let Some(at) = done.iter().rposition(is_open) else {
        let block = Block {
            document,
            done,
            stop,
            within: None,
        };
        return match block.decide() {
            Step::Do(decision) => decision,
            Step::Over(status, message) => Decision::Finish(status, message),
        };
    };
    // A loop that cleans up after a cancelled step goes through to its end.
    let is_cleaning = cancelled(done.get(..at).unwrap_or_default()) > 0;
    let stop = if is_cleaning && stop == Stop::Cancel {
        Stop::No
    } else {
        stop
    };
    let iteration = done.get(at).map_or(0, |one| one.iteration);
    let within = Some(Within { at, iteration });
    let block = Block {
        document,
        done,
        stop,
        within,
    };
    let came_to = if iteration == 0 && stop == Stop::No {
        Step::Over(RunStatus::Success, String::new())
    } else {
        block.decide()
    };
    match came_to {
        Step::Do(decision) => decision,
        Step::Over(RunStatus::Success, _) if stop == Stop::No => Decision::Iterate(at),
        Step::Over(status, message) => Decision::EndLoop(at, status, message),
    }
}

fn cancelled(done: &[Executed]) -> usize {
    done.iter()
        .filter(|one| one.status == StepStatus::Cancelled && !one.retried)
        .count()
}

/// How often a step was begun, each attempt by itself, also those that were retried.
pub(crate) fn attempts(done: &[Executed]) -> usize {
    done.iter()
        .map(|one| usize::try_from(one.attempts).unwrap_or(usize::MAX))
        .fold(0, usize::saturating_add)
}

fn in_circles() -> Step {
    let why = format!("More than {MOST_EXECUTED} steps were run: the document goes in circles.");
    Step::Over(RunStatus::Failed, why)
}

/// Steps that follow each other: those of the document, or those of one iteration.
struct Block<'a> {
    document: &'a Document,
    done: &'a [Executed],
    stop: Stop,
    within: Option<Within>,
}

impl Block<'_> {
    /// Its own steps that were begun.
    fn own(&self) -> impl DoubleEndedIterator<Item = &Executed> {
        self.done
            .iter()
            .filter(|one| one.within == self.within && !one.retried)
    }

    /// From the first cancelled step on, a run that is cancelled only cleans up.
    fn is_cleaning(&self) -> bool {
        self.stop == Stop::Cancel && cancelled(self.done) > 0
    }

    fn decide(&self) -> Step {
        let Some(last) = self.own().next_back() else {
            return match self.stop {
                Stop::No => {
                    let parent = self.within.and_then(|within| self.done.get(within.at));
                    match self.document.first_within(parent.map(|one| one.step)) {
                        Some(first) => self.begin(first),
                        None => Step::Over(RunStatus::Success, String::new()),
                    }
                }
                Stop::Complete => Step::Over(RunStatus::Success, String::new()),
                Stop::Cancel => Step::Over(RunStatus::Cancelled, String::new()),
            };
        };
        let Some(step) = self.document.steps.get(last.step) else {
            return Step::Over(RunStatus::Failed, "The document has no such step.".to_owned());
        };
        let is_cancelled = self.stop == Stop::Cancel;
        let is_cleaning = self.is_cleaning();
        match last.status {
            StepStatus::InProgress | StepStatus::Waiting if is_cancelled && !is_cleaning => {
                Step::Do(Decision::CancelStep)
            }
            StepStatus::InProgress | StepStatus::Waiting | StepStatus::Cancelling => Step::Do(Decision::Wait),
            StepStatus::Cancelled => match &step.on_cancel {
                // What cleans up and is cancelled itself is not cleaned up after.
                OnCancel::Step(name) if is_cancelled && cancelled(self.done) == 1 => self.start(name),
                _ => Step::Over(RunStatus::Cancelled, format!("Step {} was cancelled.", step.name)),
            },
            StepStatus::Success => self.go_on(last, last.chosen.as_deref()),
            StepStatus::Failed | StepStatus::TimedOut => {
                if last.attempts < step.max_attempts && self.stop == Stop::No {
                    return if attempts(self.done) < MOST_EXECUTED {
                        Step::Do(Decision::Retry)
                    } else {
                        in_circles()
                    };
                }
                match &step.on_failure {
                    OnFailure::Abort => {
                        let status = if is_cleaning {
                            RunStatus::Cancelled
                        } else {
                            failed_as(last.status)
                        };
                        Step::Over(status, format!("Step {} failed.", step.name))
                    }
                    OnFailure::Continue => self.go_on(last, None),
                    OnFailure::Step(name) if self.stop == Stop::No || is_cleaning => {
                        if step.is_end {
                            return self.ended();
                        }
                        self.start(name)
                    }
                    OnFailure::Step(_) => self.go_on(last, None),
                }
            }
        }
    }

    /// After a step whose end does not end all.
    fn go_on(&self, last: &Executed, chosen: Option<&str>) -> Step {
        match self.stop {
            Stop::Cancel if !self.is_cleaning() => return Step::Over(RunStatus::Cancelled, String::new()),
            Stop::Complete => return self.ended(),
            _ => {}
        }
        let Some(step) = self.document.steps.get(last.step) else {
            return self.ended();
        };
        // The end of a branch is where no choice holds.
        if let Some(name) = chosen {
            return self.start(name);
        }
        if step.is_end {
            return self.ended();
        }
        if let Some(name) = step.next_step.as_deref() {
            return self.start(name);
        }
        match self.document.after(last.step) {
            Some(after) => self.begin(after),
            None => self.ended(),
        }
    }

    fn begin(&self, step: usize) -> Step {
        if attempts(self.done) >= MOST_EXECUTED {
            return in_circles();
        }
        Step::Do(Decision::Start(step, self.within))
    }

    fn start(&self, name: &str) -> Step {
        match self.document.step(name) {
            Some(step) => self.begin(step),
            None => Step::Over(RunStatus::Failed, format!("The document has no step {name}.")),
        }
    }

    /// The natural end: well, unless a step failed that all hangs on.
    fn ended(&self) -> Step {
        if self.is_cleaning() {
            return Step::Over(RunStatus::Cancelled, String::new());
        }
        let failed = self.own().find_map(|one| {
            let step = self.document.steps.get(one.step)?;
            let is_failed = matches!(one.status, StepStatus::Failed | StepStatus::TimedOut);
            (is_failed && step.is_critical).then_some((one, step))
        });
        match failed {
            Some((one, step)) => Step::Over(failed_as(one.status), format!("Step {} failed.", step.name)),
            None => Step::Over(RunStatus::Success, String::new()),
        }
    }
}

fn failed_as(status: StepStatus) -> RunStatus {
    match status {
        StepStatus::TimedOut => RunStatus::TimedOut,
        _ => RunStatus::Failed,
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
