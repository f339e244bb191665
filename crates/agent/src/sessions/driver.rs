//! One session's data channel, driven: the agent's end of the protocol, its clock and its connections in one place.
//! What runs in the session decides when it reads events and how much it sends.

use super::wire::{Wire, WireEvent};
use muster_domain::time::Random;
use muster_session_channel::version::PortMode;
use muster_session_channel::{
    AgentChannel, AgentConfig, AgentEvent, Limits, Millis, SendError, SessionType, Setup,
};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use uuid::Uuid;

/// What clients are told: they judge by it what they may use, and know only Amazon's numbers (session protocol, port
/// sessions). This one allows everything that this agent can.
const SPOKEN_VERSION: &str = "3.3.987.0";
/// Bytes that wait to be acknowledged: a shell that floods stops here.
const SEND_BYTES: usize = 512 * 1024;
/// Input that waits for a program that does not read.
const EVENT_BYTES: usize = 256 * 1024;
/// Frames that are taken in one go before the session looks at the rest of its world.
const BATCH: usize = 64;
/// Torn characters are sent with what follows.
const SPARE: usize = 16;
/// Frames that are no messages until a gateway is left: it, or who speaks through it, is not what it should be.
const MOST_VIOLATIONS: u32 = 100;
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// What happened.
pub(crate) enum Step {
    /// To be acted on.
    Event(AgentEvent),
    /// There is no gateway for the session any more; says why, empty when it is over there.
    Gone(String),
    /// Something moved: look at [`Driver::room`] again.
    Moved,
}

/// See above.
pub(crate) struct Driver {
    channel: AgentChannel,
    wire: mpsc::Receiver<WireEvent>,
    wire_task: tokio::task::JoinHandle<()>,
    outgoing: Option<mpsc::Sender<Frame>>,
    pending: Option<Frame>,
    gone: Option<String>,
    violations: u32,
    started: Instant,
    request_ids: u128,
}

/// What a session is, on the wire.
pub(crate) struct Terms<'a> {
    pub(crate) session_type: SessionType,
    pub(crate) handshake: bool,
    pub(crate) node_id: &'a str,
    pub(crate) properties: serde_json::Value,
    pub(crate) now_unix_ms: i64,
}

fn random_u128(random: &dyn Random) -> u128 {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

impl Driver {
    /// A session that begins to connect.
    pub(crate) fn start(terms: Terms<'_>, wire: Wire) -> Self {
        let setup = Setup {
            id_seed: Uuid::from_u128(random_u128(wire.random.as_ref())),
            started_unix_ms: u64::try_from(terms.now_unix_ms).unwrap_or(1),
            limits: Limits {
                send_bytes: SEND_BYTES,
                event_bytes: EVENT_BYTES,
                ..Limits::default()
            },
        };
        let channel = AgentChannel::new(AgentConfig {
            session_id: wire.session_id.clone(),
            node_id: terms.node_id.to_owned(),
            agent_version: SPOKEN_VERSION.to_owned(),
            session_type: terms.session_type,
            properties: terms.properties,
            handshake: terms.handshake,
            customer_message: String::new(),
            setup,
        });
        let request_ids = random_u128(wire.random.as_ref());
        let (wire, wire_task) = wire.start();
        Self {
            channel,
            wire,
            wire_task,
            outgoing: None,
            pending: None,
            gone: None,
            violations: 0,
            started: Instant::now(),
            request_ids,
        }
    }

    /// Milliseconds since its start.
    pub(crate) fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Waits for what happens next, and keeps the connection going meanwhile. Without `takes_events`, events wait (and
    /// then hold back the client), but the end of the session is still noticed. May be dropped and called again.
    pub(crate) async fn next(&mut self, takes_events: bool) -> Step {
        self.fill();
        if takes_events || self.channel.is_over() {
            if let Some(event) = self.channel.poll_event() {
                // Taking it may have made something to send.
                self.fill();
                return Step::Event(event);
            }
            if let Some(reason) = self.gone.take() {
                return Step::Gone(reason);
            }
        }
        let is_blocked = self.pending.is_some();
        let deadline = self
            .channel
            .next_timeout()
            .map(|at| self.started + Duration::from_millis(at));
        let wake = async {
            match deadline {
                Some(at) if !is_blocked => sleep_until(at).await,
                _ => std::future::pending().await,
            }
        };
        let outgoing = &self.outgoing;
        let can_write = async {
            match outgoing {
                Some(outgoing) if is_blocked => {
                    // The place is given back at once and taken again in `fill`.
                    let _ = outgoing.reserve().await;
                }
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            event = self.wire.recv() => match event {
                Some(event) => self.take(event),
                None => return std::future::pending().await,
            },
            () = wake => {}
            () = can_write => {}
        }
        for _ in 0..BATCH {
            match self.wire.try_recv() {
                Ok(event) => self.take(event),
                Err(_) => break,
            }
        }
        self.fill();
        if self.channel.is_over()
            && let Some(event) = self.channel.poll_event()
        {
            return Step::Event(event);
        }
        match self.gone.take() {
            Some(reason) => Step::Gone(reason),
            None => Step::Moved,
        }
    }

    fn take(&mut self, event: WireEvent) {
        let now = self.now();
        match event {
            WireEvent::Connected(token, outgoing) => {
                self.request_ids = self.request_ids.wrapping_add(1);
                let id = uuid::Builder::from_random_bytes(self.request_ids.to_be_bytes()).into_uuid();
                self.pending = Some(Frame::text(self.channel.connected(&token, id, now)));
                self.outgoing = Some(outgoing);
            }
            WireEvent::Frame(frame) => {
                if let Err(violation) = self.channel.handle_frame(&frame, now) {
                    self.violation(&violation);
                }
            }
            WireEvent::Lost => self.disconnect(),
            WireEvent::Gone(reason) => {
                self.disconnect();
                self.gone = Some(reason);
            }
        }
    }

    /// A breach of the protocol by the client; a few may be accidents.
    pub(crate) fn violation(&mut self, violation: &muster_session_channel::Violation) {
        self.violations += 1;
        tracing::debug!(%violation, "a breach of the session protocol");
        if self.violations == MOST_VIOLATIONS {
            self.gone = Some(format!(
                "The session was ended because of broken messages: {violation}."
            ));
        }
    }

    fn disconnect(&mut self) {
        self.channel.disconnected();
        self.outgoing = None;
        self.pending = None;
    }

    /// Passes on all that may leave now.
    fn fill(&mut self) {
        let now = self.now();
        loop {
            if self.pending.is_none() {
                // Asked also without a connection: deadlines are judged there.
                self.pending = self
                    .channel
                    .poll_transmit(now)
                    .map(|frame| Frame::Binary(frame.into()));
            }
            let Some(frame) = self.pending.take() else {
                return;
            };
            match self.outgoing.as_ref().map(|outgoing| outgoing.try_send(frame)) {
                Some(Ok(())) => {}
                Some(Err(mpsc::error::TrySendError::Full(frame))) => {
                    self.pending = Some(frame);
                    return;
                }
                // The loss itself is told soon; until then nothing more is taken out.
                Some(Err(mpsc::error::TrySendError::Closed(_))) => return self.disconnect(),
                None => return,
            }
        }
    }

    /// How many bytes may be sent now: none during a pause.
    pub(crate) fn room(&self) -> usize {
        if self.channel.is_paused() {
            0
        } else {
            self.channel.room().saturating_sub(SPARE)
        }
    }

    /// Whether input is wanted; see [`AgentChannel::set_ready`].
    pub(crate) fn set_ready(&mut self, ready: bool) {
        self.channel.set_ready(ready);
    }

    /// Sends output of at most [`Self::room`] bytes.
    pub(crate) fn send(&mut self, output: &[u8]) -> Result<(), SendError> {
        let now = self.now();
        self.channel.send_output(output, now)
    }

    /// Sends standard error of at most [`Self::room`] bytes.
    pub(crate) fn send_error(&mut self, output: &[u8]) -> Result<(), SendError> {
        let now = self.now();
        self.channel.send_error_output(output, now)
    }

    /// Sends the exit code.
    pub(crate) fn send_exit_code(&mut self, code: i32) -> Result<(), SendError> {
        let now = self.now();
        self.channel.send_exit_code(code, now)
    }

    /// Says that the port could not be reached.
    pub(crate) fn port_unreachable(&mut self) -> Result<(), SendError> {
        let now = self.now();
        self.channel.port_unreachable(now)
    }

    /// See [`AgentChannel::port_mode`].
    pub(crate) fn port_mode(&self, client_version: &str) -> PortMode {
        self.channel.port_mode(client_version)
    }

    /// The session has ended by itself: everything that was sent still arrives.
    pub(crate) async fn finish(mut self) {
        let now = self.now();
        self.channel.finish(now);
        loop {
            match self.next(true).await {
                Step::Event(AgentEvent::Finished | AgentEvent::Closed | AgentEvent::Failed(_))
                | Step::Gone(_) => {
                    break;
                }
                Step::Event(_) | Step::Moved => {}
            }
        }
        self.close().await;
    }

    /// Writes what is ready and closes the connection.
    pub(crate) async fn close(mut self) {
        let now = self.now();
        let _ = timeout(CLOSE_WITHIN, async {
            while let Some(outgoing) = &self.outgoing {
                let next = self.pending.take();
                let next = next.or_else(|| {
                    self.channel
                        .poll_transmit(now)
                        .map(|frame| Frame::Binary(frame.into()))
                });
                let Some(frame) = next else { break };
                if outgoing.send(frame).await.is_err() {
                    break;
                }
            }
            let stands = self.outgoing.take().is_some();
            if stands {
                while self.wire.recv().await.is_some() {}
                let _ = (&mut self.wire_task).await;
            }
        })
        .await;
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.wire_task.abort();
    }
}
