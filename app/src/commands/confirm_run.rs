//! The question before a run that touches production or many nodes: a dialog where script runs, and a step of the form
//! where it does not, or where the portal says that the selection has changed. The portal insists on the answer.

use super::run_form::FORM_ID;
use crate::components::dialog::close_dialog;
use crate::components::{DialogCancel, grouped, plural};
use crate::error::{AppError, field_error};
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::commands::{MANY_NODES, check_confirmed, is_production};
use muster_domain::fleet::ResolvedTargets;

/// The id of the dialog.
pub(crate) const CONFIRM_ID: &str = "confirm-run";
/// The id of the field in the form's step.
pub(crate) const STEP_COUNT_ID: &str = "confirm-nodes";
/// Nodes that are named.
const NAMED: usize = 10;
/// Lines of the script that are shown.
const LINES: usize = 5;

/// Whether to ask first.
pub(crate) fn must_confirm(targets: &ResolvedTargets) -> bool {
    check_confirmed(None, targets.count, targets.in_production).is_err()
}

/// The number of nodes that the portal asks to be confirmed, when that is what an error says.
pub(crate) fn asked_for(error: &AppError) -> Option<u64> {
    match error {
        AppError::Portal(PortalError::ConfirmationNeeded { nodes, .. }) => Some(*nodes),
        AppError::Portal(error) => error.about("confirmed_nodes").map(|_| 0),
        AppError::Transport(_) => None,
    }
}

/// Reads a number of nodes as people type it: blanks and commas do not matter. Nothing typed is no number.
pub(crate) fn read_count(text: &str) -> Result<Option<u64>, PortalError> {
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, ',' | '.' | '\''))
        .collect();
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| {
        PortalError::invalid(
            "confirmed_nodes",
            "Write the number of nodes that it acts on, in digits.",
        )
    })
}

/// How a script begins: its first lines, and whether there are more.
fn beginning(script: &str) -> (String, bool) {
    let mut lines = script
        .lines()
        .map(str::trim_end)
        .skip_while(|line| line.is_empty());
    let first: Vec<&str> = lines.by_ref().take(LINES).collect();
    (first.join("\n"), lines.any(|line| !line.is_empty()))
}

/// What would be done, and to what.
#[component]
fn Touched(targets: RwSignal<ResolvedTargets>, document: String, script: RwSignal<String>) -> impl IntoView {
    let script = Memo::new(move |_| script.with(|script| beginning(script)));
    view! {
        <dl class="facts confirm-facts">
            <div class="fact">
                <dt>"Document"</dt>
                <dd>{document}</dd>
            </div>
            {move || {
                let (lines, more) = script.get();
                (!lines.is_empty())
                    .then(|| {
                        view! {
                            <div class="fact">
                                <dt>"Script"</dt>
                                <dd>
                                    <pre class="code" data-script="">
                                        {lines}
                                    </pre>
                                    {more.then(|| view! { <span class="muted small-text">"and more lines"</span> })}
                                </dd>
                            </div>
                        }
                    })
            }}
            <div class="fact">
                <dt>"Environments"</dt>
                <dd class="row" data-environments="">
                    {move || {
                        targets
                            .with(|targets| targets.by_environment.clone())
                            .into_iter()
                            .map(|(name, count)| {
                                let class = if is_production(&name) { "tag warn" } else { "tag" };
                                let name = if name.is_empty() { "no Environment tag".to_owned() } else { name };
                                view! { <span class=class>{format!("{name} {}", grouped(count))}</span> }
                            })
                            .collect_view()
                    }}
                </dd>
            </div>
            <div class="fact">
                <dt>"Nodes"</dt>
                <dd data-nodes="">
                    {move || {
                        targets
                            .with(|targets| {
                                let names: Vec<&str> = targets
                                    .nodes
                                    .iter()
                                    .take(NAMED)
                                    .map(|node| node.name.as_str())
                                    .collect();
                                let more = targets.count.saturating_sub(u64::try_from(names.len()).unwrap_or(0));
                                let more = if more > 0 { format!(", and {} more", grouped(more)) } else { String::new() };
                                format!("{}{more}", names.join(", "))
                            })
                    }}
                </dd>
            </div>
        </dl>
        <ul>
            {move || {
                let production = targets.with(|targets| targets.in_production);
                (production > 0)
                    .then(|| {
                        view! {
                            <li>
                                <strong>{plural(production, "node is", "nodes are")}</strong>
                                " in production."
                            </li>
                        }
                    })
            }}
            {move || {
                targets
                    .with(|targets| targets.count > MANY_NODES)
                    .then(|| view! { <li>{format!("More than {MANY_NODES} nodes are acted on.")}</li> })
            }}
            <li>"It starts at once. Cancelling later stops only nodes that are not done; nothing is undone."</li>
            {move || {
                let left_out = targets.with(|targets| targets.excluded_count);
                (left_out > 0).then(|| view! { <li>{format!("{} chosen but left out.", grouped(left_out))}</li> })
            }}
        </ul>
    }
}

/// The dialog. Its button sends the form, once the number of nodes was typed.
#[component]
pub(crate) fn ConfirmRun(
    targets: RwSignal<ResolvedTargets>,
    document: String,
    script: RwSignal<String>,
    /// What was typed; goes along with the form.
    typed: RwSignal<String>,
    pending: Signal<bool>,
    /// What the form's button says.
    #[prop(default = "Run")]
    verb: &'static str,
) -> impl IntoView {
    let count = Memo::new(move |_| targets.with(|targets| targets.count));
    let right = Memo::new(move |_| typed.with(|typed| read_count(typed)) == Ok(Some(count.get())));
    let go = move |event: leptos::ev::MouseEvent| {
        if right.get_untracked() && !pending.get_untracked() {
            close_dialog(CONFIRM_ID);
        } else {
            event.prevent_default();
        }
    };
    let title = document.clone();
    view! {
        <dialog id=CONFIRM_ID class="dialog" aria-labelledby="confirm-run-title">
            <h2 id="confirm-run-title">
                {move || format!("{verb} {title} on {}?", plural(count.get(), "node", "nodes"))}
            </h2>
            <Touched targets document script />
            <div class="field">
                <label for="confirm-count">{move || format!("Type {} to go on", count.get())}</label>
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
                    form=FORM_ID
                    class="btn danger"
                    aria-disabled=move || (!right.get()).then_some("true")
                    on:click=go
                >
                    {move || format!("{verb} on {}", plural(count.get(), "node", "nodes"))}
                </button>
            </div>
        </dialog>
    }
}

/// The same question as a part of the form.
#[component]
pub(crate) fn ConfirmStep(
    targets: RwSignal<ResolvedTargets>,
    document: String,
    script: RwSignal<String>,
    error: Signal<Option<AppError>>,
    /// The section's title.
    #[prop(default = "5. Confirm")]
    title: &'static str,
    /// What the form's button says.
    #[prop(default = "Run")]
    verb: &'static str,
) -> impl IntoView {
    let complaint = field_error(error, "confirmed_nodes");
    view! {
        <section class="card confirm-step" aria-labelledby="confirm-step-title" data-confirm-step="">
            <header>
                <h2 id="confirm-step-title">{title}</h2>
            </header>
            <div class="card-body">
                <Touched targets document script />
                <div class="field">
                    <label for=STEP_COUNT_ID>
                        {move || targets.with(|targets| format!("Type {} to confirm, then press {verb}", targets.count))}
                    </label>
                    // Empty each time: a number that does not hold any more is no answer.
                    <input
                        id=STEP_COUNT_ID
                        name="confirmed_nodes"
                        inputmode="numeric"
                        autocomplete="off"
                        autofocus=true
                        aria-describedby="confirm-nodes-error"
                    />
                    <div class="field-error" id="confirm-nodes-error">
                        {move || complaint.get()}
                    </div>
                </div>
            </div>
        </section>
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
        targets.in_production = 1;
        assert!(must_confirm(&targets));
        targets.in_production = 0;
        targets.count = 51;
        assert!(must_confirm(&targets));
    }

    #[test]
    fn a_number_is_read_as_people_type_it() {
        for (text, count) in [
            ("", None),
            ("  ", None),
            ("1,302", Some(1_302)),
            ("1 302 ", Some(1_302)),
        ] {
            assert_eq!(read_count(text), Ok(count), "{text:?}");
        }
        assert!(read_count("all").is_err() && read_count("-3").is_err());
    }

    #[test]
    fn a_script_is_shown_from_its_first_line_on() {
        assert_eq!(beginning("\r\n\r\na\r\nb"), ("a\nb".to_owned(), false));
        assert_eq!(beginning("1\n2\n3\n4\n5\n6"), ("1\n2\n3\n4\n5".to_owned(), true));
        assert_eq!(
            beginning("1\n2\n3\n4\n5\n\n"),
            ("1\n2\n3\n4\n5".to_owned(), false)
        );
    }
}
