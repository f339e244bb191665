//! Changing the policies as text: what would be different is on show before anything is saved; where a policy is about
//! that, it is asked for.

use super::ask_api::AskPolicies;
use super::ask_panel::{AskPanel, Asking, needs_of};
use super::policies_api::ChangePolicies;
use super::policy_words::EXAMPLE;
use super::text_diff::TextDiff;
use crate::components::{FormError, SubmitButton, TextArea, Tone, text_parts};
use crate::error::{action_error, field_error};
use crate::forms::{keep_fields, typed};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::approvals::PoliciesView;

const FORM_ID: &str = "policies-form";

/// The text, and for who may the form. `text` follows what is typed.
#[component]
pub(super) fn PoliciesForm(view: PoliciesView, text: RwSignal<String>) -> impl IntoView {
    if let Some(file) = view.file {
        return view! {
            <ReadOnly text=view.text>
                {format!("They are read from {file}, and changed there: the portal looks at it again and again.")}
            </ReadOnly>
        }
        .into_any();
    }
    if !view.may_change {
        return view! { <ReadOnly text=view.text>"An administrator can change them here."</ReadOnly> }
            .into_any();
    }
    view! { <Form holds=view.text was=view.sha256 text /> }.into_any()
}

#[component]
fn ReadOnly(text: String, children: Children) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="text-title">
            <header>
                <h2 id="text-title">"As text"</h2>
            </header>
            <div class="card-body">
                <p class="muted">{children()}</p>
                {(!text.is_empty()).then(|| view! { <pre class="code" tabindex="0">{text_parts(text)}</pre> })}
            </div>
        </section>
    }
}

#[component]
fn Form(holds: String, was: String, text: RwSignal<String>) -> impl IntoView {
    keep_fields::<ChangePolicies>();
    keep_fields::<AskPolicies>();
    let change = ServerAction::<ChangePolicies>::new();
    let ask = ServerAction::<AskPolicies>::new();
    let (refused, ask_error) = (action_error(change), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let is_first = holds.trim().is_empty();
    let begins = if is_first {
        EXAMPLE.to_owned()
    } else {
        holds.clone()
    };
    let begins = typed("text").unwrap_or(begins);
    text.set(begins.clone());
    let holds = StoredValue::new(holds);
    let is_changed = Memo::new(move |_| text.with(|text| holds.with_value(|holds| holds != text)));
    let pending: Signal<bool> = change.pending().into();
    view! {
        <section class="card" aria-labelledby="text-title">
            <header>
                <h2 id="text-title">"Change them"</h2>
                <span class="aside">"as text, in TOML"</span>
            </header>
            <div class="card-body">
                <ActionForm action=change attr:id=FORM_ID attr:class="form wide">
                    <FormError error />
                    <input type="hidden" name="was" value=was />
                    <div on:input=move |event| {
                        // Other fields of the form are no part of the text.
                        if event_target::<web_sys::Element>(&event).id() == "policies-text" {
                            text.set(event_target_value(&event));
                        }
                    }>
                        <TextArea
                            name="text"
                            id="policies-text"
                            label="Policies"
                            rows=24
                            mono=true
                            value=begins
                            hint=if is_first {
                                "There are none yet: this is an example, and nothing of it holds before it is saved."
                            } else {
                                "Acts are named as in the audit log. Nothing holds before it is saved."
                            }
                            error=field_error(error, "text")
                        />
                    </div>
                    {move || {
                        is_changed
                            .get()
                            .then(|| {
                                view! {
                                    <section class="policies-diff" aria-label="What would change">
                                        {move || view! { <TextDiff old=holds.get_value() new=text.get() label="Differences of the policies" /> }}
                                    </section>
                                }
                            })
                    }}
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: FORM_ID, now: "Save it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row" on:click=move |_| ask.clear()>
                        <SubmitButton tone=Tone::Primary pending>
                            "Save policies"
                        </SubmitButton>
                        <span class="muted small-text">
                            {move || (!is_changed.get()).then_some("This is what holds now.")}
                        </span>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
