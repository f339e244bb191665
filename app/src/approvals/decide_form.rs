//! Approving and rejecting. The form names the digest of what is on show; who decides types their password again.

use super::api::DecideRequest;
use super::request_view::Shown;
use crate::access::PasswordField;
use crate::components::{FormError, SelectField, TextArea, use_toaster};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::approvals::{Act, RequestDetail, RequestState, StandsIn};

/// What the form depends on: while that stays, so does what is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    id: String,
    digest: String,
    why_not: String,
    /// For whom the reader can decide, standing in for them.
    stands_in: Vec<StandsIn>,
    approve: &'static str,
}

impl Question {
    /// Nothing when there is nothing to decide any more.
    fn of(detail: &RequestDetail) -> Option<Self> {
        let request = &detail.summary;
        (request.state == RequestState::Waiting).then(|| Self {
            id: request.request_id.to_string(),
            digest: detail.digest.clone(),
            why_not: detail.why_not_decide.clone(),
            stands_in: detail.stands_in.clone(),
            approve: approve_label(detail),
        })
    }
}

/// What the button says: whether something runs at once when it is pressed.
fn approve_label(detail: &RequestDetail) -> &'static str {
    let request = &detail.summary;
    let is_last = request.given + 1 >= request.needed;
    let at_once = detail.windows.is_empty() && detail.plan.not_before.is_none() && detail.runs_at.is_none();
    match request.act {
        Act::RunCommand | Act::StartRunbook if is_last && at_once => "Approve and run",
        _ => "Approve",
    }
}

/// The form; with its buttons switched off and the reason beside them where the reader cannot decide.
#[component]
pub(super) fn DecideForm(shown: Shown) -> impl IntoView {
    keep_fields::<DecideRequest>();
    let decide = ServerAction::<DecideRequest>::new();
    let toaster = use_toaster();
    Effect::new(move |_| match decide.value().get() {
        Some(Ok(request)) => {
            toaster.say(format!(
                "{}: {}.",
                request.request_id,
                super::words::standing(&request)
            ));
            shown.acted();
        }
        // What was looked at may not be what is there any more.
        Some(Err(_)) => shown.renew(),
        None => {}
    });
    let question = Memo::new(move |_| shown.detail.with(Question::of));
    move || question.get().map(|question| view! { <Form question decide /> })
}

#[component]
fn Form(question: Question, decide: ServerAction<DecideRequest>) -> impl IntoView {
    let error = action_error(decide);
    if !question.why_not.is_empty() && question.stands_in.is_empty() {
        return view! {
            <section class="decide" aria-label="Decide" data-decide="no">
                <p id="why-not">{question.why_not}</p>
                <div class="row">
                    <button type="button" class="btn ok" disabled=true aria-describedby="why-not">
                        {question.approve}
                    </button>
                    <button type="button" class="btn danger" disabled=true aria-describedby="why-not">
                        "Reject"
                    </button>
                </div>
            </section>
        }
        .into_any();
    }
    let pending: Signal<bool> = decide.pending().into();
    view! {
        <section class="decide" aria-label="Decide" data-decide="yes">
            <ActionForm action=decide attr:class="form wide">
                <FormError error />
                <input type="hidden" name="request_id" value=question.id />
                <input type="hidden" name="digest" value=question.digest />
                <Voice id="decide-for" themselves=question.why_not.is_empty() stands_in=question.stands_in error />
                <div class="decide-fields">
                    <div class="decide-comment">
                        <TextArea
                            key="a"
                            name="comment"
                            id="decide-comment"
                            label="Comment"
                            rows=2
                            hint="Kept in the audit log; needed to reject."
                            error=field_error(error, "comment")
                        />
                    </div>
                    <PasswordField
                        name="password"
                        id="decide-password"
                        label="Your password"
                        autocomplete="current-password"
                        hint="Asked for each decision, and kept nowhere."
                        error=field_error(error, "password")
                    />
                </div>
                <div class="row">
                    // First, so that Enter in the password field is not a no.
                    <button
                        type="submit"
                        name="verdict"
                        value="approve"
                        class="btn ok"
                        aria-busy=move || pending.get().then_some("true")
                        on:click=move |event| if pending.get_untracked() { event.prevent_default() }
                    >
                        {question.approve}
                    </button>
                    <button
                        type="submit"
                        name="verdict"
                        value="reject"
                        class="btn danger"
                        data-key="r"
                        aria-busy=move || pending.get().then_some("true")
                        on:click=move |event| if pending.get_untracked() { event.prevent_default() }
                    >
                        "Reject"
                    </button>
                </div>
            </ActionForm>
        </section>
    }
    .into_any()
}

/// For whom it is decided: nothing where that can only be for themselves.
#[component]
pub(super) fn Voice(
    /// The field's id.
    id: &'static str,
    /// Whether the reader can decide for themselves.
    themselves: bool,
    stands_in: Vec<StandsIn>,
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    if !themselves && let [one] = stands_in.as_slice() {
        let said = format!(
            "You decide on behalf of {}, who handed their part over to you until {}.",
            one.account,
            one.until.readable()
        );
        return view! {
            <p data-stands-in="">{said}</p>
            <input type="hidden" name="on_behalf_of" value=one.account.clone() />
        }
        .into_any();
    }
    if stands_in.is_empty() {
        return ().into_any();
    }
    let mut options = Vec::new();
    options.extend(themselves.then(|| (String::new(), "for yourself".to_owned())));
    options.extend(
        stands_in
            .into_iter()
            .map(|one| (one.account.clone(), format!("on behalf of {}", one.account))),
    );
    view! {
        <SelectField
            name="on_behalf_of"
            id
            label="You decide"
            options
            hint="One person is one voice: you decide on a request once."
            error=field_error(error, "on_behalf_of")
        />
    }
    .into_any()
}
