//! Keeps the portal's copy of patching fresh, in rounds.

use crate::patching::PatchingService;
use crate::patching::copy::CopyError;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The task's parts.
#[derive(Clone)]
pub struct PatchingSync {
    /// What copies.
    pub service: PatchingService,
}

impl PatchingSync {
    /// Copies until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let embedded = self.service.ssm.connection.embedded;
        let base = Duration::from_secs(if embedded { 10 } else { 600 });
        loop {
            let began = Instant::now();
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.service.copy_states() => done,
            };
            // A large fleet takes many calls: at most a tenth of the time goes into them.
            let pause = base.max(began.elapsed() * 10);
            let pause = match done {
                Ok(()) => pause,
                Err(CopyError::Store(error)) => {
                    tracing::error!(%error, "the copy of patch states could not be written");
                    pause.min(Duration::from_secs(30))
                }
                Err(CopyError::Call(error)) => {
                    tracing::warn!(%error, "patch states could not be copied");
                    pause.min(Duration::from_secs(30))
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
