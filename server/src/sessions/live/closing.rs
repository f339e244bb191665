//! How a session ended and who has left one, and that this is written into audit log and database: again and again while either
//! cannot be written, and by whoever starts next when the portal stops before. Until then an end stands in the session's journal,
//! and who has left stands in the database as being there.

use crate::error::store;
use crate::sessions::live::LiveGround;
use crate::sessions::queries::{self, Attached, SessionRow};
use muster_domain::action::Action;
use muster_domain::audit::{Intent, Outcome};
use muster_domain::ids::ActId;
use muster_domain::sessions::{EndReason, RecordingState, SessionStatus};
use muster_domain::{Actor, PortalError, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub reason: EndReason,
    /// More about that, in words.
    pub message: String,
    /// Who ended it, when somebody did.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Bytes that were typed.
    pub bytes_in: u64,
    /// Bytes that the node wrote.
    pub bytes_out: u64,
    /// How the recording stands.
    pub recording: RecordingState,
    /// Of its signed manifest.
    pub recording_sha256: String,
}

impl Ending {
    /// The row as it is after this end.
    pub fn put(self, row: &mut SessionRow) {
        let one = &mut row.summary;
        one.status = match self.reason {
            EndReason::NotStarted => SessionStatus::Failed,
            _ => SessionStatus::Ended,
        };
        one.ended_at = Some(self.at);
        one.end_reason = Some(self.reason);
        one.end_message = self.message;
        one.ended_by = self.by;
        one.bytes_in = self.bytes_in;
        one.bytes_out = self.bytes_out;
        one.recording = self.recording;
        row.recording_sha256 = self.recording_sha256;
    }
}

/// What the audit log is told of a session that is over.
fn told(row: &SessionRow) -> (Intent, Outcome) {
    let one = &row.summary;
    let intent = Intent::new(Action::SessionsEnded, format!("session:{}", one.session_id))
        .with("node", one.node_id.as_str())
        .with("owner", one.owner.clone())
        .with("ssm_session_id", one.ssm_session_id.clone())
        .with("reason", one.end_reason.map_or("", EndReason::as_str))
        .with("by", one.ended_by.clone())
        .with("bytes_in", one.bytes_in)
        .with("bytes_out", one.bytes_out)
        .with("recording", one.recording.as_str())
        .with("recording_sha256", row.recording_sha256.clone());
    let outcome = match one.status {
        SessionStatus::Failed => Outcome::Failure,
        _ => Outcome::Success,
    };
    (intent, outcome)
}

impl LiveGround {
    /// Writes the end of a session down, first in the audit log: as long as the row says that it goes on, whoever starts
    /// next writes both. The session's id is the act's, so that no try adds a second row to the log.
    ///
    /// # Errors
    /// When either cannot be written.
    pub(crate) async fn write_end(&self, row: &SessionRow) -> Result<(), PortalError> {
        let (intent, outcome) = told(row);
        let act = ActId::new(row.summary.session_id.as_str());
        self.trail
            .record_once(&act, &Actor::server(), &intent, outcome, &row.summary.end_message)
            .await?;
        queries::update(&self.db, row).await.map_err(store)
    }

    /// The same, tried until it is done. Whether it is: the portal may stop before.
    pub(crate) async fn write_end_surely(&self, row: &SessionRow) -> bool {
        let what = "the end of a session";
        until_done(&self.stop, what, row.summary.session_id.as_str(), || {
            self.write_end(row)
        })
        .await
    }

    /// Writes a row of a session that is over, without the audit log, until it is done.
    pub(crate) async fn write_row_surely(&self, row: &SessionRow) -> bool {
        let what = "the end of a session";
        until_done(&self.stop, what, row.summary.session_id.as_str(), || {
            queries::update(&self.db, row)
        })
        .await
    }

    /// Writes down that somebody who was in a session has left, first in the audit log: as long as the database says that they
    /// are there, whoever starts next writes both. This time of being there is the act, so no try adds a second row to the log.
    async fn write_left(
        &self,
        actor: &Actor,
        attached: &Attached,
        at: Timestamp,
        message: &str,
    ) -> Result<(), PortalError> {
        let Attached {
            session,
            participant,
            who,
            ..
        } = attached;
        let intent = Intent::new(Action::SessionsDetached, format!("session:{session}"))
            .with("as", who.role.as_str())
            .with("seconds", at.since_ms(who.joined_at).max(0) / 1_000);
        let act = ActId::new(participant.as_str());
        self.trail
            .record_once(&act, actor, &intent, Outcome::Success, message)
            .await?;
        queries::left(&self.db, session, participant, at)
            .await
            .map_err(store)
    }

    /// The same, tried until it is done.
    pub(crate) async fn write_left_surely(
        &self,
        actor: &Actor,
        attached: &Attached,
        at: Timestamp,
        message: &str,
    ) -> bool {
        let what = "that somebody has left a session";
        until_done(&self.stop, what, attached.session.as_str(), || {
            self.write_left(actor, attached, at, message)
        })
        .await
    }
}

/// How long to wait after so many tries in vain.
fn wait(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.min(6)).min(LONGEST)
}

async fn until_done<F, E>(
    stop: &CancellationToken,
    what: &str,
    id: &str,
    mut attempt: impl FnMut() -> F,
) -> bool
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut tries = 0;
    loop {
        let Err(error) = attempt().await else {
            return true;
        };
        let wait = wait(tries);
        tracing::error!(session.id = %id, %error, ?wait, what, "it cannot be written down; it is tried again");
        tries += 1;
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_written_is_tried_again_further_and_further_apart() {
        let stop = CancellationToken::new();
        let began = tokio::time::Instant::now();
        let mut tries = Vec::new();
        let done = until_done(&stop, "it", "s", || {
            tries.push(began.elapsed().as_secs());
            let answer = if tries.len() < 10 { Err("full") } else { Ok(()) };
            async move { answer }
        })
        .await;
        assert!(done);
        assert_eq!(tries, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_portal_that_stops_does_not_wait_for_it_but_has_tried() {
        let stop = CancellationToken::new();
        stop.cancel();
        let mut tries = 0;
        let done = until_done(&stop, "it", "s", || {
            tries += 1;
            async { Err("away") }
        })
        .await;
        assert_eq!((done, tries), (false, 1));
    }
}
