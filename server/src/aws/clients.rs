//! Builds the clients of the SDK; nothing else does.

use crate::aws::budget::Budget;
use crate::aws::errors::CallError;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssm::config::SharedHttpClient;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use muster_domain::ids::ConnectionId;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// An account and region, and how they are reached.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Which.
    pub id: ConnectionId,
    /// Its name in the portal.
    pub name: String,
    /// Twelve digits; for AWS asked of STS when empty.
    pub account: String,
    /// For example `eu-west-1`.
    pub region: String,
    /// Whether the endpoint is ours.
    pub embedded: bool,
    /// Another endpoint than the region's own.
    pub endpoint: Option<String>,
    /// A role to assume.
    pub role_arn: Option<String>,
    /// The service role that nodes get when they are added by activation.
    pub activation_role: String,
    /// The bucket for full output; none means that the API's 24,000 characters are all there is.
    pub output_bucket: Option<String>,
    /// Where the bucket is reached, when not at S3's own address.
    pub s3_endpoint: Option<String>,
    /// Keys for the embedded endpoint; none means the SDK's own chain.
    pub keys: Option<(String, String)>,
    /// Where its pages are.
    pub url: String,
    /// Whether what is behind it is production.
    pub is_production: bool,
}

impl Connection {
    /// Where Systems Manager is reached, as an address.
    #[must_use]
    pub fn address(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| {
            let suffix = if self.region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://ssm.{}.amazonaws.com{suffix}", self.region)
        })
    }
}

/// What pages say of a connection of this server: no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: ConnectionId,
    /// Where Systems Manager is reached.
    pub endpoint: String,
    /// Where its pages are.
    pub url: String,
    /// Whether what is behind it is production.
    pub is_production: bool,
}

impl From<&Connection> for Known {
    fn from(connection: &Connection) -> Self {
        Self {
            id: connection.id.clone(),
            endpoint: connection.address(),
            url: connection.url.clone(),
            is_production: connection.is_production,
        }
    }
}

/// The clients of one connection, within its call budget.
#[derive(Clone)]
pub struct Ssm {
    /// Which connection.
    pub connection: Arc<Connection>,
    /// The SDK's client.
    pub client: aws_sdk_ssm::Client,
    /// For asking who we are.
    pub sts: aws_sdk_sts::Client,
    /// Where the keys come from, for requests that the SDK does not make.
    pub credentials: SharedCredentialsProvider,
    /// Where all services are reached, when the connection or the SDK's own settings name another place than AWS's.
    pub endpoint: Option<String>,
    budget: Arc<Budget>,
}

impl std::fmt::Debug for Ssm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ssm")
            .field("connection", &self.connection.id)
            .finish_non_exhaustive()
    }
}

/// The SDK has no HTTP client of its own here: its default one would bring a second crypto library.
pub(super) fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
            aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https()
}

async fn sdk_config(connection: &Connection) -> SdkConfig {
    let timeouts = aws_config::timeout::TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(20))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(connection.region.clone()))
        .http_client(http_client())
        .timeout_config(timeouts)
        .retry_config(
            aws_config::retry::RetryConfig::standard().with_max_attempts(if connection.embedded {
                1
            } else {
                3
            }),
        );
    if let Some((id, secret)) = &connection.keys {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "muster"));
    }
    if let Some(endpoint) = &connection.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let base = loader.load().await;
    let Some(role) = &connection.role_arn else {
        return base;
    };
    let provider = aws_config::sts::AssumeRoleProvider::builder(role)
        .session_name("muster")
        .configure(&base)
        .build()
        .await;
    base.into_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build()
}

impl Ssm {
    /// The region that the AWS tools' profile names, if it does.
    pub async fn region_of_profile() -> Option<String> {
        // The region's own chain takes no client, and the machine's metadata is asked over HTTP.
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client());
        loader.load().await.region().map(ToString::to_string)
    }

    /// Keys as the AWS tools find them on this machine, for what is not the connection's; none where there are none.
    pub async fn keys_of_machine(region: &str) -> Option<SharedCredentialsProvider> {
        // With a region, or the machine's metadata would be asked for one.
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(http_client());
        loader.load().await.credentials_provider()
    }

    /// The clients for `connection`.
    pub async fn connect(connection: Connection) -> Self {
        let config = sdk_config(&connection).await;
        let budget = if connection.embedded {
            Budget::new(400.0, 400.0)
        } else {
            Budget::new(4.0, 10.0)
        };
        let credentials = config
            .credentials_provider()
            .unwrap_or_else(|| SharedCredentialsProvider::new(Credentials::new("", "", None, None, "none")));
        Self {
            client: aws_sdk_ssm::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            credentials,
            endpoint: config.endpoint_url().map(str::to_owned),
            budget: Arc::new(budget),
            connection: Arc::new(connection),
        }
    }

    /// For requests that must not be made twice: what comes of a lost answer is not for the SDK to decide.
    #[must_use]
    pub fn once() -> aws_sdk_ssm::config::Builder {
        aws_sdk_ssm::config::Builder::new().retry_config(aws_config::retry::RetryConfig::disabled())
    }

    /// Makes one call within the budget.
    ///
    /// # Errors
    /// [`CallError`] when it was refused or not answered.
    pub async fn call<T, E, F>(&self, operation: &'static str, call: F) -> Result<T, CallError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        self.budget.take(operation).await;
        call.await.map_err(|error| {
            let error = CallError::of(operation, &error);
            if error.is_throttled() {
                self.budget.throttled(operation);
            }
            error
        })
    }
}
