//! One terminal with its frame: where it is, as whom, whether it is recorded, how long it lasts, how the connection
//! stands; the banners over it; and the facts beside it.

use super::api::EndSessionFn;
use super::desk::Pane;
use super::side_panel::SidePanel;
use super::terminal::{Phase, TerminalView, Tools};
use super::words::{again_address, clock, ending, os_user, recording_address, span};
use super::workspace_url::WorkspaceUrl;
use crate::components::{
    Badge, FormError, Glyph, Icon, StatusBadge, StatusDot, SubmitButton, TextField, Tone,
};
use crate::error::action_error;
use crate::live::clock::use_now;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::sessions::{RecordingState, SessionDetail, SessionKind, SessionStatus, SessionSummary};

/// The pane of a session that was found.
#[component]
pub(super) fn PaneView(
    pane: Pane,
    detail: SessionDetail,
    url: Memo<WorkspaceUrl>,
    watch: bool,
) -> impl IntoView {
    let session = detail.summary.clone();
    let first = StoredValue::new(session.clone());
    let standing = Signal::derive(move || first.with_value(|first| pane.standing(first)));
    let was_over = session.status.is_over();
    let is_shell = session.kind == SessionKind::Shell;
    let may_look = detail.may_type || detail.may_watch;
    let reads_only = watch || !detail.may_type;
    let production = session.is_production;
    let facts_open = RwSignal::new(true);
    let split = Memo::new(move |_| url.with(|url| url.beside.is_some()));
    let id = session.session_id.to_string();
    let node = session.node_name.clone();
    // Two terminals on one node may stand side by side.
    let label = format!("Terminal on {node}, session {}", id.get(..8).unwrap_or(&id));
    let named = node.clone();
    Effect::new(move |_| {
        let _ = pane.node.try_set(named.clone());
    });
    view! {
        <div class="pane-grid" class:bare=move || !facts_open.get() || split.get()>
            <section
                class="pane"
                class:production=production
                data-phase=move || match pane.phase.get() {
                    Phase::Connecting => "connecting",
                    Phase::Live => "live",
                    Phase::Reconnecting(_) => "reconnecting",
                    Phase::Ended => "ended",
                    Phase::Refused(_) => "refused",
                }
                aria-label=label
            >
                <Bar pane standing reads_only facts_open />
                <Banners pane standing reads_only may_play=detail.may_play />
                {if was_over {
                    view! { <Over session may_play=detail.may_play /> }.into_any()
                } else if !is_shell {
                    view! {
                        <div class="terminal-card">
                            <p>"This session is a tunnel to a port: there is nothing to see but its facts."</p>
                        </div>
                    }
                        .into_any()
                } else if !may_look {
                    view! {
                        <div class="terminal-card">
                            <p>"You may see that this terminal is open, but not look on."</p>
                        </div>
                    }
                        .into_any()
                } else {
                    view! {
                        <WithoutScript detail=detail.clone() />
                        <div class="needs-script terminal-place">
                            <TerminalView
                                session=id
                                node
                                watch=reads_only
                                finding=pane.finding
                                title=pane.title
                                tell=Callback::new(move |said| pane.hear(said))
                            />
                        </div>
                    }
                        .into_any()
                }}
            </section>
            <SidePanel standing detail />
        </div>
    }
}

/// The line above the terminal.
#[component]
fn Bar(
    pane: Pane,
    standing: Signal<SessionSummary>,
    reads_only: bool,
    facts_open: RwSignal<bool>,
) -> impl IntoView {
    let now = use_now();
    let place = standing.with_untracked(|session| {
        (
            session.node_name.clone(),
            format!("{} · {}", session.account, session.region),
        )
    });
    let user = Memo::new(move |_| standing.with(os_user));
    let recording = Memo::new(move |_| standing.with(|session| session.recording));
    let over = Memo::new(move |_| standing.with(|session| session.status.is_over()));
    // Always a text: the clock may already run when this is hydrated, and a text is then only changed.
    let elapsed = move || {
        let started = standing.with(|session| session.started_at);
        let until = standing.with(|session| session.ended_at).or(now.get());
        until
            .map(|until| clock(until.since_ms(started)))
            .unwrap_or_default()
    };
    let left = move || match (now.get(), standing.with(|session| session.ends_at)) {
        (Some(now), Some(ends)) if !over.get() => format!("{} left", span(ends.since_ms(now))),
        _ => String::new(),
    };
    let state = move || match pane.phase.get() {
        _ if over.get() => (Badge::Off, "Ended".to_owned()),
        Phase::Connecting => (Badge::Info, "Connecting".into()),
        Phase::Live if reads_only || pane.may_type.get() == Some(false) => {
            (Badge::Ok, "Live · read-only".into())
        }
        Phase::Live => (Badge::Ok, "Live".into()),
        Phase::Reconnecting(tries) => (Badge::Warn, format!("Reconnecting ({tries})")),
        Phase::Ended => (Badge::Off, "Ended".into()),
        Phase::Refused(_) => (Badge::Bad, "Refused".into()),
    };
    view! {
        <header class="pane-bar">
            <span class="pane-where">
                <strong>{place.0}</strong>
                {standing.with_untracked(|session| session.is_production).then(|| view! { <span class="tag warn">"Production"</span> })}
                <span class="pane-quiet">{place.1}</span>
                <span class="mono pane-user">{move || user.get()}</span>
            </span>
            <span class="pane-state">
                {move || match recording.get() {
                    RecordingState::Recording => view! {
                        <span class="rec">
                            <span class="rec-dot" aria-hidden="true"></span>
                            "REC"
                        </span>
                    }
                        .into_any(),
                    RecordingState::None => view! { <span>"not recorded"</span> }.into_any(),
                    other => view! { <span>{other.label()}</span> }.into_any(),
                }}
                <span class="mono" data-elapsed="">{elapsed}</span>
                <span data-left="">{left}</span>
                <span class="mono needs-script" data-round-trip="" title="Round trip between this browser and the portal">
                    {move || pane.round_trip.get().map(|ms| format!("{ms} ms"))}
                </span>
                <span class="needs-script" role="status">
                    {move || {
                        let (badge, label) = state();
                        view! { <StatusDot badge label /> }
                    }}
                </span>
                <button
                    type="button"
                    class="btn small needs-script"
                    data-way-out=""
                    aria-pressed=move || facts_open.get().to_string()
                    aria-label="Facts of the session"
                    title="Facts of the session"
                    on:click=move |_| facts_open.update(|open| *open = !*open)
                >
                    <Icon glyph=Glyph::Info />
                </button>
                <Tools on_find=Callback::new(move |()| pane.finding.set(true)) />
            </span>
        </header>
    }
}

/// What the person has to know now.
#[component]
fn Banners(pane: Pane, standing: Signal<SessionSummary>, reads_only: bool, may_play: bool) -> impl IntoView {
    let now = use_now();
    let owner = standing.with_untracked(|session| (session.is_own, session.owner.clone()));
    let ended = Memo::new(move |_| (pane.phase.get() == Phase::Ended).then(|| standing.get()));
    view! {
        <div class="pane-banners" role="status">
            {reads_only
                .then(|| {
                    view! {
                        <p class="pane-banner watching">
                            <Icon glyph=Glyph::Eye />
                            {if owner.0 {
                                "You are looking on at your own terminal; nothing is typed here.".to_owned()
                            } else {
                                format!("You are watching {}; nothing is typed here, and they see that you watch.", owner.1)
                            }}
                        </p>
                    }
                })}
            {move || match pane.phase.get() {
                Phase::Reconnecting(_) => Some(
                    view! {
                        <p class="pane-banner warn">
                            <Icon glyph=Glyph::Warning />
                            "The connection is broken and comes back by itself. The session goes on; until then this is only to be read."
                        </p>
                    }
                        .into_any(),
                ),
                Phase::Refused(reason) => Some(
                    view! {
                        <p class="pane-banner bad">
                            <Icon glyph=Glyph::Warning />
                            {reason}
                            " "
                            <a href="" rel="external">
                                "Try again"
                            </a>
                        </p>
                    }
                        .into_any(),
                ),
                _ => None,
            }}
            {move || {
                let text = match standing.with(|session| session.status) {
                    SessionStatus::Connecting => "The node is being asked for a shell…",
                    SessionStatus::Reconnecting => {
                        "The way between portal and node is broken; the portal looks for it again. What is typed waits."
                    }
                    _ => return None,
                };
                Some(view! {
                    <p class="pane-banner warn">
                        <Icon glyph=Glyph::Spin />
                        {text}
                    </p>
                })
            }}
            {move || {
                pane.waits_for.get().map(|what| view! {
                    <p class="pane-banner warn">
                        <Icon glyph=Glyph::Eye />
                        {format!("Nothing is sent yet. Waiting for: {what}")}
                    </p>
                })
            }}
            {move || {
                pane.warned.get().map(|(ends_at, reason, _)| {
                    let left = now.get().map_or_else(|| ends_at.readable(), |now| format!("in {}", span(ends_at.since_ms(now))));
                    view! {
                        <p class="pane-banner warn" data-warned="">
                            <Icon glyph=Glyph::Warning />
                            {format!("This session ends {left}: {}.", reason.label().to_lowercase())}
                        </p>
                    }
                })
            }}
            {move || {
                pane.notice.get().map(|text| view! {
                    <p class="pane-banner">
                        <Icon glyph=Glyph::Info />
                        <span class="grow">{text}</span>
                        <button type="button" class="btn quiet small" aria-label="Dismiss" on:click=move |_| pane.notice.set(None)>
                            <Icon glyph=Glyph::Cross />
                        </button>
                    </p>
                })
            }}
            {move || {
                ended.get().map(|session| view! {
                    <div class="pane-banner ended" data-ended="">
                        <span class="grow">{ending(&session)} "."</span>
                        <AfterEnd session may_play />
                    </div>
                })
            }}
        </div>
    }
}

/// Where to go from a session that is over.
#[component]
fn AfterEnd(session: SessionSummary, may_play: bool) -> impl IntoView {
    let id = session.session_id.to_string();
    let playable = may_play && session.recording != RecordingState::None;
    view! {
        <span class="row">
            {playable
                .then(|| {
                    view! {
                        <a class="btn small" href=recording_address(&id)>
                            "Watch the recording"
                        </a>
                    }
                })}
            <a class="btn small" href=again_address(&session)>
                "Open again"
            </a>
        </span>
    }
}

/// In place of the terminal of a session that was over before the page was opened.
#[component]
fn Over(session: SessionSummary, may_play: bool) -> impl IntoView {
    view! {
        <div class="terminal-card" data-ended="">
            <StatusBadge badge=session.status label=session.status.label() />
            <p>{ending(&session)} "."</p>
            <AfterEnd session may_play />
        </div>
    }
}

/// For browsers without script: what the session is, and a way to end it.
#[component]
fn WithoutScript(detail: SessionDetail) -> impl IntoView {
    let end = ServerAction::<EndSessionFn>::new();
    let error = action_error(end);
    let own = detail.summary.is_own;
    view! {
        <div class="terminal-card without-script">
            <p>
                "A terminal needs a browser with script. The session goes on: attach to it from another browser, or end it here."
            </p>
            {detail
                .may_end
                .then(|| {
                    view! {
                        <ActionForm action=end attr:class="form">
                            <FormError error />
                            <input type="hidden" name="session_id" value=detail.summary.session_id.to_string() />
                            <TextField
                                name="reason"
                                id="plain-reason"
                                label=if own { "Reason (optional)" } else { "Reason" }
                                required=!own
                            />
                            <div class="row">
                                <SubmitButton tone=Tone::Danger>"End session"</SubmitButton>
                            </div>
                        </ActionForm>
                    }
                })}
        </div>
    }
}
