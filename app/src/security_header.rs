//! The Content-Security-Policy of a page. The other security headers belong to the edge.

use http::header::HOST;
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;

/// The policy of the render that is going on, with its nonce. Outside a render it allows no
/// inline script at all, which is right for everything that is no page.
#[must_use]
pub fn content_security_policy() -> String {
    let nonce = use_nonce()
        .map(|nonce| format!(" 'nonce-{nonce}'"))
        .unwrap_or_default();
    // Chromium takes 'self' for web sockets, too; others want them named.
    let sockets = use_context::<http::request::Parts>()
        .and_then(|parts| parts.headers.get(HOST)?.to_str().ok().and_then(sockets))
        .unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'{sockets}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The web sockets of this host as sources. A name with other signs than those of hosts is none.
fn sockets(host: &str) -> Option<String> {
    let is_host = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    is_host.then(|| format!(" ws://{host} wss://{host}"))
}

#[cfg(test)]
mod tests {
    use super::sockets;

    #[test]
    fn only_hosts_get_into_the_policy() {
        assert_eq!(
            sockets("[::1]:3000").as_deref(),
            Some(" ws://[::1]:3000 wss://[::1]:3000")
        );
        for text in ["", "a; script-src *", "a b", "a'"] {
            assert_eq!(sockets(text), None, "{text}");
        }
    }
}
