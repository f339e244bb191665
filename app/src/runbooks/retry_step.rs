//! Doing an execution that has ended badly again, from the step that did.

use super::api::RetryExecutionFn;
use super::execution_page::Live;
use crate::components::{ConfirmDialog, DialogCancel, FormError, SubmitButton, TextField, Tone, plural};
use crate::error::{AppError, action_error};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::commands::{check_confirmed, is_production};

/// What is wrong with the number of nodes that was confirmed.
fn about_count(error: &AppError) -> Option<String> {
    match error {
        AppError::Portal(PortalError::ConfirmationNeeded { nodes, .. }) => Some(format!(
            "It acts on {}: type that number.",
            plural(*nodes, "node", "nodes")
        )),
        other => other.about("confirmed_nodes"),
    }
}

/// The button beside such a step, and what it asks.
#[component]
pub(super) fn RetryStep(
    page: Live,
    /// The id of the step's execution.
    step: String,
    /// The step's name.
    name: String,
) -> impl IntoView {
    let action = ServerAction::<RetryExecutionFn>::new();
    let error = action_error(action);
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(())))) {
            // The page of what has ended follows nothing: it begins anew.
            let _ = window().location().reload();
        }
    });
    let (id, nodes, production) = page.detail.with_untracked(|detail| {
        let nodes = detail.targets.as_ref().map_or(&[][..], |targets| &targets.nodes);
        let production = nodes.iter().filter(|node| is_production(&node.environment));
        (
            detail.summary.execution_id.to_string(),
            nodes.len() as u64,
            production.count() as u64,
        )
    });
    let must = check_confirmed(None, nodes, production).is_err();
    let count_error = Signal::derive(move || error.with(|error| error.as_ref().and_then(about_count)));
    // Nodes may have come to production since it was started.
    let asked = Memo::new(move |_| count_error.with(Option::is_some));
    let field = StoredValue::new(step.clone());
    let dialog = format!("retry-{step}");
    let on = if nodes == 0 {
        "It is given no nodes, or they are not known here.".to_owned()
    } else if production > 0 {
        format!(
            "It acts on {}, {production} of them in production.",
            plural(nodes, "node", "nodes")
        )
    } else {
        format!("It acts on {}.", plural(nodes, "node", "nodes"))
    };
    // Without script the refusal comes with the page, where the dialog is closed.
    let came_back = error.get_untracked().is_some();
    view! {
        <div class="retry-step">
            <ConfirmDialog
                id=dialog.clone()
                trigger="Retry from this step"
                title=format!("Retry from {name}?")
                small=true
            >
                <p>
                    "The execution goes on from this step, as the runbook was when it was started. Steps before it stay as they are, with their outputs. What this step has done before it failed may be done once more. " {on}
                </p>
                <ActionForm action>
                    <input type="hidden" name="execution_id" value=id />
                    <input type="hidden" name="step" value=step.clone() />
                    {move || {
                        (must || asked.get())
                            .then(|| {
                                view! {
                                    <TextField
                                        name="confirmed_nodes"
                                        id=format!("confirm-{}", field.get_value())
                                        label="Number of nodes"
                                        hint="Type it, so that it is certain on how many this acts."
                                        error=count_error
                                    />
                                }
                            })
                    }}
                    <FormError error />
                    <div class="dialog-actions">
                        <DialogCancel id=dialog label="Leave it" />
                        <SubmitButton tone=Tone::Primary pending=action.pending()>
                            "Retry"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </ConfirmDialog>
            {came_back.then(|| view! { <FormError error /> })}
        </div>
    }
}
