//! Whether a run that has ended badly can be retried from a step. A function of the document and of what was run, like what
//! comes next: whoever retries writes down that from that step on nothing counts, and asks what comes next.

use crate::document::Document;
use crate::machine::{Executed, MOST_EXECUTED, attempts};
use crate::status::StepStatus;

/// Why a run cannot be retried from a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRetry {
    /// The document has no such step, or it is within a loop, which is retried as a whole.
    NoSuchStep(String),
    /// The run did not come to it.
    NotReached(String),
    /// It was done well, and is not done again.
    Succeeded(String),
    /// That other step before it was not done well, and all hangs on it.
    After(String, String),
    /// The run has begun as many steps as one may.
    TooMany,
}

impl std::fmt::Display for NoRetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchStep(name) => write!(
                f,
                "The document has no step {name} from which it can be retried; a loop is retried as a whole."
            ),
            Self::NotReached(name) => write!(f, "The execution did not come to step {name}."),
            Self::Succeeded(name) => write!(f, "Step {name} succeeded; it is not done again."),
            Self::After(name, before) => write!(
                f,
                "Step {before} before {name} did not succeed, so it cannot be retried from {name}."
            ),
            Self::TooMany => write!(f, "It has begun {MOST_EXECUTED} steps, which is the most."),
        }
    }
}

/// From where on a run that has ended is to be done again, when it is retried from the step of that name: a place among the
/// steps that were begun. What stands there and behind it counts as not begun then.
///
/// # Errors
/// [`NoRetry`].
pub fn retry(document: &Document, done: &[Executed], name: &str) -> Result<usize, NoRetry> {
    let step = document
        .step(name)
        .filter(|at| document.steps.get(*at).is_some_and(|step| step.parent.is_none()))
        .ok_or_else(|| NoRetry::NoSuchStep(name.to_owned()))?;
    let counts = |one: &Executed| !one.retried && one.within.is_none();
    let Some(from) = done.iter().rposition(|one| counts(one) && one.step == step) else {
        return Err(NoRetry::NotReached(name.to_owned()));
    };
    if done
        .get(from)
        .is_some_and(|one| one.status == StepStatus::Success)
    {
        return Err(NoRetry::Succeeded(name.to_owned()));
    }
    for one in done.iter().take(from).filter(|one| counts(one)) {
        let Some(before) = document.steps.get(one.step) else {
            continue;
        };
        let is_fine = match one.status {
            StepStatus::Success => true,
            // What may fail led on to here, as it would again.
            StepStatus::Failed | StepStatus::TimedOut => !before.is_critical,
            _ => false,
        };
        if !is_fine {
            return Err(NoRetry::After(name.to_owned(), before.name.clone()));
        }
    }
    if attempts(done) >= MOST_EXECUTED {
        return Err(NoRetry::TooMany);
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Decision, Within, next};
    use crate::status::Stop;
    use serde_json::json;

    fn document() -> Document {
        Document::read(&json!({"schemaVersion": "0.3", "mainSteps": [
            {"name": "a", "action": "aws:pause", "inputs": {}, "onFailure": "Continue"},
            {"name": "b", "action": "aws:pause", "inputs": {}, "onFailure": "step:mend"},
            {"name": "l", "action": "aws:loop", "inputs": {"Iterators": ["x"], "Steps":
                [{"name": "in", "action": "aws:pause", "inputs": {}}]}, "isEnd": true},
            {"name": "mend", "action": "aws:pause", "inputs": {}}]}))
        .unwrap()
    }

    fn ended(name: &str, status: StepStatus) -> Executed {
        Executed {
            step: document().step(name).unwrap(),
            status,
            attempts: 1,
            chosen: None,
            within: None,
            iteration: 0,
            retried: false,
        }
    }

    use StepStatus::{Cancelled, Failed, Success};

    #[test]
    fn the_step_that_failed_is_done_again_and_what_came_of_it_does_not_count() {
        let document = document();
        let mut done = vec![ended("a", Failed), ended("b", Failed), ended("mend", Success)];
        assert_eq!(retry(&document, &done, "b"), Ok(1));
        for (name, why) in [
            ("c", NoRetry::NoSuchStep("c".into())),
            ("in", NoRetry::NoSuchStep("in".into())),
            ("l", NoRetry::NotReached("l".into())),
            ("mend", NoRetry::Succeeded("mend".into())),
        ] {
            assert_eq!(retry(&document, &done, name), Err(why));
        }
        for one in &mut done[1..] {
            one.retried = true;
        }
        assert_eq!(next(&document, &done, Stop::No), Decision::Start(1, None));
        // It fails again, and may be retried again.
        done.push(ended("b", Failed));
        assert_eq!(retry(&document, &done, "b"), Ok(3));
        done[3].retried = true;
        done.push(ended("b", Success));
        assert_eq!(next(&document, &done, Stop::No), Decision::Start(2, None));
    }

    #[test]
    fn nothing_is_retried_behind_what_failed_and_a_loop_as_a_whole() {
        let document = document();
        let behind = [ended("b", Failed), ended("mend", Failed)];
        assert_eq!(
            retry(&document, &behind, "mend"),
            Err(NoRetry::After("mend".into(), "b".into()))
        );
        let cancelled = [ended("a", Cancelled), ended("mend", Failed)];
        assert!(matches!(
            retry(&document, &cancelled, "mend"),
            Err(NoRetry::After(..))
        ));
        let inner = Executed {
            within: Some(Within { at: 1, iteration: 1 }),
            ..ended("in", Failed)
        };
        let mut looped = vec![ended("b", Success), ended("l", Failed), inner];
        assert_eq!(retry(&document, &looped, "l"), Ok(1));
        for one in &mut looped[1..] {
            one.retried = true;
        }
        assert_eq!(next(&document, &looped, Stop::No), Decision::Start(2, None));
        let many = Executed {
            attempts: u32::try_from(MOST_EXECUTED).unwrap(),
            ..ended("b", Failed)
        };
        assert_eq!(retry(&document, &[many], "b"), Err(NoRetry::TooMany));
    }
}
