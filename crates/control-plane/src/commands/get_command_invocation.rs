//! `GetCommandInvocation`: one step on one node, with its output up to 24,000 and 8,000 characters. For
//! nodes that stream their output it is there while the step still runs.

use super::queries::{command, invocation};
use super::shown::{cloud_watch, step_views};
use super::status::Detail;
use super::step_queries::steps;
use super::text::elapsed;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{COMMAND_ID, INSTANCE_ID, Member, optional, required, text};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const INPUT: &[Member] = &[
    required("CommandId", COMMAND_ID),
    required("InstanceId", INSTANCE_ID),
    optional("PluginName", text(4, usize::MAX)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    command_id: String,
    instance_id: String,
    plugin_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    command_id: String,
    instance_id: String,
    comment: String,
    document_name: String,
    document_version: String,
    plugin_name: String,
    response_code: i64,
    execution_start_date_time: String,
    execution_elapsed_time: String,
    execution_end_date_time: String,
    status: &'static str,
    status_details: &'static str,
    standard_output_content: String,
    standard_output_url: String,
    standard_error_content: String,
    standard_error_url: String,
    cloud_watch_output_config: Value,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let missing = || ApiError::bare("InvocationDoesNotExist");
    let row = command(plane.db.reader(), &call.region, &input.command_id)
        .await?
        .ok_or_else(missing)?;
    let invocation = invocation(plane.db.reader(), &input.command_id, &input.instance_id)
        .await?
        .ok_or_else(missing)?;
    let told = steps(
        plane.db.reader(),
        &input.command_id,
        std::slice::from_ref(&input.instance_id),
    )
    .await?;
    let views = step_views(plane, &call.base_url, &row, &invocation, &told, true).await?;
    let is_single = views.len() == 1;
    let wanted = input.plugin_name.as_deref();
    let at = row
        .content
        .main_steps
        .iter()
        .position(|step| match wanted {
            // Scripts name the plugin, the guide names the step; the service's examples differ in case.
            Some(name) => step.name == name || (is_single && step.action.eq_ignore_ascii_case(name)),
            None => is_single,
        })
        .ok_or_else(|| ApiError::bare("InvalidPluginName"))?;
    let view = views.into_iter().nth(at).ok_or_else(missing)?;
    // One step speaks for the whole invocation; with several, each has a state of its own.
    let detail = match (is_single, view.detail) {
        (true, _) => invocation.detail,
        (false, Detail::Pending) if !invocation.finished => invocation.detail,
        (false, detail) => detail,
    };
    let has_ended = detail.is_final();
    let started = view.started_at.filter(|_| invocation.acknowledged_at.is_some());
    let ended = view.ended_at.filter(|_| has_ended && started.is_some());
    let text_of = |at: Option<Timestamp>| at.map(Timestamp::rfc3339).unwrap_or_default();
    Ok(Output {
        command_id: input.command_id,
        instance_id: input.instance_id,
        comment: row.comment.clone(),
        document_name: row.document.clone(),
        document_version: row.document_version.clone(),
        plugin_name: view.name,
        response_code: view.code,
        execution_start_date_time: text_of(started),
        execution_elapsed_time: match (started, ended) {
            (Some(from), Some(to)) => elapsed(from, to),
            (Some(from), None) => elapsed(from, call.now),
            _ => String::new(),
        },
        execution_end_date_time: text_of(ended),
        status: detail.status(),
        status_details: detail.as_str(),
        standard_output_content: view.stdout,
        standard_output_url: view.stdout_url,
        standard_error_content: view.stderr,
        standard_error_url: view.stderr_url,
        cloud_watch_output_config: cloud_watch(&row),
    })
}
