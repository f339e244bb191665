//! Bytes read as a story of one session: frames that are garbage, frames that are well formed but mean harm, honest
//! traffic between the two ends, connections that come and go, and time. Whatever happens, nothing panics and neither
//! end holds more than its limits say. The fuzzer writes such stories; a test plays some at every build.

use muster_session_channel::body::Size;
use muster_session_channel::message::MAX_FRAME;
use muster_session_channel::mux::{Mux, MuxSide};
use muster_session_channel::{
    AgentChannel, AgentConfig, ClientChannel, ClientConfig, Limits, Message, SessionType, Setup,
};
use uuid::Uuid;

const TYPES: [&str; 8] = [
    "output_stream_data",
    "input_stream_data",
    "acknowledge",
    "channel_closed",
    "pause_publication",
    "start_publication",
    "agent_session_state",
    "unknown",
];
const SESSIONS: [SessionType; 3] = [
    SessionType::StandardStream,
    SessionType::Port,
    SessionType::NonInteractiveCommands,
];

/// Takes a story apart.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// As many bytes as the next one says, sixteen times over; fewer at the story's end.
    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte().unwrap_or_default()) * 16;
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

fn limits() -> Limits {
    Limits {
        send_bytes: 8_000,
        send_messages: 12,
        window: 4,
        reorder_bytes: 2_000,
        reorder_messages: 6,
        event_bytes: 2_000,
        events: 8,
        acknowledgements: 4,
        attempts: Some(9),
    }
}

fn setup(seed: u128) -> Setup {
    Setup {
        id_seed: Uuid::from_u128(seed),
        started_unix_ms: 1_790_000_000_000,
        limits: limits(),
    }
}

/// A frame whose digest is right, so that what it says is looked at.
fn forged(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let message_type = TYPES[usize::from(reader.byte()?) % TYPES.len()];
    let sequence = i64::from(reader.byte()?.cast_signed());
    let payload_type = u32::from(reader.byte()? % 20);
    let flags = u64::from(reader.byte()?);
    let message = Message {
        message_type: message_type.to_owned(),
        schema_version: 1,
        created_ms: 1,
        sequence,
        flags,
        id: Uuid::from_u128(3),
        payload_type,
        payload: reader.bytes().to_vec(),
    };
    let frame = message.encode().ok()?;
    assert_eq!(Message::decode(&frame).as_ref(), Ok(&message));
    Some(frame)
}

/// Plays a story to its end.
///
/// # Panics
/// When an end holds more than it may, or a frame that it wrote cannot be read.
pub(crate) fn play(story: &[u8]) {
    let mut reader = Reader(story);
    let kind = reader.byte().unwrap_or_default();
    let mut client = ClientChannel::new(ClientConfig {
        client_id: Uuid::nil(),
        client_version: "1.2.677.0".into(),
        size: Size::WITHOUT_TERMINAL,
        setup: setup(1),
    });
    let mut agent = AgentChannel::new(AgentConfig {
        session_id: "fuzz".into(),
        node_id: "mi-0".into(),
        agent_version: "3.3.987.0".into(),
        session_type: SESSIONS[usize::from(kind) % SESSIONS.len()],
        properties: Default::default(),
        handshake: kind & 4 == 0,
        customer_message: String::new(),
        setup: setup(2),
    });
    let mut mux = Mux::new(MuxSide::Agent, kind & 8 == 0, 0);
    let _ = client.connected("t", Uuid::nil(), 0);
    let _ = agent.connected("t", Uuid::nil(), 0);
    let mut now = 0;
    while let Some(act) = reader.byte() {
        match act % 12 {
            0 => drop(client.handle_frame(reader.bytes(), now)),
            1 => drop(agent.handle_frame(reader.bytes(), now)),
            2 | 3 => {
                let Some(frame) = forged(&mut reader) else { break };
                if act % 12 == 2 {
                    let _ = client.handle_frame(&frame, now);
                } else {
                    let _ = agent.handle_frame(&frame, now);
                }
            }
            4 => drop(client.send_input(reader.bytes(), now)),
            5 => drop(agent.send_output(reader.bytes(), now)),
            6 => {
                while let Some(frame) = client.poll_transmit(now) {
                    assert!(Message::decode(&frame).is_ok());
                    let _ = agent.handle_frame(&frame, now);
                }
            }
            7 => {
                while let Some(frame) = agent.poll_transmit(now) {
                    assert!(Message::decode(&frame).is_ok());
                    let _ = client.handle_frame(&frame, now);
                }
            }
            8 => {
                while client.poll_event().is_some() {}
                while agent.poll_event().is_some() {}
                while mux.poll_event().is_some() {}
            }
            9 => {
                client.disconnected();
                agent.disconnected();
                let _ = client.connected("t", Uuid::nil(), now);
                let _ = agent.connected("t", Uuid::nil(), now);
            }
            10 => {
                now += u64::from(reader.byte().unwrap_or_default()) * 20;
                agent.set_ready(act & 16 == 0);
            }
            _ => drop(mux.receive(reader.bytes(), now)),
        }
        let limits = limits();
        let most = limits.send_bytes
            + limits.reorder_bytes
            + limits.event_bytes
            + limits.acknowledgements * 24
            + 3 * MAX_FRAME;
        assert!(client.held() <= most && agent.held() <= most, "too much is held");
    }
}
