//! Follows executions until they end: sends those again that may not have been taken, looks at those that run, and writes
//! down those that were started elsewhere. All news comes through Systems Manager's API.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::events::{EventBus, PortalEvent};
use crate::runbooks::queries::{self, ExecutionRow};
use crate::runbooks::ssm::{self, SeenExecution};
use crate::runbooks::{apply, insert, outside};
use muster_domain::ids::ExecutionId;
use muster_domain::time::Clock;
use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, StoreError};
use std::sync::Arc;

/// An execution that Systems Manager could not be told about in this time, in ms, is not sent any more: nobody knows how
/// long it remembers a token.
const SENT_AGAIN_MS: i64 = 10 * 60_000;

/// A list of executions is no older than this, in ms.
const OLDER_LIST_MS: i64 = 30_000;

/// Follows executions.
#[derive(Clone)]
pub struct Follower {
    /// The portal's database.
    pub db: Db,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Wakes streams.
    pub bus: EventBus,
}

/// Why following did not go on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Systems Manager did not answer.
    #[error("{0}")]
    Call(CallError),
    /// Something of an execution from outside could not be found out.
    #[error(transparent)]
    Portal(#[from] PortalError),
}

impl From<CallError> for FollowError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Follower {
    fn tell(&self, execution: &ExecutionId, events: i64) {
        if events > 0 {
            self.bus.tell(PortalEvent::Execution(execution.clone()));
        }
    }

    /// Sends an execution under its token, which starts it once, also when it was taken before.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn send(&self, row: &ExecutionRow) -> Result<(), FollowError> {
        let id = &row.summary.execution_id;
        let now = self.clock.now();
        if now.since_ms(row.summary.requested_at) > SENT_AGAIN_MS {
            let problem = "Systems Manager did not answer for ten minutes after this was asked. Whether it has taken it is not \
                           known, so it is not sent again: look for it among the executions started outside Muster.";
            let made = apply::give_up(&self.db, id, problem, now).await?;
            self.tell(id, made);
            return Ok(());
        }
        match ssm::start(&self.ssm, &row.plan(), &row.client_token).await {
            Ok(ssm_id) => {
                queries::sent(&self.db, id, &ssm_id).await?;
                self.bus.tell(PortalEvent::Execution(id.clone()));
                Ok(())
            }
            Err(error) if error.refused && !error.is_throttled() && !error.unreachable => {
                let made = apply::give_up(&self.db, id, &error.to_portal().to_string(), now).await?;
                self.tell(id, made);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at an execution that runs, and at those that it started.
    ///
    /// # Errors
    /// [`FollowError`]; what was learned before stays.
    pub async fn look(&self, row: &ExecutionRow) -> Result<(), FollowError> {
        let Some(ssm_id) = &row.ssm_execution_id else {
            return Ok(());
        };
        let id = &row.summary.execution_id;
        let Some(seen) = ssm::execution(&self.ssm, ssm_id).await? else {
            let problem = "Systems Manager does not know this execution any more.";
            let made = apply::give_up(&self.db, id, problem, self.clock.now()).await?;
            self.tell(id, made);
            return Ok(());
        };
        let made = apply::apply(&self.db, id, &seen, self.clock.now()).await?;
        self.tell(id, made);
        for child in seen.steps.iter().filter_map(|step| step.child()) {
            self.take_in(child).await?;
        }
        Ok(())
    }

    /// Writes down an execution that nobody here knows yet.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn take_in(&self, ssm_id: &str) -> Result<(), FollowError> {
        if queries::of_ssm(&self.db, ssm_id).await?.is_some() {
            return Ok(());
        }
        let Some(seen) = ssm::execution(&self.ssm, ssm_id).await? else {
            return Ok(());
        };
        self.write_down(&seen).await
    }

    async fn write_down(&self, seen: &SeenExecution) -> Result<(), FollowError> {
        let now = self.clock.now();
        let new = outside::foreign(&self.db, &self.ssm, seen, now).await?;
        match insert::insert(&self.db, &new).await {
            Ok(_) => {}
            Err(error) if error.is_unique_violation() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let id = &new.row.summary.execution_id;
        let made = apply::apply(&self.db, id, seen, now).await?;
        self.tell(id, made);
        Ok(())
    }

    /// Follows an execution again that has ended, and that somebody has retried by other means.
    async fn retried_outside(&self, row: &ExecutionRow, has_ended: bool) -> Result<(), FollowError> {
        let now = self.clock.now();
        // The list may be older than its end.
        let is_long_over = row
            .summary
            .ended_at
            .is_some_and(|at| now.since_ms(at) > OLDER_LIST_MS)
            && row.state == "done";
        if is_long_over && !has_ended {
            let id = &row.summary.execution_id;
            if apply::reopen(&self.db, id, None, now).await?.is_some() {
                self.tell(id, 1);
            }
        }
        Ok(())
    }

    /// Writes down what was started by other means, from the last day on.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn discover(&self) -> Result<(), FollowError> {
        let since = Timestamp(self.clock.now().0 - 24 * 3_600_000);
        let pages = if self.ssm.connection.embedded { 4 } else { 2 };
        // Oldest first, so that whoever started another is known before it.
        for listed in ssm::executions_since(&self.ssm, since, pages).await?.iter().rev() {
            if let Some(row) = queries::of_ssm(&self.db, &listed.id).await? {
                self.retried_outside(&row, listed.has_ended).await?;
                continue;
            }
            // It may be one of ours whose id is just being written down: the next round knows.
            if queries::is_sending(&self.db, &listed.document).await? {
                continue;
            }
            self.take_in(&listed.id).await?;
        }
        Ok(())
    }
}
