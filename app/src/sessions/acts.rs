//! Ending a session and asking for more time, from wherever a session is shown.

use super::api::{EndSessionFn, MoreTime};
use crate::components::{
    ConfirmDialog, DialogCancel, FormError, Glyph, Icon, SubmitButton, TextField, Tone, close_dialogs,
    use_toaster,
};
use crate::error::{action_error, field_error};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::sessions::SessionSummary;

/// Says what became of ending sessions. Called once on a page, where `end` is made.
pub(super) fn announce_end(end: ServerAction<EndSessionFn>) {
    let toaster = use_toaster();
    Effect::new(move |_| {
        if let Some(Ok(())) = end.value().get() {
            close_dialogs();
            toaster.say("The session is being ended.");
        }
    });
}

/// The button and its question.
#[component]
pub(super) fn EndButton(
    session: SessionSummary,
    end: ServerAction<EndSessionFn>,
    /// What the button says.
    #[prop(default = "End")]
    trigger: &'static str,
    #[prop(optional)] small: bool,
    /// Tells two buttons for one session on one page apart.
    #[prop(default = "end")]
    prefix: &'static str,
) -> impl IntoView {
    let id = session.session_id.to_string();
    let dialog = format!("{prefix}-{id}");
    let own = session.is_own;
    let title = if own {
        format!("End your session on {}?", session.node_name)
    } else {
        format!("End the session of {} on {}?", session.owner, session.node_name)
    };
    let error = action_error(end);
    view! {
        <ConfirmDialog id=dialog.clone() trigger title tone=Tone::Danger small>
            <p>
                "The shell and everything that it still runs in the foreground are stopped. The recording stays."
            </p>
            <ActionForm action=end>
                <FormError error />
                <input type="hidden" name="session_id" value=id />
                <TextField
                    name="reason"
                    id=format!("{dialog}-reason")
                    label=if own { "Reason (optional)" } else { "Reason" }
                    hint=if own { "" } else { "Its owner and the audit log are told." }
                    required=!own
                    error=field_error(error, "reason")
                />
                <div class="dialog-actions">
                    <DialogCancel id=dialog.clone() />
                    <SubmitButton tone=Tone::Danger pending=end.pending()>
                        "End session"
                    </SubmitButton>
                </div>
            </ActionForm>
        </ConfirmDialog>
    }
}

/// Copies a link for somebody else, and says so.
#[component]
pub(super) fn ShareButton(
    #[prop(into)] link: Signal<String>,
    /// What the link leads to.
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let toaster = use_toaster();
    let said = format!("Copied: {what}.");
    let share = move |_| {
        let _ = window().navigator().clipboard().write_text(&link.get_untracked());
        toaster.say(said.clone());
    };
    view! {
        <button type="button" class="btn needs-script" title=format!("Copy {what}") on:click=share>
            <Icon glyph=Glyph::Share />
            "Share"
        </button>
    }
}

/// Asks for more time; tells what came of it.
#[component]
pub(super) fn MoreTimeButton(#[prop(into)] session: String) -> impl IntoView {
    let ask = ServerAction::<MoreTime>::new();
    let toaster = use_toaster();
    Effect::new(move |_| match ask.value().get() {
        Some(Ok(ends_at)) => toaster.say(format!("The session goes on until {}.", ends_at.readable())),
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    view! {
        <ActionForm action=ask>
            <input type="hidden" name="session_id" value=session />
            <SubmitButton pending=ask.pending()>"Ask for more time"</SubmitButton>
        </ActionForm>
    }
}
