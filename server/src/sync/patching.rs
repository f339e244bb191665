//! Keeps the portal's copy of patching fresh, in rounds.

use crate::patching::PatchingService;
use crate::patching::copy::CopyError;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often those baselines are looked at that come with Systems Manager.
const A_DAY: Duration = Duration::from_secs(86_400);

/// How often it is looked for exceptions whose time is over.
const EXCEPTIONS: Duration = Duration::from_secs(5);

/// The task's parts.
#[derive(Clone)]
pub struct PatchingSync {
    /// What copies.
    pub service: PatchingService,
}

impl PatchingSync {
    /// Ends exceptions whose time is over, until `stop`.
    pub async fn exceptions(self, stop: CancellationToken) {
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.service.end_exceptions() => done,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "an exception could not be ended; it is tried again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EXCEPTIONS) => {}
            }
        }
    }

    /// Copies until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let embedded = self.service.ssm.connection.embedded;
        let base = Duration::from_secs(if embedded { 10 } else { 600 });
        let mut all_at: Option<Instant> = None;
        loop {
            let began = Instant::now();
            let all = all_at.is_none_or(|at| at.elapsed() > A_DAY);
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.copy(all) => done,
            };
            if all && done.is_ok() {
                all_at = Some(began);
            }
            // A large fleet takes many calls: at most a tenth of the time goes into them.
            let pause = base.max(began.elapsed() * 10);
            let pause = match done {
                Ok(()) => pause,
                Err(CopyError::Store(error)) => {
                    tracing::error!(%error, "the copy of patching could not be written");
                    pause.min(Duration::from_secs(30))
                }
                Err(CopyError::Call(error)) => {
                    tracing::warn!(%error, "patching could not be copied");
                    pause.min(Duration::from_secs(30))
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn copy(&self, all: bool) -> Result<(), CopyError> {
        // Few calls, and people wait for what they see of them: before those for all nodes.
        self.service.copy_baselines(all).await?;
        self.service.copy_states().await
    }
}
