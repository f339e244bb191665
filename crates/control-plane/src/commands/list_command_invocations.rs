//! `ListCommandInvocations`: newest command first, its nodes by id; plugins only with `Details`.

use super::list_commands::{Columns, FILTERS, Filter, add_filters};
use super::queries::{CommandRow, InvocationRow, command, invocations, invocations_sql};
use super::shown::{StepView, cloud_watch, notification, plugin_folder, step_views};
use super::step_queries::steps;
use super::text::combined;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{COMMAND_ID, INSTANCE_ID, Member, NEXT_TOKEN, Shape, optional, whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    optional("CommandId", COMMAND_ID),
    optional("InstanceId", INSTANCE_ID),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
    optional("Filters", FILTERS),
    optional("Details", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    command_id: Option<String>,
    instance_id: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    filters: Option<Vec<Filter>>,
    #[serde(default)]
    details: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CommandPlugin {
    name: String,
    status: &'static str,
    status_details: &'static str,
    response_code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_start_date_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_finish_date_time: Option<f64>,
    output: String,
    standard_output_url: String,
    standard_error_url: String,
    #[serde(rename = "OutputS3Region", skip_serializing_if = "String::is_empty")]
    output_region: String,
    #[serde(rename = "OutputS3BucketName")]
    output_bucket: String,
    #[serde(rename = "OutputS3KeyPrefix")]
    output_prefix: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CommandInvocation {
    command_id: String,
    instance_id: String,
    instance_name: String,
    comment: String,
    document_name: String,
    document_version: String,
    requested_date_time: f64,
    status: &'static str,
    status_details: &'static str,
    trace_output: String,
    standard_output_url: String,
    standard_error_url: String,
    command_plugins: Vec<CommandPlugin>,
    service_role: String,
    notification_config: Value,
    cloud_watch_output_config: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    command_invocations: Vec<CommandInvocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

const OF_INVOCATIONS: Columns = Columns {
    status: [" and (i.status = ", " or i.status_details = ", ")"],
    finished: [" and i.finished = 0", " and i.finished = 1"],
};

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = invocations_sql();
    sql.push("join ssm_commands c on c.command_id = i.command_id where i.region = ");
    sql.text(&call.region);
    if let Some(id) = &input.command_id {
        sql.push(" and i.command_id = ").text(id);
    }
    if let Some(node) = &input.instance_id {
        sql.push(" and i.node_id = ").text(node);
    }
    add_filters(&mut sql, &input.filters.unwrap_or_default(), &OF_INVOCATIONS)?;
    let scope = format!("ListCommandInvocations|{}", call.region);
    if let Some(token) = &input.next_token {
        let position = plane.tokens.open(&scope, token)?;
        let part = |at: usize| position.get(at).cloned().unwrap_or_default();
        let at = part(0).parse().unwrap_or_default();
        sql.push(" and (i.requested_at < ")
            .int(at)
            .push(" or (i.requested_at = ")
            .int(at);
        sql.push(" and (i.command_id < ")
            .text(part(1))
            .push(" or (i.command_id = ")
            .text(part(1));
        sql.push(" and i.node_id > ").text(part(2)).push("))))");
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by i.requested_at desc, i.command_id desc, i.node_id limit ");
    sql.int(limit as i64 + 1);
    let rows = invocations(sql, plane.db.reader()).await?;
    let position = |row: &InvocationRow| {
        vec![
            row.requested_at.0.to_string(),
            row.command_id.clone(),
            row.node_id.clone(),
        ]
    };
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, position);
    let mut by_command: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        by_command
            .entry(row.command_id.clone())
            .or_default()
            .push(row.node_id.clone());
    }
    let mut known = BTreeMap::new();
    for (id, nodes) in by_command {
        if let Some(row) = command(plane.db.reader(), &call.region, &id).await? {
            let told = steps(plane.db.reader(), &id, &nodes).await?;
            known.insert(id, (row, told));
        }
    }
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some((command, told)) = known.get(&row.command_id) {
            let views = step_views(plane, &call.base_url, command, &row, told, input.details).await?;
            shown.push(invocation(command, row, views, input.details));
        }
    }
    Ok(Output {
        command_invocations: shown,
        next_token,
    })
}

fn invocation(
    command: &CommandRow,
    row: InvocationRow,
    views: Vec<StepView>,
    details: bool,
) -> CommandInvocation {
    let first =
        |url: fn(&StepView) -> &String| views.first().map(|view| url(view).clone()).unwrap_or_default();
    CommandInvocation {
        standard_output_url: first(|view| &view.stdout_url),
        standard_error_url: first(|view| &view.stderr_url),
        instance_name: row.node_name,
        comment: command.comment.clone(),
        document_name: command.document.clone(),
        document_version: command.document_version.clone(),
        requested_date_time: seconds(row.requested_at),
        status: row.detail.status(),
        status_details: row.detail.as_str(),
        trace_output: row.trace_output,
        service_role: command.service_role.clone(),
        notification_config: notification(command),
        cloud_watch_output_config: cloud_watch(command),
        command_plugins: if details {
            views
                .into_iter()
                .map(|view| plugin(command, &row.node_id, view))
                .collect()
        } else {
            Vec::new()
        },
        command_id: row.command_id,
        instance_id: row.node_id,
    }
}

fn plugin(command: &CommandRow, node_id: &str, view: StepView) -> CommandPlugin {
    let output_prefix = if command.output_bucket.is_empty() {
        String::new()
    } else {
        let folder = plugin_folder(&view.name);
        let own = format!("{}/{node_id}/{folder}", command.command_id);
        if command.output_prefix.is_empty() {
            own
        } else {
            format!("{}/{own}", command.output_prefix)
        }
    };
    CommandPlugin {
        status: view.detail.status(),
        status_details: view.detail.as_str(),
        response_code: view.code,
        response_start_date_time: view.started_at.map(seconds),
        response_finish_date_time: view.ended_at.map(seconds),
        output: combined(&view.stdout, &view.stderr),
        standard_output_url: view.stdout_url,
        standard_error_url: view.stderr_url,
        output_region: command.output_region.clone(),
        output_bucket: command.output_bucket.clone(),
        output_prefix,
        name: view.name,
    }
}
