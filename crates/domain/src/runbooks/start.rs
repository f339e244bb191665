//! Inputs: start an execution, stop it, tell a step what it waits for.

use crate::commands::parse_rate;
use crate::error::{FieldError, PortalError};
use crate::fleet::NodeSelection;
use crate::ids::ExecutionId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Characters of a reason at most.
const LONGEST_REASON: usize = 500;
/// Characters of a comment at most.
const LONGEST_COMMENT: usize = 500;

/// Input: start a runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRunbook {
    /// Which.
    pub document: String,
    /// In which version; the default one when empty.
    pub version: String,
    /// Its parameters; each a list, as Systems Manager wants it.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The nodes for the parameter that takes some. With none chosen, the parameter itself may name them.
    pub selection: NodeSelection,
    /// At most so many executions at once, where there is one for each node: a number or a percentage.
    pub max_concurrency: String,
    /// No further ones after so many errors, where there is one for each node: a number or a percentage.
    pub max_errors: String,
    /// What it is for.
    pub reason: String,
    /// The number of nodes that the person was shown and confirmed, where that was asked.
    #[serde(default)]
    pub confirmed_nodes: Option<u64>,
}

impl StartRunbook {
    /// Checks all that can be checked without knowing the runbook or the nodes.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.document.trim().is_empty() {
            fields.push(FieldError::new("document", "Choose a runbook."));
        }
        let version = self.version.trim();
        if !version.is_empty() && version.parse::<u32>().map_or(true, |number| number == 0) {
            fields.push(FieldError::new(
                "version",
                "Write the number of a version, or leave it empty for the default one.",
            ));
        }
        match parse_rate(&self.max_concurrency) {
            Some((1.., false)) | Some((1..=100, true)) => {}
            _ => fields.push(FieldError::new(
                "max_concurrency",
                "Write a number from 1, or a percentage from 1% to 100%.",
            )),
        }
        match parse_rate(&self.max_errors) {
            Some((_, false)) | Some((0..=100, true)) => {}
            _ => fields.push(FieldError::new(
                "max_errors",
                "Write a number from 0, or a percentage from 0% to 100%.",
            )),
        }
        match self.reason.trim().chars().count() {
            0 => fields.push(FieldError::new(
                "reason",
                "Say what it is for: the history and the audit log show it.",
            )),
            1..=LONGEST_REASON => {}
            _ => fields.push(FieldError::new("reason", "Use at most 500 characters.")),
        }
        PortalError::from_fields(fields)
    }
}

/// How an execution is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopKind {
    /// At once: the step that runs is cancelled.
    Cancel,
    /// After the step that runs.
    Complete,
}

impl StopKind {
    /// The word in forms and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Complete => "complete",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Cancel, Self::Complete]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Input: stop an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopExecution {
    /// Which.
    pub execution: ExecutionId,
    /// How.
    pub kind: StopKind,
}

/// Input: do an execution that has ended badly again, from a step on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryExecution {
    /// Which.
    pub execution: ExecutionId,
    /// The step that the person saw failed, by the id of its execution.
    pub step: String,
    /// The number of nodes that the person was shown and confirmed, where that was asked.
    #[serde(default)]
    pub confirmed_nodes: Option<u64>,
}

impl RetryExecution {
    /// # Errors
    /// [`PortalError::Invalid`] naming the field.
    pub fn check(&self) -> Result<(), PortalError> {
        if self.step.trim().is_empty() {
            return Err(PortalError::invalid("step", "Say which step is meant."));
        }
        Ok(())
    }
}

/// What a step that waits can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// It may go on: for `aws:approve`.
    Approve,
    /// It may not: for `aws:approve`.
    Reject,
    /// It goes on: for `aws:pause`.
    Resume,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Reject, Self::Resume];

    /// The word in forms and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Resume => "resume",
        }
    }

    /// The signal of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == text)
    }

    /// Whether it decides on what somebody has asked for.
    #[must_use]
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::Approve | Self::Reject)
    }
}

/// Input: tell a step that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendSignal {
    /// Of which execution.
    pub execution: ExecutionId,
    /// What.
    pub signal: Signal,
    /// Why. A rejection needs one.
    pub comment: String,
    /// The step that the person saw waiting, by the id of its execution: another one is not told.
    pub step: String,
}

impl SendSignal {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        match self.comment.trim().chars().count() {
            0 if self.signal == Signal::Reject => {
                fields.push(FieldError::new("comment", "Say why you reject it."));
            }
            0..=LONGEST_COMMENT => {}
            _ => fields.push(FieldError::new("comment", "Use at most 500 characters.")),
        }
        if self.step.trim().is_empty() {
            fields.push(FieldError::new("step", "Say which step is meant."));
        }
        PortalError::from_fields(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let good = StartRunbook {
            document: "Own-Restart".into(),
            version: String::new(),
            parameters: BTreeMap::new(),
            selection: NodeSelection::Nothing,
            max_concurrency: "10%".into(),
            max_errors: "0".into(),
            reason: "a test".into(),
            confirmed_nodes: None,
        };
        assert_eq!(good.check(), Ok(()));
        let bad = StartRunbook {
            document: " ".into(),
            version: "latest".into(),
            max_concurrency: "0".into(),
            max_errors: "101%".into(),
            reason: "  ".into(),
            ..good.clone()
        };
        let error = bad.check().unwrap_err();
        for field in ["document", "version", "max_concurrency", "max_errors", "reason"] {
            assert!(error.about(field).is_some(), "{field}");
        }
        let long = StartRunbook {
            reason: "x".repeat(501),
            ..good
        };
        assert!(long.check().unwrap_err().about("reason").is_some());
    }

    #[test]
    fn a_rejection_says_why() {
        let signal = |signal, comment: &str| SendSignal {
            execution: ExecutionId::new("e"),
            signal,
            comment: comment.into(),
            step: "s".into(),
        };
        assert!(signal(Signal::Approve, "").check().is_ok());
        assert!(signal(Signal::Reject, "too late").check().is_ok());
        let error = signal(Signal::Reject, " ").check().unwrap_err();
        assert!(error.about("comment").is_some());
    }
}
