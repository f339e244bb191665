//! The client's end: what session-manager-plugin does, and the portal's terminals.
//! Reliability is in `channel`; sockets, the terminal and the Systems Manager API are the caller's.

mod resume;

pub use resume::Position;

use serde_json::Value;
use uuid::Uuid;

use crate::answer::{Answer, answer};
use crate::body::{self, HandshakeComplete, HandshakeRequest, OpenDataChannel, Size, read_exit_code};
use crate::channel::{Arrival, Channel, Side};
use crate::events::{Events, Weight};
use crate::kind::{Flag, PayloadType, SessionType};
use crate::limits::{Limits, Millis, Setup};
use crate::version::{PortMode, agent_takes_terminate_flag, port_mode_of_client};
use crate::violation::{SendError, Violation};

/// What a client is.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Constant for the life of the process, on every opening.
    pub client_id: Uuid,
    /// Four numbers above 1.2.331.0 let agents multiplex port sessions without keepalive.
    pub client_version: String,
    /// The terminal's size at the start; [`Size::WITHOUT_TERMINAL`] if there is none.
    pub size: Size,
    /// Clock, ids and limits.
    pub setup: Setup,
}

/// What the client's end tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// From now on input is taken by the agent.
    Started(Started),
    /// A line for the person, from the agent.
    Notice(String),
    /// Terminal output, output of a command, or the bytes of a port session.
    Output(Vec<u8>),
    /// A command's standard error, where the document separates it.
    ErrorOutput(Vec<u8>),
    /// A command's exit code, where the document separates its streams.
    ExitCode(i32),
    /// The agent could not reach the port.
    PortUnreachable,
    /// We refused what the agent asked for in the handshake; it will end the session.
    Refused(String),
    /// The agent has not acknowledged something for minutes: end the session through the API.
    AgentSilent,
    /// A message that had come early was bad.
    Misbehaved(Violation),
    /// The gateway has ended the session; the text says why, or is empty. The last event.
    Closed(String),
}

impl Weight for ClientEvent {
    fn weight(&self) -> usize {
        match self {
            Self::Output(bytes) | Self::ErrorOutput(bytes) => bytes.len(),
            Self::Notice(text) | Self::Refused(text) | Self::Closed(text) => text.len(),
            _ => 0,
        }
    }
}

/// What is known of a session when it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// Its type; [`SessionType::StandardStream`] when there was no handshake.
    pub session_type: SessionType,
    /// The document's properties, for ports.
    pub properties: Value,
    /// Empty when there was no handshake.
    pub agent_version: String,
}

impl Started {
    /// How a port session carries its connections.
    #[must_use]
    pub fn port_mode(&self) -> PortMode {
        port_mode_of_client(&self.properties, &self.agent_version)
    }
}

/// How a port session is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// The agent was told.
    Flagged,
    /// The agent would not understand: call `TerminateSession`.
    CallApi,
}

enum Phase {
    Waiting,
    Answered(Started),
    Refused,
    Running(SessionType, String),
}

/// The client's end of one session, across all its connections.
///
/// The caller passes frames in with [`Self::handle_frame`], then writes all of [`Self::poll_transmit`], reads
/// all of [`Self::poll_event`], and comes back when a frame arrives or [`Self::next_timeout`] is reached.
pub struct ClientChannel {
    config: ClientConfig,
    channel: Channel,
    events: Events<ClientEvent>,
    phase: Phase,
    now: Millis,
}

impl ClientChannel {
    /// A session that has not been opened yet.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self {
            channel: Channel::new(Side::Client, config.setup.clone()),
            config,
            events: Events::new(),
            phase: Phase::Waiting,
            now: 0,
        }
    }

    /// A connection to the stream URL stands: the first or, with a token of `ResumeSession`, a later one. Returns
    /// the text frame to write first. Everything else survives: numbers, stored messages, the client's id; there
    /// is no new handshake, and what was not acknowledged is sent again.
    #[must_use]
    pub fn connected(&mut self, token: &str, request_id: Uuid, now: Millis) -> String {
        self.now = now;
        self.channel.connected();
        let (id, version) = (self.config.client_id, &self.config.client_version);
        OpenDataChannel::client(token, request_id, id, version).to_text()
    }

    /// The connection is gone. A bare loss is no end of the session: ask `ResumeSession` for a new token.
    pub fn disconnected(&mut self) {
        self.channel.lost();
    }

    /// Takes one frame.
    ///
    /// # Errors
    /// [`Violation`] when the other side does what no honest one does; the channel stays usable.
    pub fn handle_frame(&mut self, frame: &[u8], now: Millis) -> Result<(), Violation> {
        self.now = now;
        match self.channel.receive(frame, now)? {
            Arrival::Nothing => Ok(()),
            Arrival::Closed(closed) => {
                // What was acknowledged is delivered, whoever fetches it how late.
                let stored = self.take_stored(true);
                self.channel.end();
                self.events
                    .push(ClientEvent::Closed(closed.output.unwrap_or_default()));
                stored
            }
            Arrival::Next(message) => {
                let kind = message.payload_type.into();
                // No room: as if it had never come, so that the agent keeps and repeats it.
                if !self.takes(kind) {
                    return Ok(());
                }
                self.channel.accept(&message);
                let this = self.process(kind, message.payload);
                this.and(self.take_stored(false))
            }
        }
    }

    // The handshake's messages make no events that pile up, so they need no room.
    fn takes(&self, kind: PayloadType) -> bool {
        use PayloadType::{EncChallengeRequest, HandshakeComplete, HandshakeRequest};
        matches!(kind, HandshakeRequest | HandshakeComplete | EncChallengeRequest)
            || self.events.have_room(self.limits())
    }

    fn limits(&self) -> &Limits {
        &self.config.setup.limits
    }

    fn take_stored(&mut self, all: bool) -> Result<(), Violation> {
        let mut result = Ok(());
        while let Some(kind) = self.channel.stored_type() {
            if !all && !self.takes(kind) {
                break;
            }
            let Some((kind, payload)) = self.channel.take_stored() else {
                break;
            };
            result = result.and(self.process(kind, payload));
        }
        result
    }

    fn process(&mut self, kind: PayloadType, payload: Vec<u8>) -> Result<(), Violation> {
        match kind {
            PayloadType::HandshakeRequest => self.handshake_request(&payload),
            PayloadType::HandshakeComplete => self.handshake_complete(&payload),
            // It tests a key, and we never agree to have one.
            PayloadType::EncChallengeRequest => Err(Violation::Unexpected {
                what: "encryption challenge",
            }),
            PayloadType::Flag => {
                if Flag::decode(&payload) == Some(Flag::ConnectToPortError) {
                    self.events.push(ClientEvent::PortUnreachable);
                }
                Ok(())
            }
            _ if payload.is_empty() => Ok(()),
            PayloadType::StdErr => self.output(ClientEvent::ErrorOutput(payload)),
            PayloadType::ExitCode => self.output(match read_exit_code(&payload) {
                Some(code) => ClientEvent::ExitCode(code),
                None => ClientEvent::Output(payload),
            }),
            // AWS's client shows whatever it does not know.
            _ => self.output(ClientEvent::Output(payload)),
        }
    }

    fn output(&mut self, event: ClientEvent) -> Result<(), Violation> {
        if matches!(self.phase, Phase::Waiting) {
            // Agents begin plain shells without a handshake: the first output says so.
            self.start(Started {
                session_type: SessionType::StandardStream,
                properties: Value::Null,
                agent_version: String::new(),
            });
        }
        self.events.push(event);
        Ok(())
    }

    fn handshake_request(&mut self, payload: &[u8]) -> Result<(), Violation> {
        if !matches!(self.phase, Phase::Waiting) {
            return Err(Violation::Unexpected {
                what: "handshake request",
            });
        }
        let request: HandshakeRequest = body::read("handshake request", payload)?;
        let Answer { response, outcome } = answer(request, &self.config.client_version)?;
        self.phase = match outcome {
            Ok(started) => Phase::Answered(started),
            Err(reason) => {
                self.events.push(ClientEvent::Refused(reason));
                Phase::Refused
            }
        };
        let response = body::write(&response);
        // Only an ended session refuses it, and that one takes no messages.
        let _ = self
            .channel
            .send_always(PayloadType::HandshakeResponse, response, self.now);
        Ok(())
    }

    fn handshake_complete(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let complete: HandshakeComplete = body::read("handshake complete", payload)?;
        let Phase::Answered(started) = &self.phase else {
            return Err(Violation::Unexpected {
                what: "handshake complete",
            });
        };
        let started = started.clone();
        if !complete.customer_message.is_empty() {
            self.events.push(ClientEvent::Notice(complete.customer_message));
        }
        self.start(started);
        Ok(())
    }

    fn start(&mut self, started: Started) {
        self.phase = Phase::Running(started.session_type, started.agent_version.clone());
        // Before any input: the agent takes nothing until its terminal is up, so this puts the size first.
        if started.session_type.is_shell() {
            let size = body::write(&self.config.size);
            let _ = self.channel.send_always(PayloadType::Size, size, self.now);
        }
        self.events.push(ClientEvent::Started(started));
    }

    fn running(&self) -> Result<SessionType, SendError> {
        match &self.phase {
            _ if self.channel.is_over() => Err(SendError::Over),
            Phase::Running(kind, _) => Ok(*kind),
            _ => Err(SendError::NotStarted),
        }
    }

    /// Sends input: all of it or nothing. Bytes go as they are; AWS's client alone turns a lone line feed into a
    /// carriage return, which would spoil the bytes of a connection.
    ///
    /// # Errors
    /// [`SendError::NotStarted`] before [`ClientEvent::Started`]: agents acknowledge earlier input and lose it.
    /// [`SendError::Full`] when more is waiting than [`Self::room`] leaves.
    pub fn send_input(&mut self, data: &[u8], now: Millis) -> Result<(), SendError> {
        self.running()?;
        self.now = now;
        self.channel
            .send_data(PayloadType::Output, data, now, <[u8]>::len)
    }

    /// The terminal has another size. Before the start it is kept for it.
    ///
    /// # Errors
    /// [`SendError::Full`]: try again later. [`SendError::Over`].
    pub fn resize(&mut self, size: Size, now: Millis) -> Result<(), SendError> {
        self.now = now;
        match self.running() {
            Err(SendError::NotStarted) => self.config.size = size,
            Err(error) => return Err(error),
            Ok(kind) => {
                if kind.is_shell() && size != self.config.size {
                    self.channel.send(PayloadType::Size, body::write(&size), now)?;
                    self.config.size = size;
                }
            }
        }
        Ok(())
    }

    /// The local connection of a port session has dropped (session protocol, basic port sessions).
    ///
    /// # Errors
    /// As [`Self::send_input`].
    pub fn disconnect_port(&mut self, now: Millis) -> Result<(), SendError> {
        self.running()?;
        self.channel
            .send(PayloadType::Flag, Flag::DisconnectToPort.encode(), now)
    }

    /// Ends a port session. Other sessions, and agents that do not know the flag, are ended through the API.
    ///
    /// # Errors
    /// [`SendError`] when the flag cannot be sent now.
    pub fn terminate(&mut self, now: Millis) -> Result<Termination, SendError> {
        self.running()?;
        match &self.phase {
            Phase::Running(SessionType::Port, version) if agent_takes_terminate_flag(version) => {
                self.channel
                    .send(PayloadType::Flag, Flag::TerminateSession.encode(), now)?;
                Ok(Termination::Flagged)
            }
            _ => Ok(Termination::CallApi),
        }
    }

    /// The next binary frame to write; nothing without a connection.
    pub fn poll_transmit(&mut self, now: Millis) -> Option<Vec<u8>> {
        self.now = now;
        let frame = self.channel.poll_transmit(now);
        if self.channel.became_silent() {
            self.events.push(ClientEvent::AgentSilent);
        }
        frame
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        let event = self.events.pop();
        // Room for what came early and has waited for it.
        if let Err(violation) = self.take_stored(false) {
            self.events.push(ClientEvent::Misbehaved(violation));
        }
        event.or_else(|| self.events.pop())
    }

    /// When to call [`Self::poll_transmit`] again even if nothing arrives.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        self.channel.next_timeout()
    }

    /// How many bytes of input would be taken now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.channel.room()
    }

    /// Whether something had to be repeated that the node has not acknowledged yet. Where that goes on for long, nobody is
    /// there to take it.
    #[must_use]
    pub fn is_repeating(&self) -> bool {
        self.channel.is_repeating()
    }

    /// Bytes that are held in all buffers.
    #[must_use]
    pub fn held(&self) -> usize {
        self.channel.held() + self.events.bytes()
    }
}
