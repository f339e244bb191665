//! A key of AWS's key management service, or of what speaks like it, by which secrets of this machine are sealed.

use super::clients::http_client;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::error::DisplayErrorContext;
use aws_sdk_kms::primitives::Blob;
use std::time::Duration;

/// What a sealed secret is tied to, so that nothing else that the key has sealed passes for it.
const PURPOSE: (&str, &str) = ("muster", "master key");

/// One key of the service.
#[derive(Clone, Debug)]
pub struct SealingService {
    uri: String,
    key: String,
    client: aws_sdk_kms::Client,
}

/// The key in `aws-kms://alias/muster`, `aws-kms://1234abcd-…` or `aws-kms://arn:aws:kms:…`.
fn key(uri: &str) -> Result<&str, String> {
    uri.strip_prefix("aws-kms://")
        .filter(|key| !key.is_empty() && !key.chars().any(char::is_whitespace))
        .ok_or_else(|| "use aws-kms://alias/NAME, or aws-kms:// with the id or the ARN of a key".to_owned())
}

impl SealingService {
    /// The key that `uri` names; where the service is and with which keys it is asked the AWS tools' own settings say.
    ///
    /// # Errors
    /// Why the setting cannot be used, in words that follow it.
    pub async fn open(uri: &str, region: &str) -> Result<Self, String> {
        let key = key(uri)?.to_owned();
        // The key's own region, where its ARN says one.
        let own = key
            .strip_prefix("arn:")
            .and_then(|rest| rest.split(':').nth(2))
            .filter(|region| !region.is_empty());
        let timeouts = aws_config::timeout::TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(10))
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(own.unwrap_or(region).to_owned()))
            .http_client(http_client())
            .timeout_config(timeouts)
            .load()
            .await;
        Ok(Self {
            uri: uri.to_owned(),
            key,
            client: aws_sdk_kms::Client::new(&config),
        })
    }

    /// As it was named.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// What the service says.
    pub async fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, String> {
        let sealed = self
            .client
            .encrypt()
            .key_id(&self.key)
            .plaintext(Blob::new(secret))
            .encryption_context(PURPOSE.0, PURPOSE.1)
            .send()
            .await
            .map_err(|error| DisplayErrorContext(error).to_string())?;
        sealed
            .ciphertext_blob
            .map(Blob::into_inner)
            .ok_or_else(|| "it answered without what was sealed".to_owned())
    }

    /// Opens what was sealed, with whichever key of the service that was.
    ///
    /// # Errors
    /// What the service says.
    pub async fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let opened = self
            .client
            .decrypt()
            .ciphertext_blob(Blob::new(sealed))
            .encryption_context(PURPOSE.0, PURPOSE.1)
            .send()
            .await
            .map_err(|error| DisplayErrorContext(error).to_string())?;
        opened
            .plaintext
            .map(Blob::into_inner)
            .ok_or_else(|| "it answered without what was opened".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_key_is_named_by_an_address() {
        assert_eq!(key("aws-kms://alias/muster"), Ok("alias/muster"));
        let arn = "arn:aws:kms:eu-west-1:123456789012:key/1";
        assert_eq!(key(&format!("aws-kms://{arn}")), Ok(arn));
        for other in ["", "alias/muster", "aws-kms://", "aws-kms://a b", "gcp-kms://x"] {
            assert!(key(other).is_err(), "{other}");
        }
    }
}
