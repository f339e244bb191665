//! Sessions on the control channel: how one is started and how its end is told, and the document behind it
//! (agent and control plane, messages 6.4 to 6.6). What travels on the data channel is not here.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Message types of sessions on the control channel. `channel_closed` is that of the data channel.
pub mod message_type {
    /// To the agent: start a session, of whatever type. Never acknowledged: success shows as a data channel.
    pub const INTERACTIVE_SHELL: &str = "interactive_shell";
    /// From the agent: a session is over. Comes twice when it failed before it began.
    pub const AGENT_TASK_COMPLETE: &str = "agent_task_complete";
    /// To the agent: that was heard; wanted within a second.
    pub const AGENT_TASK_ACKNOWLEDGE: &str = "agent_task_acknowledge";
}

/// In the properties of a shell's handshake request: the operating system's user that the session is. An addition
/// of ours; AWS's agent has no properties there.
pub const OS_USER: &str = "osUser";

/// `interactive_shell`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InteractiveShell {
    /// 1.
    pub schema_version: u32,
    /// The session's id.
    pub task_id: String,
    /// Ignored by agents.
    pub topic: String,
    /// JSON as a string: [`SessionContent`].
    pub content: String,
}

/// Which session to start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SessionContent {
    /// The document's name.
    pub document_name: String,
    /// The session.
    pub session_id: String,
    /// The operating system's user to be; empty for the document's or the agent's default.
    pub run_as_user: String,
    /// The ARN of who asked.
    pub session_owner: String,
    /// Parameters by name. Values of type String are plain text, not lists of one.
    pub parameters: BTreeMap<String, Value>,
    /// The whole document; the agent fetches nothing.
    pub document_content: SessionDocument,
    /// Whether the client wants a handshake also for a shell, where AWS's agent makes none: the portal learns by it who
    /// one is there. An addition of ours, which AWS's agent passes over. Other clients of shells may know no handshake.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub handshake: bool,
}

/// A Session document (schema 1.0).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionDocument {
    /// `1.0`.
    pub schema_version: String,
    /// What it does.
    pub description: String,
    /// `Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands` or `Port`.
    pub session_type: String,
    /// Preferences; only Standard_Stream documents have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<SessionInputs>,
    /// Declared parameters, by name.
    pub parameters: BTreeMap<String, crate::control::DocumentParameter>,
    /// What to run or forward, with `{{ parameter }}` placeholders; its shape depends on the type.
    pub properties: Value,
}

/// The preferences of shell sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionInputs {
    /// Where the node should upload a log itself; empty for nowhere.
    pub s3_bucket_name: String,
    /// Prefix for that.
    pub s3_key_prefix: String,
    /// Whether that bucket must be encrypted.
    pub s3_encryption_enabled: bool,
    /// A log group; empty for none.
    pub cloud_watch_log_group_name: String,
    /// Whether to log while the session goes on.
    pub cloud_watch_streaming_enabled: bool,
    /// Whether that log group must be encrypted.
    pub cloud_watch_encryption_enabled: bool,
    /// A key for encrypting the session; empty for none.
    pub kms_key_id: String,
    /// Whether sessions run as a user of their own choice.
    pub run_as_enabled: bool,
    /// That user.
    pub run_as_default_user: String,
    /// Minutes without traffic after which a session ends (1 to 60, as text); empty for 20.
    pub idle_session_timeout: String,
    /// Minutes after which a session ends in any case (1 to 1440, as text); empty for no limit.
    pub max_session_duration: String,
    /// What is typed into a new shell.
    pub shell_profile: ShellProfile,
}

/// What is typed into a new shell, by platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShellProfile {
    /// On Windows.
    pub windows: String,
    /// On Linux.
    pub linux: String,
}

/// `agent_task_complete`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AgentTaskComplete {
    /// 1.
    pub schema_version: u32,
    /// The session.
    pub task_id: String,
    /// `agent_task_complete`.
    pub topic: String,
    /// `Success` or `Failed`.
    pub final_task_status: String,
    /// Whether the agent could not reach the gateway.
    pub is_routing_failure: bool,
    /// Usually empty.
    pub aws_account_id: String,
    /// The node.
    pub instance_id: String,
    /// What the client is shown when its channel is closed; empty for nothing special.
    pub output: String,
    /// Where a log was uploaded.
    #[serde(rename = "S3Bucket")]
    pub s3_bucket: String,
    /// Where a log was uploaded.
    #[serde(rename = "S3UrlSuffix")]
    pub s3_url_suffix: String,
    /// Where a log was written.
    pub cwl_group: String,
    /// Where a log was written.
    pub cwl_stream: String,
    /// 1 for the first try.
    pub retry_number: u32,
}

/// `agent_task_acknowledge`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentTaskAcknowledge {
    /// 1.
    pub schema_version: u32,
    /// The id of the `agent_task_complete` message.
    pub message_id: String,
    /// The session.
    pub task_id: String,
    /// As it came.
    pub topic: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completed_task_is_written_as_agents_write_it() {
        let complete = AgentTaskComplete {
            schema_version: 1,
            task_id: "s-1".into(),
            retry_number: 1,
            ..AgentTaskComplete::default()
        };
        let text = serde_json::to_value(&complete).unwrap();
        for name in [
            "SchemaVersion",
            "S3Bucket",
            "S3UrlSuffix",
            "CwlGroup",
            "AwsAccountId",
            "IsRoutingFailure",
        ] {
            assert!(text.get(name).is_some(), "{name} in {text}");
        }
    }

    #[test]
    fn a_session_document_is_read_with_what_it_leaves_out() {
        let text = r#"{"schemaVersion":"1.0","sessionType":"Standard_Stream",
            "inputs":{"s3BucketName":"","runAsEnabled":true,"runAsDefaultUser":"web","idleSessionTimeout":"20",
            "shellProfile":{"linux":"cd /"}}}"#;
        let document: SessionDocument = serde_json::from_str(text).unwrap();
        let inputs = document.inputs.unwrap();
        assert!(inputs.run_as_enabled && inputs.shell_profile.linux == "cd /");
        assert_eq!(inputs.max_session_duration, "");
    }
}
