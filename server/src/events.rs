//! "Something changed": wakes the streams that pages follow. Carries names, never data.

use muster_domain::ids::{CommandId, ExecutionId};
use tokio::sync::broadcast;

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortalEvent {
    /// A command has new events in the database.
    Command(CommandId),
    /// An execution of a runbook has new events in the database.
    Execution(ExecutionId),
    /// Nodes were copied anew.
    Fleet,
    /// A connection stands differently.
    Connections,
    /// Requests for approval stand differently.
    Approvals,
    /// Users, their roles, sessions or tokens were changed.
    Access,
}

/// Where changes are told.
#[derive(Clone, Debug)]
pub struct EventBus(broadcast::Sender<PortalEvent>);

impl Default for EventBus {
    fn default() -> Self {
        Self(broadcast::channel(4096).0)
    }
}

impl EventBus {
    /// Tells everybody who listens.
    pub fn tell(&self, event: PortalEvent) {
        let _ = self.0.send(event);
    }

    /// Listens from now on. A listener that lags only misses wake-ups: it must look into the database anyway.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<PortalEvent> {
        self.0.subscribe()
    }
}
