//! Keeping the form that starts a runbook as a template. Part of that form, so that all of what was typed goes along: without
//! script by the address of the button, with script by the action.

use super::template_api::SaveTemplateFn;
use crate::approvals::fields_now;
use crate::commands::FORM_ID;
use crate::components::{CheckField, FormError, Glyph, Icon, TextField, use_toaster};
use crate::error::{AppError, field_error};
use leptos::attr::custom::custom_attribute;
use leptos::ev::MouseEvent;
use leptos::form::FromFormData;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use muster_domain::runbooks::TemplateRow;

/// The panel; closed until somebody wants it.
#[component]
pub(super) fn TemplatePanel(
    action: ServerAction<SaveTemplateFn>,
    /// What was wrong with keeping it.
    error: Signal<Option<AppError>>,
    /// The template that has filled the form.
    row: Option<TemplateRow>,
    /// Whether it is to be kept.
    open: bool,
) -> impl IntoView {
    let toaster = use_toaster();
    let pending: Signal<bool> = action.pending().into();
    let send = move |event: MouseEvent| {
        event.prevent_default();
        if pending.get_untracked() {
            return;
        }
        let Some(fields) = fields_now(FORM_ID) else { return };
        match SaveTemplateFn::from_form_data(&fields) {
            Ok(input) => {
                action.dispatch(input);
            }
            Err(error) => toaster.complain(format!("The form could not be read: {error}")),
        }
    };
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(_)))) {
            toaster.say("Template saved.");
        }
    });
    // One's own is usually saved again under its name.
    let own = row.filter(|row| row.mine);
    let (name, shared) = own
        .as_ref()
        .map_or_else(|| (String::new(), false), |row| (row.name.clone(), row.shared));
    let any_version = own.as_ref().is_none_or(|row| row.version.is_empty());
    let opens = open || error.with_untracked(Option::is_some);
    view! {
        <details class="card template-panel" id="save-template" open=opens>
            <summary>
                <Icon glyph=Glyph::Bookmark />
                "Save as template"
            </summary>
            <div class="card-body">
                <p class="muted small-text">
                    "Keeps this form as it is filled in now, and starts nothing. Parameters that look like secrets are kept only where they name a stored parameter, as in {{ssm-secure:/app/key}}."
                </p>
                <div class="form-row">
                    <TextField
                        name="template_name"
                        label="Name of the template"
                        hint="1 to 80 characters."
                        value=name
                        error=field_error(error, "template_name")
                    />
                    <div>
                        <CheckField
                            name="template_default_version"
                            label="Always start the default version"
                            checked=any_version
                            hint="Otherwise the version chosen above."
                        />
                        <CheckField
                            name="template_shared"
                            label="Share with everybody who may start runbooks"
                            checked=shared
                        />
                        <CheckField
                            name="template_replace"
                            label="Replace the one of that name"
                            checked=own.is_some()
                        />
                    </div>
                </div>
                <FormError error />
                <div class="row">
                    <button
                        type="submit"
                        class="btn"
                        {..custom_attribute("formaction", SaveTemplateFn::PATH)}
                        aria-busy=move || pending.get().then_some("true")
                        on:click=send
                    >
                        "Save template"
                    </button>
                </div>
            </div>
        </details>
    }
}
