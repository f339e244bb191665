//! What one session knows of the agent around it, and the ways in which it can end.

use super::Shared;
use super::driver::{Driver, Step};
use super::kept::Note;
use super::launch::Program;
use crate::config::AgentConfig;
use crate::worker::session::identify;
use muster_agent_protocol::extension::{SESSION_INFO_MESSAGE, SessionInfo};
use muster_session_channel::AgentEvent;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How a session ended, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) is_success: bool,
    pub(super) is_routing_failure: bool,
    pub(super) output: String,
}

impl Ending {
    pub(super) fn success() -> Self {
        Self {
            is_success: true,
            is_routing_failure: false,
            output: String::new(),
        }
    }

    pub(super) fn failed(output: impl Into<String>) -> Self {
        Self {
            is_success: false,
            is_routing_failure: false,
            output: output.into(),
        }
    }

    /// There is no gateway any more; an empty reason means that it has ended the session.
    pub(super) fn gone(reason: String) -> Self {
        if reason.is_empty() {
            return Self::success();
        }
        Self {
            is_routing_failure: true,
            ..Self::failed(reason)
        }
    }

    /// The ending that an event means, if it means one.
    pub(super) fn of(event: AgentEvent) -> Option<Self> {
        match event {
            AgentEvent::Failed(reason) => Some(Self::failed(reason)),
            AgentEvent::Closed | AgentEvent::Finished => Some(Self::success()),
            _ => None,
        }
    }
}

/// One session's surroundings.
pub(super) struct Context {
    pub(super) shared: Arc<Shared>,
    pub(super) session_id: String,
    /// Cancelled when the control plane ends the session.
    pub(super) closed: CancellationToken,
}

impl Context {
    pub(super) fn config(&self) -> &AgentConfig {
        &self.shared.config
    }

    /// Waits until the session is to be ended from outside.
    pub(super) async fn ended(&self) -> Ending {
        tokio::select! {
            () = self.closed.cancelled() => Ending::success(),
            () = self.shared.stop.cancelled() => Ending {
                output: "The agent on the node stopped.".into(),
                ..Ending::success()
            },
        }
    }

    /// Waits for the client; answers its version.
    pub(super) async fn started(&self, driver: &mut Driver) -> Result<String, Ending> {
        loop {
            tokio::select! {
                ending = self.ended() => return Err(ending),
                step = driver.next(true) => match step {
                    Step::Event(AgentEvent::Started(version)) => return Ok(version),
                    Step::Event(AgentEvent::Misbehaved(violation)) => driver.violation(&violation),
                    Step::Event(event) => if let Some(ending) = Ending::of(event) { return Err(ending) },
                    Step::Gone(reason) => return Err(Ending::gone(reason)),
                    Step::Moved => {}
                }
            }
        }
    }

    /// Lets the connection move on once, if it has something to do now. Input comes too late.
    pub(super) async fn yielded(&self, driver: &mut Driver) -> Option<Ending> {
        tokio::select! {
            biased;
            ending = self.ended() => Some(ending),
            step = driver.next(true) => match step {
                Step::Event(event) => Ending::of(event),
                Step::Gone(reason) => Some(Ending::gone(reason)),
                Step::Moved => None,
            },
            () = tokio::task::yield_now() => None,
        }
    }

    /// Notes what runs, and says it where that is wanted.
    pub(super) async fn describe(&self, program: &Program, pid: u32) {
        let info = SessionInfo {
            session_id: self.session_id.clone(),
            os_user: program.account.name.clone(),
            shell: program.shell().display().to_string(),
            pid,
        };
        tracing::info!(session = %self.session_id, user = %info.os_user, pid, "session runs");
        let leader = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let note = Note {
            leader: leader.map(identify),
            ending: None,
        };
        self.shared.kept.save(&self.session_id, note).await;
        let shared = self.shared.clone();
        let closed = self.closed.clone();
        self.shared.tasks.spawn(async move {
            let mut link = shared.link.clone();
            let state = tokio::select! {
                () = shared.stop.cancelled() => return,
                () = closed.cancelled() => return,
                state = link.wait_for(|state| state.streams_output.is_some()) => match state {
                    Ok(state) => state.clone(),
                    Err(_) => return,
                },
            };
            if let Some(connection) = state.connection.filter(|_| state.describes_sessions) {
                let payload = serde_json::to_vec(&info).unwrap_or_default();
                let now = shared.config.clock.now().0;
                let _ = connection
                    .send(SESSION_INFO_MESSAGE, shared.new_id(), now, payload)
                    .await;
            }
        });
    }
}
