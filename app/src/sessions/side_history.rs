//! Beside a terminal: what was typed, and where the audit log has it.

use super::api::ShowCommands;
use super::words::{place, recording_address};
use crate::components::{FormError, SubmitButton};
use crate::error::action_error;
use crate::forms::action_answer;
use crate::layout::use_frame;
use crate::url::address;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::sessions::{RecordingState, SessionDetail, SessionKind};

/// What was typed, for those who may play the recording: reading it is recorded as playing is, so it is asked for.
#[component]
pub(super) fn Typed(detail: SessionDetail) -> impl IntoView {
    let session = detail.summary;
    let id = session.session_id.to_string();
    let title = format!("typed-{id}");
    let heading = title.clone();
    let show = ServerAction::<ShowCommands>::new();
    let error = action_error(show);
    let answer = action_answer(show);
    let why_not = if session.kind == SessionKind::Port {
        Some("A tunnel carries bytes: nothing is typed in it.")
    } else if session.recording == RecordingState::None {
        Some("It was not recorded, so nobody can tell what was typed.")
    } else if !detail.may_play {
        Some("You may not play this recording, so you may not read this either.")
    } else {
        None
    };
    let recording = recording_address(&id);
    view! {
        <section class="card" aria-labelledby=title data-typed="">
            <header>
                <h2 id=heading>"Commands"</h2>
                <span class="aside" title="Read from the screen: what was typed without echo, edited or completed may be missing or different.">
                    "best effort"
                </span>
            </header>
            {match why_not {
                Some(why) => view! { <p class="panel-none">{why}</p> }.into_any(),
                None => {
                    view! {
                        <div class="card-body slim">
                            <ActionForm action=show attr:class="row">
                                <FormError error />
                                <input type="hidden" name="session_id" value=id />
                                <SubmitButton pending=show.pending()>"Show what was typed"</SubmitButton>
                                <a class="btn quiet small" href=recording>
                                    "Play the recording"
                                </a>
                            </ActionForm>
                        </div>
                        <div role="status">
                            {move || {
                                answer
                                    .get()
                                    .and_then(Result::ok)
                                    .map(|commands| {
                                        if commands.is_empty() {
                                            return view! {
                                                <p class="panel-none">"No commands could be told from the screen."</p>
                                            }
                                            .into_any();
                                        }
                                        view! {
                                            <ol class="transcript short" tabindex="0" data-scrolls="" aria-label="Commands">
                                                {commands
                                                    .into_iter()
                                                    .map(|one| {
                                                        view! {
                                                            <li>
                                                                <span class="transcript-time">{place(one.at_ms)}</span>
                                                                <span class="transcript-text">{one.text}</span>
                                                            </li>
                                                        }
                                                    })
                                                    .collect_view()}
                                            </ol>
                                        }
                                        .into_any()
                                    })
                            }}
                        </div>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

/// The way to what the audit log has of the session, for those who may read it.
#[component]
pub(super) fn Audited(id: String) -> impl IntoView {
    let frame = use_frame();
    let href = address("/audit", [("resource", format!("session:{id}"))]);
    view! {
        <Transition fallback=|| ()>
            {move || {
                let href = href.clone();
                Suspend::new(async move {
                    frame
                        .await
                        .is_ok_and(|frame| frame.may(Action::AuditRead))
                        .then(|| {
                            view! {
                                <p class="small-text">
                                    <a href=href>"This session in the audit log"</a>
                                </p>
                            }
                        })
                })
            }}
        </Transition>
    }
}
