//! Under the picture: the bar to seek on, with the activity, the idle spans and all marks drawn on it; and the
//! buttons.

use super::super::words::place;
use super::machine::Controls;
use super::timeline::SPEEDS;
use crate::components::{Glyph, Icon};
use leptos::prelude::*;
use muster_domain::sessions::RecordingView;

/// The bar is drawn in these units.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 36.0;

/// What the buttons and the bar ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wish {
    /// Play or pause.
    Toggle,
    /// So many milliseconds on, or back.
    By(f64),
    /// To a moment.
    To(f64),
    /// To the end of what there is.
    End,
    /// Faster (1) or slower (-1).
    Speed(isize),
    /// The next thing that was written.
    Frame,
    /// As large as the screen, or not any more.
    Full,
    /// To the terminal itself, while it is open.
    Live,
    /// Into the search.
    Search,
    /// To the next hit (1) or the one before (-1).
    Hit(isize),
    /// A marker here, or none any more.
    Mark,
}

fn x(at: f64, duration: f64) -> f64 {
    if duration <= 0.0 {
        0.0
    } else {
        (at / duration * WIDTH * 10.0).round() / 10.0
    }
}

/// A hill for each part, on a scale on which quiet parts can still be seen.
pub(super) fn hills(activity: &[u64]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a drawing")]
    let scaled: Vec<f64> = activity.iter().map(|count| (*count as f64).ln_1p()).collect();
    let most = scaled.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 240 parts")]
    let step = WIDTH / scaled.len() as f64;
    let mut path = format!("M0 {HEIGHT}");
    for (at, value) in scaled.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "at most 240 parts")]
        let (from, to) = (at as f64 * step, (at + 1) as f64 * step);
        let top = HEIGHT - value / most * (HEIGHT - 4.0);
        path.push_str(&format!("L{from:.1} {top:.1}L{to:.1} {top:.1}"));
    }
    path.push_str(&format!("L{WIDTH} {HEIGHT}Z"));
    path
}

/// The bar.
#[component]
pub(super) fn SeekBar(
    view: RecordingView,
    controls: Controls,
    duration: RwSignal<f64>,
    hits: Signal<Vec<u64>>,
    marks: Signal<Vec<u64>>,
    wish: Callback<Wish>,
) -> impl IntoView {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
    let ms = |whole: u64| whole as f64;
    let total = ms(view.duration_ms);
    let idle = view.idle.clone();
    let commands: Vec<u64> = view.commands.iter().map(|one| one.at_ms).collect();
    let ticks = move |times: Vec<u64>, class: &'static str, all: f64| {
        times
            .into_iter()
            .map(|at| {
                let at = x(ms(at), all).to_string();
                view! { <line class=class x1=at.clone() x2=at y1="0" y2=HEIGHT.to_string()></line> }
            })
            .collect_view()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a session, not negative"
    )]
    let whole = |ms: f64| ms.max(0.0) as u64;
    let said = move || {
        format!(
            "{} of {}",
            place(whole(controls.now.get())),
            place(whole(duration.get()))
        )
    };
    let drag = move |event: leptos::ev::Event| {
        if let Ok(at) = event_target_value(&event).parse::<f64>() {
            wish.run(Wish::To(at));
        }
    };
    view! {
        <div class="seek">
            <svg class="seek-map" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                <path class="seek-activity" d=hills(&view.activity)></path>
                {idle
                    .into_iter()
                    .map(|(from, to)| {
                        let (from, to) = (x(ms(from), total), x(ms(to), total));
                        view! {
                            <rect class="seek-idle" x=from.to_string() y="0" width=(to - from).max(0.0).to_string() height=HEIGHT.to_string()></rect>
                        }
                    })
                    .collect_view()}
                {ticks(commands, "seek-command", total)}
                {move || ticks(hits.get(), "seek-hit", duration.get())}
                {move || ticks(marks.get(), "seek-mark", duration.get())}
                <rect class="seek-played" x="0" y="0" height=HEIGHT.to_string() width=move || x(controls.now.get(), duration.get()).to_string()></rect>
                <line
                    class="seek-now"
                    y1="0"
                    y2=HEIGHT.to_string()
                    x1=move || x(controls.now.get(), duration.get()).to_string()
                    x2=move || x(controls.now.get(), duration.get()).to_string()
                ></line>
            </svg>
            <input
                class="seek-range"
                type="range"
                min="0"
                max=move || duration.get().to_string()
                step="100"
                aria-label="Place in the recording"
                aria-valuetext=said
                prop:value=move || controls.now.get().to_string()
                on:input=drag
            />
        </div>
    }
}

/// The buttons.
#[component]
pub(super) fn Buttons(
    controls: Controls,
    duration: RwSignal<f64>,
    /// Whether the session still goes on.
    is_live: bool,
    wish: Callback<Wish>,
) -> impl IntoView {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a session, not negative"
    )]
    let whole = |ms: f64| ms.max(0.0) as u64;
    let play = move || {
        if controls.playing.get() {
            view! { <Icon glyph=Glyph::Pause /> }
        } else {
            view! { <Icon glyph=Glyph::Command /> }
        }
    };
    view! {
        <div class="player-buttons" role="toolbar" aria-label="Player">
            <button
                type="button"
                class="btn primary"
                aria-label=move || if controls.playing.get() { "Pause" } else { "Play" }
                title="Space"
                on:click=move |_| wish.run(Wish::Toggle)
            >
                {play}
            </button>
            <button type="button" class="btn small" aria-label="−5 s: back 5 seconds" title="←" on:click=move |_| wish.run(Wish::By(-5_000.0))>
                "−5 s"
            </button>
            <button type="button" class="btn small" aria-label="+5 s: on 5 seconds" title="→" on:click=move |_| wish.run(Wish::By(5_000.0))>
                "+5 s"
            </button>
            <span class="mono player-time" data-now="">
                {move || place(whole(controls.now.get()))} " / " {move || place(whole(duration.get()))}
            </span>
            <label class="player-speed">
                <span class="visually-hidden">"Speed"</span>
                <select
                    prop:value=move || controls.speed.get().to_string()
                    on:change=move |event| {
                        if let Ok(speed) = event_target_value(&event).parse() {
                            controls.speed.set(speed);
                        }
                    }
                >
                    {SPEEDS
                        .iter()
                        .map(|speed| {
                            let chosen = (*speed - 1.0).abs() < f64::EPSILON;
                            view! {
                                <option value=speed.to_string() selected=chosen>
                                    {format!("{speed}×")}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
            </label>
            <label class="row player-skip">
                <input
                    type="checkbox"
                    prop:checked=move || controls.skip_idle.get()
                    on:change=move |event| controls.skip_idle.set(event_target_checked(&event))
                />
                "Skip idle"
            </label>
            <span class="player-state" role="status">
                {move || controls.waiting.get().then_some("Loading…")}
            </span>
            <span class="player-right">
                {is_live
                    .then(|| {
                        view! {
                            <button type="button" class="btn small" title="l" on:click=move |_| wish.run(Wish::Live)>
                                "Live"
                            </button>
                        }
                    })}
                <button type="button" class="btn small" title="m" on:click=move |_| wish.run(Wish::Mark)>
                    "Mark"
                </button>
                <button type="button" class="btn small" aria-label="Full screen" title="f" on:click=move |_| wish.run(Wish::Full)>
                    <Icon glyph=Glyph::Wide />
                </button>
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_parts_can_still_be_seen_beside_loud_ones() {
        let path = hills(&[0, 10, 1_000_000]);
        assert!(path.starts_with("M0 36L0.0 36.0L333.3 36.0L333.3 30."), "{path}");
        assert!(path.ends_with("L666.7 4.0L1000.0 4.0L1000 36Z"), "{path}");
        assert_eq!(hills(&[0, 0]), "");
        assert_eq!(hills(&[]), "");
    }

    #[test]
    fn nothing_is_drawn_beside_the_bar() {
        assert_eq!(x(50.0, 100.0), 500.0);
        assert_eq!(x(50.0, 0.0), 0.0);
    }
}
