//! A recording that is being written: what its recorder and the sealing worker share.

use crate::derive::Carry;
use crate::emulator::Keyframe;
use crate::manifest::{Recovery, Totals};
use crate::storage::Head;
use crate::{RecordingError, RecordingId};
use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What a finished recording is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Which recording.
    pub id: RecordingId,
    /// SHA-256 of the manifest's object, hexadecimal: for the audit log, so that even a manifest signed anew shows.
    pub manifest_sha256: String,
    /// Sums.
    pub totals: Totals,
}

/// A tail that waits to be sealed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) bytes: u64,
    /// The recording's last: the manifest follows.
    pub(crate) last: bool,
}

/// How far sealing is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Chunks sealed since this process took the recording up.
    pub(crate) sealed: u64,
    pub(crate) outcome: Option<Result<Finished, RecordingError>>,
}

/// Where sealing goes on. Only the worker touches it.
pub(crate) struct SealState {
    pub(crate) next_index: u64,
    pub(crate) previous: String,
    /// The terminal at the end of the last chunk; `None` when it has to be read from that chunk.
    pub(crate) keyframe: Option<Keyframe>,
    pub(crate) carry: Carry,
    /// The last chunk is sealed; only the manifest may be missing.
    pub(crate) complete: bool,
}

#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) scheduled: bool,
}

/// One recording that is being written.
pub(crate) struct Live {
    pub(crate) head: Head,
    pub(crate) folder: PathBuf,
    pub(crate) recovered: Option<Recovery>,
    pub(crate) pending: Mutex<Pending>,
    pub(crate) seal: Mutex<Option<SealState>>,
    /// Bytes in `pending`.
    pub(crate) behind: AtomicU64,
    pub(crate) progress: watch::Sender<Progress>,
    unsynced: Mutex<Vec<Arc<File>>>,
    dirty: AtomicBool,
    failed: AtomicBool,
    failure: Mutex<Option<RecordingError>>,
}

/// A lock whose holder panicked guards nothing that could be half done: all critical sections here are single steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(crate) fn new(head: Head, folder: PathBuf, seal: SealState, recovered: Option<Recovery>) -> Self {
        Self {
            head,
            folder,
            recovered,
            pending: Mutex::default(),
            seal: Mutex::new(Some(seal)),
            behind: AtomicU64::new(0),
            progress: watch::Sender::default(),
            unsynced: Mutex::default(),
            dirty: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> &RecordingId {
        &self.head.recording
    }

    /// Something was written to `file`: it is synced within a second.
    pub(crate) fn wrote(&self, file: &Arc<File>) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            lock(&self.unsynced).push(file.clone());
        }
    }

    /// The next write goes to another file.
    pub(crate) fn rotated(&self) {
        if let Ok(folder) = File::open(&self.folder) {
            // The new file's name has to reach the disk, too.
            lock(&self.unsynced).push(Arc::new(folder));
        }
        self.dirty.store(false, Ordering::Release);
    }

    /// The files that have to be synced.
    pub(crate) fn take_unsynced(&self) -> Vec<Arc<File>> {
        // In this order: a write after the first line puts its file on the list again.
        self.dirty.store(false, Ordering::Release);
        std::mem::take(&mut *lock(&self.unsynced))
    }

    /// From now on the recorder fails with this.
    pub(crate) fn fail(&self, error: RecordingError) {
        lock(&self.failure).get_or_insert(error);
        self.failed.store(true, Ordering::Release);
    }

    pub(crate) fn failure(&self) -> Option<RecordingError> {
        if self.failed.load(Ordering::Acquire) {
            lock(&self.failure).clone()
        } else {
            None
        }
    }
}
