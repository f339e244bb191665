//! The JSON bodies of the data channel, spelt exactly as both ends of AWS spell them.
//! Those of the handshake are in `handshake`; nothing here decides anything.

mod handshake;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

pub use handshake::{
    ActionStatus, HandshakeComplete, HandshakeRequest, HandshakeResponse, KMS_ENCRYPTION, KmsParameters,
    MAX_ACTIONS, ProcessedAction, RequestedAction, SESSION_TYPE, SessionTypeParameters,
};

use crate::violation::Violation;

/// The longest JSON body that is read. The longest that either end of AWS writes is a handshake request with
/// its document's properties; parsed JSON takes several times its text, so this bounds what a peer can claim.
pub const MAX_JSON: usize = 64 * 1024;

/// Reads a JSON body, after its length.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, payload: &[u8]) -> Result<T, Violation> {
    if payload.len() > MAX_JSON {
        return Err(Violation::BodyTooLong {
            what,
            length: payload.len(),
        });
    }
    serde_json::from_slice(payload).map_err(|_| Violation::Body { what })
}

/// Writes a JSON body. The types here have only string keys, so nothing can fail.
pub(crate) fn write<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// Peers written in Go send `null` for empty lists and objects.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Text, or a number for it; nothing for anything else. There are clients that write the schema version as the number
/// 1, and are used with AWS's gateway.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// The first frame of a connection, a text frame (session protocol, websocket opening). Only the token decides
/// anything; so nothing else is held against whoever writes it another way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OpenDataChannel {
    /// "1.0".
    #[serde(default, deserialize_with = "text_or_number")]
    pub message_schema_version: String,
    /// Fresh for each opening.
    #[serde(default, deserialize_with = "null_as_default")]
    pub request_id: String,
    /// The token from `StartSession`, `ResumeSession` or `CreateDataChannel`: the only proof of who connects.
    pub token_value: String,
    /// The node's id; only agents send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_instance_id: Option<String>,
    /// The client's own id, the same on every opening; agents send an empty text.
    #[serde(default, deserialize_with = "null_as_default")]
    pub client_id: String,
    /// The client's version; only clients send it, and those before 1.2.677.0 do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
}

impl OpenDataChannel {
    /// The schema version both ends write.
    pub const SCHEMA: &str = "1.0";

    /// What a client opens with.
    #[must_use]
    pub fn client(token: &str, request_id: Uuid, client_id: Uuid, version: &str) -> Self {
        Self {
            message_schema_version: Self::SCHEMA.to_owned(),
            request_id: request_id.to_string(),
            token_value: token.to_owned(),
            client_instance_id: None,
            client_id: client_id.to_string(),
            client_version: Some(version.to_owned()),
        }
    }

    /// What an agent opens with.
    #[must_use]
    pub fn agent(token: &str, request_id: Uuid, node_id: &str) -> Self {
        Self {
            message_schema_version: Self::SCHEMA.to_owned(),
            request_id: request_id.to_string(),
            token_value: token.to_owned(),
            client_instance_id: Some(node_id.to_owned()),
            client_id: String::new(),
            client_version: None,
        }
    }

    /// The text of the frame.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the frame, as a gateway does.
    ///
    /// # Errors
    /// [`Violation`] when it is no such JSON or too long; a connection that opens so is to be closed.
    pub fn from_text(text: &str) -> Result<Self, Violation> {
        read("open data channel", text.as_bytes())
    }
}

impl fmt::Debug for OpenDataChannel {
    // The token must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenDataChannel")
            .field("request_id", &self.request_id)
            .field("client_instance_id", &self.client_instance_id)
            .field("client_id", &self.client_id)
            .field("client_version", &self.client_version)
            .finish_non_exhaustive()
    }
}

/// The body of an `acknowledge` message (session protocol, the acknowledge message).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Acknowledge {
    /// The acknowledged message's type.
    #[serde(default)]
    pub acknowledged_message_type: String,
    /// The acknowledged message's id.
    #[serde(default)]
    pub acknowledged_message_id: String,
    /// The acknowledged message's number: the only member that the sender of the data matches.
    pub acknowledged_message_sequence_number: i64,
    /// Always true.
    #[serde(default)]
    pub is_sequential_message: bool,
}

impl Acknowledge {
    /// Acknowledges one message.
    #[must_use]
    pub fn of(message_type: &str, id: Uuid, sequence: i64) -> Self {
        Self {
            acknowledged_message_type: message_type.to_owned(),
            acknowledged_message_id: id.to_string(),
            acknowledged_message_sequence_number: sequence,
            is_sequential_message: true,
        }
    }
}

/// The body of a `channel_closed` message (session protocol, ending). Readers need none of the members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChannelClosed {
    /// The message's id.
    pub message_id: String,
    /// When it was written, as text.
    pub created_date: String,
    /// Whom it is for.
    pub destination_id: String,
    /// The session.
    pub session_id: String,
    /// `channel_closed`.
    pub message_type: String,
    /// 1.
    pub schema_version: i64,
    /// Why, for the client's reader; empty when the session ended as it should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// The terminal's size (session protocol, resize).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}

impl Size {
    /// What clients send who have no terminal.
    pub const WITHOUT_TERMINAL: Self = Self { cols: 300, rows: 100 };
}

/// What the agent tells the gateway about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionState {
    /// Right after the data channel was opened.
    Connected,
    /// The shell or command has ended by itself.
    Terminating,
}

/// The body of an `agent_session_state` message (session protocol, ending).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentSessionState {
    /// 1.
    pub schema_version: i64,
    /// The state.
    pub session_state: SessionState,
    /// The session.
    pub session_id: String,
}

const EXIT_CODE_PREFIX: &str = "EXIT_CODE: ";

/// Writes an exit code (payload type 12: plain text without a newline).
#[must_use]
pub fn write_exit_code(code: i32) -> Vec<u8> {
    format!("{EXIT_CODE_PREFIX}{code}").into_bytes()
}

/// Reads an exit code; nothing when the text is another one.
#[must_use]
pub fn read_exit_code(payload: &[u8]) -> Option<i32> {
    std::str::from_utf8(payload)
        .ok()?
        .trim()
        .strip_prefix(EXIT_CODE_PREFIX)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_opening_is_spelt_as_recorded() {
        let recorded = r#"{"MessageSchemaVersion":"1.0","RequestId":"772c4998-7db1-4176-83da-993d0c0607e7","TokenValue":"TOKEN==","ClientId":"cdfeb1b1-4ff6-409f-b1ae-d6f93ada3e3c","ClientVersion":"1.2.0.0"}"#;
        let request = Uuid::parse_str("772c4998-7db1-4176-83da-993d0c0607e7").unwrap();
        let client = Uuid::parse_str("cdfeb1b1-4ff6-409f-b1ae-d6f93ada3e3c").unwrap();
        let ours = OpenDataChannel::client("TOKEN==", request, client, "1.2.0.0");
        assert_eq!(ours.to_text(), recorded);
        assert_eq!(OpenDataChannel::from_text(recorded).unwrap(), ours);
        assert!(!format!("{ours:?}").contains("TOKEN"));
    }

    #[test]
    fn the_agents_opening_names_its_node_and_no_client() {
        let text = OpenDataChannel::agent("t", Uuid::nil(), "mi-0123456789abcdef0").to_text();
        assert_eq!(
            text,
            r#"{"MessageSchemaVersion":"1.0","RequestId":"00000000-0000-0000-0000-000000000000","TokenValue":"t","ClientInstanceId":"mi-0123456789abcdef0","ClientId":""}"#
        );
    }

    #[test]
    fn an_opening_without_a_token_is_refused() {
        assert!(OpenDataChannel::from_text(r#"{"MessageSchemaVersion":"1.0","ClientId":""}"#).is_err());
        assert!(OpenDataChannel::from_text(&"[".repeat(60_000)).is_err());
        let long = format!(r#"{{"TokenValue":"{}"}}"#, "x".repeat(MAX_JSON));
        assert!(matches!(
            OpenDataChannel::from_text(&long),
            Err(Violation::BodyTooLong { .. })
        ));
    }

    #[test]
    fn an_opening_is_known_by_its_token_alone() {
        let other = r#"{"MessageSchemaVersion":1,"RequestId":null,"TokenValue":"t","ClientVersion":null}"#;
        let read = OpenDataChannel::from_text(other).unwrap();
        assert_eq!(
            (read.token_value.as_str(), read.message_schema_version.as_str()),
            ("t", "1")
        );
        assert!(OpenDataChannel::from_text(r#"{"MessageSchemaVersion":{},"TokenValue":"t"}"#).is_ok());
        assert!(OpenDataChannel::from_text(r#"{"TokenValue":1}"#).is_err());
    }

    #[test]
    fn bodies_are_spelt_as_on_the_wire() {
        assert_eq!(
            write(&Size { cols: 300, rows: 100 }),
            br#"{"cols":300,"rows":100}"#
        );
        let state = AgentSessionState {
            schema_version: 1,
            session_state: SessionState::Terminating,
            session_id: "s-1".into(),
        };
        assert_eq!(
            write(&state),
            br#"{"SchemaVersion":1,"SessionState":"Terminating","SessionId":"s-1"}"#
        );
        let id = Uuid::parse_str("8fd60249-9783-487f-9cbc-d3c540b66e9c").unwrap();
        assert_eq!(
            String::from_utf8(write(&Acknowledge::of("output_stream_data", id, 4))).unwrap(),
            r#"{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"8fd60249-9783-487f-9cbc-d3c540b66e9c","AcknowledgedMessageSequenceNumber":4,"IsSequentialMessage":true}"#
        );
    }

    #[test]
    fn closing_needs_only_what_is_there() {
        let closed: ChannelClosed = read("channel_closed", br#"{"Output":"bye"}"#).unwrap();
        assert_eq!(closed.output.as_deref(), Some("bye"));
        let closed: ChannelClosed =
            read("channel_closed", br#"{"SessionId":"s","SchemaVersion":1}"#).unwrap();
        assert_eq!((closed.session_id.as_str(), closed.output), ("s", None));
    }

    #[test]
    fn the_exit_code_is_a_text() {
        assert_eq!(write_exit_code(7), b"EXIT_CODE: 7");
        assert_eq!(read_exit_code(b"EXIT_CODE: 7"), Some(7));
        assert_eq!(read_exit_code(b"EXIT_CODE: -1"), Some(-1));
        assert_eq!(read_exit_code(b"EXIT_CODE: seven"), None);
        assert_eq!(read_exit_code(b"\xff"), None);
    }
}
