//! The Content-Security-Policy of a page. The other security headers belong to the edge.

use leptos::nonce::use_nonce;

/// The policy of the render that is going on, with its nonce. Outside a render it allows no
/// inline script at all, which is right for everything that is no page.
#[must_use]
pub fn content_security_policy() -> String {
    let nonce = use_nonce()
        .map(|nonce| format!(" 'nonce-{nonce}'"))
        .unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}
