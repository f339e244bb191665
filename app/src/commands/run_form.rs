//! The form that runs a document: parameters, rates, what it is for. The page looks at what it can judge itself before
//! anything is sent; the portal looks at everything.

use super::api::{RunCommandFn, resolve_targets};
use super::confirm_run::{CONFIRM_ID, ConfirmRun, ConfirmStep, asked_for, must_confirm};
use super::parameter_form::ParameterForm;
use super::parameters::complaints;
use super::run_bar::RunBar;
use super::run_page::Chosen;
use crate::approvals::{AskCommand, AskPanel, Asking, needs_of};
use crate::components::TextField;
use crate::components::dialog::open_dialog;
use crate::error::{AppError, action_error, field_error};
use crate::forms::{keep_fields, typed};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use muster_domain::PortalError;
use muster_domain::commands::{DocumentDetail, RunCommand};
use muster_domain::fleet::ResolvedTargets;

/// The id of the form.
pub(crate) const FORM_ID: &str = "run-command";
/// The parameter that holds a script.
const SCRIPT: &str = "commands";

/// What a field of the form says now. Browser only.
pub(crate) fn field_now(name: &str) -> Option<String> {
    let form = document().get_element_by_id(FORM_ID)?;
    let form = form.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    data.get(name).as_string()
}

/// The targets, asked for again when the portal says that they are others than the page shows.
fn targets_now(
    chosen: &Chosen,
    targets: ResolvedTargets,
    asked: Memo<Option<u64>>,
) -> RwSignal<ResolvedTargets> {
    let shown = RwSignal::new(targets);
    let chosen = StoredValue::new(chosen.clone());
    Effect::new(move |_| {
        if asked
            .get()
            .is_some_and(|nodes| shown.with_untracked(|shown| shown.count != nodes))
        {
            spawn_local(async move {
                let Some(chosen) = chosen.try_get_value() else {
                    return;
                };
                let (nodes, filter) = (Some(chosen.nodes), Some(chosen.filter));
                if let Ok(now) = resolve_targets(nodes, filter, Some(chosen.all)).await {
                    let _ = shown.try_set(now);
                }
            });
        }
    });
    shown
}

/// The form.
#[component]
pub(super) fn RunForm(
    chosen: Chosen,
    document: DocumentDetail,
    targets: ResolvedTargets,
    again: Option<RunCommand>,
    action: ServerAction<RunCommandFn>,
) -> impl IntoView {
    let refused = action_error(action);
    let ask = ServerAction::<AskCommand>::new();
    let ask_error = action_error(ask);
    // Asking comes after running was refused.
    let sent = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    // What the page itself found; forgotten when the form is sent.
    let found = RwSignal::new(None::<AppError>);
    let error = Signal::derive(move || found.get().or_else(|| sent.get()));
    keep_fields::<RunCommandFn>();
    keep_fields::<AskCommand>();
    let needs = needs_of(refused, ask_error);
    let again = again.filter(|input| input.document == document.summary.name);
    let given = again
        .as_ref()
        .map(|input| input.parameters.clone())
        .unwrap_or_else(|| chosen.prefilled());
    let or = |read: fn(&RunCommand) -> String, otherwise: &str| {
        again.as_ref().map(read).unwrap_or_else(|| otherwise.to_owned())
    };
    let max_concurrency = or(|input| input.max_concurrency.clone(), "50");
    let max_errors = or(|input| input.max_errors.clone(), "0");
    let timeout = or(|input| input.timeout_seconds.to_string(), "600");
    let comment = or(|input| input.comment.clone(), "");
    let asked = Memo::new(move |_| sent.with(|error| error.as_ref().and_then(asked_for)));
    let targets = targets_now(&chosen, targets, asked);
    let must = Memo::new(move |_| targets.with(must_confirm));
    let count_typed = RwSignal::new(String::new());
    let script = RwSignal::new(typed(&format!("parameters[{SCRIPT}]")).unwrap_or_default());
    let pending: Signal<bool> = action.pending().into();
    let parameters = StoredValue::new(document.parameters.clone());
    let run = Callback::new(move |event: leptos::ev::MouseEvent| {
        if pending.get_untracked() {
            event.prevent_default();
            return;
        }
        ask.clear();
        let complaints = parameters.with_value(|parameters| {
            complaints(parameters, |name| field_now(&format!("parameters[{name}]")))
        });
        let wrong = PortalError::from_fields(complaints).err().map(AppError::from);
        let is_wrong = wrong.is_some();
        if is_wrong || found.with_untracked(Option::is_some) {
            found.set(wrong);
        }
        if is_wrong {
            event.prevent_default();
        } else if must.get_untracked() && asked.get_untracked().is_none() {
            event.prevent_default();
            script.set(field_now(&format!("parameters[{SCRIPT}]")).unwrap_or_default());
            open_dialog(CONFIRM_ID);
        }
    });
    let name = StoredValue::new(document.summary.name.clone());
    view! {
        <ActionForm action attr:id=FORM_ID attr:class="stack" attr:novalidate="">
            <input type="hidden" name="document" value=name.get_value() />
            <input type="hidden" name="nodes" value=chosen.nodes.clone() />
            <input type="hidden" name="filter" value=if chosen.nodes.is_empty() { chosen.filter.clone() } else { String::new() } />
            {(chosen.all && chosen.nodes.is_empty() && chosen.filter.is_empty())
                .then(|| view! { <input type="hidden" name="all" value="true" /> })}
            <section class="card" aria-labelledby="parameters-title">
                <header>
                    <h2 id="parameters-title">"3. Parameters"</h2>
                </header>
                <div class="card-body">
                    <ParameterForm parameters=document.parameters given error />
                </div>
            </section>
            <section class="card" aria-labelledby="rate-title">
                <header>
                    <h2 id="rate-title">"4. Rate control"</h2>
                </header>
                <div class="card-body">
                    <div class="form-row">
                        <TextField
                            name="max_concurrency"
                            label="At most at once"
                            hint="A number of nodes, or a percentage as in 10%."
                            value=max_concurrency
                            error=field_error(error, "max_concurrency")
                        />
                        <TextField
                            name="max_errors"
                            label="Stop after errors"
                            hint="0 stops at the first. A number or a percentage."
                            value=max_errors
                            error=field_error(error, "max_errors")
                        />
                        <TextField
                            name="timeout_seconds"
                            label="Delivery time-out (seconds)"
                            hint="30 to 2,592,000."
                            value=timeout
                            error=field_error(error, "timeout_seconds")
                        />
                    </div>
                    <TextField
                        name="comment"
                        label="Comment"
                        hint="What it is for; up to 100 characters. Shown in the history and the audit log."
                        value=comment
                        error=field_error(error, "comment")
                    />
                </div>
            </section>
            {move || {
                if asked.get().is_some() {
                    view! { <ConfirmStep targets document=name.get_value() script error /> }.into_any()
                } else {
                    // What was typed into the dialog goes along; without script there is no dialog, and nothing to send.
                    view! { <input type="hidden" name="confirmed_nodes" value=move || count_typed.get() /> }.into_any()
                }
            }}
            {move || {
                needs
                    .get()
                    .map(|refusal| {
                        let asking = Asking { action: ask, form: FORM_ID, now: "Run it now, unapproved" };
                        view! { <AskPanel refusal asking error=ask_error /> }
                    })
            }}
            <RunBar error targets must asked pending run document=name.get_value() />
        </ActionForm>
        <ConfirmRun targets document=name.get_value() script typed=count_typed pending />
    }
}
