//! Recordings in S3, or what speaks like it, over the caller's own HTTP client and credentials.

use crate::{RecordingError, Storage};
use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::client::{
    ClientOptions, CredentialProvider, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where recordings are in an object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with; may be empty.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// Another endpoint than AWS's, `https://minio.example:9000` say. Buckets are then part of the path.
    pub endpoint: Option<String>,
}

/// A key to sign requests with. Its `Debug` form does not show the secret.
#[derive(Clone)]
pub struct S3Key {
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The session's token, for keys that are lent.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for S3Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3Key({})", self.access_key_id)
    }
}

/// Gives keys; asked before every request, so it should remember them as long as they last.
#[async_trait]
pub trait S3Credentials: std::fmt::Debug + Send + Sync + 'static {
    /// A key that is good now, or why there is none.
    async fn key(&self) -> Result<S3Key, String>;
}

#[async_trait]
impl S3Credentials for S3Key {
    async fn key(&self) -> Result<S3Key, String> {
        Ok(self.clone())
    }
}

/// A bucket of S3, or what speaks like it, for whoever wants to keep something there; the prefix is not looked at.
///
/// # Errors
/// When the settings make no address.
pub fn s3_objects(
    settings: &S3Settings,
    credentials: Arc<dyn S3Credentials>,
    client: reqwest::Client,
) -> Result<Arc<dyn ObjectStore>, RecordingError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.bucket)
        .with_region(&settings.region)
        .with_credentials(Arc::new(Provider(credentials)))
        .with_http_connector(Connector(client))
        // Not all that speaks like S3 has the bulk call.
        .with_disable_bulk_delete(true)
        // Whoever writes tries again by itself; a reader would rather hear soon.
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 3,
            retry_timeout: Duration::from_secs(20),
        });
    if let Some(endpoint) = &settings.endpoint {
        builder = builder
            .with_endpoint(endpoint)
            .with_virtual_hosted_style_request(false)
            .with_allow_http(endpoint.starts_with("http://"));
    }
    let objects = builder.build().map_err(RecordingError::store(format!(
        "cannot use the bucket {}",
        settings.bucket
    )))?;
    Ok(Arc::new(objects))
}

impl Storage {
    /// What is being written in `root/live`, sealed chunks in S3.
    ///
    /// # Errors
    /// When the folder cannot be made, or the settings make no address.
    pub fn s3(
        root: &Path,
        settings: &S3Settings,
        credentials: Arc<dyn S3Credentials>,
        client: reqwest::Client,
    ) -> Result<Self, RecordingError> {
        let objects = s3_objects(settings, credentials, client)?;
        Self::with_objects(root, objects, &settings.prefix)
    }
}

#[derive(Debug)]
struct Provider(Arc<dyn S3Credentials>);

#[async_trait]
impl CredentialProvider for Provider {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let key = self
            .0
            .key()
            .await
            .map_err(|reason| object_store::Error::Generic {
                store: "S3",
                source: reason.into(),
            })?;
        Ok(Arc::new(AwsCredential {
            key_id: key.access_key_id,
            secret_key: key.secret_access_key,
            token: key.session_token,
        }))
    }
}

/// Sends through the caller's client: the store's own would bring another TLS stack's crypto.
#[derive(Clone, Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        // What is sent is a chunk or a manifest, and is in memory anyway.
        let body = body.collect().await?.to_bytes();
        let request = http::Request::from_parts(parts, reqwest::Body::from(body));
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let response: http::Response<reqwest::Body> = self.0.execute(request).await.map_err(failed)?.into();
        let (parts, body) = response.into_parts();
        Ok(HttpResponse::from_parts(
            parts,
            HttpResponseBody::new(body.map_err(failed)),
        ))
    }
}

fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else if error.is_request() || error.is_body() {
        HttpErrorKind::Request
    } else {
        HttpErrorKind::Unknown
    };
    // The address would say which objects there are; the caller names the recording.
    HttpError::new(kind, error.without_url())
}
