//! Going on with the sessions that a portal before this one had, and writing down the ends of those that cannot go on.

use crate::sessions::live::{Begin, Ending, Journal, Opening, Shared};
use crate::sessions::queries::{self, SessionRow, Viewer};
use crate::sessions::service::SessionService;
use crate::sessions::ssm;
use futures::StreamExt as _;
use muster_domain::actor::Origin;
use muster_domain::ids::NodeSessionId;
use muster_domain::permission::Scope;
use muster_domain::sessions::{EndReason, RecordingState, SessionKind, SessionStatus};
use muster_domain::{Actor, Timestamp};
use muster_recording::{Recorder, RecordingError};
use muster_session_channel::{ClientChannel, SessionType};
use muster_store::StoreError;
use std::time::{Duration, Instant};

/// What agents of resumed sessions are taken for.
const AGENT_VERSION: &str = "3.3.987.0";

/// Sessions that are taken up or ended at once at most; each may wait for Systems Manager and for the store of recordings.
const AT_ONCE: usize = 256;

/// How long a store that is away is waited for, for the recording of a session that goes on. A node keeps a session for a
/// quarter of an hour.
const STORE_AWAY: Duration = Duration::from_secs(600);
/// How long between two tries.
const STORE_AGAIN: Duration = Duration::from_secs(5);

/// How long the start of the portal waits for all that has to be finished; that goes on afterwards.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of a session that stands as going on.
enum Found {
    /// It goes on.
    Begin(Box<Begin>),
    /// It had ended; that was not written down yet.
    Ended(Ending),
}

impl SessionService {
    /// Goes on with the sessions that the portal had when it stopped, however that was. Call once, at the start.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn restore(&self) -> Result<(), StoreError> {
        let now = self.ground.clock.now();
        self.all_have_left(now).await?;
        let rows = queries::live(&self.ground.db, &Viewer::ALL, 10_000).await?;
        let known: Vec<String> = rows
            .iter()
            .map(|row| row.summary.session_id.to_string())
            .collect();
        let mut left: Vec<(SessionRow, Option<Ending>)> = rows.into_iter().map(|row| (row, None)).collect();
        let ends = self.known_ends(&known).await?;
        left.extend(ends.into_iter().map(|(row, ending)| (row, Some(ending))));
        let service = self.clone();
        // The portal starts all the same when Systems Manager or the store of recordings is away.
        let finishing = tokio::spawn(async move { service.take_up(left, now).await });
        let _ = tokio::time::timeout(PATIENCE, finishing).await;
        Ok(())
    }

    /// Those who were attached when the portal stopped, and whose leaving nobody could write down, have left.
    async fn all_have_left(&self, now: Timestamp) -> Result<(), StoreError> {
        let left = queries::attached(&self.ground.db).await?;
        let ground = self.ground.clone();
        tokio::spawn(async move {
            for one in left {
                let mut actor = Actor::anonymous(Origin {
                    address: one.who.address.clone(),
                    user_agent: String::new(),
                    via: "server".into(),
                });
                actor.user_id.clone_from(&one.user);
                actor.name.clone_from(&one.who.name);
                let message = "The portal was restarted.";
                if !ground.write_left_surely(&actor, &one, now, message).await {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Goes on with what can go on, ends what cannot, and finishes all recordings that nobody goes on with.
    async fn take_up(&self, left: Vec<(SessionRow, Option<Ending>)>, now: Timestamp) {
        futures::stream::iter(left)
            .for_each_concurrent(AT_ONCE, |(row, ending)| async move {
                match ending {
                    Some(ending) => self.conclude(row, ending).await,
                    None => self.take_up_one(row, now).await,
                }
            })
            .await;
        self.recordings
            .recover_rest(&self.ground.db, &self.ground.live)
            .await;
    }

    async fn take_up_one(&self, row: SessionRow, now: Timestamp) {
        let id = row.summary.session_id.clone();
        match self.restore_one(&row).await {
            Ok(Found::Begin(begin)) => {
                tracing::info!(session.id = %id, "going on with a session");
                self.run(*begin);
            }
            Ok(Found::Ended(ending)) => self.conclude(row, ending).await,
            Err(reason) => {
                tracing::info!(session.id = %id, reason, "a session could not be gone on with");
                self.give_up(row, now, &reason).await;
            }
        }
    }

    /// Goes on with a recording. A store that is away is waited for, as long as the node keeps the session.
    async fn resume_recording(&self, id: &NodeSessionId) -> Result<(Recorder, u64), String> {
        let began = Instant::now();
        loop {
            match self.recordings.resume(id).await {
                Err(error @ RecordingError::Store { .. }) if began.elapsed() < STORE_AWAY => {
                    tracing::warn!(session.id = %id, %error, "a recording cannot be gone on with yet");
                    tokio::select! {
                        // Whoever starts next tries again; to give it up now would end it.
                        () = self.ground.stop.cancelled() => std::future::pending().await,
                        () = tokio::time::sleep(STORE_AGAIN) => {}
                    }
                }
                resumed => return resumed.map_err(|error| error.to_string()),
            }
        }
    }

    async fn restore_one(&self, row: &SessionRow) -> Result<Found, String> {
        let summary = &row.summary;
        let id = &summary.session_id;
        let (journal, noted) =
            Journal::open(&self.folder, id.as_str()).map_err(|error| format!("its position: {error}"))?;
        if let Some(ending) = journal.end() {
            return Ok(Found::Ended(ending));
        }
        if summary.kind != SessionKind::Shell {
            return Err("a tunnel ends with the portal that held it".into());
        }
        if summary.ssm_session_id.is_empty() {
            return Err("it had not been started".into());
        }
        let noted = noted.ok_or("how far it had come was not written down")?;
        if noted.position.output == 0 {
            return Err("it had not begun".into());
        }
        let (recorder, output_end) = match summary.recording {
            RecordingState::Recording => {
                let (recorder, end) = self.resume_recording(id).await?;
                (Some(recorder), end)
            }
            _ => (None, noted.output_bytes),
        };
        let channel = ClientChannel::resumed(
            self.channel_config(noted.size),
            SessionType::StandardStream,
            AGENT_VERSION,
            noted.position,
        );
        let tags = self
            .node(&summary.node_id, &[Scope::All])
            .await
            .map(|node| node.tags);
        let needs_watcher = self.ground.policy.needs_watcher(&tags.unwrap_or_default());
        let mut row = row.clone();
        row.summary.status = SessionStatus::Reconnecting;
        row.summary.bytes_out = output_end;
        let (shared, commands) = Shared::new(row, noted.size, output_end, needs_watcher);
        Ok(Found::Begin(Box::new(Begin {
            shared,
            commands,
            channel,
            opening: Opening::Resume {
                ssm_session_id: summary.ssm_session_id.clone(),
                stream_url: String::new(),
            },
            recorder,
            journal,
            // Recorded just before the end, but not noted: the node sends it again.
            skip: output_end.saturating_sub(noted.output_bytes),
        })))
    }

    async fn give_up(&self, row: SessionRow, now: Timestamp, reason: &str) {
        if !row.summary.ssm_session_id.is_empty()
            && let Err(error) = ssm::terminate(&self.ground.connector.ssm, &row.summary.ssm_session_id).await
        {
            tracing::info!(%error, "a session that was given up could not be ended at Systems Manager");
        }
        let ending = Ending {
            reason: EndReason::NodeLost,
            message: format!("The portal was restarted and could not go on with it: {reason}."),
            by: String::new(),
            at: now,
            bytes_in: row.summary.bytes_in,
            bytes_out: row.summary.bytes_out,
            recording: row.summary.recording,
            recording_sha256: String::new(),
        };
        self.conclude(row, ending).await;
    }

    /// Finishes the recording of a session that has no task any more, and writes its end down.
    async fn conclude(&self, mut row: SessionRow, mut ending: Ending) {
        let id = row.summary.session_id.clone();
        let journal = Journal::open(&self.folder, id.as_str());
        let note = |ending: &Ending| match &journal {
            Ok((journal, _)) => journal.note_end(ending).is_ok(),
            Err(_) => false,
        };
        let mut noted = note(&ending);
        if ending.recording == RecordingState::Recording {
            match self.recordings.recover(&id).await {
                Some(sha256) => {
                    (ending.recording, ending.recording_sha256) = (RecordingState::Signed, sha256)
                }
                None => ending.recording = RecordingState::Broken,
            }
            noted = note(&ending);
        }
        if !noted {
            tracing::error!(session.id = %id, "how a session ended cannot be noted");
        }
        ending.put(&mut row);
        self.close(row).await;
    }

    /// Writes the end of a session down that has no task; when that cannot be done now, the portal starts all the same.
    async fn close(&self, row: SessionRow) {
        let id = row.summary.session_id.clone();
        let folder = self.folder.clone();
        let remove = move |id: &NodeSessionId| {
            if let Ok((journal, _)) = Journal::open(&folder, id.as_str()) {
                journal.remove();
            }
        };
        match self.ground.write_end(&row).await {
            Ok(()) => remove(&id),
            Err(error) => {
                tracing::error!(session.id = %id, %error, "the end of a session cannot be written down yet");
                let ground = self.ground.clone();
                tokio::spawn(async move {
                    if ground.write_end_surely(&row).await {
                        remove(&id);
                    }
                });
            }
        }
    }

    /// Journals of sessions that do not stand as going on are not needed any more, unless an end in one is not written down:
    /// those ends.
    async fn known_ends(&self, known: &[String]) -> Result<Vec<(SessionRow, Ending)>, StoreError> {
        let mut ends = Vec::new();
        let left = Journal::all(&self.folder).unwrap_or_else(|error| {
            tracing::warn!(%error, "the positions of sessions cannot be listed");
            Vec::new()
        });
        for name in left.into_iter().filter(|name| !known.contains(name)) {
            let Ok((journal, _)) = Journal::open(&self.folder, &name) else {
                continue;
            };
            let row = queries::get(&self.ground.db, &NodeSessionId::new(name), &Viewer::ALL).await?;
            match (row, journal.end()) {
                (Some(row), Some(ending)) => ends.push((row, ending)),
                _ => journal.remove(),
            }
        }
        Ok(ends)
    }
}
