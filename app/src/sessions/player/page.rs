//! The page of a recording.

use super::super::acts::ShareButton;
use super::super::api::{get_recording, get_session, search_recording};
use super::super::words::{RecordingMark, place, recording_address, terminal_address};
use super::bar::{Buttons, SeekBar, Wish};
use super::keys::listen;
use super::machine::Controls;
use super::moments::{read_marks, start_of, toggled};
use super::panels::{CommandsCard, FactsCard, SealCard, SearchPanel};
use super::screen::{Player, PlayerScreen, machine, terminal};
use super::timeline::other_speed;
use super::transcript::Transcript;
use crate::audit::ActsOf;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, PageHead, Skeleton, TimeAgo, use_toaster};
use crate::error::set_page_status;
use crate::layout::storage::{keep_choice, read_choice};
use crate::layout::use_frame;
use crate::url::use_query;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use muster_domain::action::Action;
use muster_domain::sessions::{Hit, RecordingView, SessionDetail};
use std::time::Duration;

/// How often a recording that is still being made is looked at again.
const GROWS_EVERY: Duration = Duration::from_secs(5);

/// The page.
#[component]
pub(crate) fn RecordingPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("session_id").unwrap_or_default()));
    let frame = use_frame();
    let recording = Resource::new(move || id.get(), get_recording);
    let detail = Resource::new(move || id.get(), get_session);
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/terminals">"Terminals"</a>
            " / "
            <a class="mono" href=move || terminal_address(&id.get())>
                {move || id.get()}
            </a>
            " / Recording"
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=12 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    let may_audit = frame.await.is_ok_and(|frame| frame.may(Action::AuditRead));
                    let detail = detail.await.ok();
                    match recording.await {
                        Ok(view) => keeper.view(move || view! { <Recording view detail may_audit /> }),
                        Err(error) => {
                            set_page_status(&error);
                            view! {
                                <PageHead title="Recording" />
                                <ErrorNotice error what="this recording" />
                            }
                            .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Recording(view: RecordingView, detail: Option<SessionDetail>, may_audit: bool) -> impl IntoView {
    let query = use_query();
    let toaster = use_toaster();
    let navigate = use_navigate();
    let session = view.session.clone();
    let id = session.session_id.to_string();
    let is_live = !session.status.is_over();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
    let duration = RwSignal::new(view.duration_ms as f64);
    let start = query.with_untracked(|query| start_of(query.get("t")));
    let controls = Controls::new(start.min(duration.get_untracked()));
    let unsealed = RwSignal::new(view.unsealed_ms);
    let player = Player::new();
    let version = RwSignal::new(0_u32);
    let hits = RwSignal::new(None::<Vec<Hit>>);
    let at_hit = RwSignal::new(0_usize);
    let marks = RwSignal::new(Vec::<u64>::new());
    let sought = StoredValue::new(String::new());
    let keep = StoredValue::new(format!("muster.marks.{id}"));
    Effect::new(move |_| {
        if let Some(text) = keep.with_value(|name| read_choice(name)) {
            marks.set(read_marks(&text));
        }
    });

    let seek = move |when: f64| {
        if let Some(machine) = machine(player) {
            machine.seek(when);
        } else {
            controls.now.set(when.clamp(0.0, duration.get_untracked()));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
    let to_hit = move |index: usize| {
        let found = hits.with_untracked(|hits| hits.as_ref().and_then(|hits| hits.get(index).cloned()));
        if let Some(hit) = found {
            at_hit.set(index);
            controls.playing.set(false);
            seek(hit.at_ms as f64);
            // Once the screen is there, the text is marked on it.
            let text = sought.get_value();
            set_timeout(
                move || {
                    if let Some(screen) = terminal(player) {
                        screen.find(&text, true);
                    }
                },
                Duration::from_millis(250),
            );
        }
    };
    let ask = {
        let id = id.clone();
        leptos::prelude::Action::new(move |text: &String| {
            let (id, text) = (id.clone(), text.clone());
            async move { (text.clone(), search_recording(id, text).await) }
        })
    };
    Effect::new(move |_| match ask.value().get() {
        Some((text, Ok(found))) => {
            sought.set_value(text);
            // From the moment on show onwards.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "milliseconds of a session, not negative"
            )]
            let now = controls.now.get_untracked().max(0.0) as u64;
            let first = found.iter().position(|hit| hit.at_ms >= now).unwrap_or(0);
            hits.set(Some(found));
            to_hit(first);
        }
        Some((_, Err(error))) => toaster.complain(error.to_string()),
        None => {}
    });
    let search = Callback::new(move |text: String| {
        if text.is_empty() {
            hits.set(None);
            if let Some(screen) = terminal(player) {
                screen.clear_find();
            }
        } else {
            ask.dispatch(text);
        }
    });
    let live_page = format!("{}?watch=1", terminal_address(&id));
    let wish = Callback::new(move |wished: Wish| match wished {
        Wish::Toggle => {
            let at_end = controls.now.get_untracked() >= duration.get_untracked();
            if !controls.playing.get_untracked() && at_end {
                seek(0.0);
            }
            controls.playing.update(|playing| *playing = !*playing);
        }
        Wish::By(ms) => seek(controls.now.get_untracked() + ms),
        Wish::To(ms) => seek(ms),
        Wish::End => seek(duration.get_untracked()),
        Wish::Speed(by) => controls.speed.update(|speed| *speed = other_speed(*speed, by)),
        Wish::Frame => {
            controls.playing.set(false);
            if let Some(machine) = machine(player) {
                machine.next_frame();
            }
        }
        Wish::Full => full_screen(),
        Wish::Live => {
            if is_live {
                navigate(&live_page, NavigateOptions::default());
            }
        }
        Wish::Search => {
            if let Some(input) = document().get_element_by_id("recording-search")
                && let Ok(input) = input.dyn_into::<web_sys::HtmlElement>()
            {
                let _ = input.focus();
            }
        }
        Wish::Hit(by) => {
            let all = hits.with_untracked(|hits| hits.as_ref().map_or(0, Vec::len));
            if all > 0 {
                let now = at_hit.get_untracked();
                to_hit(match now.checked_add_signed(by) {
                    Some(next) if next < all => next,
                    Some(_) => 0,
                    None => all - 1,
                });
            }
        }
        Wish::Mark => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "milliseconds of a session, not negative"
            )]
            let now = controls.now.get_untracked().max(0.0) as u64;
            marks.update(|marks| *marks = toggled(marks, now));
            let text = marks.with_untracked(|marks| {
                marks
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            });
            keep.with_value(|name| keep_choice(name, &text));
        }
    });
    listen(wish);
    // While it is being made it grows.
    let grow = {
        let id = id.clone();
        leptos::prelude::Action::new(move |(): &()| get_recording(id.clone()))
    };
    Effect::new(move |_| {
        if !is_live {
            return;
        }
        let growing = set_interval_with_handle(
            move || {
                if !document().hidden() && grow.pending().try_get_untracked() == Some(false) {
                    grow.dispatch(());
                }
            },
            GROWS_EVERY,
        );
        on_cleanup(move || {
            if let Ok(growing) = growing {
                growing.clear();
            }
        });
    });
    Effect::new(move |_| {
        if let Some(Ok(view)) = grow.value().get() {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
            let longer = view.duration_ms as f64;
            unsealed.set(view.unsealed_ms);
            let before = duration.get_untracked();
            if longer > before {
                // Whoever has seen all that there was is shown what comes.
                let follows = before > 0.0 && controls.now.get_untracked() >= before;
                duration.set(longer);
                if let Some(machine) = machine(player) {
                    machine.grown(&view);
                    if follows {
                        controls.playing.set(true);
                    }
                }
                version.update(|version| *version += 1);
            }
        }
    });
    let link = {
        let id = id.clone();
        Signal::derive(move || {
            let origin = window().location().origin().unwrap_or_default();
            format!(
                "{origin}{}?t={:.1}",
                recording_address(&id),
                controls.now.get() / 1_000.0
            )
        })
    };
    let title = format!("Recording: {}", session.node_name);
    let head = session.clone();
    let download = format!("/download/sessions/{id}");
    let hit_times = Signal::derive(move || {
        hits.with(|hits| {
            hits.as_ref()
                .map(|hits| hits.iter().map(|hit| hit.at_ms).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    view! {
        <PageHead
            title
            subtitle=move || {
                view! {
                    <span class="row">
                        <RecordingMark state=head.recording />
                        <span>
                            {head.owner.clone()}
                            {(!head.os_user.is_empty()).then(|| format!(" as {}", head.os_user))}
                            ", "
                            <TimeAgo at=head.started_at />
                            {format!(", {} long", place(view_duration(duration)))}
                        </span>
                    </span>
                }
            }
        >
            <ShareButton link what="a link to this moment" />
            <a class="btn" href=format!("{download}/recording.cast") download="" rel="external">
                <Icon glyph=Glyph::Download />
                "asciicast"
            </a>
            <a class="btn" href=format!("{download}/transcript.txt") download="" rel="external">
                <Icon glyph=Glyph::Download />
                "Transcript"
            </a>
        </PageHead>
        <div class="player-grid">
            <div class="stack">
                <section class="card player" id="player" data-player="" aria-label="Player">
                    <p class="card-body without-script">
                        "Playing needs a browser with script. The recording and its transcript can be downloaded above."
                    </p>
                    <div class="needs-script">
                        <div class="player-stage">
                            <PlayerScreen view=view.clone() controls player />
                            // For the mouse alone: the same as the button below.
                            <button
                                type="button"
                                class="player-begin"
                                aria-hidden="true"
                                tabindex="-1"
                                hidden=move || { controls.playing.get() || controls.now.get() > 0.0 }
                                on:click=move |_| wish.run(Wish::Toggle)
                            >
                                <Icon glyph=Glyph::Command />
                            </button>
                        </div>
                        <SeekBar view=view.clone() controls duration hits=hit_times marks=marks.into() wish />
                        <Buttons controls duration is_live wish />
                        <SearchPanel hits at=at_hit pending=ask.pending().into() search wish />
                        {move || {
                            controls.error.get().map(|error| view! {
                                <div class="card-body">
                                    <ErrorNotice error what="this part of the recording" />
                                </div>
                            })
                        }}
                    </div>
                    <p class="player-keys needs-script">
                        <kbd>"Space"</kbd> " play · " <kbd>"←"</kbd> <kbd>"→"</kbd> " 5 s, with " <kbd>"Shift"</kbd> " 30 s · "
                        <kbd>"<"</kbd> <kbd>">"</kbd> " speed · " <kbd>"."</kbd> " next frame · " <kbd>"/"</kbd> " search · "
                        <kbd>"n"</kbd> <kbd>"N"</kbd> " hits · " <kbd>"m"</kbd> " mark · " <kbd>"f"</kbd> " full screen"
                    </p>
                </section>
                <Transcript session=id.clone() controls version wish />
            </div>
            <div class="stack player-side">
                <SealCard view=view.clone() unsealed=unsealed.into() />
                <CommandsCard commands=view.commands.clone() wish />
                <FactsCard view detail />
            </div>
            {may_audit
                .then(|| {
                    view! {
                        <section class="stack-tight" aria-labelledby="seen-title">
                            <h2 id="seen-title">"Who did and saw what"</h2>
                            <ActsOf resource=format!("session:{id}") version=Signal::stored(0) />
                        </section>
                    }
                })}
        </div>
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a session, not negative"
)]
fn view_duration(duration: RwSignal<f64>) -> u64 {
    duration.get_untracked().max(0.0) as u64
}

/// The player as large as the screen, or not any more.
fn full_screen() {
    if document().fullscreen_element().is_some() {
        document().exit_fullscreen();
    } else if let Some(player) = document().get_element_by_id("player") {
        let _ = player.request_fullscreen();
    }
}
