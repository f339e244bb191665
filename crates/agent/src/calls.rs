//! Calls to the control plane over HTTP: signing and errors. Temporary keys are in `tokens`, channels are opened in
//! `channels`.

use crate::error::AgentError;
use crate::trust::Trust;
use muster_agent_protocol::calls::target;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign, sign_with_node_key};
use muster_domain::ids::NodeId;
use muster_domain::time::{Clock, Timestamp};
use ring::signature::Ed25519KeyPair;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// `X-Amz-Date` for a point in time.
pub(crate) fn amz_date(now: Timestamp) -> String {
    let (year, month, day, hour, minute, second, _) = now.civil();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Makes the process speak TLS with ring. Harmless when it was chosen before.
pub(crate) fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Where the control plane is: scheme, host and port, no more.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    base: String,
    pub(crate) authority: String,
    pub(crate) is_tls: bool,
}

impl Endpoint {
    /// Reads `https://host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, AgentError> {
        let wrong = |reason: &str| AgentError::Setting {
            field: "--endpoint",
            reason: format!("{text:?} {reason}; write it like http://127.0.0.1:4580"),
        };
        let uri: http::Uri = text.trim().parse().map_err(|_| wrong("is no address"))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("has no http:// or https:// in front")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?.as_str();
        if authority.contains('@') {
            return Err(wrong("holds a name or password, which has no meaning here"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("has a path, which is not possible"));
        }
        let scheme = if is_tls { "https" } else { "http" };
        Ok(Self {
            base: format!("{scheme}://{authority}"),
            authority: authority.to_owned(),
            is_tls,
        })
    }

    /// As it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.base
    }
}

/// Makes calls; knows no secrets.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) endpoint: Endpoint,
    pub(crate) region: String,
    clock: Arc<dyn Clock>,
    pub(crate) trust: Trust,
}

impl Client {
    /// A client for one endpoint and region.
    pub(crate) fn new(
        endpoint: Endpoint,
        region: &str,
        clock: Arc<dyn Clock>,
        trust: Trust,
    ) -> Result<Self, AgentError> {
        install_crypto();
        let http = trust
            .apply(reqwest::Client::builder())?
            // The Host header is signed, and HTTP/2 has none.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(15))
            .build()
            .map_err(|error| AgentError::Unreachable {
                endpoint: endpoint.base.clone(),
                reason: causes(&error),
            })?;
        Ok(Self {
            http,
            endpoint,
            region: region.to_owned(),
            clock,
            trust,
        })
    }

    /// The endpoint.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A call without signature.
    pub(crate) async fn call_unsigned<Q: Serialize, R: DeserializeOwned>(
        &self,
        operation: &str,
        request: &Q,
    ) -> Result<R, AgentError> {
        self.json(operation, request, |_, _| Vec::new()).await
    }

    /// A call signed with temporary keys.
    pub(crate) async fn call<Q: Serialize, R: DeserializeOwned>(
        &self,
        operation: &str,
        request: &Q,
        credentials: &Credentials,
    ) -> Result<R, AgentError> {
        self.json(operation, request, |signed, date| {
            sign(signed, credentials, &self.region, "ssm", date)
        })
        .await
    }

    /// A call signed with the node's own key.
    pub(crate) async fn call_as_node<Q: Serialize, R: DeserializeOwned>(
        &self,
        operation: &str,
        request: &Q,
        node: &NodeId,
        key: &Ed25519KeyPair,
    ) -> Result<R, AgentError> {
        self.json(operation, request, |signed, date| {
            sign_with_node_key(signed, node.as_str(), key, &self.region, date)
        })
        .await
    }

    async fn json<Q: Serialize, R: DeserializeOwned>(
        &self,
        operation: &str,
        request: &Q,
        sign_it: impl FnOnce(&SignedRequest<'_>, &str) -> Vec<(&'static str, String)>,
    ) -> Result<R, AgentError> {
        let body = serde_json::to_vec(request).map_err(|error| self.nonsense(&error.to_string()))?;
        let mut headers = self.headers("application/x-amz-json-1.1");
        headers.insert("x-amz-target", header(&target(operation))?);
        let (status, text) = self.post("/", headers, body, sign_it).await?;
        if !status.is_success() {
            return Err(refusal(operation, status, &text));
        }
        serde_json::from_str(&text).map_err(|error| self.nonsense(&error.to_string()))
    }

    pub(crate) fn headers(&self, content_type: &'static str) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(content_type));
        if let Ok(host) = self.endpoint.authority.parse() {
            headers.insert("host", host);
        }
        headers
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        mut headers: http::HeaderMap,
        body: Vec<u8>,
        sign_it: impl FnOnce(&SignedRequest<'_>, &str) -> Vec<(&'static str, String)>,
    ) -> Result<(http::StatusCode, String), AgentError> {
        let signed = SignedRequest {
            method: "POST",
            path,
            query: "",
            headers: &headers,
            body_hash: &sha256_hex(&body),
        };
        for (name, value) in sign_it(&signed, &amz_date(self.now())) {
            headers.insert(name, header(&value)?);
        }
        let unreachable = |error: reqwest::Error| AgentError::Unreachable {
            endpoint: self.endpoint.base.clone(),
            reason: causes(&error),
        };
        let url = format!("{}{path}", self.endpoint.base);
        let answer = self.http.post(url).headers(headers).body(body).send().await;
        let answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        Ok((status, text))
    }

    pub(crate) fn nonsense(&self, reason: &str) -> AgentError {
        AgentError::Protocol {
            endpoint: self.endpoint.base.clone(),
            reason: reason.to_owned(),
        }
    }
}

pub(crate) fn header(text: &str) -> Result<http::HeaderValue, AgentError> {
    text.parse().map_err(|_| AgentError::Setting {
        field: "--endpoint or --region",
        reason: "holds characters that cannot stand in a request".into(),
    })
}

/// The innermost cause says more than "error sending request", and never holds the body.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Code and message of an error, as JSON calls and as the channel's calls (XML) write them.
fn error_words(status: http::StatusCode, body: &str) -> (String, String) {
    let body = body.trim();
    if let Some(rest) = body.strip_prefix('<') {
        let code = rest
            .split(['>', ' ', '/'])
            .next()
            .filter(|name| name.starts_with(char::is_alphabetic));
        let between = |open, close| body.split_once(open).and_then(|(_, rest)| rest.split_once(close));
        let message = between("<message>", "</message>").or_else(|| between("<Message>", "</Message>"));
        let code = code.map_or_else(|| status.as_u16().to_string(), str::to_owned);
        return (code, message.map(|(text, _)| text.to_owned()).unwrap_or_default());
    }
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(serde_json::Value::as_str);
    let code = text("__type").map(|code| code.rsplit('#').next().unwrap_or(code));
    (
        code.map_or_else(|| status.as_u16().to_string(), str::to_owned),
        text("message")
            .or_else(|| text("Message"))
            .unwrap_or_default()
            .to_owned(),
    )
}

pub(crate) fn refusal(operation: &str, status: http::StatusCode, body: &str) -> AgentError {
    let (code, message) = error_words(status, body);
    let hint = match code.as_str() {
        "InvalidActivation" | "InvalidActivationId" | "ActivationNotFound" => {
            ": the activation id or code is wrong, or the activation is used up or deleted; make a new one in Muster"
        }
        "ActivationExpired" | "InvalidActivationExpired" => ": make a new activation in Muster",
        "RegistrationLimitExceeded" => {
            ": the activation has no registrations left; make a new one or raise its limit"
        }
        "MachineFingerprintDoesNotMatch" | "InvalidInstanceId" => {
            ": the control plane does not know this node (any more); register it anew with `agent register --force`"
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" => {
            ": check this machine's clock, and that no proxy changes the Host header"
        }
        _ => "",
    };
    AgentError::Refused {
        operation: operation.to_owned(),
        status: status.as_u16(),
        code,
        message,
        hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        let endpoint = Endpoint::parse("http://127.0.0.1:4580/").unwrap();
        assert_eq!(
            (endpoint.as_str(), endpoint.is_tls),
            ("http://127.0.0.1:4580", false)
        );
        for wrong in ["127.0.0.1:4580", "ftp://x", "http://x/path", "http://u:p@x", ""] {
            let error = Endpoint::parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with("--endpoint"), "{error}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let body = r#"{"__type":"com.amazonaws.ssm#InvalidActivation","message":"no"}"#;
        let error = refusal("RegisterManagedInstance", http::StatusCode::BAD_REQUEST, body).to_string();
        assert!(
            error.contains("InvalidActivation (no): the activation id or code is wrong"),
            "{error}"
        );
    }

    #[test]
    fn errors_of_the_channel_are_read_too() {
        let body = "<ExpiredTokenException><message>too old</message></ExpiredTokenException>";
        let error = refusal("CreateControlChannel", http::StatusCode::BAD_REQUEST, body);
        assert!(error.is_about_credentials(), "{error}");
        assert!(error.to_string().contains("too old"), "{error}");
        let odd = refusal(
            "CreateControlChannel",
            http::StatusCode::BAD_GATEWAY,
            "<!doctype html>",
        );
        assert!(odd.to_string().contains("502"), "{odd}");
    }

    #[test]
    fn the_date_of_a_request_has_its_own_form() {
        assert_eq!(amz_date(Timestamp(1_795_427_667_123)), "20261123T095427Z");
    }
}
