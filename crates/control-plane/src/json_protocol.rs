//! AWS JSON 1.1 over HTTP: from a request to a checked call and back. Which operations exist is not
//! known here.

use crate::audited::{audited, refused};
use crate::control_plane::ControlPlane;
use crate::ec2::instance_ids;
use crate::errors::{ApiError, ApiResult};
use crate::operations::{Call, Operation, Who, check_may, dispatch, of_target, unknown};
use crate::signature::{Caller, Signed, Signer, authenticate};
use crate::validation::serialization;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use muster_domain::actor::Origin;
use serde_json::{Map, Value};

/// Marks requests that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverTls;

/// A request that has been read whole.
pub(crate) struct Received {
    pub(crate) parts: http::request::Parts,
    pub(crate) body: Vec<u8>,
    pub(crate) origin: Origin,
}

impl Received {
    pub(crate) fn signed(&self, service: &'static str) -> Signed<'_> {
        Signed {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query().unwrap_or_default(),
            headers: &self.parts.headers,
            body: &self.body,
            service,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `http://host:port` as the caller wrote it. Behind a proxy that ends TLS, the proxy says so.
    pub(crate) fn base_url(&self) -> String {
        let host = self.header("host").unwrap_or("localhost");
        let is_tls = self.parts.extensions.get::<OverTls>().is_some()
            || self.header("x-forwarded-proto") == Some("https");
        let scheme = if is_tls { "https" } else { "http" };
        format!("{scheme}://{host}")
    }
}

/// Answers a call of `POST /` with an `X-Amz-Target`.
pub(crate) async fn answer(plane: &ControlPlane, received: &Received) -> Response {
    let request_id = plane.random.uuid();
    let result = serve(plane, received).await;
    let (status, body) = match result {
        Ok(output) => (200, output),
        Err(error) => (error.status, error_body(&error)),
    };
    let text = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.1"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

fn error_body(error: &ApiError) -> Value {
    let mut body = Map::new();
    body.insert("__type".into(), error.code.into());
    if let Some(message) = &error.message {
        body.insert("message".into(), message.as_str().into());
    }
    Value::Object(body)
}

async fn serve(plane: &ControlPlane, received: &Received) -> ApiResult<Value> {
    let operation = received
        .header("x-amz-target")
        .and_then(of_target)
        .ok_or_else(unknown)?;
    through_the_door(plane, received, operation, || read_body(&received.body)).await
}

/// Every call passes here: who calls, whether they may, what is written down, and then the operation itself.
pub(crate) async fn through_the_door(
    plane: &ControlPlane,
    received: &Received,
    operation: &'static Operation,
    input: impl FnOnce() -> ApiResult<Value>,
) -> ApiResult<Value> {
    let is_signed = received.header("authorization").is_some();
    let signer = if operation.who == Who::Anonymous && !is_signed {
        Signer {
            caller: Caller::Anonymous,
            region: plane.config.default_region.clone(),
        }
    } else {
        authenticate(plane, &received.signed(operation.service)).await?
    };
    let call = Call {
        caller: signer.caller,
        region: signer.region,
        fresh_id: plane.random.uuid(),
        base_url: received.base_url(),
        now: plane.clock.now(),
    };
    if let Err(error) = check_may(operation, &call.caller) {
        refused(plane, operation, &call, received.origin.clone(), &error).await;
        return Err(error);
    }
    let mut input = input()?;
    if operation.who == Who::Operator || operation.who == Who::OperatorOrNode {
        instance_ids::resolve(plane, &call.region, &mut input).await?;
    }
    let act = dispatch(plane, &call, operation.name, input.clone());
    audited(plane, operation, &call, received.origin.clone(), &input, act).await
}

fn read_body(body: &[u8]) -> ApiResult<Value> {
    // SDKs send `{}`; some tools send nothing at all for an empty input.
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let input: Value = serde_json::from_slice(body)
        .map_err(|error| serialization(&format!("The body is not JSON: {error}.")))?;
    if input.is_object() {
        Ok(input)
    } else {
        Err(serialization("The body is JSON, but not an object."))
    }
}
