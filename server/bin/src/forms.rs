//! Forms of browsers without script. Leptos answers them with a redirect back to the page; what was typed,
//! or the answer, is kept for that page (`muster_app::forms::keep`), which is named in the address.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, REFERER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use muster_app::keep::{KeptForms, LARGEST, address_with, plain_address};
use muster_domain::Actor;
use muster_domain::ids::UserId;
use muster_domain::time::{Clock, Random};
use std::sync::Arc;

/// What the layer needs.
#[derive(Clone)]
pub struct Forms {
    /// Where forms are kept.
    pub kept: KeptForms,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes names that cannot be guessed.
    pub random: Arc<dyn Random>,
}

fn has(headers: &HeaderMap, name: &http::HeaderName, word: &str) -> bool {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains(word))
}

/// Keeps forms that were sent without script.
pub async fn layer(State(forms): State<Forms>, request: Request, next: Next) -> Response {
    let is_form = request.method() == Method::POST
        && request.uri().path().starts_with("/api/")
        && has(request.headers(), &ACCEPT, "text/html")
        && has(
            request.headers(),
            &CONTENT_TYPE,
            "application/x-www-form-urlencoded",
        );
    let user = request
        .extensions()
        .get::<Actor>()
        .and_then(|actor| actor.user_id.clone());
    let (true, Some(user)) = (is_form, user) else {
        return next.run(request).await;
    };
    let path = request.uri().path().to_owned();
    let (mut parts, body) = request.into_parts();
    // The edge bounds what it accepts; a body that breaks off is refused like any other.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // What an earlier form left in the address does not belong to this one.
    if let Some(plain) = parts
        .headers
        .get(REFERER)
        .and_then(|value| HeaderValue::from_str(&plain_address(value.to_str().ok()?)).ok())
    {
        parts.headers.insert(REFERER, plain);
    }
    let referer = parts.headers.get(REFERER).cloned();
    let response = next
        .run(Request::from_parts(parts, Body::from(body.clone())))
        .await;
    answered(&forms, &user, &path, &body, referer.as_ref(), response).await
}

async fn answered(
    forms: &Forms,
    user: &UserId,
    path: &str,
    body: &[u8],
    referer: Option<&HeaderValue>,
    response: Response,
) -> Response {
    let Some(location) = response
        .headers()
        .get(LOCATION)
        .filter(|_| response.status().is_redirection())
        .and_then(|value| value.to_str().ok().map(ToOwned::to_owned))
    else {
        return response;
    };
    let refused = location.contains("__err=");
    // An act that leads to a page of its own has said there what it has to say.
    let came_back = refused || same_page(&location, referer);
    if !came_back {
        return response;
    }
    let id = forms.random.hex(16);
    let now = forms.clock.now();
    let (mut parts, answer) = response.into_parts();
    let answer = to_bytes(answer, LARGEST).await.unwrap_or_default();
    let kept = if refused {
        forms.kept.keep(id.clone(), user, path, body, None, now)
    } else {
        forms.kept.keep(id.clone(), user, path, body, Some(&answer), now)
    };
    if kept && let Ok(address) = HeaderValue::from_str(&address_with(&location, &id)) {
        parts.headers.insert(LOCATION, address);
    }
    // Nobody reads the body of a redirect, and it may hold what is to be shown once.
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Whether a redirect leads to the page that the form was on, whatever an earlier error left in its address.
fn same_page(location: &str, referer: Option<&HeaderValue>) -> bool {
    let page = |address: &str| address.split('?').next().unwrap_or_default().to_owned();
    referer
        .and_then(|referer| referer.to_str().ok())
        .is_some_and(|referer| page(referer) == page(location))
}
