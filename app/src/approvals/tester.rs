//! Trying out which policies a hypothetical act would meet, and why. Nothing is done and nobody is asked.

use super::policies_api::TestPolicies;
use super::policy_words::demand;
use crate::components::{Badge, FormError, SelectField, StatusBadge, SubmitButton, TextField};
use crate::error::{action_error, field_error};
use crate::forms::{action_answer, keep_fields};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::approvals::{Act, Effect, Judgement, Meeting};

fn effect(effect: Effect) -> (Badge, &'static str) {
    match effect {
        Effect::Allow => (Badge::Ok, "Allowed at once"),
        Effect::Approve => (Badge::Warn, "Needs approval"),
        Effect::Deny => (Badge::Bad, "Forbidden"),
    }
}

/// The form and its answer. `text` is what the text area below says; it is tried instead of what holds, if that is asked.
#[component]
pub(super) fn Tester(text: RwSignal<String>) -> impl IntoView {
    keep_fields::<TestPolicies>();
    let test = ServerAction::<TestPolicies>::new();
    let error = action_error(test);
    let answer = action_answer(test);
    let acts: Vec<(String, String)> = Act::ALL
        .into_iter()
        .map(|act| (act.as_str().to_owned(), act.label().to_owned()))
        .collect();
    let tries_text = RwSignal::new(false);
    let pending: Signal<bool> = test.pending().into();
    view! {
        <section class="card tester" aria-labelledby="tester-title">
            <header>
                <h2 id="tester-title">"Try it out"</h2>
                <span class="aside">"nothing is done, and nobody is asked"</span>
            </header>
            <div class="card-body">
                <ActionForm action=test attr:class="form wide">
                    <FormError error />
                    <div class="form-row">
                        <SelectField name="act" id="test-act" label="Act" options=acts error=field_error(error, "act") />
                        <TextField
                            name="requester"
                            id="test-requester"
                            label="Who"
                            hint="An account; empty is you."
                            error=field_error(error, "requester")
                        />
                        <TextField name="nodes" id="test-nodes" label="On how many nodes" kind="number" min="0" value="1" error=field_error(error, "nodes") />
                        <TextField
                            name="tags"
                            id="test-tags"
                            label="Tags of these nodes"
                            placeholder="Environment=Production"
                            error=field_error(error, "tags")
                        />
                    </div>
                    <div class="form-row">
                        <TextField name="document" id="test-document" label="Document" placeholder="AWS-RunShellScript" error=field_error(error, "document") />
                        <TextField
                            name="parameter"
                            id="test-parameter"
                            label="Parameter"
                            placeholder="/prod/db/password"
                            error=field_error(error, "parameter")
                        />
                        <TextField
                            name="maintenance_window"
                            id="test-window"
                            label="Maintenance window"
                            placeholder="prod-nightly"
                            error=field_error(error, "maintenance_window")
                        />
                        <TextField
                            name="application"
                            id="test-application"
                            label="Application"
                            placeholder="web"
                            error=field_error(error, "application")
                        />
                        <TextField
                            name="environment"
                            id="test-environment"
                            label="Its environment"
                            placeholder="Production"
                            error=field_error(error, "environment")
                        />
                        <TextField name="os_user" id="test-user" label="OS user (terminals)" error=field_error(error, "os_user") />
                        <TextField
                            name="at"
                            id="test-at"
                            label="When (UTC; empty is now)"
                            kind="datetime-local"
                            error=field_error(error, "at")
                        />
                    </div>
                    <input type="hidden" name="text" value=move || if tries_text.get() { text.get() } else { String::new() } />
                    <div class="row">
                        <SubmitButton pending>"Try"</SubmitButton>
                        <label class="row small-text needs-script">
                            <input
                                type="checkbox"
                                prop:checked=move || tries_text.get()
                                on:change=move |event| tries_text.set(event_target_checked(&event))
                            />
                            "against the text below instead of what holds"
                        </label>
                    </div>
                </ActionForm>
                <div aria-live="polite">
                    {move || match answer.get() {
                        Some(Ok(meeting)) => Some(view! { <Met meeting /> }),
                        _ => None,
                    }}
                </div>
            </div>
        </section>
    }
}

#[component]
fn Met(meeting: Meeting) -> impl IntoView {
    let (badge, word) = effect(meeting.effect);
    let (meant, others): (Vec<Judgement>, Vec<Judgement>) =
        meeting.judgements.into_iter().partition(|one| one.matches);
    let follows = demand(&meeting.demand);
    let rows = |judgements: Vec<Judgement>| {
        judgements
            .into_iter()
            .map(|one| {
                let (badge, word) = if one.matches {
                    effect(one.effect)
                } else {
                    (Badge::Off, "Not about it")
                };
                view! {
                    <li>
                        <span class="two-lines grow">
                            <span class="strong">{one.policy}</span>
                            <small>{one.why}</small>
                        </span>
                        <StatusBadge badge label=word />
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <div class="met" data-met="">
            <p>
                <StatusBadge badge label=word />
                " "
                {meeting.because}
            </p>
            {(!follows.is_empty())
                .then(|| view! { <ul>{follows.into_iter().map(|text| view! { <li>{text}</li> }).collect_view()}</ul> })}
            <ul class="list">{rows(meant)} {rows(others)}</ul>
        </div>
    }
}
