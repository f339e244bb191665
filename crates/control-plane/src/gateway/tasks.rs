//! `agent_task_complete`: a node says on its control channel that a session is over.

use crate::control_plane::ControlPlane;
use crate::gateway::relay::live::Ending;
use crate::sessions::status::Status;
use crate::sessions::{ending, queries};
use muster_agent_protocol::session::{AgentTaskAcknowledge, AgentTaskComplete};
use muster_session_channel::Message;

/// Characters of a node's last word that are passed on and kept.
const MAX_OUTPUT: usize = 1_000;

/// What becomes of the message.
pub(crate) enum Heard {
    /// Acknowledge it.
    Acknowledge(AgentTaskAcknowledge),
    /// It cannot be written down now: without an acknowledgement the node says it again.
    Later,
    /// No honest agent sends it.
    Bad(&'static str),
}

/// Takes it in. It comes twice when a session failed before it began: both are acknowledged.
pub(crate) async fn complete(plane: &ControlPlane, node_id: &str, message: &Message) -> Heard {
    let Ok(told) = serde_json::from_slice::<AgentTaskComplete>(&message.payload) else {
        return Heard::Bad("a session's completion cannot be read");
    };
    let acknowledgement = AgentTaskAcknowledge {
        schema_version: 1,
        message_id: message.id.to_string(),
        task_id: told.task_id.clone(),
        topic: told.topic.clone(),
    };
    match plane.hub.get(&told.task_id) {
        Some(live) if live.about.node_id != node_id => {
            return Heard::Bad("a session's completion names one of another node");
        }
        Some(live) => {
            // No database text can hold a zero, and no terminal shows one.
            let output: String = told
                .output
                .chars()
                .filter(|c| *c != '\0')
                .take(MAX_OUTPUT)
                .collect();
            let told = Ending {
                status: if told.final_task_status == "Failed" {
                    Status::Failed
                } else {
                    Status::Terminated
                },
                details: output.clone(),
                output,
                node_knows: true,
            };
            if ending::end(plane, &live, told).await.is_err() {
                return Heard::Later;
            }
        }
        // Over long ago, or unknown after an old copy was restored: the node must be able to forget it.
        None => match queries::session(plane.db.reader(), &told.task_id).await {
            Ok(Some(row)) if row.node_id != node_id => {
                return Heard::Bad("a session's completion names one of another node");
            }
            Ok(_) => {}
            Err(_) => return Heard::Later,
        },
    }
    Heard::Acknowledge(acknowledgement)
}
