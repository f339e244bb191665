//! The HTML document around every page: language, theme, style sheet, scripts.

use crate::layout::theme::Theme;
use crate::routes::App;
use crate::security_header::content_security_policy;
use http::header::{CONTENT_SECURITY_POLICY, COOKIE, HeaderValue};
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};
use std::path::Path;
use std::sync::OnceLock;

/// The document for one request. Sets the Content-Security-Policy header of the answer.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    if let (Some(response), Ok(policy)) = (
        use_context::<leptos_axum::ResponseOptions>(),
        HeaderValue::from_str(&content_security_policy()),
    ) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
    // Read here and not in the browser, so that no page flashes in the wrong colours.
    let theme = use_context::<http::request::Parts>()
        .and_then(|parts| Theme::from_cookies(parts.headers.get(COOKIE)?.to_str().ok()?));
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.and_then(Theme::attribute)>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options=options.clone() />
                <HydrationScripts options=options.clone() />
                {later_parts(&options)}
                <MetaTags />
            </head>
            <body>
                <App />
                // Shown by the style sheet once the browser's half has stopped: see `frontend`.
                <div class="broken banner" role="alert">
                    <span>"This page stopped working: it hit a fault, or a part of it could not be fetched."</span>
                    <a class="btn" href="">
                        "Load it again"
                    </a>
                </div>
            </body>
        </html>
    }
}

/// The parts of the pages that other pages will want: fetched when the browser has nothing else to do, so that
/// going there waits for nothing and works over a poor network.
fn later_parts(options: &LeptosOptions) -> Vec<impl IntoView + use<>> {
    static PARTS: OnceLock<Vec<String>> = OnceLock::new();
    let parts = PARTS.get_or_init(|| {
        let folder = Path::new(options.site_root.as_ref()).join(options.site_pkg_dir.as_ref());
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".wasm") && *name != format!("{}.wasm", options.output_name))
            .collect();
        names.sort();
        names
            .iter()
            .map(|name| format!("/{}/{name}", options.site_pkg_dir))
            .collect()
    });
    parts
        .iter()
        .map(|part| view! { <link rel="prefetch" href=part.clone() r#as="fetch" crossorigin="" /> })
        .collect()
}
