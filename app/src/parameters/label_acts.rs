//! Setting labels on a version and taking one away. A label decides which value is read by it, so each is a card with an
//! address, where it can be asked for where policies want that.

use super::api::{LabelFn, UnlabelFn};
use super::ask_api::{AskLabel, AskUnlabel};
use super::url::{compare_path, view_path};
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{FormError, SubmitButton, TextField, Tone};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::parameters::ParameterDetail;

const SET_ID: &str = "set-labels";
const TAKE_ID: &str = "take-label";

/// Which version has the label now.
fn held_by(detail: &ParameterDetail, label: &str) -> Option<i64> {
    let live = detail.live.as_ref().ok()?;
    let held = live
        .versions
        .iter()
        .find(|one| one.labels.iter().any(|has| has == label));
    held.map(|one| one.version)
}

#[component]
pub(super) fn SetLabels(detail: ParameterDetail, version: i64) -> impl IntoView {
    keep_fields::<LabelFn>();
    keep_fields::<AskLabel>();
    let set = ServerAction::<LabelFn>::new();
    let ask = ServerAction::<AskLabel>::new();
    let (refused, ask_error) = (action_error(set), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let name = detail.summary.name;
    let back = view_path(&name);
    view! {
        <section class="card" aria-labelledby="label-title">
            <header>
                <h2 id="label-title">{format!("Label version {version}")}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=set attr:id=SET_ID attr:class="form wide">
                    <FormError error />
                    <p>"Whoever reads the parameter by one of these labels gets this version from then on."</p>
                    <input type="hidden" name="name" value=name />
                    <input type="hidden" name="version" value=version.to_string() />
                    <TextField
                        name="labels"
                        label="Labels"
                        placeholder="live, tested"
                        hint="Separated by commas. A label that another version has moves."
                        required=true
                        error=field_error(error, "labels")
                    />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: SET_ID, now: "Set them now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=set.pending()>
                            "Set labels"
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

#[component]
pub(super) fn TakeLabel(detail: ParameterDetail, version: i64, label: String) -> impl IntoView {
    keep_fields::<UnlabelFn>();
    keep_fields::<AskUnlabel>();
    let take = ServerAction::<UnlabelFn>::new();
    let ask = ServerAction::<AskUnlabel>::new();
    let (refused, ask_error) = (action_error(take), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let moved = held_by(&detail, &label).filter(|held| *held != version);
    let (name, newest) = (detail.summary.name, detail.summary.version);
    let (back, compare) = (view_path(&name), compare_path(&name, version, newest));
    view! {
        <section class="card danger-card" aria-labelledby="unlabel-title">
            <header>
                <h2 id="unlabel-title">{format!("Take the label {label} from version {version}?")}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=take attr:id=TAKE_ID attr:class="form wide">
                    <FormError error />
                    <p>
                        "Whoever reads the parameter by this label finds nothing from then on. To let them read another version, set the label on that one instead: it moves. "
                        {(version != newest)
                            .then(|| {
                                view! {
                                    <a href=compare data-noscroll="">
                                        "See what the newest version has different"
                                    </a>
                                }
                            })}
                    </p>
                    {moved.map(|held| view! { <p class="muted">{format!("The label is at version {held} now.")}</p> })}
                    <input type="hidden" name="name" value=name />
                    <input type="hidden" name="version" value=version.to_string() />
                    <input type="hidden" name="label" value=label />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: TAKE_ID, now: "Take it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Danger pending=take.pending()>
                            "Take it away"
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
