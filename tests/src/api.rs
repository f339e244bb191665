//! Signed calls of the embedded endpoint, as any client of Systems Manager makes them.

use crate::portal::{Fallible, Portal};
use http::{HeaderMap, HeaderName, HeaderValue};
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign};
use muster_control_plane::operator_credentials_in;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use serde_json::Value;

/// The region of the calls: the portal's own, unless it is told another one.
pub const REGION: &str = "eu-west-1";

/// An endpoint and the keys for it.
#[derive(Clone, Debug)]
pub struct Api {
    /// `http://127.0.0.1:4580`.
    pub base: String,
    /// Whose calls they are.
    pub keys: Credentials,
    http: reqwest::Client,
}

/// A request that is ready to be sent as often as wanted: its signature holds for five minutes.
#[derive(Clone, Debug)]
pub struct Ready {
    headers: HeaderMap,
    body: String,
}

fn amz_date() -> String {
    let text = SystemClock.now().rfc3339();
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{}Z", digits.split('.').next().unwrap_or_default())
}

impl Api {
    /// An endpoint of that address.
    #[must_use]
    pub fn new(base: String, keys: Credentials) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            base,
            keys,
            http: reqwest::Client::new(),
        }
    }

    /// The embedded endpoint of a portal, with the operator's key.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub fn of(portal: &Portal) -> Fallible<Self> {
        let keys = operator_credentials_in(portal.data_dir())?.ok_or("there are no access keys")?;
        Ok(Self::new(portal.ssm.clone(), keys))
    }

    /// The same with connections of its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self::new(self.base.clone(), self.keys.clone())
    }

    /// A call in the Query protocol: a form. Its answer is XML.
    ///
    /// # Errors
    /// When it is not answered with success.
    pub async fn query(&self, service: &str, form: &str) -> Fallible<String> {
        let mut headers = HeaderMap::new();
        let host = self.base.trim_start_matches("http://");
        for (name, value) in [
            ("host", host),
            ("content-type", "application/x-www-form-urlencoded"),
        ] {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let request = SignedRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body_hash: &sha256_hex(form.as_bytes()),
        };
        for (name, value) in sign(&request, &self.keys, REGION, service, &amz_date()) {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let asked = self.http.post(&self.base).headers(headers).body(form.to_owned());
        let answer = asked.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(format!("{form}: {status} {text}").into())
        }
    }

    /// Signs a request. `CreateKey` and `CreateAlias` are of the key management service, all others of Systems Manager.
    ///
    /// # Errors
    /// When the address is none.
    pub fn ready(&self, operation: &str, input: &Value) -> Fallible<Ready> {
        let (service, target) = match operation {
            "CreateKey" | "CreateAlias" => ("kms", "TrentService"),
            _ => ("ssm", "AmazonSSM"),
        };
        let body = input.to_string();
        let mut headers = HeaderMap::new();
        let host = self.base.trim_start_matches("http://");
        for (name, value) in [
            ("host", host),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &format!("{target}.{operation}")),
        ] {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let request = SignedRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body_hash: &sha256_hex(body.as_bytes()),
        };
        for (name, value) in sign(&request, &self.keys, REGION, service, &amz_date()) {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        Ok(Ready { headers, body })
    }

    /// Sends it; answers the status and what was said.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn send(&self, ready: &Ready) -> Fallible<(u16, Value)> {
        let answer = self
            .http
            .post(&self.base)
            .headers(ready.headers.clone())
            .body(ready.body.clone())
            .send()
            .await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// A call that has to succeed.
    ///
    /// # Errors
    /// When it does not.
    pub async fn call(&self, operation: &str, input: Value) -> Fallible<Value> {
        let (status, output) = self.send(&self.ready(operation, &input)?).await?;
        if status == 200 {
            return Ok(output);
        }
        Err(format!("{operation} was answered {status} {output}").into())
    }
}
