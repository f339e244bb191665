//! Executions of runbooks: their rows, their steps, and the events that keep a page fresh.

use super::{ExecutionStatus, PlannedTargets, RunbookStep};
use crate::ids::{ExecutionId, NodeId};
use crate::paging::Cursor;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An execution, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionSummary {
    /// Which.
    pub execution_id: ExecutionId,
    /// The runbook.
    pub document: String,
    /// Its version.
    pub document_version: String,
    /// What it is for; empty where it was started elsewhere.
    pub reason: String,
    /// Who started it: a user of the portal, or `outside Muster`.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub status: ExecutionStatus,
    /// The step that it is at; empty before the first, and when it has ended.
    pub current_step: String,
    /// Why it failed, when it did.
    pub failure_message: String,
    /// Steps in all.
    pub steps: u32,
    /// Steps that have ended.
    pub steps_ended: u32,
    /// Steps that have failed.
    pub steps_failed: u32,
    /// When the portal last copied it from Systems Manager.
    pub synced_at: Timestamp,
}

/// A step of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepExecution {
    /// Its place: those that were begun in their order, then those that were not.
    pub position: u32,
    /// Systems Manager's id of it.
    pub step_execution_id: String,
    /// The step's name.
    pub name: String,
    /// What it does.
    pub action: String,
    /// How it stands.
    pub status: ExecutionStatus,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it was answered with, where that is a code.
    pub response_code: String,
    /// Why it failed, when it did.
    pub failure_message: String,
    /// What it was given, each as JSON.
    pub inputs: BTreeMap<String, String>,
    /// What it told.
    pub outputs: BTreeMap<String, Vec<String>>,
}

impl StepExecution {
    /// The first value of an output.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&str> {
        let values = self.outputs.get(name)?;
        values
            .first()
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The execution that it started, where it is one that starts some.
    #[must_use]
    pub fn child(&self) -> Option<&str> {
        (self.action == "aws:executeAutomation")
            .then(|| self.output("ExecutionId"))
            .flatten()
    }

    /// The command that it ran, where it is one that runs some.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        (self.action == "aws:runCommand")
            .then(|| self.output("CommandId"))
            .flatten()
    }

    /// What it waits for, if it is something that somebody can tell it.
    #[must_use]
    pub fn waits_for(&self) -> Option<WaitsFor> {
        match (self.status, self.action.as_str()) {
            (ExecutionStatus::Waiting, "aws:approve") => Some(WaitsFor::Decision),
            (ExecutionStatus::Waiting, "aws:pause") => Some(WaitsFor::Resume),
            _ => None,
        }
    }
}

/// What a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitsFor {
    /// That it is approved or rejected.
    Decision,
    /// That somebody lets it go on.
    Resume,
}

/// That an execution was done again from a step on, here in the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// The step's name.
    pub step: String,
    /// Who did that.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Retried {
    /// What of these a step's row says of it; nothing where it was not done again from there.
    #[must_use]
    pub fn words(all: &[Self], step: &str) -> Option<String> {
        let of_step: Vec<&Self> = all.iter().filter(|one| one.step == step).collect();
        match of_step.as_slice() {
            [] => None,
            [one] => Some(format!("Done again from here by {}", one.by)),
            [.., last] => Some(format!(
                "Done again from here {} times, last by {}",
                of_step.len(),
                last.by
            )),
        }
    }
}

/// An execution, in full: what was asked for is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionDetail {
    /// The row.
    pub summary: ExecutionSummary,
    /// Systems Manager's id; `None` until it was sent.
    pub ssm_execution_id: Option<String>,
    /// Who runs it, as Systems Manager says it.
    pub executed_by: String,
    /// The parameters.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The nodes that it was given, where it was started in the portal.
    pub targets: Option<PlannedTargets>,
    /// At most so many at once, where there is one execution for each node.
    pub max_concurrency: String,
    /// No further ones after so many errors, where there is one execution for each node.
    pub max_errors: String,
    /// What it told in the end.
    pub outputs: BTreeMap<String, Vec<String>>,
    /// Its steps.
    pub steps: Vec<StepExecution>,
    /// The execution that started it.
    pub parent: Option<ExecutionId>,
    /// Executions that it started, oldest first, at most 200.
    pub children: Vec<ExecutionSummary>,
    /// The runbook's text as it is run; empty where it is not known.
    pub content: String,
    /// SHA-256 of the text, hexadecimal; empty where it is not known.
    pub content_hash: String,
    /// The steps as that text has them.
    pub document_steps: Vec<RunbookStep>,
    /// The cursor from which the live stream continues this snapshot.
    pub event_cursor: i64,
    /// Why the portal could not send it, when it could not.
    pub problem: String,
    /// The deployment that it is, where it is one.
    pub deployment: Option<crate::deployments::DeploymentSummary>,
    /// How long this runbook usually takes, in ms (median of the last ten that succeeded).
    pub usual_duration_ms: Option<i64>,
    /// The same for its steps.
    pub usual_steps_ms: BTreeMap<String, i64>,
    /// Whether the actor may start it again.
    pub may_start: bool,
    /// Whether the actor may stop it now.
    pub may_stop: bool,
    /// The steps, by their places, from which the actor may do it again now.
    pub retry_from: Vec<u32>,
    /// From where it was done again, in the order of that.
    #[serde(default)]
    pub retried: Vec<Retried>,
    /// Whether the actor may let it go on where it pauses.
    pub may_signal: bool,
    /// Whether the actor may decide where it waits for approval.
    pub may_decide: bool,
    /// Why not, where that is not the role.
    pub why_not_decide: String,
}

/// Something that happened to an execution, in order. `sequence` is the stream's cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionEvent {
    /// Grows by one within an execution.
    pub sequence: i64,
    /// When the portal took note of it.
    pub at: Timestamp,
    /// What.
    pub change: ExecutionChange,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ExecutionChange {
    /// The execution as a whole stands differently.
    Execution {
        /// As it is now.
        summary: ExecutionSummary,
    },
    /// A step stands differently.
    Step {
        /// As it is now.
        step: StepExecution,
    },
}

/// Which executions to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionQuery {
    /// Only this status.
    pub status: Option<ExecutionStatus>,
    /// Exactly this runbook, or its name contains it.
    pub document: String,
    /// Reason, id or requester contains.
    pub text: String,
    /// Only those that were given this node.
    pub node_id: Option<NodeId>,
    /// Not before. Pages ask for the last 7 days unless told otherwise.
    pub since: Option<Timestamp>,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_how_often_and_by_whom_it_was_done_again() {
        let one = |step: &str, by: &str| Retried {
            step: step.into(),
            by: by.into(),
            at: Timestamp(1),
        };
        let mut all = vec![one("Mend", "olga")];
        assert_eq!(
            Retried::words(&all, "Mend").as_deref(),
            Some("Done again from here by olga")
        );
        assert_eq!(Retried::words(&all, "Look"), None);
        all.extend([one("Look", "bob"), one("Mend", "bertha")]);
        assert_eq!(
            Retried::words(&all, "Mend").as_deref(),
            Some("Done again from here 2 times, last by bertha")
        );
    }
}
