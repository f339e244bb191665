//! A browser's socket: the first message, sending within a time, and parting so that the last words arrive.

use axum::extract::ws::{Message as Frame, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use muster_domain::sessions::wire::{ClientMessage, ServerMessage};
use std::time::Duration;

/// How long the first message may take.
const FIRST: Duration = Duration::from_secs(10);
/// How long one write may take.
const WRITE: Duration = Duration::from_secs(30);
/// How long a browser that was sent away may take to hang up.
const HANG_UP: Duration = Duration::from_secs(2);

/// Why a browser is let go.
pub(super) enum Gone {
    /// It is not there any more.
    Silently,
    /// The session is over; it knows.
    Over,
}

/// The first message, if it comes in time and can be read.
pub(super) async fn first_message(frames: &mut SplitStream<WebSocket>) -> Option<ClientMessage> {
    let read = async {
        while let Some(Ok(frame)) = frames.next().await {
            if let Frame::Text(text) = frame {
                return serde_json::from_str(text.as_str()).ok();
            }
        }
        None
    };
    tokio::time::timeout(FIRST, read).await.ok().flatten()
}

/// Says why a browser is sent away, and closes.
pub(super) async fn refuse(sink: &mut SplitSink<WebSocket, Frame>, message: &str) -> Result<(), Gone> {
    let message = ServerMessage::Refused {
        message: message.to_owned(),
    };
    say(sink, &message).await?;
    close(sink).await;
    Ok(())
}

/// Says that nothing more comes.
pub(super) async fn close(sink: &mut SplitSink<WebSocket, Frame>) {
    let _ = tokio::time::timeout(WRITE, sink.send(Frame::Close(None))).await;
}

/// Sends a message.
pub(super) async fn say(sink: &mut SplitSink<WebSocket, Frame>, message: &ServerMessage) -> Result<(), Gone> {
    let text = serde_json::to_string(message).map_err(|_| Gone::Silently)?;
    send(sink, Frame::Text(text.into())).await
}

/// Sends a frame. A browser that does not take it in time is gone.
pub(super) async fn send(sink: &mut SplitSink<WebSocket, Frame>, frame: Frame) -> Result<(), Gone> {
    match tokio::time::timeout(WRITE, sink.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Gone::Silently),
    }
}

/// Reads on until the browser has hung up: a socket that is dropped with unread bytes takes back what was sent, and
/// that is why it was sent away.
pub(super) async fn hang_up(frames: &mut SplitStream<WebSocket>) {
    let _ = tokio::time::timeout(HANG_UP, async { while let Some(Ok(_)) = frames.next().await {} }).await;
}
