//! Recordings as sessions and pages need them: begun with what is known of a session, read for browsers that come
//! back, shown to those who play them. How they are written and signed is the recording crate's business.

mod open;
mod play;

pub use open::{Bucket, OpenError, storage};

use crate::error::internal;
use crate::sessions::live::Live;
use crate::sessions::queries::{self, SessionRow};
use bytes::Bytes;
use muster_domain::ids::NodeSessionId;
use muster_domain::time::Clock;
use muster_domain::{PortalError, Timestamp};
use muster_recording::{
    InputPolicy, OutputReader, Recorder, Recording, RecordingError, RecordingId, Recordings,
    Size as RecordedSize, Start,
};
use muster_session_channel::body::Size;
use muster_store::Db;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where recordings are written and read. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    recordings: Recordings,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// What brings an empty terminal to a state, and the offset of the output that follows it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) text: String,
    pub(super) offset: u64,
}

/// Output that only the recording has any more.
pub(super) struct Earlier {
    reader: OutputReader,
}

impl Earlier {
    /// The next piece, which begins at `at`; nothing when there is none. It is given whole, even where memory has the
    /// end of it, too: by the time that this was sent, memory may have moved on, and the reader does not go back.
    pub(super) async fn next(&mut self, at: u64) -> Option<Bytes> {
        let (offset, bytes) = self.reader.next().await.ok().flatten()?;
        let skip = usize::try_from(at.checked_sub(offset)?).ok()?;
        (skip < bytes.len()).then(|| bytes.slice(skip..))
    }
}

fn id_of(session: &NodeSessionId) -> Result<RecordingId, RecordingError> {
    RecordingId::new(session.as_str())
}

fn cells(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// A fault of a recording, as it may be shown.
fn shown(error: &RecordingError) -> PortalError {
    match error {
        RecordingError::NotFound(_) => PortalError::NotFound {
            what: "The recording".into(),
        },
        RecordingError::Damaged { place, reason } => PortalError::Conflict {
            message: format!("The recording is damaged: {place}: {reason}."),
        },
        error => internal("recording", error),
    }
}

/// The longest beginning of `bytes` that ends with a whole character.
fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

impl Store {
    /// The time, for answers to browsers.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Begins the recording of a session.
    pub(super) async fn begin(
        &self,
        row: &SessionRow,
        size: Size,
        keeps_input: bool,
    ) -> Result<Recorder, RecordingError> {
        let one = &row.summary;
        let facts = [
            ("node", one.node_id.to_string()),
            ("node_name", one.node_name.clone()),
            ("account", one.account.clone()),
            ("region", one.region.clone()),
            ("document", one.document.clone()),
            ("owner", one.owner.clone()),
            ("os_user", one.os_user.clone()),
            ("reason", one.reason.clone()),
            ("address", row.address.clone()),
        ];
        let facts: BTreeMap<String, String> = facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let start = Start {
            size: RecordedSize {
                cols: cells(size.cols),
                rows: cells(size.rows),
            },
            input: if keeps_input {
                InputPolicy::Keep
            } else {
                InputPolicy::Drop
            },
            facts,
        };
        self.recordings.begin(id_of(&one.session_id)?, start).await
    }

    /// Goes on with the recording of a session that survived; answers how much output it holds.
    pub(super) async fn resume(&self, session: &NodeSessionId) -> Result<(Recorder, u64), RecordingError> {
        let recorder = self.recordings.resume(&id_of(session)?).await?;
        let end = recorder.position().output_end;
        Ok((recorder, end))
    }

    /// Finishes the recording of a session that did not survive; answers the digest of its manifest.
    pub(super) async fn recover(&self, session: &NodeSessionId) -> Option<String> {
        let recovered = async { self.recordings.recover(&id_of(session)?).await }.await;
        match recovered {
            Ok(finished) => Some(finished.manifest_sha256),
            // It was finished already, just before the portal stopped.
            Err(RecordingError::NotFound(_)) => {
                let known = async { self.recording(session).await?.info().await }.await;
                known.ok()?.manifest_sha256
            }
            Err(error) => {
                tracing::error!(session.id = %session, %error, "a recording could not be put back together");
                None
            }
        }
    }

    /// Finishes what nobody goes on with, but for what is another connection's: that is its to go on with.
    pub(super) async fn recover_rest(&self, db: &Db, live: &Live) {
        let left = match self.recordings.unfinished().await {
            Ok(left) => left,
            Err(error) => {
                tracing::error!(%error, "unfinished recordings could not be looked for");
                return;
            }
        };
        for one in left {
            let session = NodeSessionId::new(one.id.as_str());
            match queries::is_elsewhere(db, &session).await {
                Ok(false) if live.get(&session).is_none() => {
                    self.recover(&session).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(session.id = %session, %error, "it cannot be found out whose recording is unfinished");
                }
            }
        }
    }

    /// The state of a terminal with at least so much output after it, or the beginning.
    pub(super) async fn snapshot(&self, session: &NodeSessionId, scrollback: u64) -> Option<Snapshot> {
        let found = async {
            let recording = self.recording(session).await?;
            recording.snapshot(scrollback).await
        };
        match found.await {
            Ok(found) => {
                let keyframe = found.keyframe;
                // A torn character at its end is the end of the output before it: that comes again instead.
                let end = whole(&keyframe.bytes);
                let torn = (keyframe.bytes.len() - end) as u64;
                let text =
                    String::from_utf8_lossy(keyframe.bytes.get(..end).unwrap_or_default()).into_owned();
                Some(Snapshot {
                    text,
                    offset: keyframe.output_offset.saturating_sub(torn),
                })
            }
            Err(error) => {
                tracing::warn!(session.id = %session, %error, "a recording could not be read for a browser");
                None
            }
        }
    }

    /// A reader of output from an offset on.
    pub(super) async fn earlier(&self, session: &NodeSessionId, offset: u64) -> Option<Earlier> {
        let found = async {
            let recording = self.recording(session).await?;
            recording.output_from(offset).await
        };
        match found.await {
            Ok(reader) => Some(Earlier { reader }),
            Err(error) => {
                tracing::warn!(session.id = %session, %error, "a recording could not be read for a browser");
                None
            }
        }
    }

    async fn recording(&self, session: &NodeSessionId) -> Result<Recording, RecordingError> {
        Recording::open(self.recordings.storage(), &id_of(session)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_torn_character_is_left_for_later_and_rubbish_is_not() {
        assert_eq!(whole("héllo".as_bytes()), 6);
        assert_eq!(whole(&"é".as_bytes()[..1]), 0);
        assert_eq!(whole(&[b'a', 0xf0, 0x9f]), 1);
        assert_eq!(whole(&[0xff, b'a']), 2);
    }
}
