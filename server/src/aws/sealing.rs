//! A key of AWS's key management service, or of what speaks like it, by which secrets of this machine are sealed.

use super::clients::http_client;
use super::errors::CallError;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use std::time::Duration;

/// What a sealed secret is tied to, so that nothing else that the key has sealed passes for it.
const PURPOSE: (&str, &str) = ("muster", "master key");

/// One key of the service.
#[derive(Clone, Debug)]
pub struct SealingService {
    uri: String,
    key: String,
    region: String,
}

/// What the service gave, and which of its keys it took.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Sealed, or opened.
    pub bytes: Vec<u8>,
    /// The key's ARN.
    pub key: String,
}

/// The key in `aws-kms://alias/muster`, `aws-kms://1234abcd-…` or `aws-kms://arn:aws:kms:…`.
fn key(uri: &str) -> Result<&str, String> {
    uri.strip_prefix("aws-kms://")
        .filter(|key| !key.is_empty() && !key.chars().any(char::is_whitespace))
        .ok_or_else(|| "use aws-kms://alias/NAME, or aws-kms:// with the id or the ARN of a key".to_owned())
}

/// The region of a key: its ARN's, or the one that the AWS tools are told, or the portal's.
fn region_of(key: &str, told: Option<String>, portal: &str) -> String {
    key.strip_prefix("arn:")
        .and_then(|rest| rest.split(':').nth(2))
        .filter(|region| !region.is_empty())
        .map(str::to_owned)
        .or(told)
        .unwrap_or_else(|| portal.to_owned())
}

async fn client(region: &str) -> aws_sdk_kms::Client {
    let timeouts = aws_config::timeout::TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(http_client())
        .timeout_config(timeouts)
        .load()
        .await;
    aws_sdk_kms::Client::new(&config)
}

/// Code and message alone: the SDK's own words may hold an answer whole, and that a secret.
fn why<E>(operation: &'static str, error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let told = CallError::of(operation, error);
    format!("{operation}: {} {}", told.code, told.message)
        .replace("  ", " ")
        .trim()
        .to_owned()
}

impl SealingService {
    /// The key that `uri` names; where the service is and with which keys it is asked the AWS tools' own settings say.
    ///
    /// # Errors
    /// Why the setting cannot be used, in words that follow it.
    pub fn new(uri: &str, region: &str) -> Result<Self, String> {
        let key = key(uri)?.to_owned();
        let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let told = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        Ok(Self {
            uri: uri.to_owned(),
            region: region_of(&key, told, region),
            key,
        })
    }

    /// As it was named.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Where the service is asked.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// What the service says.
    pub async fn seal(&self, secret: &[u8]) -> Result<Answered, String> {
        let sealed = client(&self.region)
            .await
            .encrypt()
            .key_id(&self.key)
            .plaintext(Blob::new(secret))
            .encryption_context(PURPOSE.0, PURPOSE.1)
            .send()
            .await
            .map_err(|error| why("Encrypt", &error))?;
        let key = sealed.key_id.unwrap_or_default();
        let bytes = sealed.ciphertext_blob.map(Blob::into_inner);
        let bytes = bytes.ok_or("Encrypt: it answered without what was sealed")?;
        Ok(Answered { bytes, key })
    }

    /// Opens what was sealed in that region, with whichever key of the service that was.
    ///
    /// # Errors
    /// What the service says.
    pub async fn unseal(&self, sealed: &[u8], region: &str) -> Result<Answered, String> {
        let opened = client(region)
            .await
            .decrypt()
            .ciphertext_blob(Blob::new(sealed))
            .encryption_context(PURPOSE.0, PURPOSE.1)
            .send()
            .await
            .map_err(|error| why("Decrypt", &error))?;
        let key = opened.key_id.unwrap_or_default();
        let bytes = opened.plaintext.map(Blob::into_inner);
        let bytes = bytes.ok_or("Decrypt: it answered without what was opened")?;
        Ok(Answered { bytes, key })
    }
}

#[cfg(test)]
mod tests {
    use super::{key, region_of};

    #[test]
    fn a_key_is_named_by_an_address() {
        assert_eq!(key("aws-kms://alias/muster"), Ok("alias/muster"));
        let arn = "arn:aws:kms:us-east-2:123456789012:key/1";
        assert_eq!(key(&format!("aws-kms://{arn}")), Ok(arn));
        for other in ["", "alias/muster", "aws-kms://", "aws-kms://a b", "gcp-kms://x"] {
            assert!(key(other).is_err(), "{other}");
        }
        assert_eq!(region_of(arn, Some("told".into()), "portal"), "us-east-2");
        assert_eq!(region_of("alias/a", Some("told".into()), "portal"), "told");
        assert_eq!(region_of("alias/a", None, "portal"), "portal");
    }
}
