//! A clock that never jumps: it counts from when it was made. For everything that lasts a while, so that
//! somebody who sets the machine's clock ends no session.

use muster_domain::Timestamp;
use muster_domain::time::Clock;
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;

/// Such a clock. The points in time that it tells mean nothing by themselves, only their differences do.
#[derive(Clone)]
pub struct Steady(Arc<dyn Clock>);

struct Since(Instant);

impl Clock for Since {
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

impl Steady {
    /// One that a test moves.
    #[must_use]
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Default for Steady {
    fn default() -> Self {
        Self(Arc::new(Since(Instant::now())))
    }
}

impl fmt::Debug for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Steady").field(&self.now().0).finish()
    }
}
