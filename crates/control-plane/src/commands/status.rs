//! The states of invocations and commands, and how the one follows from the other. Pure functions.

use super::rate::{Limit, too_many_errors};

/// How an invocation stands: the detailed word, as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Pending,
    InProgress,
    Delayed,
    Cancelling,
    Success,
    Failed,
    Cancelled,
    ExecutionTimedOut,
    DeliveryTimedOut,
    Undeliverable,
    Terminated,
    InvalidPlatform,
}

impl Detail {
    pub(crate) const ALL: [Self; 12] = [
        Self::Pending,
        Self::InProgress,
        Self::Delayed,
        Self::Cancelling,
        Self::Success,
        Self::Failed,
        Self::Cancelled,
        Self::ExecutionTimedOut,
        Self::DeliveryTimedOut,
        Self::Undeliverable,
        Self::Terminated,
        Self::InvalidPlatform,
    ];

    /// `StatusDetails`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Delayed => "Delayed",
            Self::Cancelling => "Cancelling",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::ExecutionTimedOut => "ExecutionTimedOut",
            Self::DeliveryTimedOut => "DeliveryTimedOut",
            Self::Undeliverable => "Undeliverable",
            Self::Terminated => "Terminated",
            Self::InvalidPlatform => "InvalidPlatform",
        }
    }

    /// `Status`.
    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::ExecutionTimedOut | Self::DeliveryTimedOut => "TimedOut",
            Self::Undeliverable | Self::InvalidPlatform => "Failed",
            Self::Terminated => "Cancelled",
            other => other.as_str(),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detail| detail.as_str() == text)
    }

    pub(crate) const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Pending | Self::InProgress | Self::Delayed | Self::Cancelling
        )
    }

    /// Whether it counts against `MaxErrors`.
    pub(crate) const fn is_error(self) -> bool {
        matches!(self, Self::Failed | Self::ExecutionTimedOut)
    }

    /// What an agent's word for a document or step means; `None` while it still runs.
    pub(crate) fn of_agent(word: &str) -> Option<Self> {
        match word {
            "Success" | "SuccessAndReboot" | "PassedAndReboot" | "Skipped" | "TestPass" => {
                Some(Self::Success)
            }
            "Cancelled" => Some(Self::Cancelled),
            "TimedOut" => Some(Self::ExecutionTimedOut),
            "NotStarted" | "InProgress" | "" => None,
            // `Failed`, `TestFailure` and whatever a later agent calls a failure.
            _ => Some(Self::Failed),
        }
    }
}

/// Final invocations of a command, counted by detail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Vec<(Detail, i64)>);

impl Tally {
    pub(crate) fn add(&mut self, detail: Detail, count: i64) {
        self.0.push((detail, count));
    }

    fn of(&self, details: &[Detail]) -> i64 {
        let counted = self.0.iter().filter(|(detail, _)| details.contains(detail));
        counted.map(|(_, count)| count).sum()
    }
}

/// `Status` and `StatusDetails` of a command whose invocations are all final.
pub(crate) fn of_finished_command(
    tally: &Tally,
    max_errors: Limit,
    cancel_requested: bool,
) -> (&'static str, &'static str) {
    let targets = tally.of(&Detail::ALL);
    let errors = tally.of(&[Detail::Failed, Detail::ExecutionTimedOut]);
    let late = tally.of(&[Detail::DeliveryTimedOut]);
    let succeeded = tally.of(&[Detail::Success]);
    if targets == 0 {
        return ("Failed", "NoInstancesInTag");
    }
    if cancel_requested && tally.of(&[Detail::Cancelled]) > 0 {
        return ("Cancelled", "Cancelled");
    }
    if too_many_errors(errors, max_errors, targets) {
        return if tally.of(&[Detail::Failed]) == 0 {
            ("TimedOut", "ExecutionTimedOut")
        } else {
            ("Failed", "Failed")
        };
    }
    if succeeded == targets {
        return ("Success", "Success");
    }
    if late == targets {
        return ("TimedOut", "DeliveryTimedOut");
    }
    if succeeded == 0 {
        return ("Failed", "Failed");
    }
    // What could not be delivered at all does not spoil what succeeded; what was tried and did not does.
    if errors + late + tally.of(&[Detail::Cancelled, Detail::Terminated]) == 0 {
        return ("Success", "Success");
    }
    ("Failed", "Incomplete")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(counts: &[(Detail, i64)], max_errors: &str, cancel: bool) -> (&'static str, &'static str) {
        let mut tally = Tally::default();
        for (detail, count) in counts {
            tally.add(*detail, *count);
        }
        of_finished_command(&tally, Limit::parse(max_errors).unwrap(), cancel)
    }

    #[test]
    fn a_commands_state_follows_from_its_invocations() {
        use Detail::*;
        for (counts, max_errors, cancel, expected) in [
            (&[][..], "0", false, ("Failed", "NoInstancesInTag")),
            (&[(Success, 3)], "0", false, ("Success", "Success")),
            (&[(Success, 2), (Failed, 1)], "0", false, ("Failed", "Failed")),
            (&[(Success, 2), (Failed, 1)], "1", false, ("Failed", "Incomplete")),
            (&[(Failed, 1), (Terminated, 5)], "0", false, ("Failed", "Failed")),
            (
                &[(ExecutionTimedOut, 1)],
                "0",
                false,
                ("TimedOut", "ExecutionTimedOut"),
            ),
            (
                &[(DeliveryTimedOut, 2)],
                "0",
                false,
                ("TimedOut", "DeliveryTimedOut"),
            ),
            (
                &[(DeliveryTimedOut, 1), (Success, 1)],
                "0",
                false,
                ("Failed", "Incomplete"),
            ),
            (&[(Undeliverable, 2)], "0", false, ("Failed", "Failed")),
            (
                &[(Undeliverable, 2), (Success, 1)],
                "0",
                false,
                ("Success", "Success"),
            ),
            (
                &[(InvalidPlatform, 1), (Success, 1)],
                "0",
                false,
                ("Success", "Success"),
            ),
            (
                &[(Cancelled, 1), (Success, 1)],
                "0",
                true,
                ("Cancelled", "Cancelled"),
            ),
            (&[(Success, 2)], "0", true, ("Success", "Success")),
        ] {
            assert_eq!(
                finished(counts, max_errors, cancel),
                expected,
                "{counts:?} {max_errors} {cancel}"
            );
        }
    }

    #[test]
    fn details_have_the_services_coarse_words() {
        assert_eq!(Detail::DeliveryTimedOut.status(), "TimedOut");
        assert_eq!(Detail::Terminated.status(), "Cancelled");
        for detail in Detail::ALL {
            assert_eq!(Detail::parse(detail.as_str()), Some(detail));
        }
    }

    #[test]
    fn agents_words_are_understood() {
        assert_eq!(Detail::of_agent("InProgress"), None);
        assert_eq!(Detail::of_agent("SuccessAndReboot"), Some(Detail::Success));
        assert_eq!(Detail::of_agent("TestFailure"), Some(Detail::Failed));
        assert_eq!(Detail::of_agent("TimedOut"), Some(Detail::ExecutionTimedOut));
    }
}
