//! The control channel: how it is opened, and the JSON inside its messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Message types on the control channel.
pub mod message_type {
    /// To the agent: run or cancel a command.
    pub const AGENT_JOB: &str = "agent_job";
    /// From the agent: the job is taken (or not).
    pub const AGENT_JOB_ACK: &str = "agent_job_ack";
    /// From the agent: how a job stands.
    pub const AGENT_JOB_REPLY: &str = "agent_job_reply";
    /// To the agent: the reply is kept.
    pub const AGENT_JOB_REPLY_ACK: &str = "agent_job_reply_ack";
}

/// Topics: matched by prefix.
pub mod topic {
    /// Run a command.
    pub const SEND_COMMAND: &str = "aws.ssm.sendCommand";
    /// Cancel one.
    pub const CANCEL_COMMAND: &str = "aws.ssm.cancelCommand";
}

/// Status codes of [`AgentJobAck`].
pub mod ack_code {
    /// Taken.
    pub const SUCCESS: &str = "200";
    /// The buffer is full: try again later.
    pub const BUFFER_FULL: &str = "51402";
    /// Known already; it will not be run twice.
    pub const DUPLICATE: &str = "51405";
    /// The document cannot be run.
    pub const INVALID_DOCUMENT: &str = "51406";
    /// The job cannot be read.
    pub const PARSE_ERROR: &str = "51408";
    /// Anything else.
    pub const UNEXPECTED: &str = "51499";
}

/// The first frame (text) on the control channel, from the agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct OpenControlChannel {
    /// `1.0`.
    pub message_schema_version: String,
    /// A fresh UUID.
    pub request_id: String,
    /// From `POST /v1/control-channel/<node>`.
    pub token_value: String,
    /// The agent's version.
    pub agent_version: String,
    /// `linux`.
    pub platform_type: String,
    /// Additions that this agent speaks (ours; absent from Amazon's agent): see [`crate::extension`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub muster_extensions: Vec<String>,
}

/// `agent_job`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentJob {
    /// 1.
    pub schema_version: u32,
    /// `aws.ssm.<command id>.<node id>`.
    pub job_id: String,
    /// See [`topic`].
    pub topic: String,
    /// JSON as a string: [`SendCommandContent`] or [`CancelCommandContent`].
    pub content: String,
}

/// The job id of a command on a node.
#[must_use]
pub fn job_id(command_id: &str, node_id: &str) -> String {
    format!("aws.ssm.{command_id}.{node_id}")
}

/// The command id inside a job id: its last-but-one part.
#[must_use]
pub fn command_of_job(job_id: &str) -> Option<&str> {
    let mut parts = job_id.rsplit('.');
    parts.next()?;
    parts.next().filter(|part| !part.is_empty())
}

/// What to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendCommandContent {
    /// The command.
    pub command_id: String,
    /// The document's name.
    pub document_name: String,
    /// The whole document; the agent fetches nothing.
    pub document_content: DocumentContent,
    /// Parameters by name: lists of text for String and StringList.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// Where the node should upload output itself; empty for nowhere.
    #[serde(rename = "OutputS3BucketName", default)]
    pub output_s3_bucket_name: String,
    /// Prefix for that.
    #[serde(rename = "OutputS3KeyPrefix", default)]
    pub output_s3_key_prefix: String,
    /// A log group for output; empty for none.
    #[serde(rename = "CloudWatchLogGroupName", default)]
    pub cloud_watch_log_group_name: String,
    /// `true` or `false`, as text.
    #[serde(default)]
    pub cloud_watch_output_enabled: String,
}

/// Which command to cancel.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelCommandContent {
    /// `aws.ssm.<command id>.<node id>`.
    pub cancel_message_id: String,
}

/// A command document (schema 1.2 to 2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentContent {
    /// `2.2`.
    pub schema_version: String,
    /// What it does.
    pub description: String,
    /// Declared parameters, by name.
    pub parameters: BTreeMap<String, DocumentParameter>,
    /// Its steps, in order.
    pub main_steps: Vec<DocumentStep>,
}

/// A declared parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentParameter {
    /// `String`, `StringList`, `Integer`, `Boolean`, `StringMap`, `MapList`.
    #[serde(rename = "type")]
    pub parameter_type: String,
    /// What it means.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Used when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Only these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_values: Vec<String>,
    /// Must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_pattern: Option<String>,
    /// Fewest items of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u32>,
    /// Most items of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// Fewest characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_chars: Option<u32>,
    /// Most characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<u32>,
    /// `textarea` or `textfield`: how a form shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_type: Option<String>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentStep {
    /// The plugin: `aws:runShellScript` …
    pub action: String,
    /// Its name, unique in the document.
    pub name: String,
    /// The plugin's inputs, with `{{ parameter }}` placeholders.
    pub inputs: BTreeMap<String, Value>,
    /// `{"StringEquals": ["platformType", "Linux"]}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precondition: Option<BTreeMap<String, Vec<String>>>,
    /// `exit` or `successAndExit`. It may also stand among the inputs, as the two that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// `exit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// Whether it is run whatever became of the steps before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finally_step: Option<Value>,
}

impl DocumentStep {
    fn shared(&self, own: Option<&str>, name: &str) -> Option<String> {
        own.map(str::to_owned).or_else(|| {
            let value = self.inputs.get(name)?;
            value.as_str().map(str::to_owned)
        })
    }

    /// What happens to the document when the step fails: `exit`, `successAndExit`, or it goes on.
    #[must_use]
    pub fn after_failure(&self) -> Option<String> {
        self.shared(self.on_failure.as_deref(), "onFailure")
    }

    /// What happens to the document when the step succeeds: `exit`, or it goes on.
    #[must_use]
    pub fn after_success(&self) -> Option<String> {
        self.shared(self.on_success.as_deref(), "onSuccess")
    }

    /// Whether it is run whatever became of the steps before.
    #[must_use]
    pub fn is_finally(&self) -> bool {
        let given = self
            .finally_step
            .as_ref()
            .or_else(|| self.inputs.get("finallyStep"));
        given.is_some_and(|value| *value == Value::Bool(true) || value.as_str() == Some("true"))
    }
}

/// The input that the control plane adds to steps of `aws:runPatchBaseline`: the baseline that holds for the node, as
/// `{"SnapshotId", "BaselineId", "PatchGroup", "Baseline"}`, or `{"Error"}` where there is none for it. An extension: the
/// service's own agent fetches a file instead.
pub const PATCH_SNAPSHOT: &str = "musterPatchSnapshot";

/// The input that the control plane adds to steps of `aws:runDocument` with a document of Systems Manager: its content, as
/// [`DocumentContent`]. An extension: the service's own agent fetches the document.
pub const EMBEDDED_DOCUMENT: &str = "musterDocument";

/// The input that the control plane adds to steps of `aws:downloadContent` whose source is a document of Systems Manager:
/// `{"Name", "Content"}`. An extension, as above.
pub const EMBEDDED_CONTENT: &str = "musterContent";

/// `agent_job_ack`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentJobAck {
    /// Which job.
    pub job_id: String,
    /// The id of the `agent_job` message.
    pub acknowledged_message_id: String,
    /// RFC 3339.
    pub created_date: String,
    /// See [`ack_code`].
    pub status_code: String,
    /// For people.
    pub error_message: String,
}

/// `agent_job_reply`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentJobReply {
    /// 1.
    pub schema_version: u32,
    /// Which job.
    pub job_id: String,
    /// See [`topic`].
    pub topic: String,
    /// JSON as a string: [`ReplyContent`].
    pub content: String,
}

/// How a job stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReplyContent {
    /// About the agent; not interpreted.
    pub additional_info: Value,
    /// `InProgress`, `Success`, `Failed`, `Cancelled`, `TimedOut`, `Skipped`, `SuccessAndReboot` …
    pub document_status: String,
    /// For people.
    pub document_trace_output: String,
    /// By step name; null before the first step ended.
    pub runtime_status: Option<BTreeMap<String, StepStatus>>,
}

/// How a step ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepStatus {
    /// `Success`, `Failed`, `Cancelled` (code 137), `TimedOut`, `Skipped`.
    pub status: String,
    /// The exit code.
    pub code: i32,
    /// The plugin.
    pub name: String,
    /// Both streams in one text, at most 2,500 characters.
    pub output: String,
    /// RFC 3339.
    pub start_date_time: String,
    /// RFC 3339.
    pub end_date_time: String,
    /// Where it was uploaded.
    #[serde(rename = "outputS3BucketName")]
    pub output_s3_bucket_name: String,
    /// Where it was uploaded.
    #[serde(rename = "outputS3KeyPrefix")]
    pub output_s3_key_prefix: String,
    /// The step again.
    pub step_name: String,
    /// At most 24,000 characters.
    pub standard_output: String,
    /// At most 8,000 characters.
    pub standard_error: String,
}

/// `agent_job_reply_ack`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentJobReplyAck {
    /// Which job.
    pub job_id: String,
    /// The id of the `agent_job_reply` message.
    pub acknowledged_message_id: String,
}

/// The text between the streams in [`StepStatus::output`].
pub const ERROR_SEPARATOR: &str = "\n----------ERROR-------\n";
/// Characters of standard output that the API answers.
pub const MAX_STDOUT_CHARS: usize = 24_000;
/// Characters of standard error that the API answers.
pub const MAX_STDERR_CHARS: usize = 8_000;
/// Characters of both in one text.
pub const MAX_COMBINED_CHARS: usize = 2_500;
