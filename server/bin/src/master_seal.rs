//! The key management service that seals the embedded endpoint's master key.

use async_trait::async_trait;
use muster_control_plane::{BySeal, MasterSeal};
use muster_server::aws::SealingService;
use muster_server::aws::sealing::Answered;
use std::sync::Arc;

#[derive(Debug)]
struct Seal(SealingService);

fn by_seal(Answered { bytes, key }: Answered) -> BySeal {
    BySeal { bytes, key }
}

#[async_trait]
impl MasterSeal for Seal {
    fn uri(&self) -> &str {
        self.0.uri()
    }

    fn region(&self) -> &str {
        self.0.region()
    }

    async fn seal(&self, key: &[u8]) -> Result<BySeal, String> {
        self.0.seal(key).await.map(by_seal)
    }

    async fn open(&self, sealed: &[u8], region: &str) -> Result<BySeal, String> {
        self.0.unseal(sealed, region).await.map(by_seal)
    }
}

/// What the setting names; or why it cannot be used, in words that follow it.
pub(crate) fn open(uri: &str, region: &str) -> Result<Arc<dyn MasterSeal>, String> {
    Ok(Arc::new(Seal(SealingService::new(uri, region)?)))
}
