//! The portal's side of a tunnel: its socket, and what has gone each way. After a lost connection both sides go on
//! exactly where they stopped.

use super::{Portal, TunnelError};
use futures::{SinkExt as _, StreamExt as _};
use muster_domain::ids::NodeSessionId;
use muster_domain::sessions::wire::{ClientMessage, INPUT_FRAME, INPUT_WINDOW, OUTPUT_WINDOW, beyond};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The portal is asked at least so often for more, in bytes.
const ACKNOWLEDGED_EVERY: u64 = OUTPUT_WINDOW / 8;
/// A portal that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a write may take.
const WRITE: Duration = Duration::from_secs(30);

/// The socket of a session at the portal.
#[derive(Debug)]
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Portal {
    pub(super) fn unreachable(&self, reason: &impl std::fmt::Display) -> TunnelError {
        TunnelError::Unreachable {
            url: self.url.clone(),
            reason: reason.to_string(),
        }
    }

    pub(super) async fn attach(&self, session: &NodeSessionId) -> Result<Socket, TunnelError> {
        use tokio_tungstenite::tungstenite::Error;
        let address = self
            .url
            .strip_prefix("http")
            .map(|rest| format!("ws{rest}/sessions/{session}/socket"))
            .ok_or_else(|| self.unreachable(&"its address does not begin with http"))?;
        let mut request = address
            .into_client_request()
            .map_err(|error| self.unreachable(&error))?;
        let bearer = http::HeaderValue::from_str(&format!("Bearer {}", self.token));
        let bearer =
            bearer.map_err(|_| TunnelError::Refused("the token holds what no token holds".into()))?;
        request.headers_mut().insert(http::header::AUTHORIZATION, bearer);
        // Without Nagle's algorithm: small pieces that follow each other must not wait for an acknowledgement.
        match tokio_tungstenite::connect_async_with_config(request, None, true).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(answer)) if answer.status().is_client_error() => {
                let body = answer.body().as_deref().unwrap_or_default();
                let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
                let message = body["message"].as_str().unwrap_or("the portal did not say why");
                Err(TunnelError::Refused(format!("{message} ({})", answer.status())))
            }
            Err(error) => Err(self.unreachable(&error)),
        }
    }
}

impl Socket {
    pub(super) async fn send(&mut self, frame: Frame) -> bool {
        matches!(tokio::time::timeout(WRITE, self.0.send(frame)).await, Ok(Ok(())))
    }

    pub(super) async fn say(&mut self, message: &ClientMessage) -> bool {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Frame::text(text)).await,
            Err(_) => false,
        }
    }

    /// The next frame; nothing when the connection is gone.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        match tokio::time::timeout(SILENCE, self.0.next()).await {
            Ok(Some(Ok(Frame::Close(_)))) | Err(_) => None,
            Ok(frame) => frame.and_then(Result::ok),
        }
    }
}

/// What has gone each way.
#[derive(Debug, Default)]
pub(super) struct Line {
    received: u64,
    acknowledged: u64,
    /// Input that the portal has not said to have.
    unsure: VecDeque<u8>,
    sent: u64,
}

impl Line {
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Differs when anything went either way.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.received, self.sent - self.unsure.len() as u64)
    }

    /// What is new in bytes at an offset; nothing when there is a hole.
    pub(super) fn receive<'a>(&mut self, offset: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let new = beyond(self.received, offset, bytes)?;
        self.received += new.len() as u64;
        Some(new)
    }

    /// The offset to acknowledge, when it is worth a message.
    pub(super) fn due_acknowledgement(&mut self) -> Option<u64> {
        let is_due = self.received - self.acknowledged >= ACKNOWLEDGED_EVERY;
        is_due.then(|| {
            self.acknowledged = self.received;
            self.received
        })
    }

    /// How many bytes of input may be sent.
    pub(super) fn room(&self) -> Option<usize> {
        let window = usize::try_from(INPUT_WINDOW).unwrap_or(usize::MAX);
        window.checked_sub(self.unsure.len()).filter(|room| *room > 0)
    }

    /// Keeps input until the portal has it; answers its offset.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> u64 {
        let offset = self.sent;
        self.unsure.extend(bytes);
        self.sent += bytes.len() as u64;
        offset
    }

    /// The portal has everything before this.
    pub(super) fn taken(&mut self, upto: u64) {
        let first = self.sent - self.unsure.len() as u64;
        let known = usize::try_from(upto.saturating_sub(first)).unwrap_or(usize::MAX);
        self.unsure.drain(..known.min(self.unsure.len()));
    }

    /// What has to be sent again on a new connection, when the portal has everything before `upto`.
    pub(super) fn again(&mut self, upto: u64) -> Vec<(u64, Vec<u8>)> {
        self.taken(upto);
        self.acknowledged = self.received;
        let first = self.sent - self.unsure.len() as u64;
        let all: Vec<u8> = self.unsure.iter().copied().collect();
        let mut at = first;
        all.chunks(INPUT_FRAME)
            .map(|piece| {
                let offset = at;
                at += piece.len() as u64;
                (offset, piece.to_vec())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_connection_repeats_exactly_what_the_portal_has_not() {
        let mut line = Line::default();
        assert_eq!(line.queue(b"hello "), 0);
        assert_eq!(line.queue(b"world"), 6);
        line.taken(3);
        assert_eq!(line.again(8), [(8, b"rld".to_vec())]);
        assert_eq!(line.again(11), []);
        assert_eq!(line.queue(b"!"), 11);
    }

    #[test]
    fn a_full_window_sends_nothing_more() {
        let mut line = Line::default();
        let window = usize::try_from(INPUT_WINDOW).unwrap();
        line.queue(&vec![0; window]);
        assert_eq!(line.room(), None);
        line.taken(10);
        assert_eq!(line.room(), Some(10));
    }

    #[test]
    fn output_that_comes_twice_counts_once() {
        let mut line = Line::default();
        assert_eq!(line.receive(0, b"abc"), Some(&b"abc"[..]));
        assert_eq!(line.receive(1, b"bcd"), Some(&b"d"[..]));
        assert_eq!(line.receive(9, b"x"), None);
        assert_eq!(line.due_acknowledgement(), None, "not worth a message");
        line.receive(4, &vec![0; usize::try_from(OUTPUT_WINDOW).unwrap()])
            .unwrap();
        assert_eq!(line.due_acknowledgement(), Some(4 + OUTPUT_WINDOW));
    }
}
