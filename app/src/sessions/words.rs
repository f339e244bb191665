//! How sessions are said and shown: badges, ages, sizes, addresses. Used by every page of this feature.

use crate::components::{Badge, Fixed, Glyph, plural};
use crate::url::address;
use leptos::prelude::*;
use muster_domain::sessions::{
    EndReason, LivePage, RecordingState, SessionStatus, SessionSummary, is_default,
};

impl From<SessionStatus> for Badge {
    fn from(status: SessionStatus) -> Self {
        match status {
            SessionStatus::Connecting | SessionStatus::Reconnecting => Self::Busy,
            SessionStatus::Connected => Self::Ok,
            SessionStatus::Ended => Self::Off,
            SessionStatus::Failed => Self::Bad,
        }
    }
}

/// Who one is on the node, as far as that is known.
pub(super) fn os_user(session: &SessionSummary) -> String {
    if session.os_user.is_empty() {
        "default user".to_owned()
    } else {
        session.os_user.clone()
    }
}

impl From<RecordingState> for Badge {
    fn from(state: RecordingState) -> Self {
        match state {
            RecordingState::Recording => Self::Bad,
            RecordingState::Signed => Self::Ok,
            RecordingState::Broken => Self::Warn,
            RecordingState::None => Self::Off,
        }
    }
}

/// Where the terminal of a session is.
pub(crate) fn terminal_address(session: &str) -> String {
    format!("/terminals/{session}")
}

/// Where a session's recording is played.
pub(super) fn recording_address(session: &str) -> String {
    format!("/terminals/{session}/recording")
}

/// Where a terminal on a node is opened.
pub(crate) fn new_address(node: &str) -> String {
    address("/terminals/new", [("node", node.to_owned())])
}

/// Where a terminal like this one is opened: on the same node, with the same document.
pub(super) fn again_address(session: &SessionSummary) -> String {
    let chosen = (!is_default(&session.document)).then(|| ("document", session.document.clone()));
    let node = ("node", session.node_id.to_string());
    address("/terminals/new", std::iter::once(node).chain(chosen))
}

/// With which Session document it was opened, and in which version; nothing where that was not kept.
pub(super) fn document(session: &SessionSummary) -> Option<String> {
    match (session.document.as_str(), session.document_version.as_str()) {
        ("", _) => None,
        (name, "") => Some(name.to_owned()),
        (name, version) => Some(format!("{name} version {version}")),
    }
}

/// `00:04:12`.
pub(super) fn clock(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds % 3_600 / 60,
        seconds % 60
    )
}

/// `4:12`, and `1:04:12` from an hour on: a place in a recording.
pub(super) fn place(ms: u64) -> String {
    let seconds = ms / 1_000;
    if seconds < 3_600 {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    } else {
        format!(
            "{}:{:02}:{:02}",
            seconds / 3_600,
            seconds % 3_600 / 60,
            seconds % 60
        )
    }
}

/// `12 s`, `4 min`, `2 h 5 min`: time left or spent, as coarse as people want it.
pub(super) fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=5_399 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `12 B`, `4.1 KiB`, `2.0 MiB`.
pub(super) fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point")]
    let scaled = |unit: f64| count as f64 / unit;
    match count {
        0..=1_023 => format!("{count} B"),
        1_024..=1_048_575 => format!("{:.1} KiB", scaled(1_024.0)),
        1_048_576..=1_073_741_823 => format!("{:.1} MiB", scaled(1_048_576.0)),
        _ => format!("{:.1} GiB", scaled(1_073_741_824.0)),
    }
}

/// Why a session is over, in one sentence without a full stop.
pub(super) fn ending(session: &SessionSummary) -> String {
    let reason = session.end_reason.map_or("Ended", EndReason::label);
    let by = match (session.end_reason, session.ended_by.as_str()) {
        (Some(EndReason::EndedByOther), by) if !by.is_empty() => format!(" ({by})"),
        _ => String::new(),
    };
    match session.end_message.as_str() {
        "" => format!("{reason}{by}"),
        message => format!("{reason}{by}: {}", message.trim_end_matches('.')),
    }
}

/// The two letters of a name.
pub(super) fn initials(name: &str) -> String {
    let mut words = name.split([' ', '.', '-', '_']).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let letters: String = match words.next() {
        Some(second) => first.chars().take(1).chain(second.chars().take(1)).collect(),
        None => first.chars().take(2).collect(),
    };
    letters.to_uppercase()
}

/// How many sessions go on, in the words of a page's head.
pub(super) fn how_many(live: &LivePage) -> String {
    let open = match live.open {
        0 => "none open".to_owned(),
        open => format!("{} open", plural(open, "terminal", "terminals")),
    };
    let all = if live.open > 0 && live.recorded == live.open {
        " · all recorded"
    } else {
        ""
    };
    format!("{open}{all}")
}

/// A link that opens a terminal on a node.
#[component]
pub(crate) fn OpenTerminal(
    /// Where.
    #[prop(into)]
    node: String,
    /// Its name: for screen readers where only the icon is shown.
    #[prop(optional, into)]
    name: String,
) -> impl IntoView {
    open_terminal(Fixed::bare(), &node, &name).view()
}

/// The same as part of a table's cell.
pub(crate) fn open_terminal(into: Fixed, node: &str, name: &str) -> Fixed {
    let small = !name.is_empty();
    into.inside("a", if small { "btn quiet small" } else { "btn" }, |link| {
        let link = link.attribute("href", &new_address(node));
        if small {
            link.attribute("aria-label", &format!("Open terminal on {name}"))
                .attribute("title", "Open terminal")
                .icon(Glyph::Terminal)
        } else {
            link.icon(Glyph::Terminal).text("Open terminal")
        }
    })
}

/// The recording, as it stands.
#[component]
pub(super) fn RecordingMark(state: RecordingState) -> impl IntoView {
    if state == RecordingState::Recording {
        view! {
            <span class="tag bad rec">
                <span class="rec-dot" aria-hidden="true"></span>
                "Recording"
            </span>
        }
        .into_any()
    } else {
        view! { <crate::components::StatusBadge badge=state label=state.label() /> }.into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        assert_eq!(clock(252_000), "00:04:12");
        assert_eq!(clock(-1), "00:00:00");
        assert_eq!(
            (place(252_999), place(3_852_000)),
            ("4:12".into(), "1:04:12".into())
        );
        assert_eq!(
            (span(3_300_000), span(7_500_000), span(900)),
            ("55 min".into(), "2 h 5 min".into(), "0 s".into())
        );
        assert_eq!(
            (bytes(12), bytes(4_200), bytes(2_097_152)),
            ("12 B".into(), "4.1 KiB".into(), "2.0 MiB".into())
        );
    }

    #[test]
    fn a_head_says_how_many_there_are_and_not_how_many_are_shown() {
        let live = LivePage {
            matching: 3,
            open: 1_000,
            recorded: 999,
            ..LivePage::default()
        };
        assert_eq!(how_many(&live), "1\u{202f}000 terminals open");
        let live = LivePage {
            open: 1,
            recorded: 1,
            ..live
        };
        assert_eq!(how_many(&live), "1 terminal open · all recorded");
        assert_eq!(how_many(&LivePage::default()), "none open");
    }

    #[test]
    fn people_are_two_letters() {
        for (name, letters) in [("op-data", "OD"), ("sol", "SO"), ("Ada Lovelace", "AL"), ("", "")] {
            assert_eq!(initials(name), letters);
        }
    }
}
