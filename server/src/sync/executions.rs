//! Keeps runbooks and their executions fresh: copies what there is, sends what is written down, follows what runs, and takes
//! in what was started outside Muster.

use crate::aws::Ssm;
use crate::runbooks::follow::{FollowError, Follower};
use crate::runbooks::{RunbookService, copy, queries};
use futures::StreamExt as _;
use muster_domain::time::Clock;
use muster_store::Db;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Executions looked at in one round at most.
const ROUND: i64 = 200;
/// Between looks because of nudges at most.
const LONGEST_REST: Duration = Duration::from_millis(500);

/// The tasks' parts.
#[derive(Clone)]
pub struct ExecutionSync {
    /// The portal's database.
    pub db: Db,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Follows.
    pub follower: Follower,
    /// Looks after schedules.
    pub runbooks: RunbookService,
    /// Somebody started, stopped or told one.
    pub queued: Arc<Notify>,
}

impl ExecutionSync {
    /// Follows executions until `stop`.
    pub async fn follow(self, mut nudges: mpsc::Receiver<String>, stop: CancellationToken) {
        let embedded = self.ssm.connection.embedded;
        let every = |quick: u64, slow: u64| {
            let mut interval =
                tokio::time::interval(Duration::from_millis(if embedded { quick } else { slow }));
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            interval
        };
        // Nudges make the embedded endpoint quick; the clock is only there for what they miss.
        let mut poll = every(2_000, 4_000);
        let mut discover = every(3_000, 60_000);
        let mut rested = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.queued.notified() => self.round().await,
                first = next(&mut nudges, rested) => {
                    let Some(first) = first else { return };
                    let began = Instant::now();
                    self.nudged(first, &mut nudges).await;
                    // Where very much happens half of the time is left to those who make it happen.
                    rested = Instant::now() + began.elapsed().min(LONGEST_REST);
                }
                _ = poll.tick() => self.round().await,
                _ = discover.tick() => {
                    if let Err(error) = self.follower.discover().await {
                        tell(&error, "executions from outside could not be looked for");
                    }
                }
            }
        }
    }

    /// Looks at all that the waiting nudges name, each once.
    async fn nudged(&self, first: String, nudges: &mut mpsc::Receiver<String>) {
        let mut ids = BTreeSet::from([first]);
        while let Ok(next) = nudges.try_recv() {
            ids.insert(next);
        }
        let looks = futures::stream::iter(ids).map(|id| async move {
            let row = match queries::of_ssm(&self.db, &id).await {
                Ok(Some(row)) if row.state == "active" => row,
                // It has ended here too, or it was started elsewhere and is looked for by the clock.
                Ok(_) => return,
                Err(error) => return tracing::error!(%error, "a running execution could not be read"),
            };
            if let Err(error) = self.follower.look(&row).await {
                tell(&error, "an execution could not be followed");
            }
        });
        looks.buffer_unordered(8).collect::<()>().await;
    }

    async fn round(&self) {
        for state in ["sending", "active"] {
            let rows = match queries::in_state(&self.db, state, ROUND).await {
                Ok(rows) => rows,
                Err(error) => return tracing::error!(%error, "running executions could not be read"),
            };
            let looks = futures::stream::iter(rows).map(|row| async move {
                let done = if row.state == "sending" {
                    self.follower.send(&row).await
                } else {
                    self.follower.look(&row).await
                };
                if let Err(error) = done {
                    tell(&error, "an execution could not be followed");
                }
            });
            looks.buffer_unordered(8).collect::<()>().await;
        }
    }

    /// Looks after schedules until `stop`.
    pub async fn schedules(self, stop: CancellationToken) {
        let every = Duration::from_secs(if self.ssm.connection.embedded { 5 } else { 120 });
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.runbooks.look_after_schedules() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    /// Copies runbooks until `stop`.
    pub async fn copy(self, stop: CancellationToken) {
        let pause = Duration::from_secs(if self.ssm.connection.embedded { 20 } else { 600 });
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.copy_all() => done,
            };
            let pause = match done {
                Ok(()) => pause,
                Err(error) => {
                    tracing::warn!(%error, "runbooks could not be copied");
                    pause.min(Duration::from_secs(30))
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn copy_all(&self) -> Result<(), copy::CopyError> {
        let now = self.clock.now();
        copy::list(&self.db, &self.ssm, now).await?;
        // What each does is asked one by one, within the budget of calls.
        while copy::describe_some(&self.db, &self.ssm, self.clock.now()).await? > 0 {}
        Ok(())
    }
}

/// The next nudge, not before a moment.
async fn next(nudges: &mut mpsc::Receiver<String>, not_before: Instant) -> Option<String> {
    tokio::time::sleep_until(not_before).await;
    nudges.recv().await
}

/// That Systems Manager does not answer is said elsewhere, once; that the database does not is an error each time.
fn tell(error: &FollowError, what: &str) {
    match error {
        FollowError::Call(error) => tracing::debug!(%error, "{what}"),
        error => tracing::error!(%error, "{what}"),
    }
}
