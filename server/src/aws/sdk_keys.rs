//! The SDK's keys for what speaks with S3 by itself.

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use muster_recording::{S3Credentials, S3Key};

/// The keys that the SDK finds.
#[derive(Debug)]
pub struct SdkKeys(pub SharedCredentialsProvider);

impl SdkKeys {
    /// A key that is known already.
    #[must_use]
    pub fn of(id: &str, secret: &str) -> Self {
        let key = Credentials::new(id, secret, None, None, "muster");
        Self(SharedCredentialsProvider::new(key))
    }
}

#[async_trait]
impl S3Credentials for SdkKeys {
    async fn key(&self) -> Result<S3Key, String> {
        let keys = self
            .0
            .provide_credentials()
            .await
            .map_err(|error| error.to_string())?;
        Ok(S3Key {
            access_key_id: keys.access_key_id().to_owned(),
            secret_access_key: keys.secret_access_key().to_owned(),
            session_token: keys.session_token().map(str::to_owned),
        })
    }
}
