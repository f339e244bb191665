//! What a next agent must know of the sessions of this one: which processes to end, and which ends to tell. One small
//! file for each session, from its start until its end was heard.

use super::context::Ending;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is known of one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Note {
    /// Its leader, see [`crate::worker::session::identify`].
    pub(super) leader: Option<String>,
    /// Nothing while it runs.
    pub(super) ending: Option<Ending>,
}

/// The directory of notes; none for simulated nodes.
pub(super) struct Kept {
    directory: Option<PathBuf>,
}

impl Kept {
    /// Notes are kept in the agent's state directory, or nowhere.
    pub(super) fn new(state_dir: Option<&Path>) -> Self {
        let directory = state_dir.map(|state_dir| state_dir.join("sessions"));
        if let Some(directory) = &directory
            && let Err(error) = crate::files::private_directory(directory)
        {
            tracing::warn!(%error, "no notes of sessions can be kept");
        }
        Self { directory }
    }

    /// Writes one. Not being able to is no reason to refuse a session.
    pub(super) async fn save(&self, session: &str, note: Note) {
        let Some(directory) = self.directory.clone() else {
            return;
        };
        let path = directory.join(session);
        // Names of sessions never begin with a dot.
        let unfinished = directory.join(format!(".{session}"));
        let saved = tokio::task::spawn_blocking(move || {
            // Not synced: after a crash of the whole machine there are no processes to be found.
            std::fs::write(&unfinished, serde_json::to_vec(&note)?)?;
            std::fs::rename(&unfinished, &path)
        })
        .await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(session, %error, "no note of a session could be kept");
        }
    }

    /// Removes one.
    pub(super) fn forget(&self, session: &str) {
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_file(directory.join(session));
        }
    }

    /// All that an earlier agent has left; a damaged one still names its session.
    pub(super) fn all(&self) -> Vec<(String, Note)> {
        let entries = self
            .directory
            .iter()
            .filter_map(|directory| std::fs::read_dir(directory).ok());
        entries
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let session = entry.file_name().into_string().ok()?;
                let note = std::fs::read(entry.path()).ok()?;
                super::plan::is_id(&session)
                    .then(|| (session, serde_json::from_slice(&note).unwrap_or_default()))
            })
            .collect()
    }
}
