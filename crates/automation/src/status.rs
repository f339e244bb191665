//! How steps and runs stand, and what somebody asked of a run.

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

    /// How a step stands that came to it.
    #[must_use]
    pub const fn of_step(self) -> StepStatus {
        match self {
            Self::Success => StepStatus::Success,
            Self::Failed => StepStatus::Failed,
            Self::TimedOut => StepStatus::TimedOut,
            Self::Cancelled => StepStatus::Cancelled,
        }
    }
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
