//! Tells what did not work and what to do about it.

use super::empty_state::{Empty, EmptyState};
use super::icon::{Glyph, Icon};
use crate::error::AppError;
use crate::url::address;
use leptos::either::EitherOf4;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use muster_domain::PortalError;

/// In place of a panel or page that could not be loaded.
#[component]
pub(crate) fn ErrorNotice(
    error: AppError,
    /// What could not be shown, as in "the list of nodes".
    #[prop(into)]
    what: String,
    /// The page's address without what cannot be read, where that may be the reason.
    #[prop(optional, into)]
    clear: Option<String>,
) -> impl IntoView {
    let location = use_location();
    if error.is_forbidden() {
        return EitherOf4::A(view! {
            <EmptyState kind=Empty::NotPermitted title=format!("You may not see {what}")>
                <p>{error.to_string()}</p>
                <p>"An administrator can give you a role that allows it, under Settings, Users."</p>
            </EmptyState>
        });
    }
    if error.is_sign_in_required() {
        let here = format!(
            "{}{}{}",
            location.pathname.get_untracked(),
            if location.search.get_untracked().is_empty() {
                ""
            } else {
                "?"
            },
            location.search.get_untracked().trim_start_matches('?')
        );
        return EitherOf4::B(view! {
            <EmptyState kind=Empty::NotPermitted title="You are signed out">
                <p>"Your session has ended. Sign in to go on where you were."</p>
                <p>
                    <a class="btn primary" rel="external" href=address("/sign-in", [("error", "expired".into()), ("next", here)])>
                        "Sign in"
                    </a>
                </p>
            </EmptyState>
        });
    }
    if let (AppError::Portal(PortalError::Invalid { fields }), Some(clear)) = (&error, clear) {
        let messages: Vec<String> = fields.iter().map(|field| field.message.clone()).collect();
        return EitherOf4::C(view! {
            <EmptyState kind=Empty::NothingMatches title="Nothing was looked up">
                <p>"What the address asks for cannot be read, and showing more than was asked for would mislead:"</p>
                {messages.into_iter().map(|message| view! { <p>{message}</p> }).collect_view()}
                <a class="btn" href=clear>
                    "Leave it out"
                </a>
            </EmptyState>
        });
    }
    let path = location.pathname.get_untracked();
    let again = format!(
        "{path}?{}",
        location.search.get_untracked().trim_start_matches('?')
    );
    // What does not exist, or cannot be read, is no better the second time.
    let may_pass = error.may_pass();
    EitherOf4::D(view! {
        <div class="notice bad" role="alert">
            <Icon glyph=Glyph::Warning />
            <div>
                <strong>{format!("Could not load {what}.")}</strong>
                " "
                {error.to_string()}
                {may_pass
                    .then(|| {
                        view! {
                            " "
                            <a href=again rel="external">
                                "Try again"
                            </a>
                        }
                    })}
            </div>
        </div>
    })
}

/// Above a form: what was wrong with its last submission, when it is not about single fields only.
#[component]
pub(crate) fn FormError(error: Signal<Option<AppError>>) -> impl IntoView {
    view! {
        <div role="alert" class="form-error-slot">
            {move || {
                error
                    .get()
                    .map(|error| {
                        view! {
                            <div class="notice bad">
                                <Icon glyph=Glyph::Warning />
                                <div>{sentence(&error)}</div>
                            </div>
                        }
                    })
            }}
        </div>
    }
}

fn sentence(error: &AppError) -> String {
    match error {
        AppError::Portal(PortalError::Invalid { fields }) => match fields.as_slice() {
            [only] => only.message.clone(),
            all => format!("{} fields need another look.", all.len()),
        },
        other => other.to_string(),
    }
}
