//! Where recordings of terminals are, as the settings say: for the portal, and for commands that read without it.

use crate::connection;
use crate::start_error::StartError;
use muster_domain::time::Clock;
use muster_recording::Storage;
use muster_server::aws::{SdkKeys, Ssm};
use muster_server::config::{Config, SsmMode};
use muster_server::sessions::{Bucket, Store};
use std::sync::Arc;

/// The place of recordings. In a bucket it is reached with the connection's keys where the portal works at AWS; beside the
/// embedded endpoint, whose keys mean nothing elsewhere, with those of the settings, or as the AWS tools find them.
///
/// # Errors
/// When the folder or the bucket's address cannot be used, or there is no region or no key.
pub async fn storage(config: &Config, ssm: Option<&Ssm>) -> Result<Storage, StartError> {
    let folder = config.data_dir.join("recordings");
    let wrong = |error: muster_server::sessions::OpenError| StartError::Recordings(error.to_string());
    let Some(address) = config.recording_store.as_deref() else {
        return muster_server::sessions::storage(&folder, None).map_err(wrong);
    };
    // Other libraries ask for the provider; who was first does not matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let region = match config.region.as_str() {
        "" => Ssm::region_of_profile().await.ok_or(StartError::NoRegion)?,
        region => region.to_owned(),
    };
    let keys = match (config.ssm_mode, ssm) {
        (SsmMode::Embedded, _) => own_keys(config, &region).await?,
        (SsmMode::Aws, Some(ssm)) => SdkKeys(ssm.credentials.clone()),
        (SsmMode::Aws, None) => {
            let mut connection = connection::first(config, None);
            connection.region.clone_from(&region);
            SdkKeys(Ssm::connect(connection).await.credentials)
        }
    };
    let bucket = Bucket {
        address,
        region,
        endpoint: config.s3_endpoint.clone(),
        keys,
    };
    muster_server::sessions::storage(&folder, Some(bucket)).map_err(wrong)
}

async fn own_keys(config: &Config, region: &str) -> Result<SdkKeys, StartError> {
    if let Some((id, secret)) = config.access_key_id.clone().zip(config.secret_access_key.clone()) {
        return Ok(SdkKeys::of(&id, &secret));
    }
    Ssm::keys_of_machine(region).await.map(SdkKeys).ok_or_else(|| {
        StartError::Recordings(
            "there are no keys for recording_store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile".into(),
        )
    })
}

/// Where recordings of these settings are written and read.
///
/// # Errors
/// When the folder, the bucket's address or the signing key cannot be used.
pub(crate) async fn store(config: &Config, ssm: &Ssm, clock: Arc<dyn Clock>) -> Result<Store, StartError> {
    let storage = storage(config, Some(ssm)).await?;
    Store::open(&config.data_dir.join("recordings"), storage, clock)
        .map_err(|error| StartError::Recordings(error.to_string()))
}
