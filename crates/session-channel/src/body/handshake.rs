//! The JSON bodies of the handshake: what the agent asks, what the client answers, and the agent's last word.
//! Spelling as observed on the wire; who sends them when is in `client` and `agent`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::null_as_default;

/// The action that names the session's type.
pub const SESSION_TYPE: &str = "SessionType";
/// The action that asks for encryption with a key of KMS.
pub const KMS_ENCRYPTION: &str = "KMSEncryption";
/// More actions than any agent asks for (they ask for one or two).
pub const MAX_ACTIONS: usize = 16;

/// Payload type 5 (session protocol, handshake).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HandshakeRequest {
    /// The agent's version: decides what the client may use.
    pub agent_version: String,
    /// What the client has to do: the session's type first, encryption second.
    #[serde(deserialize_with = "null_as_default")]
    pub requested_client_actions: Vec<RequestedAction>,
}

/// One thing that the agent asks of the client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RequestedAction {
    /// [`SESSION_TYPE`] or [`KMS_ENCRYPTION`].
    pub action_type: String,
    /// [`SessionTypeParameters`] or [`KmsParameters`].
    pub action_parameters: Value,
}

/// The parameters of [`SESSION_TYPE`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SessionTypeParameters {
    /// A name of [`crate::SessionType`].
    pub session_type: String,
    /// Null for shells, the document's properties for ports.
    pub properties: Value,
}

/// The parameters of [`KMS_ENCRYPTION`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct KmsParameters {
    /// The key's ARN or id.
    #[serde(rename = "KMSKeyId")]
    pub kms_key_id: String,
    /// Sixteen random bytes in base64, from newer agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

/// How an action went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum ActionStatus {
    /// 1.
    Success,
    /// 2.
    Failed,
    /// 3.
    Unsupported,
    /// Any other number. The studied client leaves 0 for an action that it does not know.
    Other(i64),
}

impl From<i64> for ActionStatus {
    fn from(number: i64) -> Self {
        match number {
            1 => Self::Success,
            2 => Self::Failed,
            3 => Self::Unsupported,
            other => Self::Other(other),
        }
    }
}

impl From<ActionStatus> for i64 {
    fn from(status: ActionStatus) -> Self {
        match status {
            ActionStatus::Success => 1,
            ActionStatus::Failed => 2,
            ActionStatus::Unsupported => 3,
            ActionStatus::Other(other) => other,
        }
    }
}

impl Default for ActionStatus {
    fn default() -> Self {
        Self::Other(0)
    }
}

/// Payload type 6.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HandshakeResponse {
    /// The client's version: decides what the agent may use.
    pub client_version: String,
    /// One entry for each requested action, in the same order.
    #[serde(deserialize_with = "null_as_default")]
    pub processed_client_actions: Vec<ProcessedAction>,
    /// The texts of all failures once more; null when there are none.
    pub errors: Option<Vec<String>>,
}

/// How one requested action went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProcessedAction {
    /// As requested.
    pub action_type: String,
    /// Anything but success ends the session.
    pub action_status: ActionStatus,
    /// Null but for encryption.
    pub action_result: Value,
    /// Why it failed, or empty.
    #[serde(deserialize_with = "null_as_default")]
    pub error: String,
}

/// Payload type 7.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HandshakeComplete {
    /// Nanoseconds since the request.
    pub handshake_time_to_complete: i64,
    /// Shown to the person on a line of its own, unless empty.
    pub customer_message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{read, write};

    #[test]
    fn the_request_is_spelt_as_on_the_wire() {
        let text = br#"{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port","Properties":{"portNumber":"80"}}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"k","Challenge":"AAA="}}]}"#;
        let request: HandshakeRequest = read("handshake request", text).unwrap();
        assert_eq!(request.requested_client_actions.len(), 2);
        let kms: KmsParameters =
            serde_json::from_value(request.requested_client_actions[1].action_parameters.clone()).unwrap();
        assert_eq!(
            (kms.kms_key_id.as_str(), kms.challenge.as_deref()),
            ("k", Some("AAA="))
        );
        let session = SessionTypeParameters {
            session_type: "Port".into(),
            properties: serde_json::json!({"portNumber": "80"}),
        };
        assert_eq!(
            write(&session),
            br#"{"SessionType":"Port","Properties":{"portNumber":"80"}}"#,
            "this order of members"
        );
        let parsed: SessionTypeParameters =
            serde_json::from_value(request.requested_client_actions[0].action_parameters.clone()).unwrap();
        assert_eq!(parsed, session);
    }

    #[test]
    fn the_response_is_spelt_as_recorded() {
        let recorded = r#"{"ClientVersion":"1.2.677.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}"#;
        let response: HandshakeResponse = read("handshake response", recorded.as_bytes()).unwrap();
        assert_eq!(
            response.processed_client_actions[0].action_status,
            ActionStatus::Success
        );
        assert_eq!(String::from_utf8(write(&response)).unwrap(), recorded);
    }

    #[test]
    fn the_slip_of_the_studied_client_is_read() {
        let text = br#"{"ClientVersion":"1.2.677.0","ProcessedClientActions":[{"ActionType":"Dance","ActionStatus":0,"ActionResult":3,"Error":"Unsupported action type"}],"Errors":["x"]}"#;
        let response: HandshakeResponse = read("handshake response", text).unwrap();
        let action = &response.processed_client_actions[0];
        assert_eq!(
            (action.action_status, &action.action_result),
            (ActionStatus::Other(0), &Value::from(3))
        );
    }

    #[test]
    fn the_completion_is_spelt_as_recorded() {
        let recorded = br#"{"HandshakeTimeToComplete":1867296661,"CustomerMessage":""}"#;
        let complete: HandshakeComplete = read("handshake complete", recorded).unwrap();
        assert_eq!(complete.handshake_time_to_complete, 1_867_296_661);
        assert_eq!(write(&complete), recorded);
    }

    #[test]
    fn null_lists_are_empty_lists() {
        let request: HandshakeRequest = read(
            "handshake request",
            br#"{"AgentVersion":"3","RequestedClientActions":null}"#,
        )
        .unwrap();
        assert!(request.requested_client_actions.is_empty());
        assert!(read::<HandshakeRequest>("handshake request", br#"{"RequestedClientActions":7}"#).is_err());
    }
}
