//! How requests are said: states, times left, who is meant. Used by every page of this feature.

use crate::components::{Badge, plural};
use crate::live::clock::use_now;
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::approvals::{RequestState, RequestSummary};

impl From<RequestState> for Badge {
    fn from(state: RequestState) -> Self {
        match state {
            RequestState::Waiting => Self::Warn,
            RequestState::Approved => Self::Info,
            RequestState::Running => Self::Busy,
            RequestState::Done => Self::Ok,
            RequestState::Failed | RequestState::Rejected => Self::Bad,
            RequestState::Withdrawn | RequestState::Expired => Self::Off,
        }
    }
}

/// Where the page of a request is.
pub(crate) fn request_address(id: &str) -> String {
    format!("/approvals/{id}")
}

/// Where a request stands, in a few words.
pub(super) fn standing(request: &RequestSummary) -> String {
    let state = request.state.label();
    match request.state {
        RequestState::Waiting if request.needed > 0 => {
            let noun = if request.needed == 1 {
                "approval"
            } else {
                "approvals"
            };
            format!("{state} · {} of {} {noun}", request.given, request.needed)
        }
        _ => state.to_owned(),
    }
}

/// What it touches, in a few words; empty when that is no node.
pub(super) fn touches(request: &RequestSummary) -> String {
    if request.nodes == 0 {
        return String::new();
    }
    let nodes = plural(request.nodes.into(), "node", "nodes");
    match request.in_production {
        0 => nodes,
        all if all == request.nodes => format!("{nodes} in production"),
        some => format!("{nodes}, {some} in production"),
    }
}

/// `4 hours`, `90 minutes`, `1 day`.
pub(super) fn minutes(count: u32) -> String {
    let (number, one, many) = match count {
        0 => (0, "minute", "minutes"),
        count if count % 1_440 == 0 => (count / 1_440, "day", "days"),
        count if count % 60 == 0 => (count / 60, "hour", "hours"),
        count => (count, "minute", "minutes"),
    };
    plural(number.into(), one, many)
}

/// `group:sre` as people say it.
pub(super) fn who(name: &str) -> String {
    match name.split_once(':') {
        Some(("group", group)) => format!("group {group}"),
        Some(("role", role)) => format!("role {role}"),
        Some(("user" | "person", user)) => user.to_owned(),
        _ => name.to_owned(),
    }
}

/// `group sre, role approver or alice`.
pub(super) fn one_of(names: &[String]) -> String {
    joined(names.iter().map(|name| who(name)).collect(), "or")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn joined(mut words: Vec<String>, last: &str) -> String {
    match words.len() {
        0 => String::new(),
        1 => words.remove(0),
        _ => {
            let end = words.pop().unwrap_or_default();
            format!("{} {last} {end}", words.join(", "))
        }
    }
}

/// `3 h 46 min`, `12 min`, `40 s`.
pub(super) fn left(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=172_799 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How pressing it is that `ms` are left: the class of its tag.
fn pressing(ms: i64) -> &'static str {
    match ms {
        ..=900_000 => "tag bad",
        900_001..=3_600_000 => "tag warn",
        _ => "tag",
    }
}

/// How long something still holds: `3 h 46 min left`. The exact time until the page is hydrated.
#[component]
pub(super) fn Countdown(
    at: Timestamp,
    /// What follows the time.
    #[prop(default = "left")]
    word: &'static str,
) -> impl IntoView {
    let now = use_now();
    let class = move || now.get().map_or("tag", |now| pressing(at.since_ms(now)));
    let text = move || match now.get() {
        Some(now) if now < at => format!("{} {word}", left(at.since_ms(now))),
        Some(_) => "time is over".to_owned(),
        None => format!("until {}", at.readable()),
    };
    view! {
        <span class=class title=at.readable() data-countdown="">
            {text}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_left_are_short_and_press_when_they_run_out() {
        assert_eq!(left(13_560_000), "3 h 46 min");
        assert_eq!(
            (left(59_999), left(180_000), left(259_200_000), left(-1)),
            ("59 s".into(), "3 min".into(), "3 days".into(), "0 s".into())
        );
        assert_eq!(
            (pressing(1), pressing(1_800_000), pressing(7_200_000)),
            ("tag bad", "tag warn", "tag")
        );
        assert_eq!(
            (minutes(240), minutes(90), minutes(1_440), minutes(60)),
            (
                "4 hours".into(),
                "90 minutes".into(),
                "1 day".into(),
                "1 hour".into()
            )
        );
    }

    #[test]
    fn people_are_said_as_people_say_them() {
        let names = ["group:sre", "role:approver", "user:alice"].map(String::from);
        assert_eq!(one_of(&names), "group sre, role approver or alice");
        assert_eq!(one_of(&names[..1]), "group sre");
        assert_eq!(one_of(&[]), "");
    }
}
