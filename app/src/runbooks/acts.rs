//! What can be done with an execution as a whole: start it again, or stop it.

use super::api::StopExecutionFn;
use super::catalogue_url::runbook_path;
use super::execution_page::Live;
use crate::components::{ConfirmDialog, DialogCancel, FormError, Glyph, Icon, Tone, close_dialogs};
use crate::error::action_error;
use leptos::form::ActionForm;
use leptos::prelude::*;

/// The buttons in the page's head.
#[component]
pub(super) fn Acts(page: Live) -> impl IntoView {
    let action = ServerAction::<StopExecutionFn>::new();
    let error = action_error(action);
    let pending: Signal<bool> = action.pending().into();
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(())))) {
            close_dialogs();
            page.renew();
        }
    });
    let may_stop = Memo::new(move |_| {
        page.detail.with(|detail| detail.may_stop) && page.live.with(|live| !live.summary.status.is_final())
    });
    let may_start = Memo::new(move |_| page.detail.with(|detail| detail.may_start));
    let (id, name) = page.detail.with_untracked(|detail| {
        (
            detail.summary.execution_id.to_string(),
            detail.summary.document.clone(),
        )
    });
    let again = StoredValue::new(format!("{}/start?from={id}", runbook_path(&name)));
    let id = StoredValue::new(id);
    let name = StoredValue::new(name);
    view! {
        {move || {
            may_start
                .get()
                .then(|| {
                    view! {
                        <a class="btn" href=again.get_value()>
                            <Icon glyph=Glyph::Refresh />
                            "Start again"
                        </a>
                        <a class="btn" href=format!("{}&save=template#save-template", again.get_value())>
                            <Icon glyph=Glyph::Bookmark />
                            "Save as template"
                        </a>
                    }
                })
        }}
        {move || {
            may_stop
                .get()
                .then(|| {
                    view! {
                        <ConfirmDialog id="stop-execution" trigger="Stop" title=format!("Stop {}?", name.get_value()) tone=Tone::Danger>
                            <p>
                                "At once: the step that runs is cancelled, with the command or the execution that it has started. After this step: the step that runs comes to its end, and no other begins. Nothing that was done is undone."
                            </p>
                            <ActionForm action>
                                <input type="hidden" name="execution_id" value=id.get_value() />
                                <FormError error />
                                <div class="dialog-actions">
                                    <DialogCancel id="stop-execution" label="Let it run" />
                                    <button
                                        type="submit"
                                        class="btn danger"
                                        name="kind"
                                        value="complete"
                                        aria-disabled=move || pending.get().then_some("true")
                                    >
                                        "Stop after this step"
                                    </button>
                                    <button
                                        type="submit"
                                        class="btn danger"
                                        name="kind"
                                        value="cancel"
                                        aria-disabled=move || pending.get().then_some("true")
                                    >
                                        "Stop at once"
                                    </button>
                                </div>
                            </ActionForm>
                        </ConfirmDialog>
                    }
                })
        }}
    }
}
