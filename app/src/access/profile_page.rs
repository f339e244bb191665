//! One's own account: who one is, password, colours, shortcuts.

use super::api::ChangePassword;
use super::sign_in_page::PasswordField;
use crate::components::{ErrorNotice, Fact, FormError, PageHead, Skeleton, SubmitButton, Tone, use_toaster};
use crate::error::{action_error, field_error};
use crate::layout::theme::{Theme, apply_theme, current_theme};
use crate::layout::{SetTheme, set_shortcuts_on, shortcuts_on, use_frame};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::access::{GrantView, Profile};

/// Where a role holds, for people.
pub(super) fn place(scope: &str) -> String {
    if scope == "*" {
        "everywhere".into()
    } else {
        format!("on nodes with {}", scope.replace(',', " and "))
    }
}

/// The page.
#[component]
pub(crate) fn ProfilePage() -> impl IntoView {
    let frame = use_frame();
    view! {
        <PageHead title="Profile" subtitle=|| "Your account, and how the portal looks and behaves for you" />
        <div class="grid-2">
            <div class="stack">
                <section class="card">
                    <header>
                        <h2>"You"</h2>
                    </header>
                    <div class="card-body">
                        <Transition fallback=|| view! { <Skeleton /> }>
                            {move || Suspend::new(async move {
                                match frame.await {
                                    Ok(frame) => view! { <You profile=frame.profile /> }.into_any(),
                                    Err(error) => view! { <ErrorNotice error what="your profile" /> }.into_any(),
                                }
                            })}
                        </Transition>
                    </div>
                </section>
                <LookPanel />
            </div>
            <PasswordPanel />
        </div>
    }
}

#[component]
fn You(profile: Profile) -> impl IntoView {
    let shown = if profile.display_name.is_empty() {
        "–".into()
    } else {
        profile.display_name
    };
    view! {
        <dl class="facts">
            <Fact label="User name">{profile.name}</Fact>
            <Fact label="Shown as">{shown}</Fact>
            <Fact label="Roles">
                <Grants grants=profile.grants />
            </Fact>
        </dl>
    }
}

#[component]
fn Grants(grants: Vec<GrantView>) -> impl IntoView {
    let none = grants.is_empty();
    view! {
        {none.then_some("None yet: an administrator can give you one.")}
        <ul class="plain">
            {grants
                .into_iter()
                .map(|grant| view! { <li><strong>{grant.role.as_str()}</strong> " " {place(&grant.scope)}</li> })
                .collect_view()}
        </ul>
    }
}

#[component]
fn PasswordPanel() -> impl IntoView {
    let change = ServerAction::<ChangePassword>::new();
    let toaster = use_toaster();
    let form = NodeRef::<leptos::html::Form>::new();
    Effect::new(move |_| {
        if let Some(Ok(())) = change.value().get() {
            toaster.say("Password changed. Your other sessions have ended.");
            if let Some(form) = form.get_untracked() {
                form.reset();
            }
        }
    });
    let error = action_error(change);
    view! {
        <section class="card">
            <header>
                <h2>"Change password"</h2>
            </header>
            <div class="card-body">
                <ActionForm action=change node_ref=form attr:class="form">
                    <FormError error />
                    <PasswordField
                        name="current"
                        label="Current password"
                        autocomplete="current-password"
                        error=field_error(error, "current")
                    />
                    <PasswordField
                        name="new"
                        label="New password"
                        autocomplete="new-password"
                        hint="At least 12 characters; a few words in a row are good."
                        error=field_error(error, "new")
                    />
                    <PasswordField
                        name="repeat"
                        label="New password again"
                        autocomplete="new-password"
                        error=field_error(error, "repeat")
                    />
                    <p class="muted small-text">"Your other sessions end when the password changes."</p>
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=change.pending()>
                            "Change password"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

#[component]
fn LookPanel() -> impl IntoView {
    let set = ServerAction::<SetTheme>::new();
    // Known only in the browser; until then no choice is marked.
    let theme = RwSignal::new(None::<Theme>);
    let shortcuts = RwSignal::new(true);
    Effect::new(move |_| {
        theme.set(Some(current_theme()));
        shortcuts.set(shortcuts_on());
    });
    view! {
        <section class="card">
            <header>
                <h2>"Look and keys"</h2>
            </header>
            <div class="card-body">
                <ActionForm action=set>
                    <fieldset>
                        <legend>"Theme"</legend>
                        <div class="row">
                            {Theme::ALL
                                .into_iter()
                                .map(|one| {
                                    view! {
                                        <label class="row">
                                            <input
                                                type="radio"
                                                name="theme"
                                                value=one.as_str()
                                                prop:checked=move || theme.get() == Some(one)
                                                on:change=move |_| {
                                                    theme.set(Some(one));
                                                    apply_theme(one);
                                                }
                                            />
                                            {one.label()}
                                        </label>
                                    }
                                })
                                .collect_view()}
                        </div>
                    </fieldset>
                    <button type="submit" class="btn without-script">
                        "Save"
                    </button>
                </ActionForm>
                <div class="field check needs-script">
                    <label>
                        <input
                            type="checkbox"
                            prop:checked=move || shortcuts.get()
                            on:change=move |event| {
                                let on = event_target_checked(&event);
                                shortcuts.set(on);
                                set_shortcuts_on(on);
                            }
                        />
                        <span>"Single-key shortcuts"</span>
                    </label>
                    <div class="hint">
                        "Press ? for the list. Off helps with speech input; Ctrl K always works. Kept in this browser."
                    </div>
                </div>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn scopes_read_as_a_place() {
        assert_eq!(place("*"), "everywhere");
        assert_eq!(place("Env=Prod,Team=web"), "on nodes with Env=Prod and Team=web");
    }
}
