//! The end of a session: told to the node, written into recording, database and audit log, shown to everybody.

use crate::sessions::live::Task;
use crate::sessions::{queries, ssm};
use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::audit::{Intent, Outcome};
use muster_domain::sessions::{EndReason, RecordingState, SessionStatus};

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
        let mut sha256 = String::new();
        if let Some(recorder) = self.recorder.take() {
            let reason = format!("{}: {}", over.reason.label(), over.message);
            let reason: String = reason.chars().take(1_000).collect();
            match recorder.finish(&reason).await {
                Ok(finished) => {
                    sha256 = finished.manifest_sha256;
                    self.shared.state().row.summary.recording = RecordingState::Signed;
                }
                Err(error) => {
                    tracing::error!(session.id = %id, %error, "a recording could not be finished");
                    self.shared.state().row.summary.recording = RecordingState::Broken;
                }
            }
        }
        let row = {
            let mut state = self.shared.state();
            let failed = matches!(over.reason, EndReason::NotStarted);
            let summary = &mut state.row.summary;
            summary.status = if failed {
                SessionStatus::Failed
            } else {
                SessionStatus::Ended
            };
            summary.ended_at = Some(self.ground.clock.now());
            summary.end_reason = Some(over.reason);
            summary.end_message = over.message.clone();
            summary.ended_by = over.by.clone();
            state.row.recording_sha256 = sha256;
            state.changed();
            state.row.clone()
        };
        if let Err(error) = queries::update(&self.ground.db, &row).await {
            tracing::error!(session.id = %id, %error, "the end of a session was not kept");
        }
        let intent = Intent::new(Action::SessionsEnded, format!("session:{id}"))
            .with("node", row.summary.node_id.as_str())
            .with("owner", row.summary.owner.clone())
            .with("ssm_session_id", row.summary.ssm_session_id.clone())
            .with("reason", over.reason.as_str())
            .with("by", over.by)
            .with("bytes_in", row.summary.bytes_in)
            .with("bytes_out", row.summary.bytes_out)
            .with("recording", row.summary.recording.as_str())
            .with("recording_sha256", row.recording_sha256.clone());
        let outcome = if row.summary.status == SessionStatus::Failed {
            Outcome::Failure
        } else {
            Outcome::Success
        };
        let recorded = self
            .ground
            .trail
            .record(&Actor::server(), &intent, outcome, &over.message)
            .await;
        if let Err(error) = recorded {
            tracing::error!(session.id = %id, %error, "the end of a session is not in the audit log");
        }
        if let Some(journal) = self.journal.take() {
            journal.remove();
        }
        self.ground.live.remove(&id);
        self.shared.pulse();
    }
}
