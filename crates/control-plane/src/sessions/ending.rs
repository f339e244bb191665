//! How a session ends, whoever ends it: written down, told to the node and to the client, in that order.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::gateway::relay::Role;
use crate::gateway::relay::leg::{created, message_id};
use crate::gateway::relay::live::{Ending, Live};
use crate::sessions::queries;
use bytes::Bytes;
use muster_session_channel::Message;
use muster_session_channel::body::ChannelClosed;
use muster_session_channel::kind::CHANNEL_CLOSED;
use std::sync::Arc;
use std::time::Duration;

/// How long what the node wrote before its last word may take through its own channel. The word comes on
/// another one, and would otherwise overtake the end of the output.
const LAST_OUTPUT: Duration = Duration::from_secs(2);
/// How often that is granted again to a client that reads slowly.
const SLOW_READER: usize = 15;
/// How long a leg may take for being told.
const TELLING: Duration = Duration::from_secs(30);

/// `channel_closed`'s body.
fn closed_body(live: &Live, id: uuid::Uuid, date: String, output: Option<String>) -> ChannelClosed {
    ChannelClosed {
        message_id: id.to_string(),
        created_date: date,
        destination_id: if output.is_some() {
            live.about.session_id.clone()
        } else {
            live.about.node_id.clone()
        },
        session_id: live.about.session_id.clone(),
        message_type: CHANNEL_CLOSED.to_owned(),
        schema_version: 1,
        output,
    }
}

fn closed_message(plane: &ControlPlane, live: &Live, output: Option<String>) -> Message {
    let id = message_id(plane);
    let body = closed_body(live, id, plane.clock.now().rfc3339(), output);
    let payload = serde_json::to_vec(&body).unwrap_or_default();
    Message::control(CHANNEL_CLOSED, id, created(plane), payload)
}

/// `channel_closed` for the client (with what it shows) or for the node (without).
pub(crate) fn closed_frame(plane: &ControlPlane, live: &Live, output: Option<String>) -> Bytes {
    let message = closed_message(plane, live, output);
    message.encode().map(Bytes::from).unwrap_or_default()
}

/// Ends a session. Of several endings the first one holds.
///
/// # Errors
/// When the end cannot be written down now; it holds all the same, and is written down later.
pub(crate) async fn end(plane: &ControlPlane, live: &Arc<Live>, ending: Ending) -> ApiResult<()> {
    let is_first = live.end(ending.clone(), plane.config.steady.now());
    let kept = keep(plane, live).await;
    if is_first {
        let status = ending.status.name();
        tracing::info!(session.id = %live.about.session_id, status, details = ending.details, "a session has ended");
        close(plane, live, ending);
    }
    kept
}

/// Writes down that a session has ended, unless that is done.
pub(crate) async fn keep(plane: &ControlPlane, live: &Live) -> ApiResult<()> {
    let Some(ending) = live.ending().filter(|_| !live.is_kept()) else {
        return Ok(());
    };
    let now = plane.clock.now();
    queries::end(
        plane.db.writer(),
        &live.about.session_id,
        &ending,
        live.written(),
        now,
    )
    .await?;
    live.kept();
    Ok(())
}

/// Waits until the node has closed its channel, which it does behind its last output. One that does not is
/// waited for no longer than the client still takes something.
async fn last_output(live: &Live) {
    for _ in 0..SLOW_READER {
        let is_gone = tokio::time::timeout(LAST_OUTPUT, live.gone(Role::Agent))
            .await
            .is_ok();
        let waits = live
            .outbox(Role::Client)
            .is_some_and(|client| client.queued() > 0);
        if is_gone || !waits {
            return;
        }
    }
}

fn close(plane: &ControlPlane, live: &Arc<Live>, ending: Ending) {
    let to_client = closed_frame(plane, live, Some(ending.output));
    let agent = live.outbox(Role::Agent);
    let to_agent = (!ending.node_knows).then(|| closed_message(plane, live, None));
    if let (None, Some(message)) = (&agent, &to_agent) {
        // Without a data channel the control channel does. Without that one too, the node learns it when it
        // asks for a data channel.
        plane.registry.send_message(&live.about.node_id, message);
    }
    let live = Arc::clone(live);
    tokio::spawn(async move {
        match (agent, to_agent.and_then(|message| message.encode().ok())) {
            (Some(agent), Some(frame)) => {
                let _ = tokio::time::timeout(TELLING, agent.send(frame.into(), true)).await;
            }
            _ => last_output(&live).await,
        }
        if let Some(client) = live.outbox(Role::Client) {
            let _ = tokio::time::timeout(TELLING, client.send(to_client, true)).await;
            let _ = tokio::time::timeout(TELLING, live.gone(Role::Client)).await;
        }
        let _ = tokio::time::timeout(TELLING, live.gone(Role::Agent)).await;
        live.drop_legs();
    });
}
