//! Opening the place where recordings are kept: the data directory, or a bucket.

use crate::aws::SdkKeys;
use crate::sessions::recordings::Store;
use muster_domain::time::Clock;
use muster_recording::{RecordingError, Recordings, S3Settings, Settings, SigningKey, Storage};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Why recordings cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Folder, key or bucket.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The setting.
    #[error(
        "recording_store cannot be {0:?}: use s3://bucket/prefix, or leave it empty for the data directory"
    )]
    Setting(String),
    /// The client for the bucket.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// Takes `s3://bucket/prefix` apart.
fn bucket(address: &str) -> Option<(&str, &str)> {
    let rest = address.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, prefix.trim_matches('/')))
}

/// The bucket that sealed parts are in.
#[derive(Debug)]
pub struct Bucket<'a> {
    /// `s3://bucket/prefix`.
    pub address: &'a str,
    /// The region that requests are signed for.
    pub region: String,
    /// Where it is reached, when not at S3's own address.
    pub endpoint: Option<String>,
    /// The keys.
    pub keys: SdkKeys,
}

/// The place in `folder`; sealed parts are in the bucket, where there is one. For the portal and for whoever reads without it.
///
/// # Errors
/// [`OpenError`].
pub fn storage(folder: &Path, place: Option<Bucket<'_>>) -> Result<Storage, OpenError> {
    let Some(place) = place else {
        return Ok(Storage::local(folder)?);
    };
    let (name, prefix) = bucket(place.address).ok_or_else(|| OpenError::Setting(place.address.to_owned()))?;
    let settings = S3Settings {
        bucket: name.to_owned(),
        prefix: prefix.to_owned(),
        region: place.region,
        endpoint: place.endpoint,
    };
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(60))
        .build()?;
    Ok(Storage::s3(folder, &settings, Arc::new(place.keys), client)?)
}

impl Store {
    /// Opens the place, with the signing key in `folder`. Runs the sealing in the caller's runtime.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, storage: Storage, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let key = SigningKey::load_or_make(&folder.join("signing-key"))?;
        Ok(Self {
            recordings: Recordings::start(storage, key, Settings::default(), Arc::clone(&clock)),
            clock,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::bucket;

    #[test]
    fn a_buckets_address_is_taken_apart() {
        assert_eq!(bucket("s3://logs"), Some(("logs", "")));
        assert_eq!(bucket("s3://logs/muster/prod/"), Some(("logs", "muster/prod")));
        assert_eq!(bucket("s3:///x"), None);
        assert_eq!(bucket("/var/lib"), None);
    }
}
