//! Sends the parts of commands. A part that was begun is never begun again: after a crash it is looked
//! up at Systems Manager by its marker, and where that is not possible it is reported, not repeated.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::commands::apply::{News, Whole, apply};
use crate::commands::invocations;
use crate::commands::parts::{self, Part};
use crate::commands::queries::{self, CommandRow};
use crate::commands::ssm::{self, Rate};
use crate::events::{EventBus, PortalEvent};
use muster_domain::commands::{CommandStatus, parse_rate};
use muster_domain::ids::CommandId;
use muster_domain::time::Clock;
use muster_store::{Db, StoreError};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Nodes that one call may name.
pub const NODES_PER_CALL: usize = 50;

/// Sends parts.
#[derive(Clone)]
pub struct Dispatcher {
    db: Db,
    ssm: Ssm,
    clock: Arc<dyn Clock>,
    bus: EventBus,
    /// Wakes the follower when something was sent.
    sent: Arc<Notify>,
    /// Parts being sent by this process right now: they are not to be looked up as lost.
    busy: Arc<Mutex<HashSet<(CommandId, i64)>>>,
}

/// A rate as a number of nodes.
#[must_use]
pub fn absolute(text: &str, nodes: u32, at_least: u32) -> u32 {
    match parse_rate(text) {
        Some((percent, true)) => (u64::from(nodes) * u64::from(percent) / 100)
            .try_into()
            .unwrap_or(u32::MAX)
            .max(at_least),
        Some((number, false)) => number.max(at_least),
        None => at_least,
    }
}

/// The rate control of the next call of several: what is left of the command's own.
#[must_use]
pub fn split_rate(row: &CommandRow, nodes: u32, errors_so_far: u32) -> Rate {
    let concurrency = absolute(&row.max_concurrency, nodes, 1);
    let errors = absolute(&row.max_errors, nodes, 0).saturating_sub(errors_so_far);
    let each = concurrency.min(u32::try_from(NODES_PER_CALL).unwrap_or(50));
    Rate {
        max_concurrency: each.to_string(),
        max_errors: errors.to_string(),
    }
}

/// Nodes that a part names.
fn size(part: &Part) -> u32 {
    let nodes = part.node_ids.as_ref().map_or(0, Vec::len);
    u32::try_from(nodes).unwrap_or(u32::MAX)
}

impl Dispatcher {
    /// A dispatcher.
    #[must_use]
    pub fn new(db: Db, ssm: Ssm, clock: Arc<dyn Clock>, bus: EventBus, sent: Arc<Notify>) -> Self {
        Self {
            db,
            ssm,
            clock,
            bus,
            sent,
            busy: Arc::default(),
        }
    }

    fn hold(&self, part: &Part) -> Held<'_> {
        let key = (part.command_id.clone(), part.part);
        self.busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone());
        Held {
            busy: &self.busy,
            key,
        }
    }

    fn is_busy(&self, part: &Part) -> bool {
        self.busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&(part.command_id.clone(), part.part))
    }

    /// Sends one queued part. `Ok(None)` when somebody else has begun it.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(
        &self,
        row: &CommandRow,
        part: &Part,
        rate: &Rate,
    ) -> Result<Option<String>, SendError> {
        let _held = self.hold(part);
        let now = self.clock.now();
        if !parts::move_part(&self.db, part, "queued", "sending", None, now).await? {
            return Ok(None);
        }
        match ssm::send(&self.ssm, row, part, rate).await {
            Ok(id) => {
                parts::move_part(&self.db, part, "sending", "sent", Some(&id), self.clock.now()).await?;
                self.sent.notify_one();
                Ok(Some(id))
            }
            Err(error) if error.refused => {
                // Nothing was started: the part may be tried again or dropped, as the caller decides.
                parts::move_part(&self.db, part, "sending", "queued", None, now).await?;
                Err(SendError::Call(error))
            }
            Err(error) => Err(SendError::Call(error)),
        }
    }

    /// Does what is due for all commands that are not yet fully sent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn step(&self) -> Result<(), StoreError> {
        for row in queries::in_state(&self.db, "sending").await? {
            self.step_command(&row).await?;
        }
        Ok(())
    }

    async fn step_command(&self, row: &CommandRow) -> Result<(), StoreError> {
        let command = &row.summary.command_id;
        let parts = parts::parts(&self.db, command).await?;
        let single = parts.len() == 1;
        for part in parts
            .iter()
            .filter(|part| part.state == "sending" && !self.is_busy(part))
        {
            self.find_again(row, part).await?;
        }
        let tally = invocations::tally(&self.db, command).await?;
        let nodes = row.summary.targets;
        let rate = if single {
            Rate {
                max_concurrency: row.max_concurrency.clone(),
                max_errors: row.max_errors.clone(),
            }
        } else {
            split_rate(row, nodes, tally.errors())
        };
        let too_many_errors = !single && tally.errors() > absolute(&row.max_errors, nodes, 0);
        let stop = row.cancel_requested_at.is_some() || too_many_errors;
        // Nodes that a call went out for and that are not done. A call goes out when all its nodes fit beside
        // them; a call that is larger than the whole rate goes out alone, and keeps the rate within itself.
        let called = parts
            .iter()
            .filter(|part| matches!(part.state.as_str(), "sending" | "sent" | "ended"));
        let mut open = called
            .map(size)
            .sum::<u32>()
            .saturating_sub(tally.ended_after_call);
        let concurrency = absolute(&row.max_concurrency, nodes, 1);
        for part in parts.iter().filter(|part| part.state == "queued") {
            if stop {
                parts::move_part(&self.db, part, "queued", "dropped", None, self.clock.now()).await?;
                continue;
            }
            if !single && open > 0 && open + size(part) > concurrency {
                break;
            }
            match self.send(row, part, &rate).await {
                Ok(_) => open += size(part),
                Err(SendError::Store(error)) => return Err(error),
                Err(SendError::Call(error))
                    if error.refused && !error.is_throttled() && !error.unreachable =>
                {
                    parts::move_part(&self.db, part, "queued", "refused", None, self.clock.now()).await?;
                    self.tell_problem(
                        row,
                        &format!("Part {} was refused: {}", part.part + 1, error.to_portal()),
                    )
                    .await?;
                }
                Err(SendError::Call(_)) => break,
            }
        }
        if parts::parts(&self.db, command)
            .await?
            .iter()
            .all(|part| part.state != "queued" && part.state != "sending")
        {
            queries::set_state(&self.db, command, "sending", "active").await?;
            self.sent.notify_one();
        }
        Ok(())
    }

    /// After a crash: was the call made? Its marker tells.
    async fn find_again(&self, row: &CommandRow, part: &Part) -> Result<(), StoreError> {
        let now = self.clock.now();
        if self.ssm.connection.output_bucket.is_none() {
            parts::move_part(&self.db, part, "sending", "refused", None, now).await?;
            return self
                .tell_problem(row, "The server was stopped while it sent this. Whether Systems Manager took it is not known, so it was not sent again: look at the commands started outside Muster.")
                .await;
        }
        let since = row.summary.requested_at.plus_ms(-60_000);
        let Ok(calls) = ssm::commands_since(&self.ssm, since, 40).await else {
            return Ok(());
        };
        let marker = ssm::key_prefix(part);
        if let Some(call) = calls.iter().find(|call| call.key_prefix == marker) {
            parts::move_part(&self.db, part, "sending", "sent", Some(&call.id), now).await?;
            self.sent.notify_one();
        } else if now.since_ms(row.summary.requested_at) > 30_000 || self.ssm.connection.embedded {
            // The list is complete by now and does not hold it: the call was never taken.
            parts::move_part(&self.db, part, "sending", "queued", None, now).await?;
        }
        Ok(())
    }

    async fn tell_problem(&self, row: &CommandRow, problem: &str) -> Result<(), StoreError> {
        let whole = Whole {
            status: if row.summary.completed == 0 {
                CommandStatus::Failed
            } else {
                row.summary.status
            },
            status_details: "Failed".into(),
            targets: row.summary.targets,
            completed: row.summary.completed,
            errors: row.summary.errors,
            finished: false,
            problem: problem.to_owned(),
        };
        let news = News {
            summary: Some(whole),
            ..News::default()
        };
        apply(&self.db, &row.summary.command_id, &news, self.clock.now()).await?;
        self.bus
            .tell(PortalEvent::Command(row.summary.command_id.clone()));
        Ok(())
    }
}

struct Held<'a> {
    busy: &'a Mutex<HashSet<(CommandId, i64)>>,
    key: (CommandId, i64),
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

/// Why a part was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Systems Manager did not take it, or nobody knows.
    #[error("{0}")]
    Call(CallError),
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn percentages_are_of_the_nodes_and_never_stop_everything() {
        assert_eq!(absolute("10%", 50, 1), 5);
        assert_eq!(absolute("1%", 50, 1), 1);
        assert_eq!(absolute("100%", 7, 1), 7);
        assert_eq!(absolute("50", 7, 1), 50);
        assert_eq!(absolute("0", 7, 0), 0);
    }
}
