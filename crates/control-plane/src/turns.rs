//! Turns: those who change one thing do so one after the other, in this process. What decides is still the database; a
//! turn only keeps writers of the same thing from undoing each other's work again and again.

use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::{Mutex, MutexGuard};

/// Things share so many turns by their hash, which bounds the memory; two that share one wait without need.
const SHARES: usize = 64;

/// Whose turn it is.
pub(crate) struct Turns([Mutex<()>; SHARES]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    /// Waits until it is the caller's turn with that thing, in the order in which they came.
    pub(crate) async fn of(&self, thing: impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % SHARES as u64).unwrap_or_default();
        self.0[at].lock().await
    }
}
