//! Points in time, relative for people and exact on hover. The server writes the exact time; the
//! browser turns it into "4 s ago" once it is hydrated, so that both agree at first.

use super::Fixed;
use crate::dom::elements;
use crate::live::clock::use_now;
use leptos::prelude::*;
use muster_domain::Timestamp;

/// `4 s ago`, `in 3 min`, and the date when it is more than 30 days off.
pub(crate) fn relative(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.since_ms(at).abs() / 1000;
    let text = match seconds {
        0..=1 => return "just now".into(),
        2..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=86_399 => format!("{} h", seconds / 3_600),
        86_400..=2_591_999 => format!("{} d", seconds / 86_400),
        _ => return at.readable().chars().take(10).collect(),
    };
    if now.since_ms(at) >= 0 {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

/// `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(ms: i64) -> String {
    let ms = ms.max(0);
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// How long something has been going on: by the second, because it is counted by the second.
pub(crate) fn running_for(ms: i64) -> String {
    if ms < 1_000 {
        "just started".into()
    } else {
        format!("running for {}", duration(ms))
    }
}

/// A point in time.
#[component]
pub(crate) fn TimeAgo(at: Timestamp) -> impl IntoView {
    let now = use_now();
    // No memo: text that stays the same is not written again, and lists have one of these in each row.
    view! {
        <time datetime=at.rfc3339() title=at.readable()>
            {move || match now.get() {
                Some(now) => relative(now, at),
                None => at.readable(),
            }}
        </time>
    }
}

/// A point in time as text: the exact one, until [`keep_ages`] makes an age of it.
pub(crate) fn time_ago(into: Fixed, at: Timestamp) -> Fixed {
    let exact = at.readable();
    into.inside("time", "", |time| {
        time.attribute("datetime", &at.rfc3339())
            .attribute("title", &exact)
            .attribute("data-at", &at.0.to_string())
            .text(&exact)
    })
}

/// Keeps the ages of all [`time_ago`] in what `within` selects right, from hydration on and whenever the caller's view
/// is made again.
pub(crate) fn keep_ages(within: &'static str) {
    let now = use_now();
    Effect::new(move |_| {
        let Some(now) = now.get() else { return };
        for time in elements::<web_sys::Element>(&format!("{within} time[data-at]")) {
            let at = time.get_attribute("data-at").and_then(|at| at.parse().ok());
            let Some(at) = at.map(Timestamp) else { continue };
            let text = relative(now, at);
            if time.text_content().as_deref() != Some(&text) {
                time.set_text_content(Some(&text));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_the_largest_fitting_unit() {
        let now = Timestamp(1_795_427_667_000);
        for (ms, text) in [
            (0, "just now"),
            (4_000, "4 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 min ago"),
            (7_200_000, "2 h ago"),
            (172_800_000, "2 d ago"),
            (-180_000, "in 3 min"),
            (3_456_000_000, "2026-10-14"),
        ] {
            assert_eq!(relative(now, now.plus_ms(-ms)), text, "{ms}");
        }
    }

    #[test]
    fn what_has_just_begun_is_not_counted_in_milliseconds() {
        assert_eq!(running_for(0), "just started");
        assert_eq!(running_for(2_400), "running for 2 s");
    }

    #[test]
    fn durations_keep_two_units_at_most() {
        for (ms, text) in [
            (850, "850 ms"),
            (12_300, "12 s"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
            (-5, "0 ms"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }
}
