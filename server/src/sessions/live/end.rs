//! The end of a session: told to the node, written into recording, database and audit log, shown to everybody.

use crate::sessions::live::{Ending, Task};
use crate::sessions::ssm;
use muster_domain::sessions::{EndReason, RecordingState};
use std::time::Duration;

/// Pages are told after so long that a session is over, whether that could be written down or not.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// Why it is over.
#[derive(Clone, Debug)]
pub(super) struct Over {
    pub(super) reason: EndReason,
    pub(super) message: String,
    pub(super) by: String,
    /// Whether the other side knows already.
    pub(super) remote: bool,
}

impl Task {
    /// Ends the session for a reason of the portal's own. The first reason stays.
    pub(super) fn end_now(&mut self, reason: EndReason, message: &str) {
        if self.over.is_none() {
            self.over = Some(Over {
                reason,
                message: message.to_owned(),
                by: String::new(),
                remote: false,
            });
        }
    }

    /// The other side has ended it.
    pub(super) fn closed(&mut self, text: &str) {
        let message: String = text.chars().filter(|c| !c.is_control()).take(400).collect();
        let reason = if self.started {
            EndReason::Exited
        } else {
            EndReason::NotStarted
        };
        self.over.get_or_insert(Over {
            reason,
            message,
            by: String::new(),
            remote: true,
        });
    }

    /// Does all that belongs to the end.
    pub(super) async fn finish(mut self) {
        let Some(over) = self.over.take() else { return };
        let id = self.shared.id.clone();
        if !over.remote
            && !self.ssm_session_id.is_empty()
            && let Err(error) = ssm::terminate(&self.ground.connector.ssm, &self.ssm_session_id).await
        {
            // The way to the node is closed all the same; its own limits end what is left there.
            tracing::warn!(session.id = %id, %error, "a session could not be ended at Systems Manager");
        }
        let (recording, recording_sha256) = self.finish_recording(&over).await;
        let row = {
            let mut state = self.shared.state();
            let ending = Ending {
                reason: over.reason,
                message: over.message,
                by: over.by,
                at: self.ground.clock.now(),
                bytes_in: state.row.summary.bytes_in,
                bytes_out: state.row.summary.bytes_out,
                recording,
                recording_sha256,
            };
            if let Some(journal) = &self.journal
                && let Err(error) = journal.note_end(&ending)
            {
                tracing::error!(session.id = %id, %error, "how a session ended cannot be noted");
            }
            ending.put(&mut state.row);
            state.changed();
            state.row.clone()
        };
        // Nothing is done for anybody any more: whoever waits for an answer gets none.
        self.commands.close();
        while self.commands.try_recv().is_ok() {}
        let ground = self.ground.clone();
        let writing = ground.write_end_surely(&row);
        tokio::pin!(writing);
        let written = match tokio::time::timeout(SHOWN_WITHIN, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
                // Pages need not wait for the disk.
                self.shared.pulse();
                writing.await
            }
        };
        if written && let Some(journal) = self.journal.take() {
            journal.remove();
        }
        self.ground.live.remove(&id);
        self.shared.pulse();
    }

    /// Signs the recording; how it stands then, and the digest of its manifest.
    async fn finish_recording(&mut self, over: &Over) -> (RecordingState, String) {
        let Some(recorder) = self.recorder.take() else {
            return (self.shared.state().row.summary.recording, String::new());
        };
        let reason = format!("{}: {}", over.reason.label(), over.message);
        let reason: String = reason.chars().take(1_000).collect();
        match recorder.finish(&reason).await {
            Ok(finished) => (RecordingState::Signed, finished.manifest_sha256),
            Err(error) => {
                tracing::error!(session.id = %self.shared.id, %error, "a recording could not be finished");
                (RecordingState::Broken, String::new())
            }
        }
    }
}
