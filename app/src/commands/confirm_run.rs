//! The question before a run that touches production or many nodes. Asked where script runs.

use super::target_picker::is_production;
use crate::components::dialog::close_dialog;
use crate::components::{DialogCancel, grouped, plural};
use leptos::prelude::*;
use muster_domain::fleet::ResolvedTargets;

/// The id of the dialog.
pub(super) const CONFIRM_ID: &str = "confirm-run";
/// More nodes than this are asked about wherever they are.
const MANY: u64 = 50;

fn in_production(targets: &ResolvedTargets) -> u64 {
    targets
        .by_environment
        .iter()
        .filter(|(name, _)| is_production(name))
        .map(|(_, count)| count)
        .sum()
}

/// Whether to ask first.
pub(super) fn must_confirm(targets: &ResolvedTargets) -> bool {
    targets.count > MANY
        || in_production(targets) > 0
        || targets
            .nodes
            .iter()
            .any(|node| node.environment.as_deref().is_some_and(is_production))
}

/// The dialog. Its button sends the form `run-command`, once the number of nodes was typed.
#[component]
pub(super) fn ConfirmRun(targets: ResolvedTargets, document: String, pending: Memo<bool>) -> impl IntoView {
    let count = targets.count;
    let production = in_production(&targets);
    let typed = RwSignal::new(String::new());
    let right = Memo::new(move |_| {
        typed.with(|typed| {
            let digits: String = typed
                .chars()
                .filter(|c| !c.is_whitespace() && *c != ',')
                .collect();
            digits.parse() == Ok(count)
        })
    });
    let go = move |event: leptos::ev::MouseEvent| {
        if right.get_untracked() && !pending.get_untracked() {
            close_dialog(CONFIRM_ID);
        } else {
            event.prevent_default();
        }
    };
    view! {
        <dialog id=CONFIRM_ID class="dialog" aria-labelledby="confirm-run-title">
            <h2 id="confirm-run-title">{format!("Run {document} on {}?", plural(count, "node", "nodes"))}</h2>
            <ul>
                {(production > 0)
                    .then(|| {
                        view! {
                            <li>
                                <strong>{plural(production, "node is", "nodes are")}</strong>
                                " in production."
                            </li>
                        }
                    })}
                {(count > MANY).then(|| view! { <li>{format!("More than {MANY} nodes are acted on.")}</li> })}
                <li>"It starts at once. Cancelling later stops only nodes that are not done; nothing is undone."</li>
                {(targets.excluded_count > 0)
                    .then(|| view! { <li>{format!("{} chosen but left out.", grouped(targets.excluded_count))}</li> })}
            </ul>
            <div class="field">
                <label for="confirm-count">{format!("Type {count} to go on")}</label>
                <input
                    id="confirm-count"
                    inputmode="numeric"
                    autocomplete="off"
                    prop:value=move || typed.get()
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </div>
            <div class="dialog-actions">
                <DialogCancel id=CONFIRM_ID />
                <button
                    type="submit"
                    form="run-command"
                    class="btn danger"
                    aria-disabled=move || (!right.get()).then_some("true")
                    on:click=go
                >
                    {format!("Run on {}", plural(count, "node", "nodes"))}
                </button>
            </div>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_and_many_nodes_are_asked_about() {
        let mut targets = ResolvedTargets {
            count: 3,
            ..ResolvedTargets::default()
        };
        assert!(!must_confirm(&targets));
        targets.by_environment = vec![("Staging".into(), 2), ("PROD".into(), 1)];
        assert!(must_confirm(&targets));
        targets.by_environment.clear();
        targets.count = 51;
        assert!(must_confirm(&targets));
    }
}
