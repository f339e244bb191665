//! How a deployment stands: as its execution does, in fewer words.

use crate::runbooks::ExecutionStatus;
use serde::{Deserialize, Serialize};

/// The step that goes back when something went wrong.
pub const ROLL_BACK_STEP: &str = "RollBack";

/// How a deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeploymentState {
    /// It is started, or runs.
    Running,
    /// It went well: this runs there now, unless something newer does.
    Succeeded,
    /// It did not.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

impl DeploymentState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Running, Self::Succeeded, Self::Failed, Self::Stopped];

    /// The word in addresses and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "In progress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What follows from how the execution stands.
    #[must_use]
    pub const fn of(status: ExecutionStatus) -> Self {
        match status {
            ExecutionStatus::Success | ExecutionStatus::CompletedWithSuccess => Self::Succeeded,
            ExecutionStatus::Cancelled => Self::Stopped,
            status if status.is_final() => Self::Failed,
            _ => Self::Running,
        }
    }
}

/// What became of the step that goes back, in words; `status` is empty where it did not run.
#[must_use]
pub fn rolled_back_words(status: &str) -> Option<&'static str> {
    match ExecutionStatus::parse(status)? {
        ExecutionStatus::Success => Some("the runbook rolled back"),
        status if status.is_final() => Some("rolling back failed"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_stands_as_its_execution_does() {
        for status in ExecutionStatus::ALL {
            let state = DeploymentState::of(*status);
            assert_eq!(
                state == DeploymentState::Running,
                !status.is_final(),
                "{status:?}"
            );
        }
        assert_eq!(
            DeploymentState::of(ExecutionStatus::Exited),
            DeploymentState::Failed
        );
        for state in DeploymentState::ALL {
            assert_eq!(DeploymentState::parse(state.as_str()), Some(state));
        }
        assert_eq!(rolled_back_words("Success"), Some("the runbook rolled back"));
        assert_eq!(rolled_back_words("Failed"), Some("rolling back failed"));
        assert_eq!(rolled_back_words(""), None);
    }
}
