//! The first start: makes the first administrator, by the one-time link that the server printed.

use super::sign_in_page::{Gate, PasswordField};
use crate::components::{Glyph, Icon, TextField};
use crate::url::use_query;
use leptos::prelude::*;

/// The page.
#[component]
pub(crate) fn SetupPage() -> impl IntoView {
    let query = use_query();
    let token = query.with_untracked(|query| query.text("token"));
    let link = query.with_untracked(|query| query.text("link"));
    let name = query
        .with_untracked(|query| query.text("name"))
        .unwrap_or_default();
    let known = !name.is_empty();
    let error = query.with_untracked(|query| query.text("error"));
    view! {
        <Gate title="Set up Muster">
            {error
                .map(|text| {
                    view! {
                        <div class="notice bad" role="alert">
                            <Icon glyph=Glyph::Warning />
                            <div>{text}</div>
                        </div>
                    }
                })}
            {match (token, link.as_deref()) {
                (None, Some("used")) => {
                    view! {
                        <p>
                            "This link has done its work: there is an administrator, and the link opens nothing any more."
                        </p>
                        <p>
                            <a class="btn primary" href="/sign-in" rel="external">
                                "Sign in"
                            </a>
                        </p>
                        <p class="muted">
                            "Locked out? Whoever may sign in to the server's machine gives a new password with "
                            <code>"muster user reset-password NAME"</code> "."
                        </p>
                    }
                        .into_any()
                }
                (Some(token), _) => {
                    view! {
                        <p class="muted">
                            "You make the first administrator. The link that brought you here works once."
                        </p>
                        <form method="post" action="/setup" class="form">
                            <input type="hidden" name="token" value=token />
                            <TextField
                                name="name"
                                label="User name"
                                autocomplete="username"
                                value=name
                                autofocus=!known
                                required=true
                                hint="2 to 64 letters, digits or . _ - @"
                            />
                            <PasswordField
                                name="password"
                                label="Password"
                                autocomplete="new-password"
                                autofocus=known
                                hint="At least 12 characters; a few words in a row are good."
                            />
                            <PasswordField name="repeat" label="Password again" autocomplete="new-password" />
                            <button type="submit" class="btn primary">
                                "Create administrator"
                            </button>
                        </form>
                    }
                        .into_any()
                }
                (None, link) => {
                    let expired = link.is_some();
                    view! {
                        {expired
                            .then(|| {
                                view! {
                                    <div class="notice bad" role="alert">
                                        <Icon glyph=Glyph::Warning />
                                        <div>
                                            "This link is not valid any more: it is older than 24 hours, or a newer one was printed since."
                                        </div>
                                    </div>
                                }
                            })}
                        <p>
                            "Nobody can sign in yet. "
                            {if expired {
                                "A new link makes the first administrator."
                            } else {
                                "When the server started it printed a one-time link to this page: open that link to make the first administrator."
                            }}
                        </p>
                        <p>
                            {if expired { "This prints it" } else { "Is it lost? This prints a new one" }}
                            ", on the server's machine:"
                        </p>
                        <pre class="code">"muster user setup-link --data-dir DIRECTORY"</pre>
                        <p class="muted">
                            "DIRECTORY is the server's data directory. As long as there is no user, each start of the server prints a link, too."
                        </p>
                    }
                        .into_any()
                }
            }}
        </Gate>
    }
}
