//! The end of a session: told to the node, written into recording, database and audit log, shown to everybody.

use crate::sessions::live::{Ending, Task};
use crate::sessions::queries::SessionRow;
use crate::sessions::ssm;
use muster_domain::ids::NodeSessionId;
use muster_domain::sessions::{EndReason, RecordingState};
use muster_recording::Recorder;
use std::time::Duration;

/// Pages are told after so long that a session is over, whether that could be written down or not. A slow disk is no reason yet:
/// what they are told at the end also says how the recording stands.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

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
        // A shell that ends by itself leaves nothing to be said; an agent that was killed, or a limit, does.
        let reason = match (self.started, message.is_empty()) {
            (false, _) => EndReason::NotStarted,
            (true, true) => EndReason::Exited,
            (true, false) => EndReason::EndedThere,
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
        // Nothing is done for anybody any more: whoever waits for an answer gets none.
        self.commands.close();
        while self.commands.try_recv().is_ok() {}
        let early = {
            let state = self.shared.state();
            let summary = &state.row.summary;
            Ending {
                reason: over.reason,
                message: over.message,
                by: over.by,
                at: self.ground.clock.now(),
                bytes_in: summary.bytes_in,
                bytes_out: summary.bytes_out,
                recording: summary.recording,
                recording_sha256: String::new(),
            }
        };
        self.note_end(&early);
        let finishing = finish_recording(&id, self.recorder.take(), &early);
        tokio::pin!(finishing);
        let finished = match tokio::time::timeout(SHOWN_WITHIN, &mut finishing).await {
            Ok(finished) => finished,
            Err(_) => {
                // Pages need not wait for the disk, or for a store that is away.
                self.ended(early.clone());
                self.shared.pulse();
                finishing.await
            }
        };
        let mut ending = early.clone();
        if let Some((recording, sha256)) = finished {
            (ending.recording, ending.recording_sha256) = (recording, sha256);
            self.note_end(&ending);
        }
        let row = self.ended(ending);
        let ground = self.ground.clone();
        let writing = ground.write_end_surely(&row);
        tokio::pin!(writing);
        let written = match tokio::time::timeout(SHOWN_WITHIN, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
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

    fn note_end(&self, ending: &Ending) {
        if let Some(journal) = &self.journal
            && let Err(error) = journal.note_end(ending)
        {
            tracing::error!(session.id = %self.shared.id, %error, "how a session ended cannot be noted");
        }
    }

    /// From now on it is over for everybody who looks.
    fn ended(&self, ending: Ending) -> SessionRow {
        let mut state = self.shared.state();
        ending.put(&mut state.row);
        state.changed();
        state.row.clone()
    }
}

/// Signs the recording, where there is one: how it stands then, and the digest of its manifest. That takes as long as what is
/// recorded cannot be stored.
async fn finish_recording(
    id: &NodeSessionId,
    recorder: Option<Recorder>,
    ending: &Ending,
) -> Option<(RecordingState, String)> {
    let reason = format!("{}: {}", ending.reason.label(), ending.message);
    let reason: String = reason.chars().take(1_000).collect();
    match recorder?.finish(&reason).await {
        Ok(finished) => Some((RecordingState::Signed, finished.manifest_sha256)),
        Err(error) => {
            tracing::error!(session.id = %id, %error, "a recording could not be finished");
            Some((RecordingState::Broken, String::new()))
        }
    }
}
