//! All sessions that go on, by id. After a restart they are read from the database; their legs come back
//! by themselves.

use super::live::Live;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Channels at most whose first frame has not come yet. Anybody may open one.
const OPENING: usize = 1_024;

/// The sessions.
pub(crate) struct Hub {
    sessions: Mutex<HashMap<String, Arc<Live>>>,
    opening: Arc<Semaphore>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            sessions: Mutex::default(),
            opening: Arc::new(Semaphore::new(OPENING)),
        }
    }
}

impl Hub {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, live: Live) -> Arc<Live> {
        let live = Arc::new(live);
        self.sessions()
            .insert(live.about.session_id.clone(), Arc::clone(&live));
        live
    }

    pub(crate) fn get(&self, session_id: &str) -> Option<Arc<Live>> {
        self.sessions().get(session_id).cloned()
    }

    pub(crate) fn forget(&self, session_id: &str) {
        self.sessions().remove(session_id);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.sessions().values().cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.sessions().len()
    }

    /// A place for a channel that is being opened, while there is one.
    pub(crate) fn opening(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.opening).try_acquire_owned().ok()
    }

    /// Closes all legs, when the server stops. Both ends come back to the next one.
    pub(crate) fn drop_legs(&self) {
        for live in self.all() {
            live.drop_legs();
        }
    }
}
