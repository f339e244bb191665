//! Statuses as word, icon and colour: never colour alone.

use super::fixed::Fixed;
use super::icon::Glyph;
use leptos::prelude::*;
use muster_domain::audit::Outcome;
use muster_domain::commands::CommandStatus;
use muster_domain::fleet::PingStatus;
use muster_domain::patching::PatchStanding;
use muster_domain::runbooks::ExecutionStatus;

/// The closed set of looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Badge {
    /// Went well.
    Ok,
    /// Deserves attention.
    Warn,
    /// Went wrong.
    Bad,
    /// Going on.
    Busy,
    /// Neither good nor bad.
    Info,
    /// Not there, or unknown.
    Off,
}

impl Badge {
    /// The class that colours it.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Busy => "info busy",
            Self::Info => "info",
            Self::Off => "off",
        }
    }

    const fn glyph(self) -> Glyph {
        match self {
            Self::Ok => Glyph::Check,
            Self::Warn => Glyph::Warning,
            Self::Bad => Glyph::Cross,
            Self::Busy => Glyph::Spin,
            Self::Info => Glyph::Info,
            Self::Off => Glyph::Off,
        }
    }
}

impl From<PingStatus> for Badge {
    fn from(status: PingStatus) -> Self {
        match status {
            PingStatus::Online => Self::Ok,
            PingStatus::ConnectionLost => Self::Warn,
            PingStatus::Inactive => Self::Off,
        }
    }
}

impl From<CommandStatus> for Badge {
    fn from(status: CommandStatus) -> Self {
        match status {
            CommandStatus::Pending | CommandStatus::Delayed => Self::Info,
            CommandStatus::InProgress | CommandStatus::Cancelling => Self::Busy,
            CommandStatus::Success => Self::Ok,
            CommandStatus::Cancelled => Self::Off,
            CommandStatus::TimedOut => Self::Warn,
            CommandStatus::Failed => Self::Bad,
        }
    }
}

impl From<ExecutionStatus> for Badge {
    fn from(status: ExecutionStatus) -> Self {
        match status {
            ExecutionStatus::Pending | ExecutionStatus::Scheduled | ExecutionStatus::Approved => Self::Info,
            ExecutionStatus::InProgress
            | ExecutionStatus::Cancelling
            | ExecutionStatus::RunbookInProgress
            | ExecutionStatus::ChangeCalendarOverrideApproved => Self::Busy,
            ExecutionStatus::Waiting
            | ExecutionStatus::PendingApproval
            | ExecutionStatus::PendingChangeCalendarOverride
            | ExecutionStatus::TimedOut => Self::Warn,
            ExecutionStatus::Success | ExecutionStatus::CompletedWithSuccess => Self::Ok,
            ExecutionStatus::Cancelled | ExecutionStatus::Exited => Self::Off,
            ExecutionStatus::Failed
            | ExecutionStatus::Rejected
            | ExecutionStatus::ChangeCalendarOverrideRejected
            | ExecutionStatus::CompletedWithFailure => Self::Bad,
        }
    }
}

impl From<PatchStanding> for Badge {
    fn from(standing: PatchStanding) -> Self {
        match standing {
            PatchStanding::Never => Self::Off,
            PatchStanding::Failed => Self::Bad,
            PatchStanding::Reboot | PatchStanding::Missing | PatchStanding::Rejected => Self::Warn,
            PatchStanding::Compliant => Self::Ok,
        }
    }
}

impl From<Outcome> for Badge {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Ok,
            Outcome::Failure => Self::Bad,
            Outcome::Denied => Self::Warn,
            Outcome::Unknown => Self::Off,
        }
    }
}

/// A badge: icon and word on a soft ground.
#[component]
pub(crate) fn StatusBadge(#[prop(into)] badge: Badge, #[prop(into)] label: String) -> impl IntoView {
    Fixed::new("span", &format!("tag badge {}", badge.class()))
        .icon(badge.glyph())
        .text(&label)
        .view()
}

/// A dot that differs in shape as well as colour, and the word.
pub(crate) fn status_dot(into: Fixed, badge: Badge, label: &str) -> Fixed {
    into.inside("span", "status-dot", |status| {
        let class = format!("dot {}", badge.class());
        let status = status.inside("span", &class, |dot| dot.attribute("aria-hidden", "true"));
        status.text(label)
    })
}

/// The quiet form for long tables: a dot that differs in shape as well as colour, and the word.
#[component]
pub(crate) fn StatusDot(#[prop(into)] badge: Badge, #[prop(into)] label: String) -> impl IntoView {
    status_dot(Fixed::bare(), badge, &label).view()
}
