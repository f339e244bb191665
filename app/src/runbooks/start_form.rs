//! The form that starts a runbook: parameters, rates, what it is for. The page looks at what it can judge itself before
//! anything is sent; the portal looks at everything.

use super::api::{StartRunbookFn, resolve_for};
use super::schedule_api::ScheduleRunbookFn;
use super::schedule_panel::SchedulePanel;
use super::start_bar::StartBar;
use super::start_page::{Asked, Plan};
use super::template_api::SaveTemplateFn;
use super::template_panel::TemplatePanel;
use crate::approvals::{AskPanel, AskRunbook, Asking, needs_of};
use crate::commands::{
    CONFIRM_ID, ConfirmRun, ConfirmStep, FORM_ID, ParameterForm, asked_for, complaints, field_now,
    must_confirm,
};
use crate::components::dialog::open_dialog;
use crate::components::{TextArea, TextField};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;
use muster_domain::PortalError;
use muster_domain::fleet::ResolvedTargets;

/// The counts that the portal asks to be confirmed, when that is what an error says.
fn counts(error: &AppError) -> Option<ResolvedTargets> {
    match error {
        AppError::Portal(PortalError::ConfirmationNeeded {
            nodes, in_production, ..
        }) => Some(ResolvedTargets {
            count: *nodes,
            in_production: *in_production,
            ..ResolvedTargets::default()
        }),
        _ => None,
    }
}

/// The targets, asked for again when the portal says that they are others than the page shows. Where the parameter itself
/// names the nodes, the page knows no more than their number.
fn targets_now(
    asked: &Asked,
    parameter: Option<String>,
    targets: ResolvedTargets,
    sent: Signal<Option<AppError>>,
) -> RwSignal<ResolvedTargets> {
    let told = sent.with_untracked(|error| error.as_ref().and_then(counts));
    let shown = RwSignal::new(match told {
        Some(told) if targets.count == 0 => told,
        _ => targets,
    });
    let asked = StoredValue::new(asked.clone());
    Effect::new(move |_| {
        let Some(told) = sent.with(|error| error.as_ref().and_then(counts)) else {
            return;
        };
        if shown.with_untracked(|shown| shown.count == told.count && !shown.nodes.is_empty()) {
            return;
        }
        let typed = parameter
            .as_ref()
            .and_then(|name| field_now(&format!("parameters[{name}]")));
        let count = told.count;
        shown.set(told);
        spawn_local(async move {
            let Some(Asked {
                name,
                version,
                chosen,
                ..
            }) = asked.try_get_value()
            else {
                return;
            };
            let nodes = if chosen.is_nothing() {
                typed.unwrap_or_default()
            } else {
                chosen.nodes
            };
            let now = resolve_for(
                name,
                Some(version),
                Some(nodes),
                Some(chosen.filter),
                Some(chosen.all),
            )
            .await;
            if let Ok(now) = now
                && now.count == count
            {
                let _ = shown.try_set(now);
            }
        });
    });
    shown
}

/// The form.
#[component]
pub(super) fn StartForm(plan: Plan, action: ServerAction<StartRunbookFn>) -> impl IntoView {
    let Plan {
        asked,
        runbook,
        resolved,
        again,
        template,
    } = plan;
    let chosen = asked.chosen.clone();
    let refused = action_error(action);
    let ask = ServerAction::<AskRunbook>::new();
    let ask_error = action_error(ask);
    // Asking comes after starting was refused.
    let save = ServerAction::<SaveTemplateFn>::new();
    let save_error = action_error(save);
    let schedule = ServerAction::<ScheduleRunbookFn>::new();
    let schedule_error = action_error(schedule);
    // What else is wrong with a schedule is said beside it.
    let to_confirm = Signal::derive(move || schedule_error.get().filter(|error| asked_for(error).is_some()));
    let sent = Signal::derive(move || {
        to_confirm
            .get()
            .or_else(|| ask_error.get())
            .or_else(|| refused.get())
    });
    // What the page itself found; forgotten when the form is sent.
    let found = RwSignal::new(None::<AppError>);
    let error = Signal::derive(move || found.get().or_else(|| sent.get()));
    // What is wrong with a field is said there, whichever button was pressed.
    let of_fields = Signal::derive(move || error.get().or_else(|| schedule_error.get()));
    keep_fields::<StartRunbookFn>();
    keep_fields::<AskRunbook>();
    keep_fields::<SaveTemplateFn>();
    keep_fields::<ScheduleRunbookFn>();
    let saved_as = template.map(|template| template.row);
    let (saving, scheduling) = (asked.saving, asked.scheduling);
    let needs = needs_of(refused, ask_error);
    let is_chosen = !chosen.is_nothing() && runbook.node_parameter.is_some();
    let node_parameter = runbook.node_parameter.clone();
    let parameters: Vec<_> = runbook
        .parameters
        .iter()
        .filter(|one| {
            // Chosen nodes are put into it.
            !is_chosen || node_parameter.as_ref().is_none_or(|(name, _)| *name != one.name)
        })
        .cloned()
        .collect();
    let given = again
        .as_ref()
        .map(|input| input.parameters.clone())
        .unwrap_or_default();
    let reason = again
        .as_ref()
        .map(|input| input.reason.clone())
        .unwrap_or_default();
    let rates = again.map_or_else(
        || ("10".to_owned(), "0".to_owned()),
        |input| (input.max_concurrency, input.max_errors),
    );
    let targets = targets_now(
        &asked,
        node_parameter.as_ref().map(|(name, _)| name.clone()),
        resolved.unwrap_or_default(),
        sent,
    );
    let needed = Memo::new(move |_| sent.with(|error| error.as_ref().and_then(asked_for)));
    let must = Memo::new(move |_| targets.with(must_confirm));
    let count_typed = RwSignal::new(String::new());
    let script = RwSignal::new(String::new());
    let pending: Signal<bool> = action.pending().into();
    let known = StoredValue::new(parameters.clone());
    let start = Callback::new(move |event: leptos::ev::MouseEvent| {
        if pending.get_untracked() {
            event.prevent_default();
            return;
        }
        ask.clear();
        let complaints = known.with_value(|parameters| {
            complaints(parameters, |name| field_now(&format!("parameters[{name}]")))
        });
        let wrong = PortalError::from_fields(complaints).err().map(AppError::from);
        let is_wrong = wrong.is_some();
        if is_wrong || found.with_untracked(Option::is_some) {
            found.set(wrong);
        }
        if is_wrong {
            event.prevent_default();
        } else if must.get_untracked() && needed.get_untracked().is_none() {
            event.prevent_default();
            open_dialog(CONFIRM_ID);
        }
    });
    let name = StoredValue::new(asked.name.clone());
    let several = node_parameter.as_ref().is_some_and(|(_, several)| !several)
        && targets.with_untracked(|targets| targets.count > 1);
    let first = if node_parameter.is_some() { 2 } else { 1 };
    view! {
        <ActionForm action attr:id=FORM_ID attr:class="stack" attr:novalidate="">
            <input type="hidden" name="document" value=asked.name.clone() />
            <input type="hidden" name="version" value=runbook.version.clone() />
            {is_chosen
                .then(|| {
                    let filter = if chosen.nodes.is_empty() { chosen.filter.clone() } else { String::new() };
                    let all = chosen.all && chosen.nodes.is_empty() && chosen.filter.is_empty();
                    view! {
                        <input type="hidden" name="nodes" value=chosen.nodes.clone() />
                        <input type="hidden" name="filter" value=filter />
                        {all.then(|| view! { <input type="hidden" name="all" value="true" /> })}
                    }
                })}
            <section class="card" aria-labelledby="parameters-title">
                <header>
                    <h2 id="parameters-title">{format!("{first}. Parameters")}</h2>
                </header>
                <div class="card-body">
                    {node_parameter
                        .filter(|_| is_chosen)
                        .map(|(name, _)| {
                            view! { <p class="muted small-text">{format!("The nodes chosen above go to {name}.")}</p> }
                        })}
                    <ParameterForm parameters given error=of_fields />
                </div>
            </section>
            <section class="card" aria-labelledby="why-title">
                <header>
                    <h2 id="why-title">{format!("{}. Reason", first + 1)}</h2>
                </header>
                <div class="card-body">
                    <TextArea
                        name="reason"
                        label="What it is for (required)"
                        hint="Up to 500 characters. Shown in the history and the audit log."
                        rows=2
                        value=reason
                        error=field_error(of_fields, "reason")
                    />
                    {several
                        .then(|| {
                            view! {
                                <div class="form-row">
                                    <TextField
                                        name="max_concurrency"
                                        label="At most at once"
                                        hint="One execution for each node: a number, or a percentage as in 10%."
                                        value=rates.0
                                        error=field_error(error, "max_concurrency")
                                    />
                                    <TextField
                                        name="max_errors"
                                        label="Stop after errors"
                                        hint="0 stops at the first. A number or a percentage."
                                        value=rates.1
                                        error=field_error(error, "max_errors")
                                    />
                                </div>
                            }
                        })}
                </div>
            </section>
            {move || {
                if needed.get().is_some() {
                    let title = if first == 2 { "4. Confirm" } else { "3. Confirm" };
                    view! { <ConfirmStep targets document=name.get_value() script error title verb="Start" /> }.into_any()
                } else {
                    // What was typed into the dialog goes along; without script there is no dialog, and nothing to send.
                    view! { <input type="hidden" name="confirmed_nodes" value=move || count_typed.get() /> }.into_any()
                }
            }}
            {move || {
                needs
                    .get()
                    .map(|refusal| {
                        let asking = Asking {
                            action: ask,
                            form: FORM_ID,
                            now: "Start it now, unapproved",
                        };
                        view! { <AskPanel refusal asking error=ask_error /> }
                    })
            }}
            <SchedulePanel action=schedule error=schedule_error open=scheduling />
            <TemplatePanel action=save error=save_error row=saved_as open=saving />
            <StartBar error targets is_chosen must asked=needed pending start over=asked.chosen.page.clone() />
        </ActionForm>
        <ConfirmRun targets document=name.get_value() script typed=count_typed pending verb="Start" />
    }
}
