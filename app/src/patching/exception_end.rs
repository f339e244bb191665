//! The card in which an exception is ended before its day: what it was for, and why it ends.

use super::exception_api::{EndExceptionFn, list_exceptions};
use crate::components::{ErrorNotice, FormError, Keeper, Skeleton, SubmitButton, TextArea, Tone};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::patching::{ExceptionPage, PatchException};

const BACK: &str = "/patching/exceptions";

/// The card of the exception that the address names; nothing where it names none.
#[component]
pub(super) fn EndCard(id: Signal<Option<String>>) -> impl IntoView {
    let found = Resource::new(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => list_exceptions(None, None, Some(id), None).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let keeper = Keeper::here();
    view! {
        <Transition fallback=move || {
            id.with_untracked(Option::is_some).then(|| view! { <div class="card"><Skeleton lines=4 /></div> })
        }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(None) => ().into_any(),
                        Ok(Some(page)) => keeper.view(move || view! { <Card page /> }),
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="this exception" clear=BACK />
                                </div>
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
fn Card(page: ExceptionPage) -> impl IntoView {
    let may_end = page.may_end;
    match page.page.items.into_iter().next() {
        Some(one) if may_end && one.state.can_end() => view! { <Confirm one /> }.into_any(),
        Some(one) => {
            let said = if one.state.can_end() {
                "You may not end exceptions.".to_owned()
            } else {
                format!(
                    "The exception of {} cannot be ended any more: {}.",
                    one.patch,
                    one.state.label()
                )
            };
            view! {
                <div class="notice" role="status" data-no-end="">
                    <div>{said}</div>
                </div>
            }
            .into_any()
        }
        None => view! {
            <div class="notice" role="status" data-no-end="">
                <div>"There is no such exception."</div>
            </div>
        }
        .into_any(),
    }
}

#[component]
fn Confirm(one: PatchException) -> impl IntoView {
    keep_fields::<EndExceptionFn>();
    let end = ServerAction::<EndExceptionFn>::new();
    let error = action_error(end);
    let title = format!("End the exception of {} on {}?", one.patch, one.baseline_name);
    let says = format!(
        "The baseline does not reject {} any more, so nodes miss it again, and an installation brings it. It would have ended by \
         itself at {}.",
        one.patch,
        one.expires_at.readable()
    );
    let was = format!("It was granted because: {}", one.because);
    view! {
        <section class="card danger-card" aria-labelledby="end-title" data-end=one.patch>
            <header>
                <h2 id="end-title">{title}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=end attr:class="form wide">
                    <FormError error />
                    <p>{says}</p>
                    <p class="muted">{was}</p>
                    <input type="hidden" name="baseline_id" value=one.baseline_id />
                    <input type="hidden" name="exception_id" value=one.exception_id />
                    <TextArea
                        name="because"
                        id="end-because"
                        label="Why it ends now"
                        rows=2
                        required=true
                        error=field_error(error, "because")
                    />
                    <div class="row">
                        <SubmitButton tone=Tone::Danger pending=end.pending()>
                            "End the exception"
                        </SubmitButton>
                        <a class="btn quiet" href=BACK data-escape="" data-noscroll="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
