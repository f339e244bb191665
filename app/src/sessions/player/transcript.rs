//! The recording as lines of text: the line of the moment is marked and kept in sight, and a click goes to its
//! moment. Only lines near the marked one are in the page.

use super::super::api::get_transcript;
use super::super::words::place;
use super::bar::Wish;
use super::machine::Controls;
use crate::components::{ErrorNotice, Skeleton};
use crate::error::AppError;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use muster_domain::sessions::TranscriptLine;
use std::ops::Range;

/// Lines in the page.
const SHOWN: usize = 400;
/// So near the edge of what is shown, other lines are shown.
const EDGE: usize = 60;

/// The line that stood last at `when`.
pub(super) fn line_at(lines: &[TranscriptLine], when: u64) -> Option<usize> {
    lines.partition_point(|line| line.at_ms <= when).checked_sub(1)
}

/// Which of `all` lines to show so that `line` is among them; what is shown stays as long as it will do.
fn around(shown: &Range<usize>, line: usize, all: usize) -> Range<usize> {
    let near_begin = shown.start > 0 && line < shown.start + EDGE;
    let near_end = shown.end < all && line + EDGE >= shown.end;
    if shown.contains(&line) && !near_begin && !near_end {
        return shown.clone();
    }
    let start = line.saturating_sub(SHOWN / 2).min(all.saturating_sub(SHOWN));
    start..(start + SHOWN).min(all)
}

/// The pane.
#[component]
pub(super) fn Transcript(
    #[prop(into)] session: String,
    controls: Controls,
    /// Changes when the recording has grown.
    version: RwSignal<u32>,
    wish: Callback<Wish>,
) -> impl IntoView {
    let lines = RwSignal::new(None::<Result<Vec<TranscriptLine>, AppError>>);
    let shown = RwSignal::new(0..SHOWN);
    let list = NodeRef::<leptos::html::Ol>::new();
    let follow = RwSignal::new(true);
    // Fetched by the page and not with it: a long transcript would hold everything else up.
    Effect::new(move |_| {
        version.track();
        let session = session.clone();
        spawn_local(async move {
            let answer = get_transcript(session).await;
            let _ = lines.try_set(Some(answer));
        });
    });
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a session, not negative"
    )]
    let current = Memo::new(move |_| {
        let now = controls.now.get().max(0.0) as u64;
        lines.with(|lines| match lines {
            Some(Ok(lines)) => line_at(lines, now),
            _ => None,
        })
    });
    let all = Memo::new(move |_| {
        lines.with(|lines| match lines {
            Some(Ok(lines)) => lines.len(),
            _ => 0,
        })
    });
    Effect::new(move |_| {
        let (line, all) = (current.get().unwrap_or(0), all.get());
        let next = shown.with_untracked(|shown| around(shown, line, all));
        if shown.with_untracked(|shown| *shown != next) {
            shown.set(next);
        }
    });
    // After the marked line is drawn.
    Effect::new(move |_| {
        let Some(line) = current.get() else { return };
        shown.track();
        if !follow.get_untracked() {
            return;
        }
        request_animation_frame(move || {
            let Some(list) = list.try_get_untracked().flatten() else {
                return;
            };
            if let Some(item) = list
                .query_selector(&format!("[data-line='{line}']"))
                .ok()
                .flatten()
                && let Ok(item) = item.dyn_into::<web_sys::HtmlElement>()
            {
                // Not scroll_into_view: that would scroll the page, too.
                list.set_scroll_top(item.offset_top() - list.client_height() / 2);
            }
        });
    });
    let state = Memo::new(move |_| {
        lines.with(|lines| match lines {
            None => State::Awaited,
            Some(Err(error)) => State::Failed(error.clone()),
            Some(Ok(lines)) if lines.is_empty() => State::Empty,
            Some(Ok(_)) => State::There,
        })
    });
    let rows = move || {
        let shown = shown.get();
        lines.with(|lines| match lines {
            Some(Ok(lines)) => lines
                .iter()
                .cloned()
                .enumerate()
                .skip(shown.start)
                .take(shown.len())
                .collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    };
    view! {
        <section class="card transcript-card" aria-labelledby="transcript-title">
            <header>
                <h2 id="transcript-title">"Transcript"</h2>
                <label class="aside row needs-script">
                    <input
                        type="checkbox"
                        prop:checked=move || follow.get()
                        on:change=move |event| follow.set(event_target_checked(&event))
                    />
                    "Follow"
                </label>
            </header>
            {move || match state.get() {
                State::Awaited => view! { <div class="needs-script"><Skeleton lines=6 /></div> }.into_any(),
                State::Failed(error) => {
                    view! {
                        <div class="card-body">
                            <ErrorNotice error what="the transcript" />
                        </div>
                    }
                        .into_any()
                }
                State::Empty => view! { <p class="panel-none">"Nothing was shown."</p> }.into_any(),
                State::There => {
                    view! {
                        <ol class="transcript" node_ref=list tabindex="0" data-scrolls="" aria-label="Lines of the transcript">
                            <For each=move || rows() key=|(at, line)| (*at, line.at_ms, line.text.len()) let:row>
                                <Line at=row.0 line=row.1 current wish />
                            </For>
                        </ol>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

/// What stands in the pane.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Awaited,
    Failed(AppError),
    Empty,
    There,
}

#[component]
fn Line(
    at: usize,
    line: TranscriptLine,
    current: Memo<Option<usize>>,
    wish: Callback<Wish>,
) -> impl IntoView {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
    let when = line.at_ms as f64;
    view! {
        <li data-line=at.to_string() aria-current=move || (current.get() == Some(at)).then_some("true")>
            <button type="button" on:click=move |_| wish.run(Wish::To(when))>
                <span class="transcript-time">{place(line.at_ms)}</span>
                <span class="transcript-text">{line.text}</span>
            </button>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_moment_is_the_last_that_was_complete() {
        let lines: Vec<TranscriptLine> = [0, 500, 500, 900]
            .into_iter()
            .map(|at_ms| TranscriptLine {
                at_ms,
                text: String::new(),
            })
            .collect();
        assert_eq!(line_at(&lines, 499), Some(0));
        assert_eq!(line_at(&lines, 500), Some(2));
        assert_eq!(line_at(&lines[1..], 0), None);
    }

    #[test]
    fn lines_around_the_marked_one_are_shown_and_stay_while_it_is_well_inside() {
        assert_eq!(around(&(0..SHOWN), 0, 10), 0..SHOWN, "all of the few there are");
        assert_eq!(around(&(0..SHOWN), 100, 5_000), 0..SHOWN);
        assert_eq!(around(&(0..SHOWN), 350, 5_000), 150..550);
        assert_eq!(around(&(150..550), 300, 5_000), 150..550);
        assert_eq!(around(&(150..550), 4_990, 5_000), 4_600..5_000);
    }
}
