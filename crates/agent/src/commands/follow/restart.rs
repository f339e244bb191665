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
/// By then a machine that was asked to has gone down.
const DOWN_WITHIN: Duration = Duration::from_secs(600);

impl Follower {
    /// Whether its machine has been started anew since a step asked for it.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.dir.reboot(), Ok(Some(wish)) if wish.boot != boot())
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
        let slots = self.shared.slots.clone();
        tracing::info!(command = %self.job.content.command_id, "a step asks for a reboot");
        // Whoever waits for a place is behind this; those that run end first, or are cut off.
        let places = async { tokio::time::timeout(OTHERS_WITHIN, slots.acquire_many_owned(all)).await };
        tokio::pin!(places);
        let _places = loop {
            if self.is_called_off().await {
                return;
            }
            let mut link = self.shared.link.clone();
            let state = link.borrow_and_update().clone();
            let _ = self.deliver(&state).await;
            tokio::select! {
                () = stop.cancelled() => return,
                places = &mut places => break places,
                event = self.events.recv() => match event {
                    Some(event) => self.note(event),
                    None => return,
                },
                () = tokio::time::sleep(POLL_SLOW) => {}
            }
        };
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
