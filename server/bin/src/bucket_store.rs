//! Buckets that the embedded endpoint writes to, in S3 or what speaks like it.

use muster_control_plane::{Buckets, ObjectStore};
use muster_recording::{S3Credentials, S3Settings, s3_objects};
use muster_server::aws::{SdkKeys, Ssm};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// All buckets of one endpoint.
#[derive(Debug)]
pub(crate) struct S3Buckets {
    endpoint: Option<String>,
    keys: Arc<dyn S3Credentials>,
    client: reqwest::Client,
    /// By name and region.
    open: Mutex<BTreeMap<(String, String), Arc<dyn ObjectStore>>>,
}

/// The buckets that the setting names; or why it cannot be used, in words that follow it.
pub(crate) async fn open(setting: &str, region: &str) -> Result<Arc<dyn Buckets>, String> {
    let endpoint = match setting {
        "s3" => None,
        address if address.starts_with("https://") || address.starts_with("http://") => {
            Some(address.trim_end_matches('/').to_owned())
        }
        _ => return Err("use s3, or an address like https://minio.example:9000".into()),
    };
    // Somebody may have chosen one already; it is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let keys = Ssm::keys_of_machine(region)
        .await
        .ok_or("there are no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")?;
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(60))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(S3Buckets {
        endpoint,
        keys: Arc::new(SdkKeys(keys)),
        client,
        open: Mutex::default(),
    }))
}

impl Buckets for S3Buckets {
    fn open(&self, bucket: &str, region: &str) -> Result<Arc<dyn ObjectStore>, String> {
        let place = (bucket.to_owned(), region.to_owned());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open.get(&place) {
            return Ok(Arc::clone(known));
        }
        let settings = S3Settings {
            bucket: place.0.clone(),
            prefix: String::new(),
            region: place.1.clone(),
            endpoint: self.endpoint.clone(),
        };
        let made = s3_objects(&settings, Arc::clone(&self.keys), self.client.clone())
            .map_err(|error| error.to_string())?;
        open.insert(place, Arc::clone(&made));
        Ok(made)
    }

    fn address(&self, region: &str) -> Option<String> {
        let own = || format!("https://s3.{region}.amazonaws.com");
        Some(self.endpoint.clone().unwrap_or_else(own))
    }
}
