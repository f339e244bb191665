//! Who is signed in, and what belongs to them: settings, colours, help, signing out.

use super::theme::{Theme, apply_theme};
use crate::components::dialog::open_dialog;
use crate::components::{Glyph, Icon};
use leptos::prelude::*;
use muster_domain::access::Profile;

/// Two letters for the round picture.
pub(crate) fn initials(name: &str) -> String {
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let letters: String = match words.as_slice() {
        [] => "?".into(),
        [one] => one.chars().take(2).collect(),
        [first, .., last] => first.chars().take(1).chain(last.chars().take(1)).collect(),
    };
    letters.to_uppercase()
}

fn roles(profile: &Profile) -> String {
    let mut roles: Vec<String> = profile
        .grants
        .iter()
        .map(|grant| {
            let word = grant.role.as_str();
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().chain(chars).collect())
                .unwrap_or_default()
        })
        .collect();
    roles.sort();
    roles.dedup();
    if roles.is_empty() {
        "No role yet".into()
    } else {
        roles.join(" · ")
    }
}

/// The menu at the foot of the rail.
#[component]
pub(super) fn AccountMenu(profile: Profile, id: &'static str) -> impl IntoView {
    let name = if profile.display_name.is_empty() {
        profile.name.clone()
    } else {
        profile.display_name.clone()
    };
    let shown = name.clone();
    view! {
        <details class="menu account" data-menu=id>
            <summary>
                <span class="avatar" aria-hidden="true">
                    {initials(&name)}
                </span>
                <span class="account-name">
                    <strong>{shown}</strong>
                    <small>{roles(&profile)}</small>
                </span>
                <Icon glyph=Glyph::Up />
            </summary>
            <div class="menu-body">
                <a href="/settings/profile">
                    <Icon glyph=Glyph::User />
                    "Profile and password"
                </a>
                <a href="/settings/sessions">
                    <Icon glyph=Glyph::Lock />
                    "Sessions"
                </a>
                <button type="button" class="needs-script" on:click=move |_| open_dialog("help")>
                    <Icon glyph=Glyph::Keyboard />
                    "Keyboard shortcuts"
                </button>
                <div class="menu-row needs-script" role="group" aria-label="Theme">
                    {Theme::ALL
                        .into_iter()
                        .map(|theme| {
                            view! {
                                <button type="button" class="btn quiet small" on:click=move |_| apply_theme(theme)>
                                    {if theme == Theme::System { "System" } else { theme.label() }}
                                </button>
                            }
                        })
                        .collect_view()}
                </div>
                <form method="post" action="/sign-out">
                    <button type="submit">
                        <Icon glyph=Glyph::SignOut />
                        "Sign out"
                    </button>
                </form>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_two_letters_at_most() {
        for (name, letters) in [
            ("operator", "OP"),
            ("op-web", "OW"),
            ("Ada B. Lovelace", "AL"),
            ("", "?"),
        ] {
            assert_eq!(initials(name), letters);
        }
    }
}
