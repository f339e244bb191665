//! Asking for approval, where a form was refused because policies are about its act: which policies, whom they ask, and
//! the fields that they want. Part of that form, so that all of what was typed goes along: without script by the address
//! of the button, with script by the action.

use crate::components::{CheckField, Glyph, Icon, TextArea, TextField, use_toaster};
use crate::error::{AppError, field_error};
use crate::forms::typed;
use leptos::attr::custom::custom_attribute;
use leptos::ev::MouseEvent;
use leptos::form::FromFormData;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::wasm_bindgen::JsCast;
use muster_domain::PortalError;
use muster_domain::error::ApprovalNeeds;
use serde::{Deserialize, Serialize};

/// The id of the field that is filled in first.
pub(crate) const WHY_ID: &str = "ask-why";

/// What a form that can ask shares with its panel.
pub(crate) struct Asking<S: ServerFn>
where
    S: Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
    /// Asks.
    pub(crate) action: ServerAction<S>,
    /// The id of the form.
    pub(crate) form: &'static str,
    /// What the button says that does not wait, as in "Run it now, unapproved".
    pub(crate) now: &'static str,
}

impl<S> Clone for Asking<S>
where
    S: ServerFn + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Asking<S>
where
    S: ServerFn + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
}

/// Why an act was refused, and what is asked for before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    message: String,
    needs: ApprovalNeeds,
}

/// What policies ask for, when that is what an error says.
pub(crate) fn asked_for(error: &AppError) -> Option<Refusal> {
    match error {
        AppError::Portal(PortalError::ApprovalNeeded { message, needs }) => Some(Refusal {
            message: message.clone(),
            needs: needs.clone(),
        }),
        _ => None,
    }
}

/// What policies ask for: as the act's refusal says, or, when asking itself was refused without script, as the form
/// carried along. Called where the form is made, after `keep_fields` of both.
pub(crate) fn needs_of(
    refused: Signal<Option<AppError>>,
    asking: Signal<Option<AppError>>,
) -> Memo<Option<Refusal>> {
    let kept = typed("needs").and_then(|text| serde_json::from_str::<Refusal>(&text).ok());
    Memo::new(move |_| {
        refused
            .with(|error| error.as_ref().and_then(asked_for))
            .or_else(|| asking.with(|error| error.as_ref().and(kept.clone())))
    })
}

/// The field that a complaint of asking is about: its id and what people call it.
pub(crate) fn field_of(field: &str) -> Option<(&'static str, &'static str)> {
    Some(match field {
        "reason" => (WHY_ID, "Why"),
        "ticket" => ("ask-ticket", "Ticket"),
        "not_before" => ("ask-not-before", "Not before"),
        "minutes" => ("minutes", "Minutes"),
        "understood" => ("ask-glass", "This cannot wait"),
        _ => return None,
    })
}

/// The form's fields as they are now. Browser only.
pub(crate) fn fields_now(form: &str) -> Option<web_sys::FormData> {
    let form = document().get_element_by_id(form)?;
    let form = form.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    web_sys::FormData::new_with_form(&form).ok()
}

/// What the ticket has to look like, in words.
fn ticket_hint(patterns: &[String]) -> String {
    match patterns {
        [] => "The ticket that it belongs to, if there is one.".into(),
        [one] => format!("A policy wants one that looks like {one}"),
        several => format!("Policies want one that looks like {}", several.join(" and like ")),
    }
}

/// Whom the policies ask, in words.
fn whom(asked: &[String]) -> String {
    let said = asked
        .iter()
        .map(|text| match text.split_once(" of ") {
            Some((count, name)) => {
                let names: Vec<String> = name.split(", ").map(super::words::who).collect();
                format!("{count} of {}", names.join(", "))
            }
            None => text.clone(),
        })
        .collect();
    super::words::joined(said, "and")
}

/// What the panel begins with: its title, and a sentence. A freeze stops also what no policy asks about.
fn heading(refusal: &Refusal) -> (&'static str, String) {
    let names: Vec<String> = refusal
        .needs
        .policies
        .iter()
        .map(|name| format!("“{name}”"))
        .collect();
    let (noun, verb) = match names.len() {
        0 => return ("It is stopped now", refusal.message.clone()),
        1 => ("The policy", "asks"),
        _ => ("The policies", "ask"),
    };
    let names = super::words::joined(names, "and");
    let whom = whom(&refusal.needs.asked);
    (
        "Approval is needed",
        format!("{noun} {names} {verb} for approval by {whom}."),
    )
}

/// The panel.
#[component]
pub(crate) fn AskPanel<S>(
    refusal: Refusal,
    asking: Asking<S>,
    /// What was wrong with asking.
    error: Signal<Option<AppError>>,
    /// Whether who asked does it, once it is approved: then it has no time of its own.
    #[prop(optional)]
    by_hand: bool,
    /// More fields.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView
where
    S: ServerFn<Error = AppError> + FromFormData + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let Asking { action, form, now } = asking;
    let toaster = use_toaster();
    let pending: Signal<bool> = action.pending().into();
    let send = move |event: MouseEvent, breaks_glass: bool| {
        event.prevent_default();
        if pending.get_untracked() {
            return;
        }
        let Some(fields) = fields_now(form) else { return };
        if breaks_glass {
            let _ = fields.append_with_str("glass", "true");
        }
        match S::from_form_data(&fields) {
            Ok(input) => {
                action.dispatch(input);
            }
            Err(error) => toaster.complain(format!("The form could not be read: {error}")),
        }
    };
    let carried = serde_json::to_string(&refusal).unwrap_or_default();
    let (title, asks) = heading(&refusal);
    let needs = refusal.needs;
    let told = if needs.asked.is_empty() {
        String::new()
    } else {
        format!(" ({})", whom(&needs.asked))
    };
    let understood = field_error(error, "understood");
    let begins_open = understood.get_untracked().is_some() || typed("glass").is_some();
    view! {
        <section class="card ask-panel" aria-labelledby="ask-title" data-ask="">
            <header>
                <Icon glyph=Glyph::Shield />
                <h2 id="ask-title">{title}</h2>
            </header>
            <div class="card-body">
                <p data-asks="">{asks}</p>
                {(needs.may_ask || needs.may_break_glass).then(|| {
                    view! {
                        <TextArea
                            name="why"
                            id=WHY_ID
                            label=if needs.reason { "Why" } else { "Why (optional)" }
                            rows=3
                            hint="Those who decide read it, and so does whoever looks back."
                            error=field_error(error, "reason")
                        />
                        <div class="form-row">
                            <TextField
                                name="ticket"
                                id="ask-ticket"
                                label=if needs.tickets.is_empty() { "Ticket (optional)" } else { "Ticket" }
                                hint=ticket_hint(&needs.tickets)
                                error=field_error(error, "ticket")
                            />
                            {(!by_hand)
                                .then(|| {
                                    view! {
                                        <TextField
                                            name="not_before"
                                            id="ask-not-before"
                                            label="Not before (UTC, optional)"
                                            kind="datetime-local"
                                            hint="Approved today, done later."
                                            error=field_error(error, "not_before")
                                        />
                                    }
                                })}
                            {children.map(|children| children())}
                        </div>
                    }
                })}
                {if needs.may_ask {
                    view! {
                        <div class="row">
                            <button
                                type="submit"
                                class="btn primary"
                                {..custom_attribute("formaction", S::PATH)}
                                aria-busy=move || pending.get().then_some("true")
                                on:click=move |event| send(event, false)
                            >
                                "Ask for approval"
                            </button>
                        </div>
                    }
                        .into_any()
                } else {
                    view! { <p class="muted">"It cannot be asked for now."</p> }.into_any()
                }}
                {needs
                    .may_break_glass
                    .then(|| {
                        view! {
                            <details class="glass" id="ask-glass" open=begins_open>
                                <summary>"This cannot wait"</summary>
                                <div class="notice bad">
                                    <Icon glyph=Glyph::Warning />
                                    <div class="stack">
                                        <p>
                                            <strong>"Break the glass: it is done at once, without approval. "</strong>
                                            "Those who would have been asked are told at once" {told}
                                            ", everybody sees that the glass was broken, and it has to be reviewed. Say above why it cannot wait, in at least ten characters."
                                        </p>
                                        <CheckField name="understood" label="I know this, and it cannot wait." />
                                        <div class="field"><div class="field-error">{move || understood.get()}</div></div>
                                        <div class="row">
                                            <button
                                                type="submit"
                                                name="glass"
                                                value="true"
                                                class="btn glass-button"
                                                {..custom_attribute("formaction", S::PATH)}
                                                aria-busy=move || pending.get().then_some("true")
                                                on:click=move |event| send(event, true)
                                            >
                                                {now}
                                            </button>
                                        </div>
                                    </div>
                                </div>
                            </details>
                        }
                    })}
                <input type="hidden" name="needs" value=carried />
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_policies_ask_is_said_as_people_say_it() {
        let asked = ["2 of group:sre", "1 of role:approver, user:alice"].map(String::from);
        assert_eq!(whom(&asked), "2 of group sre and 1 of role approver, alice");
        assert!(ticket_hint(&["OPS-\\d+".into()]).contains("OPS-\\d+"));
    }

    #[test]
    fn only_a_refusal_by_policies_opens_the_panel() {
        let needs = ApprovalNeeds {
            policies: vec!["Production".into()],
            ..ApprovalNeeds::default()
        };
        let error = AppError::Portal(PortalError::ApprovalNeeded {
            message: "Ask.".into(),
            needs: needs.clone(),
        });
        let refusal = asked_for(&error).unwrap();
        assert_eq!(refusal.needs, needs);
        assert!(heading(&refusal).1.starts_with("The policy “Production” asks"));
        assert_eq!(asked_for(&AppError::Transport("cut".into())), None);
    }
}
