//! `muster tunnel`'s own work: local connections on one side, the portal's socket of a session on the other, and
//! between them the multiplexer. What the command line says is in `cli`.

mod line;
mod local;

use line::Line;
use local::{FromLocal, Locals};
use muster_domain::ids::NodeSessionId;
use muster_domain::sessions::wire::{ClientMessage, INPUT_FRAME, ServerMessage, decode_bytes, encode_bytes};
use muster_session_channel::mux::{Mux, MuxEvent, MuxRefusal, MuxSide};
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as Frame;

/// How long the portal may be away before the tunnel is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the portal hears from us.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Where the portal is, and who we are to it.
#[derive(Clone)]
pub struct Portal {
    /// `https://muster.example`, without a slash at its end.
    pub url: String,
    /// The token that acts for a user.
    pub token: String,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Why a tunnel cannot be, or is no more.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// The portal said no.
    #[error("{0}")]
    Refused(String),
    /// The portal cannot be reached.
    #[error("the portal at {url} cannot be reached: {reason}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        reason: String,
    },
    /// What came through the session is no tunnel.
    #[error("the node's agent sent what no tunnel holds: {0}")]
    Garbled(String),
    /// A local socket.
    #[error(transparent)]
    Local(#[from] io::Error),
}

/// What is to be forwarded.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Through which node.
    pub node: String,
    /// To which port.
    pub port: u16,
    /// Of which host; empty for the node itself.
    pub host: String,
    /// What for.
    pub reason: String,
}

/// A tunnel that was opened.
#[derive(Debug)]
pub struct Tunnel {
    portal: Portal,
    session: NodeSessionId,
}

fn client() -> Result<reqwest::Client, TunnelError> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| TunnelError::Refused(error.to_string()))
}

impl Tunnel {
    /// Asks the portal for a session.
    ///
    /// # Errors
    /// [`TunnelError`], with what the portal says.
    pub async fn open(portal: Portal, wanted: &Wanted) -> Result<Self, TunnelError> {
        let body = serde_json::json!({
            "node": wanted.node, "port": wanted.port, "host": wanted.host, "reason": wanted.reason,
        });
        let answer = client()?
            .post(format!("{}/sessions/tunnels", portal.url))
            .bearer_auth(&portal.token)
            .json(&body)
            .send()
            .await
            .map_err(|error| portal.unreachable(&error.without_url()))?;
        let status = answer.status();
        let answer: serde_json::Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            let message = answer["message"].as_str().unwrap_or("the portal did not say why");
            return Err(TunnelError::Refused(format!("{message} ({status})")));
        }
        let session = answer["session_id"].as_str().unwrap_or_default();
        Ok(Self {
            session: NodeSessionId::new(session),
            portal,
        })
    }

    /// The session that carries it.
    #[must_use]
    pub fn session(&self) -> &NodeSessionId {
        &self.session
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`TunnelError`], with what the portal says.
    pub async fn end(&self) -> Result<(), TunnelError> {
        client()?
            .delete(format!("{}/sessions/{}", self.portal.url, self.session))
            .bearer_auth(&self.portal.token)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| self.portal.unreachable(&error.without_url()))
    }

    /// Carries connections of `listener` until the session is over. Answers why it is.
    ///
    /// # Errors
    /// [`TunnelError`] when it cannot go on.
    pub async fn carry(&self, listener: TcpListener) -> Result<String, TunnelError> {
        let mut work = Work {
            mux: Mux::new(MuxSide::Client, false, 0),
            locals: Locals::default(),
            waiting: None,
            held: None,
            line: Line::default(),
            epoch: Instant::now(),
        };
        let name = uuid::Uuid::new_v4().to_string();
        let mut lost_since: Option<Instant> = None;
        let mut wait = Duration::from_millis(200);
        loop {
            let lost = match self.portal.attach(&self.session).await {
                Ok(socket) => {
                    let before = work.line.progress();
                    let ended = work.serve(socket, &name, &listener).await?;
                    if let Some(why) = ended {
                        return Ok(why);
                    }
                    if work.line.progress() != before {
                        lost_since = None;
                        wait = Duration::from_millis(200);
                    }
                    "the connection broke".to_owned()
                }
                Err(TunnelError::Unreachable { reason, .. }) => reason,
                Err(error) => return Err(error),
            };
            let since = *lost_since.get_or_insert_with(Instant::now);
            if since.elapsed() > PATIENCE {
                return Err(self.portal.unreachable(&lost));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }
}

struct Work {
    mux: Mux,
    locals: Locals,
    /// From a local connection, until the multiplexer has room.
    waiting: Option<FromLocal>,
    /// For a local connection, until that has room.
    held: Option<(u32, Vec<u8>)>,
    line: Line,
    epoch: Instant,
}

impl Work {
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Carries over one connection to the portal. Answers why the session is over, or nothing when the
    /// connection broke.
    async fn serve(
        &mut self,
        mut socket: line::Socket,
        name: &str,
        listener: &TcpListener,
    ) -> Result<Option<String>, TunnelError> {
        let attach = ClientMessage::Attach {
            client: name.to_owned(),
            watch: false,
            cursor: Some(self.line.received()),
            cols: 80,
            rows: 24,
        };
        if !socket.say(&attach).await {
            return Ok(None);
        }
        let mut ping = tokio::time::interval(PING_EVERY);
        let mut is_attached = false;
        loop {
            self.deliver()?;
            if is_attached {
                self.offer()?;
                let now = self.now();
                while let Some(room) = self.line.room() {
                    let most = room.min(INPUT_FRAME);
                    let bytes = self.mux.poll_transmit(now, most).map_err(garbled)?;
                    let Some(bytes) = bytes else { break };
                    let offset = self.line.queue(&bytes);
                    if !socket
                        .send(Frame::Binary(encode_bytes(offset, &bytes).into()))
                        .await
                    {
                        return Ok(None);
                    }
                }
                if self.held.is_none()
                    && let Some(offset) = self.line.due_acknowledgement()
                    && !socket.say(&ClientMessage::Consumed { offset }).await
                {
                    return Ok(None);
                }
            }
            let takes = self.waiting.is_none() && is_attached;
            let full = self.held.as_ref().and_then(|(id, _)| self.locals.writer(*id));
            tokio::select! {
                accepted = listener.accept(), if takes => {
                    let (stream, _) = accepted?;
                    match self.mux.open() {
                        Ok(id) => self.locals.add(id, stream),
                        // Too many at once: this one is closed, which its program understands.
                        Err(MuxRefusal::Full | MuxRefusal::Closed) => drop(stream),
                    }
                }
                from = self.locals.next(), if takes => self.waiting = Some(from),
                () = local::room(full), if self.held.is_some() => {}
                _ = ping.tick() => {
                    if !socket.say(&ClientMessage::Ping { token: 0, took_ms: None }).await {
                        return Ok(None);
                    }
                }
                frame = socket.next() => match frame {
                    Some(Frame::Binary(bytes)) => {
                        let Some((offset, bytes)) = decode_bytes(&bytes) else {
                            return Err(TunnelError::Garbled("a frame without an offset".into()));
                        };
                        let Some(new) = self.line.receive(offset, bytes) else {
                            return Err(TunnelError::Garbled("a hole in the portal's output".into()));
                        };
                        let now = self.now();
                        self.mux.receive(new, now).map_err(garbled)?;
                    }
                    Some(Frame::Text(text)) => match serde_json::from_str(text.as_str()) {
                        Ok(ServerMessage::Attached { from, input, .. }) => {
                            if from != self.line.received() {
                                return Err(TunnelError::Garbled("the portal lost a part of the stream".into()));
                            }
                            is_attached = true;
                            for (offset, bytes) in self.line.again(input) {
                                if !socket.send(Frame::Binary(encode_bytes(offset, &bytes).into())).await {
                                    return Ok(None);
                                }
                            }
                        }
                        Ok(ServerMessage::Taken { input }) => self.line.taken(input),
                        Ok(ServerMessage::Notice { text }) => tracing::warn!("{text}"),
                        Ok(ServerMessage::Ended { session }) => {
                            let reason = session.end_reason.map_or("It is over", |reason| reason.label());
                            return Ok(Some(format!("{reason}. {}", session.end_message)));
                        }
                        Ok(ServerMessage::Refused { message }) => return Err(TunnelError::Refused(message)),
                        _ => {}
                    },
                    Some(_) => {}
                    None => return Ok(None),
                }
            }
        }
    }

    /// Gives what came through the tunnel to the local connections.
    fn deliver(&mut self) -> Result<(), TunnelError> {
        if let Some((id, bytes)) = self.held.take()
            && let Err(bytes) = self.locals.give(id, bytes)
        {
            self.held = Some((id, bytes));
            return Ok(());
        }
        while let Some(event) = self.mux.poll_event() {
            match event {
                MuxEvent::Opened(id) => {
                    return Err(TunnelError::Garbled(format!("the agent opened stream {id}")));
                }
                MuxEvent::Data(id, bytes) => {
                    if let Err(bytes) = self.locals.give(id, bytes) {
                        self.held = Some((id, bytes));
                        return Ok(());
                    }
                }
                MuxEvent::Finished(id) => self.locals.finish(id),
            }
        }
        Ok(())
    }

    /// Gives what came from a local connection to the multiplexer, when that has room.
    fn offer(&mut self) -> Result<(), TunnelError> {
        let Some(from) = self.waiting.take() else {
            return Ok(());
        };
        let taken = match &from {
            FromLocal::Bytes(id, bytes) => self.mux.send(*id, bytes),
            FromLocal::End(id) => self.mux.finish(*id),
        };
        if taken == Err(MuxRefusal::Full) {
            self.waiting = Some(from);
        }
        Ok(())
    }
}

fn garbled(error: impl std::fmt::Display) -> TunnelError {
    TunnelError::Garbled(error.to_string())
}
