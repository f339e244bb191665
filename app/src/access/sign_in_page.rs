//! Signing in: a plain form that the edge takes. The reason for a failure comes as a code in
//! the address; it never says whether the name or the password was wrong.

use crate::components::{Glyph, Icon, TextField};
use crate::url::{Query, use_query};
use leptos::prelude::*;
use leptos_meta::Title;
#[cfg(any(feature = "ssr", test))]
use muster_domain::access::TRIED_NAME_COOKIE;

/// The sentence for an error code.
fn explain(query: &Query) -> Option<String> {
    Some(match query.get("error")? {
        "wrong" => "The name or the password is wrong.".into(),
        "wait" => match query.get("seconds").and_then(|text| text.parse::<u32>().ok()) {
            Some(seconds) => format!("Too many tries. Wait {seconds} s and try again."),
            None => "Too many tries. Wait a minute and try again.".into(),
        },
        "expired" => "Your session has ended. Sign in to go on where you were.".into(),
        _ => "Signing in did not work. Try again.".into(),
    })
}

/// Where to go afterwards: only a path of this portal.
fn local_path(next: Option<&str>) -> String {
    next.filter(|path| path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r']))
        .unwrap_or("/")
        .to_owned()
}

/// The frame of pages without a session.
#[component]
pub(super) fn Gate(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <Title text=title.clone() />
        <main class="gate">
            <div class="gate-brand">
                <svg class="brand-mark" viewBox="0 0 22 22" aria-hidden="true">
                    <rect width="22" height="22" rx="6"></rect>
                    <path d="M5.5 8h11M5.5 14h11"></path>
                </svg>
                "Muster"
            </div>
            <section class="card gate-card">
                <h1>{title}</h1>
                {children()}
            </section>
        </main>
    }
}

/// A password, with a way to see it where script runs.
#[component]
pub(crate) fn PasswordField(
    name: &'static str,
    #[prop(into)] label: String,
    autocomplete: &'static str,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    let id = id.unwrap_or_else(|| name.to_owned());
    view! {
        <crate::components::FormField id=id.clone() label hint error>
            <div class="password">
                <input
                    id=id.clone()
                    name=name
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete=autocomplete
                    required=true
                    autofocus=autofocus
                    maxlength="256"
                    spellcheck="false"
                    autocapitalize="none"
                    aria-describedby=format!("{id}-hint {id}-error")
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                />
                <button
                    type="button"
                    class="btn quiet small needs-script"
                    aria-pressed=move || shown.get().to_string()
                    aria-label=format!("Show what is typed")
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    {move || if shown.get() { "Hide" } else { "Show" }}
                </button>
            </div>
        </crate::components::FormField>
    }
}

/// The name of the last try that failed. It comes in a cookie for a minute and not in the address: people type their
/// password there by mistake, and addresses are kept in many places.
fn tried_name() -> String {
    #[cfg(feature = "ssr")]
    let name = SharedValue::new(|| {
        let parts = use_context::<http::request::Parts>();
        let cookies = parts
            .as_ref()
            .and_then(|parts| parts.headers.get(http::header::COOKIE)?.to_str().ok())
            .unwrap_or_default();
        name_in(cookies)
    });
    #[cfg(not(feature = "ssr"))]
    let name = SharedValue::new(String::new);
    name.into_inner()
}

/// The name in a header of cookies; empty when there is none.
#[cfg(any(feature = "ssr", test))]
fn name_in(cookies: &str) -> String {
    cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == TRIED_NAME_COOKIE)
        .and_then(|(_, value)| Query::parse(&format!("name={value}")).text("name"))
        .unwrap_or_default()
}

/// The page.
#[component]
pub(crate) fn SignInPage() -> impl IntoView {
    let query = use_query();
    let explanation = query.with_untracked(explain);
    let next = query.with_untracked(|query| local_path(query.get("next")));
    let name = tried_name();
    let known = !name.is_empty();
    view! {
        <Gate title="Sign in">
            {explanation
                .map(|text| {
                    view! {
                        <div class="notice bad" role="alert">
                            <Icon glyph=Glyph::Warning />
                            <div>{text}</div>
                        </div>
                    }
                })}
            <form method="post" action="/sign-in" class="form">
                <input type="hidden" name="next" value=next />
                <TextField
                    name="name"
                    label="User name"
                    autocomplete="username"
                    value=name
                    autofocus=!known
                    required=true
                />
                <PasswordField
                    name="password"
                    label="Password"
                    autocomplete="current-password"
                    autofocus=known
                />
                <button type="submit" class="btn primary">
                    "Sign in"
                </button>
            </form>
            <p class="muted small-text">"No account, or locked out? An administrator of this portal can help."</p>
        </Gate>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_sentences() {
        let says = |text: &str| explain(&Query::parse(text));
        assert_eq!(says("next=/"), None);
        assert!(says("error=wait&seconds=30").unwrap().contains("30 s"));
        assert!(
            says("error=<script>")
                .unwrap()
                .starts_with("Signing in did not work")
        );
    }

    #[test]
    fn the_name_that_was_tried_is_read_from_its_cookie() {
        assert_eq!(name_in("a=b; tried_name=ada%40example; c=d"), "ada@example");
        assert_eq!(name_in("a=b"), "");
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (next, path) in [
            (Some("/fleet?filter=web"), "/fleet?filter=web"),
            (Some("//evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (None, "/"),
        ] {
            assert_eq!(local_path(next), path);
        }
    }
}
