//! Where an execution waits for somebody: what it waits for, and the form that tells it.

use super::api::SendSignalFn;
use super::execution_page::Live;
use crate::components::{FormError, Glyph, Icon, TextField};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::runbooks::{StepExecution, WaitsFor};

/// An input of a step as words: a JSON text without its quotes, a list joined.
fn words(step: &StepExecution, name: &str) -> String {
    let text = step.inputs.get(name).map(String::as_str).unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Array(all)) => all
            .iter()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        _ => text.to_owned(),
    }
}

/// The step that waits, if one does.
#[component]
pub(super) fn Waiting(page: Live) -> impl IntoView {
    let action = ServerAction::<SendSignalFn>::new();
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(())))) {
            page.renew();
        }
    });
    let waiting = Memo::new(move |_| page.live.with(|live| live.waiting().cloned()));
    view! {
        {move || {
            waiting
                .get()
                .and_then(|step| {
                    let waits = step.waits_for()?;
                    Some(view! { <Asked page step waits action /> })
                })
        }}
    }
}

#[component]
fn Asked(
    page: Live,
    step: StepExecution,
    waits: WaitsFor,
    action: ServerAction<SendSignalFn>,
) -> impl IntoView {
    let is_decision = waits == WaitsFor::Decision;
    let title = if is_decision {
        format!("{} waits for approval", step.name)
    } else {
        format!("{} pauses until somebody lets it go on", step.name)
    };
    let message = words(&step, "Message");
    let approvers = words(&step, "Approvers");
    let needed = words(&step, "MinRequiredApprovals");
    let may = Memo::new(move |_| {
        page.detail.with(|detail| {
            if is_decision {
                (detail.may_decide, detail.why_not_decide.clone())
            } else {
                (detail.may_signal, String::new())
            }
        })
    });
    let id = page
        .detail
        .with_untracked(|detail| detail.summary.execution_id.to_string());
    let step_id = StoredValue::new(step.step_execution_id.clone());
    let id = StoredValue::new(id);
    view! {
        <section class="card waiting" aria-labelledby="waiting-title" data-waiting=if is_decision { "decision" } else { "resume" }>
            <header>
                <h2 id="waiting-title">
                    <Icon glyph=Glyph::Pause />
                    " "
                    {title}
                </h2>
            </header>
            <div class="card-body">
                {(!message.is_empty()).then(|| view! { <p>{message}</p> })}
                {(is_decision && !approvers.is_empty())
                    .then(|| {
                        let needed = if needed.is_empty() { "1".to_owned() } else { needed };
                        let counts = if needed == "1" { "" } else { ", which counts as one of them" };
                        view! {
                            <p class="muted small-text">
                                {format!("Approvers at Systems Manager: {approvers}; needed: {needed}. A decision from here is made as the portal{counts}.")}
                            </p>
                        }
                    })}
                {move || {
                    let (may, why) = may.get();
                    if may {
                        view! { <Tell id=id.get_value() step=step_id.get_value() is_decision action /> }.into_any()
                    } else {
                        let why = if !why.is_empty() {
                            why
                        } else if is_decision {
                            "Approvers and administrators of this portal decide.".to_owned()
                        } else {
                            "Operators of this portal let it go on.".to_owned()
                        };
                        view! {
                            <p class="muted small-text" data-why-not="">
                                {why}
                            </p>
                        }
                            .into_any()
                    }
                }}
            </div>
        </section>
    }
}

#[component]
fn Tell(id: String, step: String, is_decision: bool, action: ServerAction<SendSignalFn>) -> impl IntoView {
    let error = action_error(action);
    let pending: Signal<bool> = action.pending().into();
    keep_fields::<SendSignalFn>();
    let busy = move || pending.get().then_some("true");
    view! {
        <ActionForm action attr:class="stack">
            <input type="hidden" name="execution_id" value=id />
            <input type="hidden" name="step" value=step />
            <TextField
                name="comment"
                label="Comment"
                hint=if is_decision { "Kept with the decision. A rejection needs one." } else { "Kept in the audit log." }
                error=field_error(error, "comment")
            />
            <FormError error />
            <div class="row">
                {if is_decision {
                    view! {
                        <button type="submit" class="btn primary" name="signal" value="approve" aria-disabled=busy>
                            "Approve"
                        </button>
                        <button type="submit" class="btn danger" name="signal" value="reject" aria-disabled=busy>
                            "Reject"
                        </button>
                    }
                        .into_any()
                } else {
                    view! {
                        <button type="submit" class="btn primary" name="signal" value="resume" aria-disabled=busy>
                            "Resume"
                        </button>
                    }
                        .into_any()
                }}
            </div>
        </ActionForm>
    }
}
