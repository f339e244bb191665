//! Signing in, the first administrator, signing out: plain forms that work without script.

use crate::access::AccessService;
use crate::access::session_store::{AUTH, Auth};
use crate::error::HttpError;
use crate::http::session::encode;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Extension, Form, Router};
use http::{HeaderValue, header};
use muster_domain::access::{Access as _, Password, SignedIn, TRIED_NAME_COOKIE};
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError};
use serde::Deserialize;
use std::sync::Arc;
use tower_sessions::{Expiry, Session};

/// What the routes need.
#[derive(Clone)]
pub struct SignInState {
    /// Users.
    pub access: AccessService,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// A session ends so long after signing in, used or not.
    pub session_ms: i64,
    /// Whether people reach us over TLS.
    pub tls: bool,
}

/// Longer than any name: then it was something else, and is not kept.
const LONGEST_NAME: usize = 64;

/// `response` with the tried name for the form, or without any when there is none.
fn with_tried(mut response: Response, name: &str, tls: bool) -> Response {
    let (value, seconds) = if name.chars().count() <= LONGEST_NAME && !name.is_empty() {
        (encode(name), 60)
    } else {
        (String::new(), 0)
    };
    let secure = if tls { "; Secure" } else { "" };
    let cookie = format!(
        "{TRIED_NAME_COOKIE}={value}; Path=/sign-in; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The routes.
pub fn routes(state: SignInState) -> Router {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/setup", post(setup))
        .route("/sign-out", post(sign_out))
        .with_state(state)
}

/// Where to go after signing in: only a path of our own, never another site.
#[must_use]
pub fn local_path(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if own { next } else { "/" }
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(state): State<SignInState>,
    Extension(actor): Extension<Actor>,
    session: Session,
    Form(form): Form<SignInForm>,
) -> Response {
    let next = local_path(&form.next).to_owned();
    let name = form.name.trim().to_owned();
    let back = |code: &str| {
        let address = format!("/sign-in?error={code}&next={}", encode(&next));
        with_tried(Redirect::to(&address).into_response(), &name, state.tls)
    };
    match state
        .access
        .sign_in(actor.origin, name.clone(), Password(form.password))
        .await
    {
        Ok(signed_in) => match begin(&state, &session, signed_in).await {
            Ok(()) => with_tried(see_other(&next), "", state.tls),
            Err(error) => HttpError(error).into_response(),
        },
        Err(PortalError::TooManyRequests { retry_after_seconds }) => {
            back(&format!("wait&seconds={retry_after_seconds}"))
        }
        Err(PortalError::Invalid { .. } | PortalError::NotFound { .. }) => back("wrong"),
        Err(error) => HttpError(error).into_response(),
    }
}

fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// Puts the person into a session with a new id, so that an id from before signing in is worth nothing.
async fn begin(state: &SignInState, session: &Session, signed_in: SignedIn) -> Result<(), PortalError> {
    let failed = |error: tower_sessions::session::Error| crate::error::internal("session", &error);
    let now = state.clock.now();
    let auth = Auth {
        user_id: signed_in.user_id.to_string(),
        session_id: signed_in
            .actor
            .session
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        address: signed_in.actor.origin.address,
        user_agent: signed_in.actor.origin.user_agent,
        signed_in_at: now.0,
    };
    session.cycle_id().await.map_err(failed)?;
    session.insert(AUTH, auth).await.map_err(failed)?;
    let ends = now.plus_ms(state.session_ms).0 / 1_000;
    if let Ok(ends) = time::OffsetDateTime::from_unix_timestamp(ends) {
        session.set_expiry(Some(Expiry::AtDateTime(ends)));
    }
    session.save().await.map_err(failed)
}

#[derive(Deserialize)]
struct SetupForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeat: String,
}

async fn setup(
    State(state): State<SignInState>,
    Extension(actor): Extension<Actor>,
    session: Session,
    Form(form): Form<SetupForm>,
) -> Response {
    let back = |message: &str| {
        Redirect::to(&format!(
            "/setup?token={}&name={}&error={}",
            encode(&form.token),
            encode(&form.name),
            encode(message)
        ))
        .into_response()
    };
    if form.password != form.repeat {
        return back("The two passwords are not the same.");
    }
    let name = form.name.clone();
    match state
        .access
        .setup(
            actor.origin,
            form.token.clone(),
            name,
            Password(form.password.clone()),
        )
        .await
    {
        Ok(signed_in) => match begin(&state, &session, signed_in).await {
            Ok(()) => see_other("/"),
            Err(error) => HttpError(error).into_response(),
        },
        Err(error @ (PortalError::Invalid { .. } | PortalError::Conflict { .. })) => back(&sentence(&error)),
        Err(error) => HttpError(error).into_response(),
    }
}

/// The complaints without the names of fields, which stand in the form anyway.
fn sentence(error: &PortalError) -> String {
    match error {
        PortalError::Invalid { fields } => fields
            .iter()
            .map(|field| field.message.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

async fn sign_out(
    State(state): State<SignInState>,
    Extension(actor): Extension<Actor>,
    session: Session,
) -> Response {
    if actor.is_known()
        && let Err(error) = state.access.sign_out(&actor).await
    {
        return HttpError(error).into_response();
    }
    if let Err(error) = session.flush().await {
        return HttpError(crate::error::internal("session", &error)).into_response();
    }
    see_other("/sign-in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_for_the_form_and_nothing_longer() {
        let said = |name: &str, tls| {
            let response = with_tried(see_other("/"), name, tls);
            response.headers()[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let kept = said("ada@example", true);
        assert!(
            kept.starts_with("tried_name=ada%40example; Path=/sign-in;"),
            "{kept}"
        );
        assert!(kept.contains("HttpOnly") && kept.ends_with("; Secure"), "{kept}");
        assert!(!said("ada", false).contains("Secure"));
        for gone in ["", &"x".repeat(65)] {
            assert!(said(gone, false).starts_with("tried_name=; "), "{gone}");
        }
    }

    #[test]
    fn nobody_is_led_to_another_site() {
        assert_eq!(local_path("/fleet?filter=a"), "/fleet?filter=a");
        for bad in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/a\r\nb",
        ] {
            assert_eq!(local_path(bad), "/", "{bad}");
        }
    }
}
