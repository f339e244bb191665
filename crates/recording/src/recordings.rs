//! The one per process: begins, resumes, recovers and deletes recordings, and runs the sealing worker.

use crate::adopt::Left;
use crate::derive::Carry;
use crate::event::{Event, InputPolicy, Position, Size};
use crate::keys::{SigningKey, write_private};
use crate::live::{Finished, Job, Live, SealState, lock};
use crate::manifest::Manifest;
use crate::processor::Processor;
use crate::recorder::{Recorder, outcome};
use crate::storage::{Head, Storage, blocking};
use crate::worker::{self, Sealing, enqueue};
use crate::{RecordingError, RecordingId};
use futures::StreamExt as _;
use muster_domain::time::Clock;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::mpsc;

/// Files synced at the same time.
const SYNCS: usize = 8;

/// How recordings are cut and how far sealing may stay behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A tail this large becomes a chunk: bytes of the tail, which are output bytes and 17 for every event.
    pub chunk_bytes: u64,
    /// A tail this old becomes a chunk, at the next [`Recorder::tick`].
    pub chunk_ms: u64,
    /// A recorder waits while this many of its bytes are not sealed: as much disk may one recording take unsealed.
    pub max_behind_bytes: u64,
    /// Every recorder waits while all together have this many.
    pub max_behind_bytes_total: u64,
    /// It waits this long without any progress before it fails.
    pub patience_ms: u64,
    /// Files are synced to the disk this often while something is written.
    pub sync_ms: u64,
}

impl Settings {
    /// `chunk_bytes` is never more than this.
    pub const MAX_CHUNK_BYTES: u64 = 16 * 1024 * 1024;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            chunk_bytes: 256 * 1024,
            chunk_ms: 60_000,
            max_behind_bytes: 256 * 1024 * 1024,
            max_behind_bytes_total: 2 * 1024 * 1024 * 1024,
            patience_ms: 30_000,
            sync_ms: 1_000,
        }
    }
}

/// What is said at the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The terminal's size.
    pub size: Size,
    /// Whether keystrokes are kept.
    pub input: InputPolicy,
    /// What the recording should say of its session: node, user, reason, …. At most 64 facts of 4 KiB.
    pub facts: BTreeMap<String, String>,
}

/// A recording that the program left behind when it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Which.
    pub id: RecordingId,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// What its beginning says.
    pub facts: BTreeMap<String, String>,
}

pub(crate) struct Shared {
    pub(crate) sealing: Arc<Sealing>,
    pub(crate) settings: Settings,
    queue: mpsc::UnboundedSender<Arc<Live>>,
    pub(crate) active: Mutex<HashMap<RecordingId, Weak<Live>>>,
}

impl Shared {
    pub(crate) fn enqueue(&self, live: &Arc<Live>, job: Job) {
        enqueue(&self.queue, &self.sealing, live, job);
    }

    fn now_ms(&self) -> i64 {
        self.sealing.clock.now().0
    }

    /// Makes the recording this process's own, or says that it is already.
    pub(crate) fn claim(&self, live: &Arc<Live>) -> Result<(), RecordingError> {
        let mut active = lock(&self.active);
        active.retain(|_, live| live.strong_count() > 0);
        if active.contains_key(live.id()) {
            return Err(RecordingError::InUse(live.id().to_string()));
        }
        active.insert(live.id().clone(), Arc::downgrade(live));
        Ok(())
    }

    pub(crate) fn is_active(&self, id: &RecordingId) -> bool {
        lock(&self.active)
            .get(id)
            .is_some_and(|live| live.strong_count() > 0)
    }
}

/// Makes recordings. Clones share everything; the background work ends when the last clone and the last recorder go.
#[derive(Clone)]
pub struct Recordings {
    pub(crate) shared: Arc<Shared>,
}

impl Recordings {
    /// Starts the sealing worker and the syncing of files, in the tokio runtime of the caller. One program at a time may
    /// use a storage's folder.
    #[must_use]
    pub fn start(storage: Storage, key: SigningKey, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let (queue, incoming) = mpsc::unbounded_channel();
        let sealing = Arc::new(Sealing {
            storage,
            key,
            clock,
            behind: AtomicU64::new(0),
            processor: Processor::start(),
        });
        let again = queue.downgrade();
        let settings = Settings {
            chunk_bytes: settings.chunk_bytes.clamp(1, Settings::MAX_CHUNK_BYTES),
            ..settings
        };
        let shared = Arc::new(Shared {
            sealing: sealing.clone(),
            settings,
            queue,
            active: Mutex::default(),
        });
        tokio::spawn(worker::run(sealing, incoming, again));
        tokio::spawn(sync(
            Arc::downgrade(&shared),
            Duration::from_millis(settings.sync_ms.max(1)),
        ));
        Self { shared }
    }

    /// Where the recordings are.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.shared.sealing.storage
    }

    /// The public half of the signing key, hexadecimal.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.shared.sealing.key.public()
    }

    /// Bytes that were recorded and are not sealed yet, over all recordings.
    #[must_use]
    pub fn behind_bytes(&self) -> u64 {
        self.shared
            .sealing
            .behind
            .load(std::sync::atomic::Ordering::Acquire)
    }

    /// Begins a recording.
    ///
    /// # Errors
    /// [`RecordingError::Exists`], [`RecordingError::BadEvent`] for facts beyond their limits, or what disk or store say.
    pub async fn begin(&self, id: RecordingId, start: Start) -> Result<Recorder, RecordingError> {
        check_facts(&start.facts)?;
        let storage = self.storage();
        if storage.manifest_exists(&id).await? {
            return Err(RecordingError::Exists(id.to_string()));
        }
        let head = Head {
            format: Manifest::FORMAT,
            recording: id.clone(),
            started_at_ms: self.shared.now_ms(),
            facts: start.facts,
            input: start.input,
            size: start.size.bounded(),
        };
        let place = storage.live_folder(&id);
        let state = SealState {
            next_index: 0,
            previous: "0".repeat(64),
            keyframe: None,
            carry: Carry::default(),
            complete: false,
        };
        let live = Arc::new(Live::new(head, place.clone(), state, None));
        self.shared.claim(&live)?;
        let written = live.head.clone();
        blocking(move || {
            match std::fs::DirBuilder::new().mode(0o700).create(&place) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    return Err(RecordingError::Exists(written.recording.to_string()));
                }
                Err(error) => {
                    return Err(RecordingError::io(format!("cannot make {}", place.display()))(
                        error,
                    ));
                }
            }
            let bytes = serde_json::to_vec(&written)
                .map_err(|error| RecordingError::damaged("head.json", error.to_string()))?;
            let file = place.join("head.json");
            write_private(&file, &bytes)
                .map_err(RecordingError::io(format!("cannot write {}", file.display())))
        })
        .await?;
        Recorder::new(self.shared.clone(), live, 0, Position::default())
    }

    /// The recordings that were being written when the program ended, and that nobody has taken up since.
    ///
    /// # Errors
    /// What disk or store say.
    pub async fn unfinished(&self) -> Result<Vec<Unfinished>, RecordingError> {
        let mut left = Vec::new();
        for (id, _) in self.storage().live_folders().await? {
            if self.shared.is_active(&id) {
                continue;
            }
            if self.storage().manifest_exists(&id).await? {
                // It was finished; only the cleaning up was not.
                let path = self.storage().live_folder(&id);
                tokio::fs::remove_dir_all(&path)
                    .await
                    .map_err(RecordingError::io(format!("cannot remove {}", path.display())))?;
                continue;
            }
            match self.storage().head(&id).await {
                Ok(Some(head)) => left.push(Unfinished {
                    id,
                    started_at_ms: head.started_at_ms,
                    facts: head.facts,
                }),
                // Killed before the head was written: nothing was ever acknowledged.
                Ok(None) => {
                    let _ = tokio::fs::remove_dir_all(self.storage().live_folder(&id)).await;
                }
                Err(error) => tracing::error!(recording.id = %id, %error, "a recording cannot be recovered"),
            }
        }
        Ok(left)
    }

    /// Finishes a recording that was left behind: cuts off a torn last event, which was never acknowledged, seals, signs,
    /// and says in the manifest that it was recovered.
    ///
    /// # Errors
    /// [`RecordingError::NotFound`], [`RecordingError::InUse`], or what disk or store say.
    pub async fn recover(&self, id: &RecordingId) -> Result<Finished, RecordingError> {
        let (live, ()) = self.adopt(id, true, Left::end).await?;
        outcome(&live).await
    }

    /// Goes on with a recording that was left behind: the session survived. Adds an [`Event::Gap`].
    ///
    /// # Errors
    /// As [`Recordings::recover`], and [`RecordingError::Ended`] when its end was recorded already.
    pub async fn resume(&self, id: &RecordingId) -> Result<Recorder, RecordingError> {
        let (live, left) = self.adopt(id, false, Left::go_on).await?;
        let to_ms = self.shared.now_ms();
        let passed = to_ms.saturating_sub(live.head.started_at_ms).saturating_mul(1000);
        let mut recorder = Recorder::new(self.shared.clone(), live, left.index, left.position)?;
        // The wall clock is all that is left to tell the time that passed; it never leads backwards.
        recorder.since_us = recorder.since_us.max(u64::try_from(passed).unwrap_or_default());
        let gap = Event::Gap {
            from_ms: left.from_ms,
            to_ms,
        };
        let cut = (left.cut_bytes > 0).then(|| {
            Event::Marker(format!(
                "{} bytes of an unfinished write were cut off",
                left.cut_bytes
            ))
        });
        recorder.record_all(std::iter::once(gap).chain(cut)).await?;
        Ok(recorder)
    }

    /// Removes a recording with all that belongs to it.
    ///
    /// # Errors
    /// [`RecordingError::InUse`] while it is written, [`RecordingError::NotFound`], or what disk or store say.
    pub async fn delete(&self, id: &RecordingId) -> Result<(), RecordingError> {
        if self.shared.is_active(id) {
            return Err(RecordingError::InUse(id.to_string()));
        }
        self.storage().delete(id).await
    }
}

fn check_facts(facts: &BTreeMap<String, String>) -> Result<(), RecordingError> {
    let wrong = |reason| {
        Err(RecordingError::BadEvent {
            field: "facts",
            reason,
        })
    };
    if facts.len() > 64 {
        return wrong("are more than 64");
    }
    if facts
        .iter()
        .any(|(name, value)| name.len() > 256 || value.len() > 4096)
    {
        return wrong("have a name beyond 256 bytes or a value beyond 4096");
    }
    Ok(())
}

/// Syncs what was written, again and again, until the last recorder and the last `Recordings` have gone.
async fn sync(shared: Weak<Shared>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let lives: Vec<_> = lock(&shared.active).values().filter_map(Weak::upgrade).collect();
        drop(shared);
        futures::stream::iter(lives)
            .for_each_concurrent(SYNCS, |live| async move {
                let files = live.take_unsynced();
                if files.is_empty() {
                    return;
                }
                let done = blocking(move || {
                    files
                        .iter()
                        .try_for_each(|file| file.sync_data())
                        .map_err(RecordingError::io("cannot sync a recording"))
                })
                .await;
                if let Err(error) = done {
                    tracing::error!(recording.id = %live.id(), %error, "a recording cannot be synced");
                    live.fail(error);
                }
            })
            .await;
    }
}
