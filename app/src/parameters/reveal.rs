//! A secret: hidden until somebody who may asks for it with the password, shown once, and hidden again by itself. It is
//! only ever in the answer to that form, never in an address or in what comes with the page.

use super::api::RevealFn;
use super::ask_api::AskReveal;
use super::url::ViewUrl;
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{CopyButton, FormError, Glyph, Icon, SelectField, SubmitButton, TextField};
use crate::error::{action_error, field_error};
use crate::forms::{action_answer, keep_fields};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::parameters::Revealed;
use std::time::Duration;

/// How long a secret is on show.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// The id of the form.
const FORM_ID: &str = "reveal-parameter";

/// The card.
#[component]
pub(super) fn RevealCard(
    name: String,
    /// The versions that there are, newest first.
    versions: Vec<i64>,
    /// Whether the actor may see it.
    may: bool,
    url: Memo<ViewUrl>,
) -> impl IntoView {
    keep_fields::<RevealFn>();
    keep_fields::<AskReveal>();
    let reveal = ServerAction::<RevealFn>::new();
    let ask = ServerAction::<AskReveal>::new();
    let (refused, ask_error) = (action_error(reveal), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let answer = action_answer(reveal);
    // Put away here: what came with the page that answered a form without script is hidden again as well.
    let hidden = RwSignal::new(false);
    let form = NodeRef::<leptos::html::Form>::new();
    Effect::new(move |before: Option<usize>| {
        let version = reveal.version().get();
        let is_new = before.is_some_and(|before| version > before);
        if is_new {
            hidden.set(false);
            if let Some(form) = form.get_untracked() {
                form.reset();
            }
        }
        if answer.with_untracked(|answer| matches!(answer, Some(Ok(_)))) {
            let hiding = set_timeout_with_handle(
                move || {
                    hidden.set(true);
                    reveal.value().set(None);
                },
                SHOWN_FOR,
            );
            on_cleanup(move || {
                if let Ok(hiding) = hiding {
                    hiding.clear();
                }
            });
        }
        version
    });
    let hide = move || {
        hidden.set(true);
        reveal.value().set(None);
    };
    let shown = move || {
        (!hidden.get())
            .then(|| answer.get().and_then(Result::ok))
            .flatten()
    };
    let (request, first) = url.with_untracked(|url| (url.request.clone(), url.version));
    let first = first.map(|version| version.to_string()).unwrap_or_default();
    let options: Vec<(String, String)> = versions
        .iter()
        .enumerate()
        .map(|(at, version)| {
            let newest = if at == 0 { " (newest)" } else { "" };
            (version.to_string(), format!("Version {version}{newest}"))
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="value-title" data-secret-card="">
            <header>
                <h2 id="value-title">"Value"</h2>
                <span class="aside">
                    <Icon glyph=Glyph::Lock />
                    " secret"
                </span>
            </header>
            <div class="card-body stack">
                <div aria-live="polite">
                    {move || match shown() {
                        Some(revealed) => view! { <Shown revealed hide=Callback::new(move |()| hide()) /> }.into_any(),
                        None => {
                            view! {
                                <p class="muted" data-hidden="">
                                    <span class="mono" aria-hidden="true">"••••••••••••"</span>
                                    " Hidden. It is kept encrypted by Systems Manager; the portal has no copy."
                                </p>
                            }
                                .into_any()
                        }
                    }}
                </div>
                {if may {
                    view! {
                        <ActionForm action=reveal node_ref=form attr:id=FORM_ID attr:class="form wide">
                            <FormError error />
                            <input type="hidden" name="name" value=name />
                            {request
                                .map(|request| {
                                    view! {
                                        <p class="notice ok">
                                            <Icon glyph=Glyph::Check />
                                            <span>{format!("{request} was approved: you can see the secret once.")}</span>
                                        </p>
                                        <input type="hidden" name="request" value=request />
                                    }
                                })}
                            <div class="form-inline">
                                <SelectField name="version" id="reveal-version" label="Version" options selected=first />
                                <TextField
                                    name="password"
                                    label="Your password"
                                    kind="password"
                                    autocomplete="current-password"
                                    required=true
                                    error=field_error(error, "password")
                                />
                                <SubmitButton pending=reveal.pending()>
                                    <Icon glyph=Glyph::Eye />
                                    "Reveal"
                                </SubmitButton>
                            </div>
                            {move || {
                                needs
                                    .get()
                                    .map(|refusal| {
                                        let asking = Asking { action: ask, form: FORM_ID, now: "Reveal it now, unapproved" };
                                        view! { <AskPanel refusal asking error=ask_error by_hand=true /> }
                                    })
                            }}
                            <p class="muted small-text">
                                "That you saw it is written to the audit log. It is hidden again after a minute, and when you leave this page."
                            </p>
                        </ActionForm>
                    }
                        .into_any()
                } else {
                    view! {
                        <p class="muted small-text">
                            "To see it takes the role operator or administrator everywhere, not only on a part of the fleet."
                        </p>
                    }
                        .into_any()
                }}
            </div>
        </section>
    }
}

#[component]
fn Shown(revealed: Revealed, hide: Callback<()>) -> impl IntoView {
    let value = revealed.value.0;
    view! {
        <div class="stack" data-revealed="">
            <div class="row">
                <span class="grow">
                    <strong>{format!("Version {}", revealed.version)}</strong>
                </span>
                <CopyButton text=value.clone() label="Copy the secret" />
                <button type="button" class="btn small needs-script" on:click=move |_| hide.run(())>
                    "Hide"
                </button>
            </div>
            <pre class="code parameter-value" data-secret="" tabindex="0">{value}</pre>
        </div>
    }
}
