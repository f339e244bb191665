//! What is done with a parameter as a whole: leaving it behind, or bringing an earlier version back. Each is a card of its
//! own with an address, so that it can be asked for where policies want that.

use super::api::{DeleteFn, RestoreFn};
use super::ask_api::{AskDelete, AskRestore};
use super::label_acts::{SetLabels, TakeLabel};
use super::url::{Doing, compare_path, view_path};
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{FormError, Glyph, Icon, SubmitButton, TextField, Tone};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::parameters::ParameterDetail;

/// The card for what the address says; nothing where there is nothing to do, or the actor may not.
#[component]
pub(super) fn Acts(detail: ParameterDetail, doing: Doing) -> impl IntoView {
    match doing {
        Doing::Delete if detail.may_delete => view! { <Delete detail /> }.into_any(),
        Doing::Restore(version) if detail.may_put => view! { <Restore detail version /> }.into_any(),
        Doing::Label(version) if detail.may_put => view! { <SetLabels detail version /> }.into_any(),
        Doing::Unlabel(version, label) if detail.may_put => {
            view! { <TakeLabel detail version label /> }.into_any()
        }
        _ => ().into_any(),
    }
}

const DELETE_ID: &str = "delete-parameter";

#[component]
fn Delete(detail: ParameterDetail) -> impl IntoView {
    keep_fields::<DeleteFn>();
    keep_fields::<AskDelete>();
    let delete = ServerAction::<DeleteFn>::new();
    let ask = ServerAction::<AskDelete>::new();
    let (refused, ask_error) = (action_error(delete), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let name = detail.summary.name;
    let back = view_path(&name);
    view! {
        <section class="card danger-card" aria-labelledby="delete-title">
            <header>
                <h2 id="delete-title">{format!("Delete {name}?")}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=delete attr:id=DELETE_ID attr:class="form wide">
                    <FormError error />
                    <p>
                        "All of its versions, labels and tags go with it, and nothing brings them back. Commands and runbooks that name it fail from then on."
                    </p>
                    <p class="muted">
                        "To be able to undo this, note its value first: a parameter that is made again with the same name begins at version 1, without a history."
                    </p>
                    <input type="hidden" name="name" value=name.clone() />
                    <input type="hidden" name="version" value=detail.summary.version.to_string() />
                    <TextField
                        name="confirmation"
                        label="Type its name"
                        placeholder=name.clone()
                        required=true
                        error=field_error(error, "confirmation")
                    />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: DELETE_ID, now: "Delete it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Danger pending=delete.pending()>
                            <Icon glyph=Glyph::Cross />
                            "Delete it"
                        </SubmitButton>
                        <a class="btn quiet" href=back data-escape="" data-noscroll="">
                            "Keep it"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

const RESTORE_ID: &str = "restore-version";

#[component]
fn Restore(detail: ParameterDetail, version: i64) -> impl IntoView {
    keep_fields::<RestoreFn>();
    keep_fields::<AskRestore>();
    let restore = ServerAction::<RestoreFn>::new();
    let ask = ServerAction::<AskRestore>::new();
    let (refused, ask_error) = (action_error(restore), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let (name, newest) = (detail.summary.name, detail.summary.version);
    let (back, compare) = (view_path(&name), compare_path(&name, newest, version));
    view! {
        <section class="card" aria-labelledby="restore-title">
            <header>
                <h2 id="restore-title">{format!("Restore version {version}?")}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=restore attr:id=RESTORE_ID attr:class="form wide">
                    <FormError error />
                    <p>
                        {format!("Its value becomes version {}. Nothing is lost: what is there now stays as version {newest}. ", newest + 1)}
                        <a href=compare data-noscroll="">
                            "See what is different"
                        </a>
                    </p>
                    <input type="hidden" name="name" value=name.clone() />
                    <input type="hidden" name="kind" value=detail.summary.kind.as_str() />
                    <input type="hidden" name="version" value=version.to_string() />
                    <input type="hidden" name="replaces" value=newest.to_string() />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: RESTORE_ID, now: "Restore it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=restore.pending()>
                            "Restore it"
                        </SubmitButton>
                        <a class="btn quiet" href=back data-escape="" data-noscroll="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
