//! A command that waits for its machine to be started anew: it is asked for once nothing else runs, and the step that wants
//! it is run again after that.

use super::{Follower, POLL_SLOW};
use crate::commands::job_dir::Reboot;
use crate::reboot;
use crate::worker::REBOOT_CODE;
use crate::worker::session::boot;
use std::time::Duration;
use tokio::time::Instant;

/// How long other commands that run are waited for.
const OTHERS_WITHIN: Duration = Duration::from_secs(900);
/// How long a command waits after a reboot for the control plane to be reached again.
const NETWORK_WITHIN: Duration = Duration::from_secs(300);
/// After that a machine that comes back is not what anybody has in mind any more.
const TOO_LATE_MS: i64 = 86_400_000;
/// By then a machine that was asked to has gone down.
const DOWN_WITHIN: Duration = Duration::from_secs(600);

impl Follower {
    /// Whether its machine has been started anew since a step asked for it.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.dir.reboot(), Ok(Some(wish)) if wish.boot != boot())
    }

    /// Waits until the control plane is reached again: what needs a network would fail right after the start. A step that
    /// waited too long is not run any more. `false` when the agent stops.
    pub(super) async fn ready_to_go_on(&mut self) -> bool {
        let asked = self.dir.reboot().ok().flatten().map_or(0, |wish| wish.asked_ms);
        let late = self.shared.config.clock.now().0.saturating_sub(asked);
        if late > TOO_LATE_MS {
            let text = "The machine came back more than a day after the step had asked for a reboot; it was not run again.\n";
            self.settle("Failed", REBOOT_CODE, text).await;
            return true;
        }
        let stop = self.shared.stop.clone();
        let mut link = self.shared.link.clone();
        let until = Instant::now() + NETWORK_WITHIN;
        loop {
            if link.borrow_and_update().connection.is_some() || self.dir.is_cancelled() {
                return true;
            }
            tokio::select! {
                () = stop.cancelled() => return false,
                changed = link.changed() => if changed.is_err() { return false },
                () = tokio::time::sleep_until(until) => return true,
            }
        }
    }

    /// Whether a worker of another command is at work; also one that an earlier run of the agent has started.
    fn others_run(&self) -> bool {
        let own = &self.job.content.command_id;
        let others: Vec<String> = self.shared.followed().keys().cloned().collect();
        others.iter().filter(|id| *id != own).any(|id| {
            let dir = self.shared.jobs.dir(id);
            dir.is_some_and(|dir| dir.is_started() && matches!(dir.lock(), Ok(None)))
        })
    }

    /// Has the machine started anew; it ends with the agent being stopped, or with a failure.
    pub(super) async fn restart(&mut self, wish: Reboot) {
        if wish.boot != boot() {
            // It was, and a worker that went on would have taken the wish away.
            self.settle("Failed", 1, "The command could not go on after the reboot.\n")
                .await;
            return;
        }
        let stop = self.shared.stop.clone();
        let all = u32::try_from(self.shared.config.max_jobs.max(1)).unwrap_or(u32::MAX);
        tracing::info!(command = %self.job.content.command_id, "a step asks for a reboot");
        // Whoever waits for a place is behind this and stays there; those that run end first, or are cut off.
        let places = self.shared.slots.clone().acquire_many_owned(all);
        tokio::pin!(places);
        let mut held = None;
        let until = Instant::now() + OTHERS_WITHIN;
        while Instant::now() < until && (held.is_none() || self.others_run()) {
            if self.is_called_off().await {
                return;
            }
            let mut link = self.shared.link.clone();
            let state = link.borrow_and_update().clone();
            let _ = self.deliver(&state).await;
            tokio::select! {
                () = stop.cancelled() => return,
                places = &mut places, if held.is_none() => held = Some(places),
                event = self.events.recv() => match event {
                    Some(event) => self.note(event),
                    None => return,
                },
                () = tokio::time::sleep(POLL_SLOW) => {}
            }
        }
        if self.is_called_off().await {
            return;
        }
        if let Err(why) = reboot::way(self.shared.config.reboot_command.clone()).ask().await {
            let text = format!("A step asked for a reboot (status 194), and there is none: {why}.\n");
            self.settle("Failed", REBOOT_CODE, &text).await;
            return;
        }
        tracing::info!(command = %self.job.content.command_id, "this machine is rebooted");
        let until = Instant::now() + DOWN_WITHIN;
        while Instant::now() < until {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(POLL_SLOW) => {}
            }
        }
        let text = format!(
            "The machine was asked to reboot and did not within {} seconds.\n",
            DOWN_WITHIN.as_secs()
        );
        self.settle("Failed", REBOOT_CODE, &text).await;
    }

    /// A command that is cancelled needs no reboot any more.
    async fn is_called_off(&mut self) -> bool {
        let is_cancelled = self.dir.is_cancelled();
        if is_cancelled {
            self.settle("Cancelled", 137, "The command was cancelled.\n")
                .await;
        }
        is_cancelled
    }
}
