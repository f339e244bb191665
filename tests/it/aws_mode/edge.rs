//! AWS at the wire: tokens and roles of STS, objects of S3, and Systems Manager, which is a real control plane
//! behind a gateway that records every call and makes faults on demand.

use super::channels::{self, Channels};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode};
use muster_agent_protocol::signing::{Credentials, SignedRequest, parse_authorization, sha256_hex, sign};
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The bucket as the portal knows it; the control plane has one of its own.
pub const BUCKET: &str = "outputs";
/// The access key that the role gives.
pub const ASSUMED: &str = "ASIAASSUMEDROLE00000";
const PLANE_BUCKET: &str = "muster-command-output";

/// One call that arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// `ssm`, `sts` or `s3`, as signed for.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Whose key signed it.
    pub key_id: String,
    /// The signature's region.
    pub region: String,
    /// What else may matter: a role's session name, a range.
    pub detail: String,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too fast.
    Throttle,
    /// The identity may not.
    Denied,
    /// The credentials are too old.
    Expired,
    /// The connection breaks before anything is done.
    Cut,
    /// It is done, and the connection breaks before the answer is there.
    LostAnswer,
}

struct Inner {
    plane: String,
    keys: Credentials,
    http: reqwest::Client,
    calls: Mutex<Vec<Call>>,
    /// By operation: what goes wrong, and how often yet.
    faults: Mutex<HashMap<String, (Fault, usize)>>,
    address: String,
    channels: Arc<Channels>,
}

/// The edge of AWS.
#[derive(Clone)]
pub struct Edge {
    /// Where it listens.
    pub address: String,
    inner: Arc<Inner>,
}

impl Edge {
    /// Starts it in front of a control plane.
    pub async fn start(plane: &str, keys: Credentials) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            plane: plane.to_owned(),
            keys,
            http: reqwest::Client::new(),
            calls: Mutex::default(),
            faults: Mutex::default(),
            address: address.clone(),
            channels: Arc::default(),
        });
        let streams = Router::new()
            .route("/v1/data-channel/{session_id}", get(channels::open))
            .with_state(Arc::clone(&inner.channels));
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner))
            .merge(streams);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, inner }
    }

    /// The calls of an operation; all for an empty word.
    pub fn calls(&self, operation: &str) -> Vec<Call> {
        let calls = self.inner.calls.lock().unwrap();
        let wanted = calls
            .iter()
            .filter(|call| operation.is_empty() || call.operation == operation);
        wanted.cloned().collect()
    }

    /// The next `times` calls of an operation go wrong; of all operations for `*`.
    pub fn fail(&self, operation: &str, fault: Fault, times: usize) {
        let mut faults = self.inner.faults.lock().unwrap();
        faults.insert(operation.to_owned(), (fault, times));
    }

    /// The sessions.
    pub fn channels(&self) -> Arc<Channels> {
        Arc::clone(&self.inner.channels)
    }

    /// All goes well again.
    pub fn heal(&self) {
        self.inner.faults.lock().unwrap().clear();
    }
}

impl Inner {
    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let key = [operation, "*"]
            .into_iter()
            .find(|key| faults.contains_key(*key))?;
        let (fault, left) = faults.get_mut(key)?;
        *left = left.checked_sub(1)?;
        Some(*fault)
    }

    /// Passes a request on to the control plane, signed with its own keys.
    async fn pass_on(
        &self,
        method: &str,
        path: &str,
        (service, region): (&str, &str),
        given: &HeaderMap,
        body: Vec<u8>,
    ) -> (StatusCode, HeaderMap, Bytes) {
        let host = self.plane.trim_start_matches("http://");
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_str(host).unwrap());
        for name in ["content-type", "x-amz-target", "range"] {
            if let Some(value) = given.get(name) {
                headers.insert(name, value.clone());
            }
        }
        let hash = sha256_hex(&body);
        headers.insert("x-amz-content-sha256", HeaderValue::from_str(&hash).unwrap());
        let now = SystemClock.now().rfc3339();
        let stamp: String = now.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let stamp = format!("{}Z", stamp.split('.').next().unwrap());
        let request = SignedRequest {
            method,
            path,
            query: "",
            headers: &headers,
            body_hash: &hash,
        };
        for (name, value) in sign(&request, &self.keys, region, service, &stamp) {
            headers.insert(name, HeaderValue::from_str(&value).unwrap());
        }
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = self
            .http
            .request(method, format!("{}{path}", self.plane))
            .headers(headers)
            .body(body)
            .send()
            .await
            .unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.bytes().await.unwrap())
    }
}

fn refusal(code: &str) -> Response {
    let body = serde_json::json!({ "__type": code, "message": format!("{code}: as this test wants it") });
    let kind = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amzn-errortype", code),
    ];
    (StatusCode::BAD_REQUEST, kind, body.to_string()).into_response()
}

/// An answer that breaks off after its head.
fn broken() -> Response {
    let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
    let mut response = Response::new(Body::from_stream(broken));
    let kind = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert("content-type", kind);
    response
}

async fn answer(State(edge): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10 << 20).await.unwrap();
    let header = |name: &str| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let Some(signed) = parse_authorization(&header("authorization")) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let text = String::from_utf8_lossy(&body).into_owned();
    let form = |name: &str| {
        let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let (operation, detail) = match signed.service.as_str() {
        "sts" => (form("Action"), form("RoleSessionName")),
        "s3" => ("GetObject".to_owned(), header("range")),
        _ => {
            let target = header("x-amz-target");
            (target.trim_start_matches("AmazonSSM.").to_owned(), String::new())
        }
    };
    edge.calls.lock().unwrap().push(Call {
        service: signed.service.clone(),
        operation: operation.clone(),
        key_id: signed.key_id.clone(),
        region: signed.region.clone(),
        detail,
    });
    let fault = edge.fault(&operation);
    match fault {
        Some(Fault::Throttle) => return refusal("ThrottlingException"),
        Some(Fault::Denied) => return refusal("AccessDeniedException"),
        Some(Fault::Expired) => return refusal("ExpiredTokenException"),
        Some(Fault::Cut) => return broken(),
        Some(Fault::LostAnswer) | None => {}
    }
    if operation == "AssumeRole" {
        return assumed();
    }
    if let Some(answer) = edge.channels.answer(&operation, &text, &edge.address) {
        let kind = [("content-type", "application/x-amz-json-1.1")];
        return match answer {
            Ok(answer) => (kind, answer.to_string()).into_response(),
            Err(code) => refusal(code),
        };
    }
    // What the endpoint has built in is made at AWS by who saves session preferences, and here nobody has.
    if operation == "GetDocument" && text.contains("SSM-SessionManagerRunShell") {
        return refusal("InvalidDocument");
    }
    let scope = (signed.service.as_str(), signed.region.as_str());
    let (method, path, body) = if signed.service == "s3" {
        let path = parts.uri.path().replacen(BUCKET, PLANE_BUCKET, 1);
        ("GET", path, Vec::new())
    } else {
        (
            "POST",
            "/".to_owned(),
            text.replace(&format!("\"{BUCKET}\""), &format!("\"{PLANE_BUCKET}\""))
                .into_bytes(),
        )
    };
    let (status, headers, bytes) = edge.pass_on(method, &path, scope, &parts.headers, body).await;
    if fault == Some(Fault::LostAnswer) {
        return broken();
    }
    let mut response = Response::new(Body::from(if signed.service == "ssm" {
        let own = format!("{}/{PLANE_BUCKET}/", edge.plane);
        let at_s3 = format!("https://s3.{}.amazonaws.com/{BUCKET}/", signed.region);
        Bytes::from(String::from_utf8_lossy(&bytes).replace(&own, &at_s3))
    } else {
        bytes
    }));
    *response.status_mut() = status;
    for name in ["content-type", "content-range", "x-amzn-errortype"] {
        if let Some(value) = headers.get(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn assumed() -> Response {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
         <AssumedRoleId>AROA:muster</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/fleet/muster</Arn>\
         </AssumedRoleUser><Credentials><AccessKeyId>{ASSUMED}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
    );
    ([("content-type", "text/xml")], body).into_response()
}
