//! The bar that stays in view: what was wrong when the form was sent last, and the button that sends it.

use super::confirm_run::STEP_COUNT_ID;
use crate::approvals::{WHY_ID, asked_for as approval_asked_for, field_of as field_of_asking};
use crate::components::{Glyph, Icon, grouped, plural};
use crate::error::AppError;
use crate::url::address;
use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use muster_domain::PortalError;
use muster_domain::fleet::ResolvedTargets;

/// The id of the field that a complaint is about, and what people call it.
fn field_of(field: &str) -> (String, String) {
    if let Some((id, label)) = field_of_asking(field) {
        return (id.into(), label.into());
    }
    match field {
        "targets" | "nodes" | "filter" => ("targets-title".into(), "Targets".into()),
        "document" => ("choose-document".into(), "Document".into()),
        "max_concurrency" => (field.into(), "At most at once".into()),
        "max_errors" => (field.into(), "Stop after errors".into()),
        "timeout_seconds" => (field.into(), "Delivery time-out".into()),
        "comment" => (field.into(), "Comment".into()),
        "confirmed_nodes" => (STEP_COUNT_ID.into(), "Number of nodes".into()),
        other => match other.strip_prefix("parameters.") {
            Some(name) => (format!("parameter-{name}"), name.to_owned()),
            None => ("parameters-title".into(), "Parameters".into()),
        },
    }
}

/// What went wrong, in the words of this page.
#[component]
fn Refused(error: AppError) -> impl IntoView {
    let body = match error {
        AppError::Portal(PortalError::Invalid { fields }) => view! {
            <strong>"Not started. "</strong>
            {fields
                .into_iter()
                .map(|complaint| {
                    let (id, label) = field_of(&complaint.field);
                    view! {
                        <span class="run-complaint">
                            <a href=format!("#{id}") rel="external">
                                {label}
                            </a>
                            ": "
                            {complaint.message}
                            " "
                        </span>
                    }
                })
                .collect_view()}
        }
        .into_any(),
        AppError::Portal(PortalError::ConfirmationNeeded { nodes, confirmed, .. }) => {
            let changed = confirmed.map(|confirmed| {
                let was = plural(confirmed, "node was", "nodes were");
                format!(
                    "{was} confirmed, but it would act on {} now. ",
                    plural(nodes, "node", "nodes")
                )
            });
            view! {
                <strong>"Not started yet. "</strong>
                {changed}
                "Look at what it would act on above, and confirm the number of nodes."
            }
            .into_any()
        }
        AppError::Portal(PortalError::ApprovalNeeded { message, .. }) => view! {
            <strong>"Not started yet. "</strong>
            {message}
            " "
            <a href=format!("#{WHY_ID}") rel="external">
                "Ask for approval"
            </a>
            " above."
        }
        .into_any(),
        other => view! {
            <strong>"Not started. "</strong>
            {other.to_string()}
        }
        .into_any(),
    };
    view! {
        <div class="notice bad">
            <Icon glyph=Glyph::Warning />
            <div>{body}</div>
        </div>
    }
}

/// The bar.
#[component]
pub(super) fn RunBar(
    error: Signal<Option<AppError>>,
    targets: RwSignal<ResolvedTargets>,
    /// Whether the number of nodes has to be confirmed.
    must: Memo<bool>,
    /// The number of nodes that the portal asks to be confirmed.
    asked: Memo<Option<u64>>,
    pending: Signal<bool>,
    run: Callback<MouseEvent>,
    document: String,
) -> impl IntoView {
    let slot = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let is_asked = asked.get().is_some();
        let wants_approval = error.with(|error| {
            error
                .as_ref()
                .is_some_and(|error| approval_asked_for(error).is_some())
        });
        if error.with(Option::is_none) {
            return;
        }
        let goal = match (is_asked, wants_approval) {
            (true, _) => Some(STEP_COUNT_ID),
            (_, true) => Some(WHY_ID),
            _ => None,
        };
        // After it was put into the page. Whoever is asked for a number or a reason goes where it is typed.
        request_animation_frame(move || {
            let field = goal
                .and_then(|id| leptos::prelude::document().get_element_by_id(id))
                .and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(field) = field {
                let _ = field.focus();
            } else if let Some(slot) = slot.try_get_untracked().flatten() {
                let _ = slot.focus();
            }
        });
    });
    let count = Memo::new(move |_| targets.with(|targets| targets.count));
    let left_out = Memo::new(move |_| targets.with(|targets| targets.excluded_count));
    // Without script the browser brings it into view.
    let begins_wrong = error.with_untracked(Option::is_some) && asked.get_untracked().is_none();
    let over = address("/commands/new", [("document", document)]);
    view! {
        <div class="run-bar">
            <div class="run-error" role="alert" tabindex="-1" node_ref=slot autofocus=begins_wrong>
                {move || error.get().map(|error| view! { <Refused error /> })}
            </div>
            <div class="row">
                // A click handler and not one for `submit`: Enter in a field comes here, too.
                <button
                    type="submit"
                    class="btn primary"
                    aria-busy=move || pending.get().then_some("true")
                    aria-haspopup=move || (must.get() && asked.get().is_none()).then_some("dialog")
                    disabled=move || count.get() == 0
                    on:click=move |event| run.run(event)
                >
                    <Icon glyph=Glyph::Command />
                    {move || format!("Run on {}", plural(count.get(), "node", "nodes"))}
                </button>
                {move || {
                    (count.get() == 0)
                        .then(|| view! { <span class="muted small-text">"Choose at least one node first."</span> })
                }}
                <a class="btn quiet" href=over>
                    "Start over"
                </a>
                <span class="muted small-text">
                    {move || (left_out.get() > 0).then(|| format!("{} left out", grouped(left_out.get())))}
                </span>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::field_of;

    #[test]
    fn a_complaint_leads_to_its_field() {
        for (field, id, label) in [
            (
                "parameters.executionTimeout",
                "parameter-executionTimeout",
                "executionTimeout",
            ),
            ("parameters", "parameters-title", "Parameters"),
            ("targets", "targets-title", "Targets"),
            ("max_errors", "max_errors", "Stop after errors"),
        ] {
            assert_eq!(field_of(field), (id.to_owned(), label.to_owned()));
        }
    }
}
