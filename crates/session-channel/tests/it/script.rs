//! Frames as a peer writes them, and the ends set up for tests.
//! Built with the codec only, so that a mistake in the ends cannot hide itself.

use muster_session_channel::body::Size;
use muster_session_channel::{
    AgentChannel, AgentConfig, AgentEvent, ClientChannel, ClientConfig, ClientEvent, Limits, Message,
    SessionType, Setup,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const START_MS: u64 = 1_795_427_667_000;

pub(crate) fn setup(seed: u128) -> Setup {
    Setup {
        id_seed: Uuid::from_u128(seed),
        started_unix_ms: START_MS,
        limits: Limits::default(),
    }
}

pub(crate) fn client_config() -> ClientConfig {
    ClientConfig {
        client_id: Uuid::from_u128(77),
        client_version: "1.2.677.0".into(),
        size: Size { cols: 120, rows: 40 },
        setup: setup(1),
    }
}

pub(crate) fn agent_config(session_type: SessionType) -> AgentConfig {
    let properties = match session_type {
        SessionType::Port => {
            json!({"portNumber": "80", "localPortNumber": "0", "type": "LocalPortForwarding"})
        }
        _ => Value::Null,
    };
    AgentConfig {
        session_id: "operator-0a1b2c".into(),
        node_id: "mi-0123456789abcdef0".into(),
        agent_version: "3.3.987.0".into(),
        session_type,
        properties,
        handshake: true,
        customer_message: String::new(),
        setup: setup(2),
    }
}

/// A client whose first connection stands.
pub(crate) fn client() -> ClientChannel {
    let mut client = ClientChannel::new(client_config());
    let _ = client.connected("token", Uuid::from_u128(5), 0);
    client
}

/// An agent whose first connection stands.
pub(crate) fn agent(config: AgentConfig) -> AgentChannel {
    let mut agent = AgentChannel::new(config);
    let _ = agent.connected("token", Uuid::from_u128(6), 0);
    agent
}

fn stream(message_type: &str, sequence: i64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    let id = Uuid::from_u128(0xabcd_0000_u128 + u128::from(sequence.unsigned_abs()));
    let mut message = Message::control(message_type, id, START_MS, payload.to_vec());
    message.sequence = sequence;
    message.payload_type = payload_type;
    message.encode().unwrap()
}

pub(crate) fn output(sequence: i64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    stream("output_stream_data", sequence, payload_type, payload)
}

pub(crate) fn input(sequence: i64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    stream("input_stream_data", sequence, payload_type, payload)
}

pub(crate) fn control(message_type: &str, payload: &Value) -> Vec<u8> {
    let payload = if payload.is_null() {
        Vec::new()
    } else {
        payload.to_string().into_bytes()
    };
    Message::control(message_type, Uuid::from_u128(9), START_MS, payload)
        .encode()
        .unwrap()
}

pub(crate) fn ack(sequence: i64) -> Vec<u8> {
    control(
        "acknowledge",
        &json!({"AcknowledgedMessageType": "whatever", "AcknowledgedMessageId": "not looked at",
            "AcknowledgedMessageSequenceNumber": sequence, "IsSequentialMessage": true}),
    )
}

pub(crate) fn shell_request() -> Vec<u8> {
    request(&json!([{"ActionType": "SessionType",
        "ActionParameters": {"SessionType": "Standard_Stream", "Properties": null}}]))
}

pub(crate) fn request(actions: &Value) -> Vec<u8> {
    json!({"AgentVersion": "3.3.0.0", "RequestedClientActions": actions})
        .to_string()
        .into_bytes()
}

pub(crate) const COMPLETE: &[u8] = br#"{"HandshakeTimeToComplete":1867296661,"CustomerMessage":""}"#;

pub(crate) fn response(status: i64, error: &str) -> Vec<u8> {
    json!({"ClientVersion": "1.2.677.0", "Errors": null, "ProcessedClientActions": [
        {"ActionType": "SessionType", "ActionStatus": status, "ActionResult": null, "Error": error}]})
    .to_string()
    .into_bytes()
}

/// The acknowledged number, if it is an acknowledgement.
pub(crate) fn acked(message: &Message) -> Option<i64> {
    if message.message_type != "acknowledge" {
        return None;
    }
    let body: Value = serde_json::from_slice(&message.payload).unwrap();
    body["AcknowledgedMessageSequenceNumber"].as_i64()
}

/// One line for each message: what a trace shows.
pub(crate) fn brief(message: &Message) -> String {
    match message.message_type.as_str() {
        "acknowledge" => format!("ack {}", acked(message).unwrap()),
        "input_stream_data" => format!("in {} type {}", message.sequence, message.payload_type),
        "output_stream_data" => format!("out {} type {}", message.sequence, message.payload_type),
        other => other.to_owned(),
    }
}

/// What both ends have in common, for tests.
pub(crate) trait End {
    fn transmit(&mut self, now: u64) -> Option<Vec<u8>>;

    fn frames(&mut self, now: u64) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.transmit(now)).collect()
    }

    fn messages(&mut self, now: u64) -> Vec<Message> {
        self.frames(now)
            .iter()
            .map(|frame| Message::decode(frame).unwrap())
            .collect()
    }

    fn trace(&mut self, now: u64) -> Vec<String> {
        self.messages(now).iter().map(brief).collect()
    }
}

impl End for ClientChannel {
    fn transmit(&mut self, now: u64) -> Option<Vec<u8>> {
        self.poll_transmit(now)
    }
}

impl End for AgentChannel {
    fn transmit(&mut self, now: u64) -> Option<Vec<u8>> {
        self.poll_transmit(now)
    }
}

pub(crate) fn client_events(client: &mut ClientChannel) -> Vec<ClientEvent> {
    std::iter::from_fn(|| client.poll_event()).collect()
}

pub(crate) fn agent_events(agent: &mut AgentChannel) -> Vec<AgentEvent> {
    std::iter::from_fn(|| agent.poll_event()).collect()
}

/// A client in a running shell: handshake done, size (input 1) acknowledged, nothing pending.
pub(crate) fn running_client() -> ClientChannel {
    let mut client = client();
    client.handle_frame(&output(0, 5, &shell_request()), 0).unwrap();
    client.handle_frame(&output(1, 7, COMPLETE), 0).unwrap();
    client.frames(0);
    client.handle_frame(&ack(0), 1).unwrap();
    client.handle_frame(&ack(1), 1).unwrap();
    client_events(&mut client);
    client
}

/// An agent in a running session of that type: handshake done (outputs 0 and 1, input 0), ready for input.
pub(crate) fn running_agent(config: AgentConfig) -> AgentChannel {
    let mut agent = agent(config);
    agent.frames(0);
    agent.handle_frame(&ack(0), 1).unwrap();
    agent.handle_frame(&input(0, 6, &response(1, "")), 1).unwrap();
    agent.frames(1);
    agent.handle_frame(&ack(1), 2).unwrap();
    agent_events(&mut agent);
    agent.set_ready(true);
    agent
}
