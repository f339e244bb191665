//! Keeps the portal's copy of maintenance windows fresh: the list in rounds, then what has changed of each.

use crate::aws::Ssm;
use crate::windows::copy::{self, CopyError};
use muster_domain::time::Clock;
use muster_store::Db;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The task's parts.
#[derive(Clone)]
pub struct WindowSync {
    /// The portal's database.
    pub db: Db,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
}

impl WindowSync {
    /// Copies until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let pause = Duration::from_secs(if self.ssm.connection.embedded { 10 } else { 120 });
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.copy() => done,
            };
            match done {
                Ok(()) => {}
                Err(CopyError::Store(error)) => {
                    tracing::error!(%error, "the copy of maintenance windows could not be written");
                }
                Err(CopyError::Call(error)) => {
                    tracing::warn!(%error, "maintenance windows could not be copied");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn copy(&self) -> Result<(), CopyError> {
        copy::list(&self.db, &self.ssm, self.clock.as_ref()).await?;
        // Targets and tasks that somebody changes elsewhere are told by nothing: they are looked up once in a while.
        let (old_ms, open_ms) = if self.ssm.connection.embedded {
            (60_000, 5_000)
        } else {
            (3_600_000, 60_000)
        };
        while copy::some_details(&self.db, &self.ssm, self.clock.as_ref(), (old_ms, open_ms)).await? > 0 {}
        Ok(())
    }
}
