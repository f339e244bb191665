//! Finds out who is asking: from the session's cookie to the actor in the request's extensions. Every
//! request has an actor behind this layer; a stranger is the anonymous one.

use crate::access::session_store::{AUTH, Auth, DatabaseSessions};
use crate::access::{AccessService, SetupLink};
use crate::events::EventBus;
use crate::http::standing::{self, Proof};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method, header};
use muster_domain::access::Access as _;
use muster_domain::actor::Origin;
use muster_domain::ids::SessionId;
use muster_domain::{Actor, PortalError};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tower_sessions::Session;

/// What the layer needs.
#[derive(Clone)]
pub struct SessionLayer {
    /// Users.
    pub access: AccessService,
    /// The sessions.
    pub sessions: DatabaseSessions,
    /// A session that was not used for so long has ended.
    pub idle_ms: i64,
    /// Addresses whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<Vec<IpAddr>>,
    /// Tells when users or sessions were changed.
    pub bus: EventBus,
}

/// From where a request comes. What a proxy says counts only when the proxy is ours.
#[must_use]
pub fn origin_of(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpAddr]) -> Origin {
    let mut address = peer.map(|peer| peer.ip());
    if address.is_some_and(|address| trusted.contains(&address)) {
        // The last one that is not ours was seen by us; everything before it anybody can write.
        let forwarded = headers
            .get("x-forwarded-for")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        address = forwarded
            .split(',')
            .rev()
            .filter_map(|part| part.trim().parse::<IpAddr>().ok())
            .find(|ip| !trusted.contains(ip))
            .or(address);
    }
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Origin {
        address: address
            .map(|address| address.to_canonical().to_string())
            .unwrap_or_default(),
        user_agent: agent.chars().take(256).collect(),
        via: "browser".into(),
    }
}

/// Pages that a stranger may see.
fn is_open(path: &str) -> bool {
    matches!(
        path,
        "/sign-in" | "/setup" | "/health" | "/favicon.svg" | "/favicon.ico"
    ) || path.starts_with("/pkg/")
        || path.starts_with("/fonts/")
}

/// The token that a program sends.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    text.strip_prefix("Bearer ").map(str::trim)
}

fn wants_page(request: &Request) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    *request.method() == Method::GET && accept.contains("text/html")
}

/// Percent-encodes a path and query for use as a value in a query.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The layer; it stands inside tower-sessions' own.
pub async fn layer(
    State(state): State<SessionLayer>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer);
    let origin = origin_of(peer, request.headers(), &state.trusted_proxies);
    let path = request.uri().path().to_owned();
    let mut actor = Actor::anonymous(origin.clone());
    let (mut expired, mut proof) = (false, Proof::Session);
    if let Some(secret) = bearer(request.headers()) {
        // A program with a token: whatever cookie comes with it does not count.
        match state.access.actor_of_token(secret, origin).await {
            Ok(Some(known)) => {
                actor = known;
                proof = Proof::Token(secret.to_owned());
            }
            Ok(None) => return crate::error::HttpError(PortalError::SignInRequired).into_response(),
            Err(error) => return crate::error::HttpError(crate::error::store(error)).into_response(),
        }
    } else if !path.starts_with("/pkg/") && !path.starts_with("/fonts/") {
        match known(&state, &session, origin).await {
            Ok(Some(known)) => actor = known,
            Ok(None) => {
                expired = request
                    .headers()
                    .get(header::COOKIE)
                    .is_some_and(|c| c.as_bytes().windows(7).any(|w| w == b"muster_"))
            }
            Err(error) => return crate::error::HttpError(error).into_response(),
        }
    }
    if !actor.is_known() && !is_open(&path) && wants_page(&request) {
        if state.access.needs_setup().await.unwrap_or(false) {
            return Redirect::to("/setup").into_response();
        }
        let wanted = request
            .uri()
            .path_and_query()
            .map_or("/", |wanted| wanted.as_str());
        let reason = if expired { "&error=expired" } else { "" };
        return Redirect::to(&format!("/sign-in?next={}{reason}", encode(wanted))).into_response();
    }
    if actor.is_known() && matches!(path.as_str(), "/sign-in" | "/setup") && *request.method() == Method::GET
    {
        return Redirect::to("/").into_response();
    }
    if path == "/setup" && *request.method() == Method::GET {
        // Said before anybody fills in the form. What is left of the address must not hold the token.
        let token = query_value(request.uri().query().unwrap_or_default(), "token");
        if let Some(token) = token {
            match state.access.setup_link(token).await {
                Ok(SetupLink::Holds) => {}
                Ok(SetupLink::Expired) => return Redirect::to("/setup?link=expired").into_response(),
                Ok(SetupLink::NotNeeded) => return Redirect::to("/setup?link=used").into_response(),
                Err(error) => return crate::error::HttpError(crate::error::store(error)).into_response(),
            }
        }
    }
    request.extensions_mut().insert(actor.clone());
    let response = next.run(request).await;
    standing::bound(&state, actor, proof, response)
}

/// The value of that name in a query; for values of letters and digits only, which need no decoding.
fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
}

async fn known(
    state: &SessionLayer,
    session: &Session,
    origin: Origin,
) -> Result<Option<Actor>, PortalError> {
    let Some(id) = session.id() else { return Ok(None) };
    let found = state
        .sessions
        .signed_in(&id, state.idle_ms)
        .await
        .map_err(crate::error::store)?;
    let Some(found) = found else {
        // Loaded, so that the cookie of a session that is not there any more is taken back.
        let _: Option<Auth> = session
            .get(AUTH)
            .await
            .map_err(|error| crate::error::internal("session", &error))?;
        return Ok(None);
    };
    let session = SessionId::new(found.session_id);
    Ok(state
        .access
        .actor_of(found.user, found.grants, Some(session), origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let peer: SocketAddr = "10.0.0.1:5000".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "6.6.6.6, 203.0.113.9, 10.0.0.2".parse().unwrap(),
        );
        assert_eq!(origin_of(Some(peer), &headers, &[]).address, "10.0.0.1");
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        assert_eq!(origin_of(Some(peer), &headers, &trusted).address, "203.0.113.9");
        headers.remove("x-forwarded-for");
        assert_eq!(origin_of(Some(peer), &headers, &trusted).address, "10.0.0.1");
    }
}
