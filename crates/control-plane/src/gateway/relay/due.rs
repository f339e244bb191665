//! What time makes of a session: its limits, and how long either end may stay away. Doing it is not here.

use super::live::{Ending, Live, TOKEN_MS};
use crate::sessions::status::Status;
use muster_domain::Timestamp;

/// How long a client may be gone before the session is called disconnected.
pub(crate) const GONE_MS: i64 = 5_000;
/// How long a node may take for its last word after it has said that the session ends.
pub(crate) const LAST_WORD_MS: i64 = 10_000;

/// Something that has to be done about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// End it.
    End(Ending),
    /// Its status has changed: write it down.
    Changed,
    /// It is over, but that is not written down yet.
    Keep,
    /// It is over, and all clients that may still ask have had their time.
    Forget,
}

impl Live {
    /// What has to be done, by the clock that never jumps.
    pub(crate) fn due(&self, steady: Timestamp, connect_ms: i64) -> Option<Due> {
        let mut state = self.state();
        if let Some((_, since)) = &state.ended {
            return if !state.is_kept {
                Some(Due::Keep)
            } else if steady.since_ms(*since) > TOKEN_MS {
                Some(Due::Forget)
            } else {
                None
            };
        }
        let end = |status, output: String| {
            Some(Due::End(Ending {
                status,
                details: output.clone(),
                output,
                node_knows: false,
            }))
        };
        let node = &self.about.node_id;
        if let Some((max, ends)) = self.about.max
            && steady >= ends
        {
            return end(
                Status::Terminated,
                format!(
                    "The session was ended: it has reached its maximum duration of {}.",
                    minutes(max)
                ),
            );
        }
        if state.status == Status::Connecting && steady.since_ms(state.since) >= connect_ms {
            return end(
                Status::Failed,
                format!(
                    "The node {node} did not open a data channel within {} seconds. Look at its agent's log: the agent \
                     may be too old for sessions, or may not reach this endpoint.",
                    (connect_ms / 1_000).max(1)
                ),
            );
        }
        if let Some(since) = state.terminating
            && steady.since_ms(since) >= LAST_WORD_MS
        {
            return Some(Due::End(Ending {
                status: Status::Terminated,
                output: String::new(),
                details: String::new(),
                node_knows: true,
            }));
        }
        if state.status != Status::Connecting && steady.since_ms(state.last_traffic) >= self.about.idle_ms {
            return end(
                Status::Terminated,
                format!(
                    "The session was ended: nothing was typed and nothing shown for {}.",
                    minutes(self.about.idle_ms)
                ),
            );
        }
        let is_gone = state
            .client_gone
            .is_some_and(|since| steady.since_ms(since) >= GONE_MS);
        (is_gone && state.status == Status::Connected && state.set(Status::Disconnected))
            .then_some(Due::Changed)
    }
}

fn minutes(ms: i64) -> String {
    match ms / 60_000 {
        1 => "1 minute".to_owned(),
        n => format!("{n} minutes"),
    }
}
