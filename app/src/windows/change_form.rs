//! The form around every change of a window: it carries along what was looked at, says what is wrong, and asks for approval
//! where policies want that.

use super::api::{AskWindow, ChangeFn};
use super::url::view_path;
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{FormError, SubmitButton, Tone};
use crate::error::{AppError, action_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::windows::WindowState;

/// The id of the form: there is one on a page.
const FORM_ID: &str = "change-window";

/// The window that a form is about, as it was looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    /// Its id.
    pub(super) id: String,
    /// What it is.
    pub(super) state: WindowState,
}

/// The fields of a form, made from what is wrong with them.
pub(super) type Fields = Box<dyn FnOnce(Signal<Option<AppError>>) -> AnyView + Send>;

/// The form.
#[component]
pub(super) fn ChangeForm(
    /// What is done, in the words of the server function.
    what: &'static str,
    /// With which window; none where one is made.
    about: Option<About>,
    #[prop(into)] title: String,
    #[prop(into)] submit: String,
    /// Whether something goes that nothing brings back.
    #[prop(optional)]
    is_danger: bool,
    /// Whether its openings can be shown before it is saved.
    #[prop(optional)]
    has_preview: bool,
    fields: Fields,
) -> impl IntoView {
    keep_fields::<ChangeFn>();
    keep_fields::<AskWindow>();
    let change = ServerAction::<ChangeFn>::new();
    let ask = ServerAction::<AskWindow>::new();
    let (refused, ask_error) = (action_error(change), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let next_runs = crate::error::field_error(error, "next_runs");
    let complaint = Signal::derive(move || error.get().filter(|error| error.about("next_runs").is_none()));
    let needs = needs_of(refused, ask_error);
    let back = about
        .as_ref()
        .map_or_else(|| "/windows".to_owned(), |about| view_path(&about.id));
    let again = StoredValue::new(about.as_ref().map(|about| view_path(&about.id)));
    let is_overtaken =
        move || error.with(|error| matches!(error, Some(AppError::Portal(PortalError::Conflict { .. }))));
    let hidden = about.map(|about| {
        let seen = serde_json::to_string(&about.state).unwrap_or_default();
        view! {
            <input type="hidden" name="window_id" value=about.id />
            <input type="hidden" name="seen" value=seen />
        }
    });
    let (class, tone) = if is_danger {
        ("card danger-card", Tone::Danger)
    } else {
        ("card", Tone::Primary)
    };
    view! {
        <section class=class aria-labelledby="change-title">
            <header>
                <h2 id="change-title">{title}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=change attr:id=FORM_ID attr:class="form wide" attr:novalidate="">
                    <FormError error=complaint />
                    {move || {
                        again
                            .get_value()
                            .filter(|_| is_overtaken())
                            .map(|href| {
                                view! {
                                    <p class="small-text" data-overtaken="">
                                        "What you typed is still here. "
                                        <a href=href target="_blank" rel="external noopener">
                                            "Look at the window in another tab"
                                        </a>
                                        ", then open this form again."
                                    </p>
                                }
                            })
                    }}
                    <input type="hidden" name="what" value=what />
                    {hidden}
                    {fields(error)}
                    {move || {
                        next_runs
                            .get()
                            .map(|text| {
                                view! {
                                    <div class="notice" role="status" data-next-runs="">
                                        <div>{text}</div>
                                    </div>
                                }
                            })
                    }}
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: FORM_ID, now: "Do it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone pending=change.pending()>
                            {submit}
                        </SubmitButton>
                        {has_preview
                            .then(|| {
                                view! {
                                    <button type="submit" class="btn" name="preview" value="1">
                                        "Show the next runs"
                                    </button>
                                }
                            })}
                        <a class="btn quiet" href=back data-escape="" data-noscroll="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
