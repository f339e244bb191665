//! Asking for a role for a time.

use super::ask_api::AskRole;
use crate::components::{FormError, PageHead, SelectField, SubmitButton, TextArea, TextField, Tone};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use crate::layout::Permitted;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::permission::Role;

/// The page.
#[component]
pub(crate) fn RolePage() -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/approvals" data-escape="">
                "Approvals"
            </a>
            " / Ask for a role"
        </nav>
        <PageHead title="Ask for a role" subtitle=|| "For a time, and on a part of the fleet. It ends by itself." />
        <Permitted action=Action::ApprovalsAsk what="ask for approval">
            <Form />
        </Permitted>
    }
}

#[component]
fn Form() -> impl IntoView {
    keep_fields::<AskRole>();
    let ask = ServerAction::<AskRole>::new();
    let error = action_error(ask);
    let roles = Role::ALL
        .into_iter()
        .map(|role| {
            let said = format!("{}: {}", role.as_str(), role.description());
            (role.as_str().to_owned(), said)
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="role-title">
            <header>
                <h2 id="role-title">"What you need"</h2>
            </header>
            <div class="card-body">
                <ActionForm action=ask attr:class="form">
                    <FormError error />
                    <SelectField name="role" label="Role" options=roles selected=Role::Operator.as_str() error=field_error(error, "role") />
                    <TextField
                        name="scope"
                        label="Where"
                        placeholder="Environment=Staging,Team=web"
                        hint="Tags that a node has to carry, all of them. * is everywhere."
                        required=true
                        error=field_error(error, "scope")
                    />
                    <TextField
                        name="minutes"
                        label="For how many minutes"
                        kind="number"
                        min="5"
                        max="10080"
                        value="60"
                        hint="From the approval on. 5 to 10,080 (a week)."
                        required=true
                        error=field_error(error, "minutes")
                    />
                    <TextArea
                        name="why"
                        label="Why"
                        rows=3
                        hint="Those who decide read it, and so does whoever looks back."
                        error=field_error(error, "reason")
                    />
                    <TextField
                        name="ticket"
                        label="Ticket"
                        hint="Where a policy wants one."
                        error=field_error(error, "ticket")
                    />
                    <TextField
                        name="not_before"
                        label="Not before (UTC, optional)"
                        kind="datetime-local"
                        error=field_error(error, "not_before")
                    />
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=ask.pending()>
                            "Ask for approval"
                        </SubmitButton>
                        <a class="btn quiet" href="/approvals">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
