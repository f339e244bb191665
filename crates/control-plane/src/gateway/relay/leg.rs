//! One leg of a session: its opening, its frames in and out, its end. One frame is read at a time and
//! handed on before the next, so that whoever reads slowly slows the other end down.

use super::Role;
use super::live::{Attached, Live};
use super::outbox::Item;
use super::route::Route;
use crate::control_plane::ControlPlane;
use crate::sessions::ending::closed_frame;
use crate::sessions::rounds::keep_status;
use axum::extract::ws::{Message as Frame, WebSocket};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use muster_session_channel::Message;
use muster_session_channel::body::{Acknowledge, OpenDataChannel};
use muster_session_channel::kind::{ACKNOWLEDGE, FLAGS_CONTROL};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The largest frame of a data channel in bytes. Data comes in pieces of a kilobyte; the longest JSON body
/// that either end reads has 64 KiB.
pub(crate) const MAX_FRAME: usize = 128 * 1024;
/// How long the first frame may take.
const FIRST_FRAME: Duration = Duration::from_secs(5);
/// How often we ping.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A leg that was silent for so long, although it was read, is dead.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one write may take: whoever does not read for longer loses the leg, not the session.
const WRITE: Duration = Duration::from_secs(60);
/// How long an end that was told that the session is over may take to hang up.
const HANG_UP: Duration = Duration::from_secs(2);
/// Frames that cannot be read before the leg is closed.
const MAX_BAD_FRAMES: u32 = 100;

/// Serves a channel until it ends. `node` is who has signed the request, when it was a node.
pub(crate) async fn run(
    plane: Arc<ControlPlane>,
    session_id: String,
    node: Option<String>,
    socket: WebSocket,
    opening: OwnedSemaphorePermit,
) {
    let (mut sink, mut frames) = socket.split();
    let opened = open(&plane, &session_id, node.as_deref(), &mut frames).await;
    drop(opening);
    let Some((live, role)) = opened else {
        let _ = tokio::time::timeout(FIRST_FRAME, sink.close()).await;
        return;
    };
    let steady = plane.config.steady.now();
    match live.attach(role, steady) {
        Ok(attached) => serve(&plane, &live, role, attached, sink, frames).await,
        Err(output) => {
            // It ended before this end came: it is told why, as it would have been told.
            let frame = Frame::Binary(closed_frame(&plane, &live, Some(output)));
            let _ = tokio::time::timeout(FIRST_FRAME, sink.send(frame)).await;
            let _ = tokio::time::timeout(FIRST_FRAME, sink.close()).await;
            hang_up(&mut frames).await;
        }
    }
}

/// Reads the first frame; the token in it says which session and which end this is.
async fn open(
    plane: &ControlPlane,
    session_id: &str,
    node: Option<&str>,
    frames: &mut SplitStream<WebSocket>,
) -> Option<(Arc<Live>, Role)> {
    let first = tokio::time::timeout(FIRST_FRAME, async {
        loop {
            match frames.next().await {
                // Clients ping at once, some of them before they speak.
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                other => return other,
            }
        }
    });
    let Ok(Some(Ok(Frame::Text(first)))) = first.await else {
        return None;
    };
    let opening = OpenDataChannel::from_text(first.as_str()).ok()?;
    let live = plane.hub.get(session_id)?;
    let role = live.take_token(&opening.token_value, plane.config.steady.now())?;
    let own = live.about.node_id.as_str();
    let may = match role {
        Role::Client => true,
        // A node's token alone is not enough: the request is signed with that node's own keys.
        Role::Agent => {
            node == Some(own)
                && opening
                    .client_instance_id
                    .as_deref()
                    .is_none_or(|named| named == own)
        }
    };
    may.then_some((live, role))
}

async fn serve(
    plane: &Arc<ControlPlane>,
    live: &Arc<Live>,
    role: Role,
    attached: Attached,
    sink: SplitSink<WebSocket, Frame>,
    mut frames: SplitStream<WebSocket>,
) {
    let Attached {
        generation,
        outbox,
        items,
        stop,
        changed,
    } = attached;
    let session_id = &live.about.session_id;
    tracing::info!(session.id = %session_id, role = role.name(), "a data channel is open");
    if changed {
        keep_status(plane, live).await;
    }
    let writer = tokio::spawn(write(sink, items, stop.clone()));
    let mut bad_frames = 0;
    loop {
        let frame = tokio::select! {
            () = stop.cancelled() => break,
            frame = tokio::time::timeout(SILENCE, frames.next()) => frame,
        };
        // Most ends never say goodbye; an abrupt end is the usual one.
        let Ok(Some(Ok(frame))) = frame else { break };
        let bytes = match frame {
            Frame::Binary(bytes) => bytes,
            Frame::Close(_) => break,
            // Both ends of AWS read text and binary frames alike.
            Frame::Text(text) => Bytes::from(text),
            Frame::Ping(_) | Frame::Pong(_) => continue,
        };
        // Digests are from end to end: who cares for them is the end.
        let why = match Message::decode_undigested(&bytes) {
            Err(error) => error.to_string(),
            Ok(message) => match live.route(role, &message, &bytes, plane.config.steady.now()) {
                Route::Relay(Some(other)) => {
                    tokio::select! {
                        () = stop.cancelled() => break,
                        // A leg that went meanwhile is no fault of this one: what was lost is repeated.
                        _ = other.send(bytes, false) => {}
                    }
                    continue;
                }
                Route::Relay(None) | Route::Drop => continue,
                Route::Answer(acknowledge) => {
                    // Without room it is left out: the message comes again, and is then answered.
                    if let Some(frame) = acknowledgement(plane, &acknowledge) {
                        let _ = outbox.try_send(frame);
                    }
                    continue;
                }
                Route::Terminating => {
                    if live.terminating(plane.config.steady.now()) {
                        keep_status(plane, live).await;
                    }
                    continue;
                }
                Route::Bad(why) => why.to_owned(),
            },
        };
        bad_frames += 1;
        tracing::debug!(session.id = %session_id, role = role.name(), why, "a frame was dropped");
        if bad_frames > MAX_BAD_FRAMES {
            tracing::warn!(session.id = %session_id, role = role.name(), "too many frames cannot be read");
            break;
        }
    }
    live.detach(role, generation, plane.config.steady.now());
    stop.cancel();
    drop(outbox);
    let _ = writer.await;
    hang_up(&mut frames).await;
    tracing::info!(session.id = %session_id, role = role.name(), "a data channel is closed");
}

/// Reads on until the other end has hung up: a socket that is dropped with unread bytes takes back what was sent, and
/// the last of that says why the session is over.
async fn hang_up(frames: &mut SplitStream<WebSocket>) {
    let _ = tokio::time::timeout(HANG_UP, async { while let Some(Ok(_)) = frames.next().await {} }).await;
}

async fn write(
    mut sink: SplitSink<WebSocket, Frame>,
    mut items: mpsc::Receiver<Item>,
    stop: CancellationToken,
) {
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.tick().await;
    loop {
        let first = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            item = items.recv() => match item {
                Some(item) => item.into_parts(),
                None => break,
            },
            _ = ping.tick() => (Frame::Ping(Bytes::new()), false),
        };
        let written = tokio::select! {
            // Also in the middle of a write: whoever is replaced or ended has no claim to a minute more.
            () = stop.cancelled() => break,
            written = tokio::time::timeout(WRITE, write_waiting(&mut sink, &mut items, first)) => written,
        };
        if !matches!(written, Ok(Some(false))) {
            break;
        }
    }
    stop.cancel();
    let _ = tokio::time::timeout(Duration::from_secs(1), sink.close()).await;
}

/// Writes a frame and all that wait behind it, and sends them off together. Says whether the last frame of
/// all was among them; nothing when the socket takes no more.
async fn write_waiting(
    sink: &mut SplitSink<WebSocket, Frame>,
    items: &mut mpsc::Receiver<Item>,
    first: (Frame, bool),
) -> Option<bool> {
    let (mut frame, mut last) = first;
    loop {
        sink.feed(frame).await.ok()?;
        if last {
            break;
        }
        match items.try_recv() {
            Ok(item) => (frame, last) = item.into_parts(),
            Err(_) => break,
        }
    }
    sink.flush().await.ok()?;
    Some(last)
}

fn acknowledgement(plane: &ControlPlane, acknowledge: &Acknowledge) -> Option<Bytes> {
    let payload = serde_json::to_vec(acknowledge).ok()?;
    let mut message = Message::control(ACKNOWLEDGE, message_id(plane), created(plane), payload);
    message.flags = FLAGS_CONTROL;
    message.encode().ok().map(Bytes::from)
}

/// An id for a message of our own.
pub(crate) fn message_id(plane: &ControlPlane) -> Uuid {
    Uuid::parse_str(&plane.random.uuid()).unwrap_or_else(|_| Uuid::from_u128(1))
}

/// The date of a message of our own; readers refuse zero.
pub(crate) fn created(plane: &ControlPlane) -> u64 {
    u64::try_from(plane.clock.now().0).unwrap_or(1).max(1)
}
