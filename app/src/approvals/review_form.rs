//! Looking afterwards at an act for which the glass was broken: what was found, or the form that says it.

use super::api::ReviewGlass;
use super::request_view::Shown;
use crate::components::{Badge, FormError, StatusBadge, SubmitButton, TextArea, TimeAgo, Tone, use_toaster};
use crate::error::{action_error, field_error};
use crate::forms::{keep_fields, typed};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::Timestamp;

/// The part of the page; nothing where no glass was broken.
#[component]
pub(super) fn ReviewPart(shown: Shown) -> impl IntoView {
    keep_fields::<ReviewGlass>();
    let review = ServerAction::<ReviewGlass>::new();
    let toaster = use_toaster();
    Effect::new(move |_| match review.value().get() {
        Some(Ok(())) => {
            toaster.say("The review is written down.");
            shown.acted();
        }
        Some(Err(_)) => shown.renew(),
        None => {}
    });
    let may = Memo::new(move |_| shown.detail.with(|detail| detail.may_review));
    let found = Memo::new(move |_| shown.detail.with(|detail| detail.review.clone()));
    let id = StoredValue::new(shown.id());
    view! {
        {move || found.get().map(|(who, at, was_right, comment)| view! { <Found who at was_right comment /> })}
        {move || may.get().then(|| view! { <Form id=id.get_value() review /> })}
    }
}

#[component]
fn Found(who: String, at: Timestamp, was_right: bool, comment: String) -> impl IntoView {
    let (badge, word) = if was_right {
        (Badge::Ok, "It was right")
    } else {
        (Badge::Bad, "It was not right")
    };
    view! {
        <section class="card" aria-labelledby="review-title" data-review="">
            <header>
                <h3 id="review-title">"Review"</h3>
                <StatusBadge badge label=word />
                <span class="aside">
                    {who} " · " <TimeAgo at />
                </span>
            </header>
            <p class="card-body">{comment}</p>
        </section>
    }
}

#[component]
fn Form(id: String, review: ServerAction<ReviewGlass>) -> impl IntoView {
    let error = action_error(review);
    let right_error = field_error(error, "was_right");
    let said = typed("was_right");
    let choice = move |value: &'static str, label: &'static str| {
        view! {
            <label class="row">
                <input type="radio" name="was_right" value=value checked=said.as_deref() == Some(value) required=true />
                {label}
            </label>
        }
    };
    view! {
        <section class="card" aria-labelledby="review-form-title" data-review-form="">
            <header>
                <h3 id="review-form-title">"Review"</h3>
                <span class="aside">"policy asks for a look at what ran unapproved"</span>
            </header>
            <div class="card-body">
                <ActionForm action=review attr:class="form wide">
                    <FormError error />
                    <input type="hidden" name="request_id" value=id />
                    <fieldset>
                        <legend>"Was it right not to wait?"</legend>
                        {choice("yes", "Yes, it was right")}
                        {choice("no", "No, it could have waited")}
                        <div class="field"><div class="field-error">{move || right_error.get()}</div></div>
                    </fieldset>
                    <TextArea
                        name="comment"
                        id="review-comment"
                        label="What was found"
                        rows=3
                        required=true
                        error=field_error(error, "comment")
                    />
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=review.pending()>
                            "Write down the review"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
