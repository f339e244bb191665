//! One account beside the list: roles, password, disabling; and the form for a new one.

use super::profile_page::place;
use super::sign_in_page::PasswordField;
use super::users_api::{CreateUser, GrantRole};
use super::users_page::UserActions;
use crate::components::{
    ConfirmDialog, DialogCancel, Fact, FormError, Glyph, Icon, SelectField, SubmitButton, TextField, TimeAgo,
    Tone,
};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::access::{GrantView, UserView};
use muster_domain::permission::Role;

const SCOPE_HINT: &str = "* for everywhere, or tags that a node must carry: Environment=Staging,Team=web; muster:connection=NAME for one connection";

fn role_options() -> Vec<(String, String)> {
    Role::ALL
        .into_iter()
        .map(|role| (role.as_str().to_owned(), role.as_str().to_owned()))
        .collect()
}

#[component]
fn PanelHead(#[prop(into)] title: String) -> impl IntoView {
    view! {
        <header>
            <h2>{title}</h2>
            <a
                class="btn quiet small aside"
                href="/settings/users"
                aria-label="Close"
                data-escape=""
                data-noscroll=""
            >
                <Icon glyph=Glyph::Cross />
            </a>
        </header>
    }
}

/// One account.
#[component]
pub(super) fn UserPanel(user: UserView, actions: UserActions) -> impl IntoView {
    let id = user.id.to_string();
    keep_fields::<GrantRole>();
    let grant_error = action_error(actions.grant);
    let reset_error = action_error(actions.reset);
    let name = user.name.clone();
    let (grant_id, reset_id) = (id.clone(), id.clone());
    view! {
        <aside class="card preview" aria-label=format!("User {}", user.name)>
            <PanelHead title=user.name.clone() />
            <div class="card-body stack">
                <dl class="facts">
                    <Fact label="Shown as">{if user.display_name.is_empty() { "–".to_owned() } else { user.display_name.clone() }}</Fact>
                    <Fact label="Created">
                        <TimeAgo at=user.created_at />
                    </Fact>
                </dl>
                <section class="stack">
                    <h3>"Roles"</h3>
                    <GrantList grants=user.grants.clone() name=name.clone() actions />
                    <ActionForm action=actions.grant attr:class="stack">
                        <FormError error=grant_error />
                        <input type="hidden" name="user_id" value=grant_id />
                        <SelectField name="role" label="Give role" options=role_options() error=field_error(grant_error, "role") />
                        <TextField
                            name="scope"
                            label="Where"
                            value="*"
                            hint=SCOPE_HINT
                            error=field_error(grant_error, "scope")
                        />
                        <div class="row">
                            <SubmitButton pending=actions.grant.pending()>"Give role"</SubmitButton>
                        </div>
                    </ActionForm>
                </section>
                <hr />
                <section class="stack">
                    <h3>"New password"</h3>
                    <ActionForm action=actions.reset attr:class="stack">
                        <FormError error=reset_error />
                        <input type="hidden" name="user_id" value=reset_id />
                        <PasswordField
                            name="password"
                            label="Password"
                            autocomplete="new-password"
                            hint="Their sessions end. Tell them in a safe way, and to change it."
                            error=field_error(reset_error, "password")
                        />
                        <div class="row">
                            <SubmitButton pending=actions.reset.pending()>"Set password"</SubmitButton>
                        </div>
                    </ActionForm>
                </section>
                <hr />
                {if user.disabled {
                    view! { <EnableForm id actions /> }.into_any()
                } else {
                    view! { <DisableForm id name actions /> }.into_any()
                }}
            </div>
        </aside>
    }
}

#[component]
fn EnableForm(id: String, actions: UserActions) -> impl IntoView {
    view! {
        <ActionForm action=actions.enable>
            <input type="hidden" name="user_id" value=id />
            <SubmitButton pending=actions.enable.pending()>"Enable user"</SubmitButton>
        </ActionForm>
    }
}

#[component]
fn DisableForm(id: String, name: String, actions: UserActions) -> impl IntoView {
    view! {
        <div>
            <ConfirmDialog
                id="disable-user"
                trigger="Disable user"
                title=format!("Disable {name}?")
                tone=Tone::Danger
            >
                <p>"They cannot sign in and their sessions end at once. Commands they started go on. You can enable them again."</p>
                <ActionForm action=actions.disable>
                    <input type="hidden" name="user_id" value=id />
                    <div class="dialog-actions">
                        <DialogCancel id="disable-user" />
                        <SubmitButton tone=Tone::Danger pending=actions.disable.pending()>
                            {format!("Disable {name}")}
                        </SubmitButton>
                    </div>
                </ActionForm>
            </ConfirmDialog>
        </div>
    }
}

#[component]
fn GrantList(grants: Vec<GrantView>, name: String, actions: UserActions) -> impl IntoView {
    let none = grants.is_empty();
    view! {
        {none.then(|| view! { <p class="muted small-text">"None: this user can sign in and see nothing."</p> })}
        <ul class="tag-rows">
            {grants
                .into_iter()
                .map(|grant| {
                    let dialog = format!("revoke-{}", grant.id);
                    let role = grant.role.as_str();
                    let place = place(&grant.scope);
                    let title = format!("Take the role {role} from {name}?");
                    view! {
                        <li>
                            <span class="two-lines">
                                <span>
                                    <strong>{role}</strong>
                                    " "
                                    {place.clone()}
                                </span>
                                <small>{format!("by {} ", grant.granted_by)}<TimeAgo at=grant.granted_at /></small>
                            </span>
                            <ConfirmDialog
                                id=dialog.clone()
                                trigger="Take"
                                title
                                tone=Tone::Quiet
                                small=true
                            >
                                <p>{format!("It holds {place}. It stops at once.")}</p>
                                <ActionForm action=actions.revoke>
                                    <input type="hidden" name="grant_id" value=grant.id.to_string() />
                                    <div class="dialog-actions">
                                        <DialogCancel id=dialog.clone() />
                                        <SubmitButton tone=Tone::Danger pending=actions.revoke.pending()>
                                            "Take role"
                                        </SubmitButton>
                                    </div>
                                </ActionForm>
                            </ConfirmDialog>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
}

/// The form for a new account.
#[component]
pub(super) fn NewUserPanel(actions: UserActions) -> impl IntoView {
    keep_fields::<CreateUser>();
    let error = action_error(actions.create);
    view! {
        <aside class="card preview" aria-label="New user">
            <PanelHead title="New user" />
            <div class="card-body">
                <ActionForm action=actions.create attr:class="form">
                    <FormError error />
                    <TextField
                        name="name"
                        label="User name"
                        required=true
                        hint="2 to 64 letters, digits or . _ - @"
                        error=field_error(error, "name")
                    />
                    <TextField
                        name="display_name"
                        label="Shown as"
                        hint="May stay empty."
                        error=field_error(error, "display_name")
                    />
                    <PasswordField
                        name="password"
                        label="First password"
                        autocomplete="new-password"
                        hint="At least 12 characters; a few words in a row are good."
                        error=field_error(error, "password")
                    />
                    <SelectField name="role" label="Role" options=role_options() error=field_error(error, "role") />
                    <TextField
                        name="scope"
                        label="Where"
                        value="*"
                        hint=SCOPE_HINT
                        error=field_error(error, "scope")
                    />
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=actions.create.pending()>
                            "Create user"
                        </SubmitButton>
                        <a class="btn" href="/settings/users" data-noscroll="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </aside>
    }
}
