//! The key management service that seals the embedded endpoint's master key.

use async_trait::async_trait;
use muster_control_plane::MasterSeal;
use muster_server::aws::SealingService;
use std::sync::Arc;

#[derive(Debug)]
struct Seal(SealingService);

#[async_trait]
impl MasterSeal for Seal {
    fn uri(&self) -> &str {
        self.0.uri()
    }

    async fn seal(&self, key: &[u8]) -> Result<Vec<u8>, String> {
        self.0.seal(key).await
    }

    async fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, String> {
        self.0.unseal(sealed).await
    }
}

/// What the setting names; or why it cannot be used, in words that follow it.
pub(crate) async fn open(uri: &str, region: &str) -> Result<Arc<dyn MasterSeal>, String> {
    Ok(Arc::new(Seal(SealingService::open(uri, region).await?)))
}
