//! Beside the player: the search, what was typed, who was there, and whether the recording is intact.

use super::super::api::VerifyRecording;
use super::super::people::People;
use super::super::words::{RecordingMark, bytes, document, place};
use super::bar::Wish;
use crate::components::{Badge, Fact, FormError, Glyph, Icon, StatusBadge, SubmitButton, TagList, TimeAgo};
use crate::error::action_error;
use crate::forms::action_answer;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::sessions::{Hit, RecordedCommand, RecordingState, RecordingView, SessionDetail};

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
fn ms(whole: u64) -> f64 {
    whole as f64
}

/// Looks for a text in the recording.
#[component]
pub(super) fn SearchPanel(
    /// What was found, in order; none before anything was looked for.
    hits: RwSignal<Option<Vec<Hit>>>,
    /// The marked hit.
    at: RwSignal<usize>,
    pending: Signal<bool>,
    search: Callback<String>,
    wish: Callback<Wish>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    view! {
        <form
            class="player-search"
            role="search"
            aria-label="Search in the recording"
            on:submit=move |event| {
                event.prevent_default();
                search.run(text.get_untracked().trim().to_owned());
            }
        >
            <input
                type="search"
                id="recording-search"
                data-filter=""
                aria-label="Search in the recording"
                placeholder="Search in what was shown"
                autocomplete="off"
                spellcheck="false"
                on:input=move |event| text.set(event_target_value(&event))
            />
            <button type="submit" class="btn small">
                <Icon glyph=Glyph::Search />
                "Search"
            </button>
            <button type="button" class="btn small" aria-label="Hit before" title="N" on:click=move |_| wish.run(Wish::Hit(-1))>
                <Icon glyph=Glyph::Up />
            </button>
            <button type="button" class="btn small" aria-label="Next hit" title="n" on:click=move |_| wish.run(Wish::Hit(1))>
                <Icon glyph=Glyph::Down />
            </button>
            <span class="find-count" role="status" data-hits="">
                {move || {
                    if pending.get() {
                        return Some("Searching…".to_owned());
                    }
                    hits.with(|hits| match hits {
                        None => None,
                        Some(hits) if hits.is_empty() => Some("nothing found".to_owned()),
                        Some(hits) => Some(format!("{} of {}{}", at.get() + 1, hits.len(), if hits.len() >= 500 { "+" } else { "" })),
                    })
                }}
            </span>
        </form>
    }
}

/// What was typed, as far as the screen tells.
#[component]
pub(super) fn CommandsCard(commands: Vec<RecordedCommand>, wish: Callback<Wish>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="commands-title">
            <header>
                <h2 id="commands-title">"Commands"</h2>
                <span class="aside" title="Read from the screen: what was typed without echo, edited or completed may be missing or different.">
                    "best effort"
                </span>
            </header>
            {if commands.is_empty() {
                view! { <p class="panel-none">"No commands could be told from the screen."</p> }.into_any()
            } else {
                view! {
                    <ol class="transcript short" tabindex="0" data-scrolls="" aria-label="Commands">
                        {commands
                            .into_iter()
                            .map(|command| {
                                let when = ms(command.at_ms);
                                view! {
                                    <li>
                                        <button type="button" on:click=move |_| wish.run(Wish::To(when))>
                                            <span class="transcript-time">{place(command.at_ms)}</span>
                                            <span class="transcript-text">{command.text}</span>
                                        </button>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ol>
                }
                    .into_any()
            }}
        </section>
    }
}

/// The session's facts, who was in it, and the seal.
#[component]
pub(super) fn FactsCard(view: RecordingView, detail: Option<SessionDetail>) -> impl IntoView {
    let session = view.session;
    let id = session.session_id.to_string();
    let opened_with = document(&session);
    let ended = session
        .status
        .is_over()
        .then(|| super::super::words::ending(&session));
    let reason = if session.reason.is_empty() {
        "none given".to_owned()
    } else {
        session.reason.clone()
    };
    let sha = detail
        .as_ref()
        .map(|detail| detail.recording_sha256.clone())
        .unwrap_or_default();
    view! {
        <section class="card" aria-labelledby="facts-title">
            <header>
                <h2 id="facts-title">"Session"</h2>
            </header>
            <dl class="facts card-body slim">
                <Fact label="Node">
                    <a href=format!("/fleet/{}", session.node_id)>{session.node_name.clone()}</a>
                </Fact>
                <Fact label="User">
                    <span class="mono">{session.os_user.clone()}</span>
                </Fact>
                <Fact label="Opened by">{session.owner.clone()} ", " <TimeAgo at=session.started_at /></Fact>
                <Fact label="Reason">
                    {reason}
                </Fact>
                {opened_with.map(|document| view! { <Fact label="Document"><span class="mono">{document}</span></Fact> })}
                <Fact label="Traffic">
                    {format!("{} shown, {} typed", bytes(session.bytes_out), bytes(session.bytes_in))}
                </Fact>
                {ended.map(|ended| view! { <Fact label="Ended">{ended}</Fact> })}
                {detail.map(|detail| view! { <Fact label="Tags"><TagList tags=detail.tags most=4 /></Fact> })}
                {(!sha.is_empty())
                    .then(|| view! { <Fact label="SHA-256"><span class="mono session-id">{sha}</span></Fact> })}
            </dl>
        </section>
        <People participants=view.participants id />
    }
}

/// Whether it is intact, and the button that checks it.
#[component]
pub(super) fn SealCard(
    view: RecordingView,
    /// From when on it is not sealed yet, in milliseconds.
    unsealed: Signal<Option<u64>>,
) -> impl IntoView {
    let verify = ServerAction::<VerifyRecording>::new();
    let error = action_error(verify);
    let answer = action_answer(verify);
    let id = view.session.session_id.to_string();
    let state = view.session.recording;
    let words = match (state, view.is_signed) {
        (RecordingState::Recording, _) => "It is still being made; it is signed when the session ends.",
        (_, true) => "Every part has a checksum, and their list is signed by this portal.",
        (_, false) => "It has no signed end.",
    };
    view! {
        <section class="card" aria-labelledby="seal-title">
            <header>
                <h2 id="seal-title">"Integrity"</h2>
                <span class="aside">
                    <RecordingMark state />
                </span>
            </header>
            <div class="card-body">
                <p class="small-text muted">{words}</p>
                <div data-unsealed="">
                    {move || {
                        unsealed
                            .get()
                            .map(|from| {
                                view! {
                                    <p class="small-text">
                                        <StatusBadge badge=Badge::Warn label="Not sealed yet" />
                                        {format!(
                                            " What was written from {} on is played, but has no checksum before it is sealed.",
                                            place(from),
                                        )}
                                    </p>
                                }
                            })
                    }}
                </div>
                {view
                    .is_recovered
                    .then(|| {
                        view! {
                            <p class="small-text">
                                "It was put back together after the portal had stopped unexpectedly: its last seconds may be missing."
                            </p>
                        }
                    })}
                <ActionForm action=verify>
                    <FormError error />
                    <input type="hidden" name="session_id" value=id />
                    <SubmitButton pending=verify.pending()>
                        <Icon glyph=Glyph::Shield />
                        "Verify"
                    </SubmitButton>
                </ActionForm>
                <div role="status" data-verified="">
                    {move || {
                        answer
                            .get()
                            .and_then(Result::ok)
                            .map(|findings| {
                                if findings.is_empty() {
                                    return view! { <StatusBadge badge=Badge::Ok label="Intact" /> }.into_any();
                                }
                                view! {
                                    <StatusBadge badge=Badge::Bad label="Not intact" />
                                    <ul>{findings.into_iter().map(|one| view! { <li>{one}</li> }).collect_view()}</ul>
                                }
                                    .into_any()
                            })
                    }}
                </div>
            </div>
        </section>
    }
}
