//! Keeps the portal's copy of parameters fresh: all of them in rounds, then labels that were not looked up lately.

use crate::aws::Ssm;
use crate::parameters::Gone;
use crate::parameters::copy::{self, CopyError};
use muster_domain::time::Clock;
use muster_store::Db;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The task's parts.
#[derive(Clone)]
pub struct ParameterSync {
    /// The portal's database.
    pub db: Db,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// What was deleted a moment ago.
    pub gone: Gone,
}

impl ParameterSync {
    /// Copies until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let pause = Duration::from_secs(if self.ssm.connection.embedded { 20 } else { 600 });
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.copy() => done,
            };
            let pause = match done {
                Ok(()) => pause,
                Err(CopyError::Store(error)) => {
                    tracing::error!(%error, "the copy of parameters could not be written");
                    pause.min(Duration::from_secs(30))
                }
                Err(CopyError::Call(error)) => {
                    tracing::warn!(%error, "parameters could not be copied");
                    pause.min(Duration::from_secs(30))
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn copy(&self) -> Result<(), CopyError> {
        copy::all(&self.db, &self.ssm, self.clock.as_ref(), &self.gone).await?;
        // Labels are asked for one parameter at a time, within the budget of calls.
        while copy::some_labels(&self.db, &self.ssm, self.clock.now()).await? > 0 {}
        Ok(())
    }
}
