//! Work of steps that others do not wait for: scripts and webhooks. It runs beside the rounds and is known to this program
//! alone; what a stop cuts off is not done again, for whether it was done is not known.

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What runs at the same time; more waits.
const AT_ONCE: usize = 16;

/// What work has come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Came {
    pub(crate) outputs: Map<String, Value>,
    pub(crate) response_code: String,
    pub(crate) failure: Option<Failure>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) why: String,
    /// Whether it may have been done all the same.
    pub(crate) is_unknown: bool,
}

impl Came {
    /// Nothing came of it, which is known.
    pub(crate) fn failed(why: String) -> Self {
        let failure = Failure {
            why,
            is_unknown: false,
        };
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }
}

enum Entry {
    /// Begun, or to be begun. Whoever drops it stops it.
    Runs {
        stop: DropGuard,
    },
    Ended(Came),
}

/// How some work stands.
pub(crate) enum Stands {
    /// Nothing is known of it: whoever did it was stopped.
    Lost,
    Runs,
    Ended(Came),
}

struct Shared {
    all: Mutex<BTreeMap<String, Entry>>,
    places: Semaphore,
    changed: Notify,
}

/// All that is under way.
pub(crate) struct UnderWay {
    shared: Arc<Shared>,
    /// With the control plane ends what runs for it.
    stop: CancellationToken,
    _guard: DropGuard,
}

impl Default for UnderWay {
    fn default() -> Self {
        let stop = CancellationToken::new();
        Self {
            shared: Arc::new(Shared {
                all: Mutex::default(),
                places: Semaphore::new(AT_ONCE),
                changed: Notify::new(),
            }),
            _guard: stop.clone().drop_guard(),
            stop,
        }
    }
}

impl Shared {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // Nothing is done under the lock that could leave it half done.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// Announces work that is about to be begun, so that whoever forgets it from now on keeps it from being begun.
    pub(crate) fn announce(&self, key: String) {
        let stop = self.stop.child_token().drop_guard();
        self.shared.all().insert(key, Entry::Runs { stop });
    }

    /// Begins work that was announced, unless it was forgotten since, and wakes the rounds when it has ended.
    pub(crate) fn begin(&self, key: String, wake: Arc<Notify>, work: BoxFuture<'static, Came>) {
        let shared = Arc::clone(&self.shared);
        let stop = match shared.all().get(&key) {
            Some(Entry::Runs { stop }) => stop.token().clone(),
            _ => return,
        };
        tokio::spawn(async move {
            let places = Arc::clone(&shared);
            let work = async move {
                // It is never closed.
                let _place = places.places.acquire().await;
                work.await
            };
            if let Some(came) = stop.run_until_cancelled_owned(work).await
                && let Some(entry) = shared.all().get_mut(&key)
            {
                *entry = Entry::Ended(came);
            }
            shared.changed.notify_waiters();
            wake.notify_one();
        });
    }

    /// How some work stands; what has ended is kept until it is forgotten.
    pub(crate) fn stands(&self, key: &str) -> Stands {
        match self.shared.all().get(key) {
            None => Stands::Lost,
            Some(Entry::Runs { .. }) => Stands::Runs,
            Some(Entry::Ended(came)) => Stands::Ended(came.clone()),
        }
    }

    /// Forgets some work, and stops it when it runs.
    pub(crate) fn forget(&self, key: &str) {
        self.shared.all().remove(key);
    }

    /// Waits until nothing runs.
    pub(crate) async fn settled(&self) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self
                .shared
                .all()
                .values()
                .any(|entry| matches!(entry, Entry::Runs { .. }))
            {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn work(was_done: &Arc<AtomicBool>) -> BoxFuture<'static, Came> {
        let was_done = Arc::clone(was_done);
        Box::pin(async move {
            was_done.store(true, Ordering::SeqCst);
            Came::default()
        })
    }

    #[tokio::test]
    async fn what_is_stopped_before_it_begins_is_never_begun() {
        let (all, wake) = (UnderWay::default(), Arc::new(Notify::new()));
        let was_done = Arc::new(AtomicBool::new(false));
        all.announce("a/0/1".into());
        assert!(matches!(all.stands("a/0/1"), Stands::Runs));
        // Somebody stops the step between its being written down and its being begun.
        all.forget("a/0/1");
        all.begin("a/0/1".into(), Arc::clone(&wake), work(&was_done));
        all.settled().await;
        assert!(matches!(all.stands("a/0/1"), Stands::Lost));
        assert!(!was_done.load(Ordering::SeqCst));
        all.announce("a/0/2".into());
        all.begin("a/0/2".into(), wake, work(&was_done));
        all.settled().await;
        assert!(matches!(all.stands("a/0/2"), Stands::Ended(came) if came == Came::default()));
        assert!(was_done.load(Ordering::SeqCst));
    }
}
