//! What can be done with a command: run it again, on all nodes or on those that failed, or stop it.

use super::api::CancelCommand;
use super::detail_page::Live;
use crate::components::{
    ConfirmDialog, DialogCancel, FormError, Glyph, Icon, SubmitButton, Tone, close_dialogs,
};
use crate::error::action_error;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::commands::CommandStatus;

/// The buttons in the page's head.
#[component]
pub(super) fn Acts(page: Live) -> impl IntoView {
    let action = ServerAction::<CancelCommand>::new();
    let error = action_error(action);
    let pending: Signal<bool> = action.pending().into();
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(())))) {
            close_dialogs();
            page.renew();
        }
    });
    let may_cancel = Memo::new(move |_| {
        page.detail.with(|detail| detail.may_cancel) && page.live.with(|live| !live.summary.status.is_final())
    });
    let may_run = Memo::new(move |_| page.detail.with(|detail| detail.may_run));
    let failed = Memo::new(move |_| {
        page.live.with(|live| {
            live.summary.errors > 0
                || live.by_status.iter().any(|(status, count)| {
                    matches!(status, CommandStatus::Failed | CommandStatus::TimedOut) && *count > 0
                })
        })
    });
    let id = StoredValue::new(
        page.detail
            .with_untracked(|detail| detail.summary.command_id.to_string()),
    );
    let name = StoredValue::new(
        page.detail
            .with_untracked(|detail| detail.summary.document.clone()),
    );
    view! {
        {move || {
            (may_run.get() && failed.get())
                .then(|| {
                    view! {
                        <a class="btn" href=format!("/commands/new?from={}&failed=1", id.get_value())>
                            "Run again on failed"
                        </a>
                    }
                })
        }}
        {move || {
            may_run
                .get()
                .then(|| {
                    view! {
                        <a class="btn" href=format!("/commands/new?from={}", id.get_value())>
                            <Icon glyph=Glyph::Refresh />
                            "Run again"
                        </a>
                    }
                })
        }}
        {move || {
            may_cancel
                .get()
                .then(|| {
                    view! {
                        <ConfirmDialog
                            id="cancel-command"
                            trigger="Cancel"
                            title=format!("Cancel {}?", name.get_value())
                            tone=Tone::Danger
                        >
                            <p>
                                "Nodes that are waiting or running are told to stop. Nodes that are done stay as they are; nothing is undone."
                            </p>
                            <ActionForm action>
                                <input type="hidden" name="command_id" value=id.get_value() />
                                <FormError error />
                                <div class="dialog-actions">
                                    <DialogCancel id="cancel-command" label="Let it run" />
                                    <SubmitButton tone=Tone::Danger pending>
                                        "Cancel command"
                                    </SubmitButton>
                                </div>
                            </ActionForm>
                        </ConfirmDialog>
                    }
                })
        }}
    }
}
