//! Keeps commands fresh: sends what is queued, follows what is running, and takes in what was started
//! outside Muster.

use crate::aws::Ssm;
use crate::commands::dispatch::Dispatcher;
use crate::commands::follow::{FollowError, Follower};
use crate::commands::{insert, outside, parts, queries, ssm};
use crate::events::{EventBus, PortalEvent};
use futures::StreamExt as _;
use muster_domain::Timestamp;
use muster_domain::ids::CommandId;
use muster_domain::time::Clock;
use muster_store::Db;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// A nudge from the embedded endpoint: Systems Manager's command id and the node that has news.
pub type Nudge = (String, String);

/// The task's parts.
pub struct CommandSync {
    /// The portal's database.
    pub db: Db,
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Wakes streams.
    pub bus: EventBus,
    /// Sends.
    pub dispatcher: Dispatcher,
    /// Follows.
    pub follower: Follower,
    /// Somebody queued something to be sent.
    pub queued: Arc<Notify>,
    /// Something was sent.
    pub sent: Arc<Notify>,
}

impl CommandSync {
    /// Runs until `stop`.
    pub async fn run(self, mut nudges: mpsc::Receiver<Nudge>, stop: CancellationToken) {
        let embedded = self.ssm.connection.embedded;
        // Nudges make the embedded endpoint quick; the clock is only there for what they miss.
        let poll = Duration::from_millis(if embedded { 2_000 } else { 3_000 });
        let discover = Duration::from_secs(if embedded { 5 } else { 60 });
        let mut poll = tokio::time::interval(poll);
        let mut discover = tokio::time::interval(discover);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        discover.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.queued.notified() => self.send().await,
                () = self.sent.notified() => self.follow(None).await,
                first = nudges.recv() => {
                    let Some(first) = first else { return };
                    self.nudged(first, &mut nudges).await;
                }
                _ = poll.tick() => { self.send().await; self.follow(None).await; }
                _ = discover.tick() => self.discover().await,
            }
        }
    }

    async fn send(&self) {
        if let Err(error) = self.dispatcher.step().await {
            tracing::error!(%error, "queued commands could not be sent");
        }
    }

    /// Takes in all nudges that are waiting, and looks only at what they name.
    async fn nudged(&self, first: Nudge, nudges: &mut mpsc::Receiver<Nudge>) {
        let mut by_command: HashMap<CommandId, HashSet<Nudge>> = HashMap::new();
        let mut waiting = vec![first];
        while let Ok(next) = nudges.try_recv() {
            waiting.push(next);
            if waiting.len() >= 10_000 {
                break;
            }
        }
        let mut known: HashMap<String, Option<CommandId>> = HashMap::new();
        for (id, node) in waiting {
            if !known.contains_key(&id) {
                let command = parts::command_of_ssm(&self.db, &id).await.unwrap_or_default();
                known.insert(id.clone(), command);
            }
            if let Some(Some(command)) = known.get(&id) {
                by_command.entry(command.clone()).or_default().insert((id, node));
            }
        }
        self.follow(Some(&by_command)).await;
    }

    async fn follow(&self, only: Option<&HashMap<CommandId, HashSet<Nudge>>>) {
        let mut rows = Vec::new();
        for state in ["active", "sending"] {
            match queries::in_state(&self.db, state).await {
                Ok(found) => rows.extend(found),
                Err(error) => return tracing::error!(%error, "running commands could not be read"),
            }
        }
        if let Some(only) = only {
            rows.retain(|row| only.contains_key(&row.summary.command_id));
        }
        // What was learned may have made room for calls that wait.
        let waiting = rows.iter().any(|row| row.state == "sending");
        let looks = futures::stream::iter(rows).map(|row| async move {
            let nodes = only.and_then(|only| only.get(&row.summary.command_id));
            match self.follower.look(&row, nodes).await {
                Ok(()) => {}
                Err(FollowError::Store(error)) => tracing::error!(%error, command.id = %row.summary.command_id, "a command could not be followed"),
                Err(FollowError::Call(error)) => tracing::debug!(%error, command.id = %row.summary.command_id, "a command could not be followed"),
            }
        });
        looks.buffer_unordered(8).collect::<()>().await;
        if waiting {
            self.send().await;
        }
    }

    /// Writes down commands that somebody started by other means, from the last day on.
    async fn discover(&self) {
        let now = self.clock.now();
        let since = Timestamp(now.0 - 24 * 3_600_000);
        let Ok(seen) =
            ssm::commands_since(&self.ssm, since, if self.ssm.connection.embedded { 4 } else { 2 }).await
        else {
            return;
        };
        for command in seen
            .iter()
            .filter(|command| !command.key_prefix.starts_with("muster/"))
        {
            match parts::command_of_ssm(&self.db, &command.id).await {
                Ok(None) => {}
                _ => continue,
            }
            let new = outside::foreign(command, self.ssm.connection.id.as_str(), now);
            match insert::insert(&self.db, &new).await {
                Ok(()) => self
                    .bus
                    .tell(PortalEvent::Command(new.row.summary.command_id.clone())),
                Err(error) if error.is_unique_violation() => {}
                Err(error) => tracing::error!(%error, "a command from outside could not be written down"),
            }
        }
    }
}
