//! Tells the control plane that a session is over, until it says that it has heard.

use super::context::Ending;
use super::{REMEMBERED, Shared};
use muster_agent_protocol::session::AgentTaskComplete;
use muster_agent_protocol::session::message_type::AGENT_TASK_COMPLETE;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Tries on one channel (agent control plane, agent_task_complete).
const TRIES: u32 = 3;
/// From one try to the next.
const ACK_WITHIN: Duration = Duration::from_secs(1);
/// After so long nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Tells it (the next agent does, when this one stops first), and remembers the session as a past one.
pub(super) async fn tell(shared: &Arc<Shared>, session: &str, ending: Ending, heard: &CancellationToken) {
    let telling = timeout(PATIENCE, tell_until_heard(shared, session, &ending));
    tokio::select! {
        () = heard.cancelled() => {}
        _ = telling => {}
    }
    if heard.is_cancelled() || !shared.stop.is_cancelled() {
        shared.kept.forget(session);
    }
    if !heard.is_cancelled() {
        tracing::warn!(session, "the end of a session was not acknowledged");
    }
    let mut registry = shared.registry();
    registry.entries.remove(session);
    registry.past.retain(|(past, _)| past != session);
    if registry.past.len() >= REMEMBERED {
        registry.past.pop_front();
    }
    registry.past.push_back((session.to_owned(), ending));
}

async fn tell_until_heard(shared: &Shared, session: &str, ending: &Ending) {
    let mut link = shared.link.clone();
    let mut told_on = 0;
    loop {
        let connection = tokio::select! {
            biased;
            state = link.wait_for(|state| state.connection.as_ref().is_some_and(|open| open.generation != told_on)) => {
                match state {
                    Ok(state) => state.connection.clone(),
                    Err(_) => return,
                }
            }
            // After a stop there will be no other channel.
            () = shared.stop.cancelled() => return,
        };
        let Some(connection) = connection else { continue };
        told_on = connection.generation;
        for retry_number in 1..=TRIES {
            let complete = AgentTaskComplete {
                schema_version: 1,
                task_id: session.to_owned(),
                topic: AGENT_TASK_COMPLETE.to_owned(),
                final_task_status: if ending.is_success { "Success" } else { "Failed" }.to_owned(),
                is_routing_failure: ending.is_routing_failure,
                instance_id: shared.node.to_string(),
                output: ending.output.clone(),
                retry_number,
                ..AgentTaskComplete::default()
            };
            let payload = serde_json::to_vec(&complete).unwrap_or_default();
            let now = shared.config.clock.now().0;
            let sent = connection
                .send(AGENT_TASK_COMPLETE, shared.new_id(), now, payload)
                .await;
            if sent.is_err() {
                break;
            }
            tokio::time::sleep(ACK_WITHIN).await;
        }
    }
}
