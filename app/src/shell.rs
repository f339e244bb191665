//! The HTML document around every page: language, theme, style sheet, scripts.

use crate::layout::theme::Theme;
use crate::routes::App;
use crate::security_header::content_security_policy;
use http::header::{CONTENT_SECURITY_POLICY, COOKIE, HeaderValue};
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

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
                <HydrationScripts options=options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
