//! The agent's end: what runs on a node for one session.
//! Reliability is in `channel`, what is sent in `send`; terminals, commands and connections are the caller's.

mod send;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::body::{
    self, ActionStatus, AgentSessionState, HandshakeComplete, HandshakeRequest, HandshakeResponse,
    OpenDataChannel, RequestedAction, SESSION_TYPE, SessionState, Size,
};
use crate::channel::{Arrival, Channel, Side};
use crate::events::{Events, Weight};
use crate::kind::{AGENT_SESSION_STATE, Flag, PayloadType, SessionType};
use crate::limits::{Millis, Setup};
use crate::version::{PortMode, port_mode_of_agent};
use crate::violation::Violation;

/// How long the agent waits for the answer to its handshake request (session protocol, handshake).
pub const HANDSHAKE_TIMEOUT: Millis = 15_000;
/// How long it waits for the last acknowledgements before it says that the session ends.
pub const FINISH_TIMEOUT: Millis = 2_000;

/// What an agent is, and the session that it was asked for.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The session.
    pub session_id: String,
    /// The node.
    pub node_id: String,
    /// Four numbers above 3.1.1511.0, or clients will not multiplex port sessions without keepalive.
    pub agent_version: String,
    /// The session's type.
    pub session_type: SessionType,
    /// The document's properties for ports, null otherwise.
    pub properties: Value,
    /// Whether to begin with a handshake. Clients accept one for every type; [`SessionType::needs_handshake`]
    /// says which cannot do without.
    pub handshake: bool,
    /// A line for the person, shown when the handshake is complete; usually empty.
    pub customer_message: String,
    /// Clock, ids and limits.
    pub setup: Setup,
}

/// What the agent's end tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentEvent {
    /// Output is taken from now on: start the shell, command or connection. Holds the client's version, empty
    /// when there was no handshake.
    Started(String),
    /// Input, in order.
    Input(Vec<u8>),
    /// The client's terminal has this size.
    Resize(Size),
    /// A flag of a port session.
    Flag(Flag),
    /// The handshake failed; the text says why. The last event.
    Failed(String),
    /// A message that had come early was bad.
    Misbehaved(Violation),
    /// The gateway has ended the session: stop everything. The last event.
    Closed,
    /// All is said after [`AgentChannel::finish`]: write what is left and close. The last event.
    Finished,
}

impl Weight for AgentEvent {
    fn weight(&self) -> usize {
        match self {
            Self::Input(bytes) => bytes.len(),
            Self::Started(text) | Self::Failed(text) => text.len(),
            _ => 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    // The handshake's request was made at this time.
    Asked(Millis),
    Running,
    // What is under way has until this time.
    Finishing(Millis),
}

/// The agent's end of one session, across all its connections. To be driven like [`crate::ClientChannel`].
pub struct AgentChannel {
    config: AgentConfig,
    channel: Channel,
    events: Events<AgentEvent>,
    phase: Phase,
    ready: bool,
    // The beginning of a character whose rest has not been read yet.
    torn: Vec<u8>,
    now: Millis,
}

impl AgentChannel {
    /// A session that has not been opened yet.
    #[must_use]
    pub fn new(config: AgentConfig) -> Self {
        Self {
            channel: Channel::new(Side::Agent, config.setup.clone()),
            config,
            events: Events::new(),
            phase: Phase::New,
            ready: false,
            torn: Vec::new(),
            now: 0,
        }
    }

    /// A connection stands, the first or a later one, each with a token of its own from `CreateDataChannel`.
    /// Returns the text frame to write first. On a later one everything survives: neither the handshake nor the
    /// session's state is told again, and what was not acknowledged is sent again.
    #[must_use]
    pub fn connected(&mut self, token: &str, request_id: Uuid, now: Millis) -> String {
        self.now = now;
        self.channel.connected();
        if self.phase == Phase::New && !self.channel.is_over() {
            self.tell_state(SessionState::Connected);
            if self.config.handshake {
                self.phase = Phase::Asked(now);
                let request = body::write(&self.request());
                let _ = self
                    .channel
                    .send_always(PayloadType::HandshakeRequest, request, now);
            } else {
                self.phase = Phase::Running;
                self.events.push(AgentEvent::Started(String::new()));
            }
        }
        OpenDataChannel::agent(token, request_id, &self.config.node_id).to_text()
    }

    fn request(&self) -> HandshakeRequest {
        HandshakeRequest {
            agent_version: self.config.agent_version.clone(),
            requested_client_actions: vec![RequestedAction {
                action_type: SESSION_TYPE.to_owned(),
                action_parameters: json!({
                    "SessionType": self.config.session_type.name(),
                    "Properties": self.config.properties,
                }),
            }],
        }
    }

    fn tell_state(&mut self, session_state: SessionState) {
        let session_id = self.config.session_id.clone();
        let state = AgentSessionState {
            schema_version: 1,
            session_state,
            session_id,
        };
        self.channel
            .send_control(AGENT_SESSION_STATE, body::write(&state), self.now);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.channel.lost();
    }

    /// Whether the terminal, command or connection takes input. While it does not, input waits, and is acknowledged only
    /// when it is repeated: this is how a size gets there before the first key. Not ready at first.
    pub fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
        if let Err(violation) = self.take_stored() {
            self.events.push(AgentEvent::Misbehaved(violation));
        }
    }

    /// Takes one frame.
    ///
    /// # Errors
    /// [`Violation`] when the other side does what no honest one does; the channel stays usable.
    pub fn handle_frame(&mut self, frame: &[u8], now: Millis) -> Result<(), Violation> {
        self.now = now;
        match self.channel.receive(frame, now)? {
            Arrival::Nothing => Ok(()),
            Arrival::Closed(_) => {
                self.last(AgentEvent::Closed);
                Ok(())
            }
            Arrival::Next(message) => {
                let kind = message.payload_type.into();
                if !self.takes(kind) {
                    self.channel.keep(message);
                    return Ok(());
                }
                self.channel.accept(&message);
                let this = self.process(kind, message.payload);
                this.and(self.take_stored())
            }
        }
    }

    fn last(&mut self, event: AgentEvent) {
        self.channel.end();
        self.events.push(event);
    }

    fn takes(&self, kind: PayloadType) -> bool {
        match kind {
            PayloadType::HandshakeResponse | PayloadType::EncChallengeResponse => true,
            // Taken and thrown away, as AWS's agent does: were it refused, an answer behind it would never come.
            _ if matches!(self.phase, Phase::Asked(_)) => true,
            _ => self.ready && self.events.have_room(&self.config.setup.limits),
        }
    }

    fn take_stored(&mut self) -> Result<(), Violation> {
        let mut result = Ok(());
        while self.channel.stored_type().is_some_and(|kind| self.takes(kind)) {
            let Some((kind, payload)) = self.channel.take_stored() else {
                break;
            };
            result = result.and(self.process(kind, payload));
        }
        result
    }

    fn process(&mut self, kind: PayloadType, payload: Vec<u8>) -> Result<(), Violation> {
        match (kind, self.phase) {
            (PayloadType::HandshakeResponse, Phase::Asked(since)) => {
                self.handshake_response(&payload, since)?;
            }
            (PayloadType::HandshakeResponse | PayloadType::EncChallengeResponse, _) => {
                return Err(Violation::Unexpected {
                    what: "answer of the handshake",
                });
            }
            (_, Phase::Asked(_)) => {}
            (PayloadType::Output, _) if !payload.is_empty() => self.events.push(AgentEvent::Input(payload)),
            (PayloadType::Size, _) => {
                let size = body::read("size", &payload)?;
                // Only the last one matters.
                self.events.push_or_replace(AgentEvent::Resize(size), |last| {
                    matches!(last, AgentEvent::Resize(_))
                });
            }
            (PayloadType::Flag, _) => {
                if let Some(flag) = Flag::decode(&payload) {
                    self.events.push(AgentEvent::Flag(flag));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn handshake_response(&mut self, payload: &[u8], since: Millis) -> Result<(), Violation> {
        let response: HandshakeResponse = body::read("handshake response", payload)?;
        let failed = response
            .processed_client_actions
            .iter()
            .find(|action| action.action_status != ActionStatus::Success)
            .map(|action| action.error.chars().take(500).collect::<String>());
        let answered = response
            .processed_client_actions
            .iter()
            .any(|action| action.action_type == SESSION_TYPE);
        if let Some(error) = failed {
            self.last(AgentEvent::Failed(format!(
                "The client refused the session: {error}"
            )));
        } else if !answered {
            self.last(AgentEvent::Failed(
                "The client did not say whether it takes the session.".to_owned(),
            ));
        } else {
            let took = self.now.saturating_sub(since).saturating_mul(1_000_000);
            let complete = HandshakeComplete {
                handshake_time_to_complete: i64::try_from(took).unwrap_or(i64::MAX),
                customer_message: self.config.customer_message.clone(),
            };
            let complete = body::write(&complete);
            let _ = self
                .channel
                .send_always(PayloadType::HandshakeComplete, complete, self.now);
            self.phase = Phase::Running;
            self.events.push(AgentEvent::Started(response.client_version));
        }
        Ok(())
    }

    fn check_deadlines(&mut self) {
        if self.channel.is_over() {
            return;
        }
        match self.phase {
            Phase::Asked(since) if self.now >= since.saturating_add(HANDSHAKE_TIMEOUT) => {
                let seconds = HANDSHAKE_TIMEOUT / 1000;
                self.last(AgentEvent::Failed(format!(
                    "No client answered within {seconds} seconds."
                )));
            }
            Phase::Finishing(until) if self.now >= until || self.channel.all_acknowledged() => {
                self.last(AgentEvent::Finished);
                if self.config.session_type.is_shell() {
                    self.tell_state(SessionState::Terminating);
                }
            }
            _ => {}
        }
    }

    /// The next binary frame to write; nothing without a connection.
    pub fn poll_transmit(&mut self, now: Millis) -> Option<Vec<u8>> {
        self.now = now;
        self.check_deadlines();
        self.channel.poll_transmit(now)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<AgentEvent> {
        let event = self.events.pop();
        if let Err(violation) = self.take_stored() {
            self.events.push(AgentEvent::Misbehaved(violation));
        }
        event.or_else(|| self.events.pop())
    }

    /// When to call [`Self::poll_transmit`] again even if nothing arrives.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        let deadline = match self.phase {
            _ if self.channel.is_over() => None,
            Phase::Asked(since) => Some(since.saturating_add(HANDSHAKE_TIMEOUT)),
            Phase::Finishing(until) => Some(until),
            Phase::New | Phase::Running => None,
        };
        [deadline, self.channel.next_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether the gateway has asked for a pause. Output is still taken until [`Self::room`] is used up, and kept.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.channel.is_paused()
    }

    /// Whether the last event is there, perhaps behind others that nobody has fetched: from here on input may be
    /// thrown away.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.channel.is_over()
    }

    /// How a port session carries its connections, judged by the version in [`AgentEvent::Started`].
    #[must_use]
    pub fn port_mode(&self, client_version: &str) -> PortMode {
        port_mode_of_agent(&self.config.properties, client_version)
    }

    /// How many bytes of output would be taken now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.channel.room()
    }

    /// Bytes that are held in all buffers.
    #[must_use]
    pub fn held(&self) -> usize {
        self.channel.held() + self.events.bytes() + self.torn.len()
    }
}
