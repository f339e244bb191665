//! What an execution's events change, without any browser. Events may come twice or late; each is applied once.

use muster_domain::Timestamp;
use muster_domain::runbooks::{
    ExecutionChange, ExecutionDetail, ExecutionEvent, ExecutionSummary, StepExecution,
};

/// How the execution stands, as far as the page knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveExecution {
    pub(super) summary: ExecutionSummary,
    pub(super) steps: Vec<StepExecution>,
    /// The last event applied.
    pub(super) sequence: i64,
}

impl LiveExecution {
    /// The state of a snapshot.
    pub(super) fn new(detail: &ExecutionDetail) -> Self {
        Self {
            summary: detail.summary.clone(),
            steps: detail.steps.clone(),
            sequence: detail.event_cursor,
        }
    }

    /// Takes over a newer snapshot; an older one than the events already applied is ignored.
    pub(super) fn renew(&mut self, detail: &ExecutionDetail) {
        if detail.event_cursor >= self.sequence {
            *self = Self::new(detail);
        }
    }

    /// Applies one event; `false` when it was known already.
    pub(super) fn apply(&mut self, event: &ExecutionEvent) -> bool {
        if event.sequence <= self.sequence {
            return false;
        }
        self.sequence = event.sequence;
        match &event.change {
            ExecutionChange::Execution { summary } => self.summary = summary.clone(),
            ExecutionChange::Step { step } => {
                match self.steps.iter_mut().find(|one| one.position == step.position) {
                    Some(known) => *known = step.clone(),
                    None => {
                        self.steps.push(step.clone());
                        self.steps.sort_by_key(|one| one.position);
                    }
                }
            }
        }
        true
    }

    /// The step that waits for somebody.
    pub(super) fn waiting(&self) -> Option<&StepExecution> {
        if self.summary.status.is_final() {
            return None;
        }
        self.steps.iter().find(|step| step.waits_for().is_some())
    }

    /// How long it took, or has taken by `now`.
    pub(super) fn elapsed_ms(&self, now: Option<Timestamp>) -> Option<i64> {
        let end = if self.summary.status.is_final() {
            self.summary.ended_at
        } else {
            now
        };
        end.map(|end| end.since_ms(self.summary.requested_at).max(0))
    }
}

/// A step as tests want one.
#[cfg(test)]
pub(super) fn test_step(
    position: u32,
    name: &str,
    status: muster_domain::runbooks::ExecutionStatus,
) -> StepExecution {
    StepExecution {
        position,
        step_execution_id: format!("s{position}"),
        name: name.into(),
        action: "aws:pause".into(),
        status,
        started_at: None,
        ended_at: None,
        response_code: String::new(),
        failure_message: String::new(),
        inputs: std::collections::BTreeMap::new(),
        outputs: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::ids::ExecutionId;
    use muster_domain::runbooks::ExecutionStatus;

    fn summary(status: ExecutionStatus) -> ExecutionSummary {
        ExecutionSummary {
            execution_id: ExecutionId::new("e"),
            document: "d".into(),
            document_version: "1".into(),
            reason: String::new(),
            requested_by: "op".into(),
            requested_at: Timestamp(1_000),
            ended_at: status.is_final().then_some(Timestamp(5_000)),
            status,
            current_step: String::new(),
            failure_message: String::new(),
            steps: 2,
            steps_ended: 0,
            steps_failed: 0,
            synced_at: Timestamp(0),
        }
    }

    fn event(sequence: i64, change: ExecutionChange) -> ExecutionEvent {
        ExecutionEvent {
            sequence,
            at: Timestamp(0),
            change,
        }
    }

    #[test]
    fn each_event_counts_once_and_steps_keep_their_order() {
        let mut live = LiveExecution {
            summary: summary(ExecutionStatus::InProgress),
            steps: vec![test_step(1, "B", ExecutionStatus::Pending)],
            sequence: 3,
        };
        let step = |position, name, status| ExecutionChange::Step {
            step: test_step(position, name, status),
        };
        assert!(
            !live.apply(&event(3, step(1, "B", ExecutionStatus::Failed))),
            "known"
        );
        assert!(live.apply(&event(4, step(0, "A", ExecutionStatus::Success))));
        assert!(live.apply(&event(5, step(1, "B", ExecutionStatus::Waiting))));
        let names: Vec<&str> = live.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(live.waiting().map(|step| step.position), Some(1));
        assert_eq!(live.elapsed_ms(Some(Timestamp(3_000))), Some(2_000));
        let done = ExecutionChange::Execution {
            summary: summary(ExecutionStatus::Cancelled),
        };
        assert!(live.apply(&event(6, done)));
        assert_eq!(live.waiting(), None);
        assert_eq!(live.elapsed_ms(Some(Timestamp(9_000))), Some(4_000));
    }
}
