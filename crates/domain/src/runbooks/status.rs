//! How an execution or one of its steps stands, in Systems Manager's words and in people's.

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident, $label:literal, $is_final:literal;)*) => {
        /// The state of an automation execution or a step execution, in Systems Manager's words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ExecutionStatus {
            $($(#[$doc])* $name,)*
        }

        impl ExecutionStatus {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As Systems Manager writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// As people read it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// Whether nothing more will happen.
            #[must_use]
            pub const fn is_final(self) -> bool {
                match self { $(Self::$name => $is_final,)* }
            }
        }
    };
}

statuses! {
    /// Not yet begun.
    Pending, "Pending", false;
    /// Being done.
    InProgress, "In progress", false;
    /// Waiting: for approval, for somebody to let it go on, or for a time.
    Waiting, "Waiting", false;
    /// Done.
    Success, "Success", true;
    /// Did not end in time.
    TimedOut, "Timed out", true;
    /// Being stopped.
    Cancelling, "Cancelling", false;
    /// Stopped by somebody.
    Cancelled, "Cancelled", true;
    /// Did not work.
    Failed, "Failed", true;
    /// A change request that waits for approval.
    PendingApproval, "Pending approval", false;
    /// A change request that was approved.
    Approved, "Approved", false;
    /// A change request that was rejected.
    Rejected, "Rejected", true;
    /// A change request that begins later.
    Scheduled, "Scheduled", false;
    /// A change request whose runbook runs.
    RunbookInProgress, "Runbook in progress", false;
    /// A change request that a calendar holds up.
    PendingChangeCalendarOverride, "Pending calendar override", false;
    /// A change request that was let past a calendar.
    ChangeCalendarOverrideApproved, "Calendar override approved", false;
    /// A change request that was not let past a calendar.
    ChangeCalendarOverrideRejected, "Calendar override rejected", true;
    /// A change request that went well.
    CompletedWithSuccess, "Completed with success", true;
    /// A change request that did not.
    CompletedWithFailure, "Completed with failure", true;
    /// Ended before its last step, on purpose.
    Exited, "Exited", true;
}

impl ExecutionStatus {
    /// The status of that name, spaced or not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.replace(' ', "");
        Self::ALL.iter().copied().find(|status| status.as_str() == text)
    }

    /// Whether it ended otherwise than well.
    #[must_use]
    pub const fn has_failed(self) -> bool {
        matches!(
            self,
            Self::Failed
                | Self::TimedOut
                | Self::Rejected
                | Self::ChangeCalendarOverrideRejected
                | Self::CompletedWithFailure
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_what_failed_has_ended() {
        for status in ExecutionStatus::ALL.iter().copied() {
            assert_eq!(ExecutionStatus::parse(status.as_str()), Some(status));
            assert!(status.is_final() || !status.has_failed(), "{status:?}");
        }
        assert_eq!(
            ExecutionStatus::parse("Timed Out"),
            Some(ExecutionStatus::TimedOut)
        );
        assert_eq!(ExecutionStatus::parse("Fine"), None);
    }
}
