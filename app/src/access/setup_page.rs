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
            {match token {
                Some(token) => {
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
                                required=true
                                hint="2 to 64 letters, digits or . _ - @"
                            />
                            <PasswordField
                                name="password"
                                label="Password"
                                autocomplete="new-password"
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
                None => {
                    view! {
                        <p>
                            "Nobody can sign in yet. When the server started it printed a one-time link to this page: open that link to make the first administrator."
                        </p>
                        <p class="muted">
                            "The link is in the server's output. Start the server anew to get a fresh one."
                        </p>
                    }
                        .into_any()
                }
            }}
        </Gate>
    }
}
