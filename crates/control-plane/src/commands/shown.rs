//! Commands, invocations and steps as the API shows them.

use super::output_store::OutputKey;
use super::queries::{CommandRow, InvocationRow};
use super::status::Detail;
use super::step_queries::StepRow;
use super::targets::Target;
use super::text;
use crate::OUTPUT_BUCKET;
use crate::buckets;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use muster_agent_protocol::control::{DocumentStep, MAX_STDERR_CHARS, MAX_STDOUT_CHARS};
use muster_domain::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// `Command`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownCommand {
    command_id: String,
    document_name: String,
    document_version: String,
    comment: String,
    expires_after: f64,
    parameters: Given,
    instance_ids: Vec<String>,
    targets: Vec<Target>,
    requested_date_time: f64,
    status: String,
    status_details: String,
    #[serde(rename = "OutputS3Region", skip_serializing_if = "String::is_empty")]
    output_region: String,
    #[serde(rename = "OutputS3BucketName")]
    output_bucket: String,
    #[serde(rename = "OutputS3KeyPrefix")]
    output_prefix: String,
    max_concurrency: String,
    max_errors: String,
    target_count: i64,
    completed_count: i64,
    error_count: i64,
    delivery_timed_out_count: i64,
    service_role: String,
    notification_config: Value,
    cloud_watch_output_config: Value,
    timeout_seconds: i64,
}

/// What the API says where nothing was configured.
pub(crate) fn notification(row: &CommandRow) -> Value {
    let mut value = json!({"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""});
    merge(&mut value, &row.notification);
    value
}

pub(crate) fn cloud_watch(row: &CommandRow) -> Value {
    let mut value = json!({"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": false});
    merge(&mut value, &row.cloud_watch);
    value
}

fn merge(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

pub(crate) fn shown_command(row: &CommandRow) -> ShownCommand {
    let lasts_ms = (row.timeout_seconds + row.execution_timeout_seconds) * 1000;
    ShownCommand {
        command_id: row.command_id.clone(),
        document_name: row.document.clone(),
        document_version: row.document_version.clone(),
        comment: row.comment.clone(),
        expires_after: seconds(row.requested_at.plus_ms(lasts_ms)),
        parameters: row.parameters.clone(),
        instance_ids: row.instance_ids.clone(),
        targets: row.targets.clone(),
        requested_date_time: seconds(row.requested_at),
        status: row.status.clone(),
        status_details: row.status_details.clone(),
        output_region: row.output_region.clone(),
        output_bucket: row.output_bucket.clone(),
        output_prefix: row.output_prefix.clone(),
        max_concurrency: row.max_concurrency.clone(),
        max_errors: row.max_errors.clone(),
        target_count: row.target_count,
        completed_count: row.completed_count,
        error_count: row.error_count,
        delivery_timed_out_count: row.delivery_timed_out_count,
        service_role: row.service_role.clone(),
        notification_config: notification(row),
        cloud_watch_output_config: cloud_watch(row),
        timeout_seconds: row.timeout_seconds,
    }
}

/// A step of an invocation, with its output as far as it is known.
pub(crate) struct StepView {
    /// As the API names it: the plugin where a document has one step, the step's name otherwise.
    pub(crate) name: String,
    pub(crate) detail: Detail,
    pub(crate) code: i64,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    /// At most 24,000 characters.
    pub(crate) stdout: String,
    /// At most 8,000 characters.
    pub(crate) stderr: String,
    pub(crate) stdout_url: String,
    pub(crate) stderr_url: String,
}

/// `aws:runShellScript` as a folder's name.
pub(crate) fn plugin_folder(action: &str) -> String {
    action.replace(':', "")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The region of the bucket that a command's output goes to.
pub(crate) fn output_region(row: &CommandRow) -> &str {
    if row.output_region.is_empty() {
        &row.region
    } else {
        &row.output_region
    }
}

/// The key of a stream in the command's bucket.
pub(crate) fn output_key(row: &CommandRow, node_id: &str, step: &DocumentStep, stream: &str) -> String {
    let prefix = if row.output_prefix.is_empty() {
        String::new()
    } else {
        format!("{}/", row.output_prefix)
    };
    format!(
        "{prefix}{}/{node_id}/{}/0.{}/{stream}",
        row.command_id,
        plugin_folder(&step.action),
        step.name
    )
}

fn url(
    plane: &ControlPlane,
    base: &str,
    row: &CommandRow,
    node_id: &str,
    step: &DocumentStep,
    stream: &str,
) -> String {
    if row.output_bucket.is_empty() {
        return String::new();
    }
    let elsewhere = if row.output_bucket == OUTPUT_BUCKET {
        None
    } else {
        plane.buckets.address(output_region(row))
    };
    let key = output_key(row, node_id, step, stream);
    let (base, key) = match elsewhere {
        // As it is written there.
        Some(address) => (address, buckets::key(&key).to_string()),
        None => (base.to_owned(), key),
    };
    format!("{base}/{}/{}", row.output_bucket, encoded(&key))
}

/// How the step itself stands, before the node has told.
fn untold(invocation: &InvocationRow) -> Detail {
    match invocation.detail {
        Detail::Delayed => Detail::Pending,
        Detail::Cancelling if invocation.acknowledged_at.is_some() => Detail::InProgress,
        Detail::Cancelling => Detail::Pending,
        other => other,
    }
}

/// The steps of an invocation in the document's order. `with_output` reads output, which costs files.
pub(crate) async fn step_views(
    plane: &ControlPlane,
    base_url: &str,
    row: &CommandRow,
    invocation: &InvocationRow,
    told: &[StepRow],
    with_output: bool,
) -> ApiResult<Vec<StepView>> {
    let mut views = Vec::new();
    let is_single = row.content.main_steps.len() == 1;
    for step in &row.content.main_steps {
        let told = told
            .iter()
            .find(|told| told.node_id == invocation.node_id && (told.step == step.name || is_single));
        let mut streams = (String::new(), String::new());
        if with_output {
            streams = output(plane, row, invocation, step, told).await?;
        }
        let node_id = &invocation.node_id;
        let ended = told.and_then(|told| Detail::of_agent(&told.status));
        views.push(StepView {
            name: match told {
                _ if !is_single => step.name.clone(),
                Some(told) if !told.plugin.is_empty() => told.plugin.clone(),
                _ => step.action.clone(),
            },
            detail: match (told, ended) {
                (_, Some(detail)) => detail,
                (Some(_), None) if !invocation.finished => Detail::InProgress,
                _ => untold(invocation),
            },
            code: told.filter(|_| ended.is_some()).map_or(-1, |told| told.code),
            started_at: told.and_then(|told| told.started_at).or(invocation.started_at),
            ended_at: match told {
                Some(told) if ended.is_some() => told.ended_at,
                _ => invocation.ended_at,
            },
            stdout: text::output(&streams.0, MAX_STDOUT_CHARS),
            stderr: text::error(&streams.1, MAX_STDERR_CHARS),
            stdout_url: url(plane, base_url, row, node_id, step, "stdout"),
            stderr_url: url(plane, base_url, row, node_id, step, "stderr"),
        });
    }
    Ok(views)
}

/// Both streams: what the node has streamed, or else what it put into its reply.
async fn output(
    plane: &ControlPlane,
    row: &CommandRow,
    invocation: &InvocationRow,
    step: &DocumentStep,
    told: Option<&StepRow>,
) -> ApiResult<(String, String)> {
    let mut found = [String::new(), String::new()];
    for (slot, (stream, chars)) in found
        .iter_mut()
        .zip([("stdout", MAX_STDOUT_CHARS), ("stderr", MAX_STDERR_CHARS)])
    {
        let kept = match OutputKey::new(&row.command_id, &invocation.node_id, &step.name, stream) {
            Some(key) => plane.output.head(&key, chars).await.map_err(ApiError::internal)?,
            None => None,
        };
        *slot = match (kept, told) {
            (Some(kept), _) => kept,
            (None, Some(told)) if stream == "stdout" => told.standard_output.clone(),
            (None, Some(told)) => told.standard_error.clone(),
            (None, None) => String::new(),
        };
    }
    let [stdout, stderr] = found;
    Ok((stdout, stderr))
}
