//! Background work on commands: what ran out of time is ended, what may be sent is sent, what was not
//! acknowledged is sent again. All of it follows from the database, so it goes on after any crash.

use super::embedded::{any_step, each_step};
use super::notices::{finish, settle};
use super::queries::{
    CommandRow, InvocationRow, command, commands, commands_sql, invocation, open_invocations, set_detail,
    set_sent,
};
use super::rate::{self, Next, Progress};
use super::status::Detail;
use crate::OUTPUT_BUCKET;
use crate::associations::refresh;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::for_agent;
use crate::errors::{ApiError, ApiResult};
use crate::patches::snapshot;
use muster_agent_protocol::control::{
    AgentJob, CancelCommandContent, DocumentStep, PATCH_SNAPSHOT, SendCommandContent, job_id, message_type,
    topic,
};
use muster_domain::Timestamp;
use serde_json::Value;

/// What is to be done about one command now.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Nodes whose part ends, and how.
    finish: Vec<(String, Detail)>,
    /// Nodes to send to for the first time.
    send: Vec<String>,
    /// Nodes to send to again.
    resend: Vec<String>,
    /// Nodes to tell that the command is cancelled, or came too late.
    cancel: Vec<String>,
    /// Nodes that cannot be reached now.
    delay: Vec<String>,
}

/// What delivery knows of a node's channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// When this command was written to the channel that is open now.
    pub(crate) sent_at: Option<Timestamp>,
    /// Whether the cancellation was written to it.
    pub(crate) cancel_sent: bool,
}

/// Times that bound a command, beside its own.
struct Patience {
    execution_grace_ms: i64,
    resend_after_ms: i64,
}

/// One round over all open commands. Each has its turn by itself: a node tells one thing after the other, and with many
/// commands under way it would tell one in a round.
pub(crate) async fn round(plane: &ControlPlane) -> ApiResult<()> {
    let mut sql = commands_sql();
    sql.push("where c.finished = 0 order by c.requested_at, c.command_id");
    for row in commands(sql, plane.db.reader()).await? {
        let _turn = plane.reports.turn().await;
        // Nodes may have told something of it since.
        let now = match command(plane.db.reader(), &row.region, &row.command_id).await {
            Ok(Some(row)) if row.finished => continue,
            Ok(None) => continue,
            Ok(Some(row)) => one(plane, &row).await,
            Err(error) => Err(error),
        };
        if let Err(error) = now {
            tracing::warn!(command.id = %row.command_id, code = error.code, "a command could not be moved on");
        }
    }
    Ok(())
}

async fn one(plane: &ControlPlane, row: &CommandRow) -> ApiResult<()> {
    let now = plane.clock.now();
    let open = open_invocations(plane.db.reader(), &row.command_id).await?;
    let patience = Patience {
        execution_grace_ms: plane.config.execution_grace_ms,
        resend_after_ms: plane.config.resend_after_ms,
    };
    let reach = |node: &str| plane.registry.reach(node, &row.command_id);
    let plan = plan(row, &open, now, &patience, reach);
    let id = &row.command_id;
    let is_refresh = any_step(&row.content, &refresh::is_refresh);
    if !plan.finish.is_empty() || !plan.send.is_empty() || !plan.delay.is_empty() || open.is_empty() {
        let mut transaction = plane.db.begin().await?;
        for (node, detail) in &plan.finish {
            finish(plane, &mut transaction, (id, node), *detail, "", now).await?;
        }
        for node in &plan.send {
            // Written before it is sent: after a crash in between it is sent again, and the agent runs it once.
            set_sent(&mut *transaction, id, node, now).await?;
            if is_refresh {
                refresh::wish(&mut *transaction, row, node).await?;
            }
        }
        for node in &plan.delay {
            set_detail(&mut *transaction, id, node, Detail::Delayed).await?;
        }
        settle(plane, &mut transaction, id).await?;
        transaction.commit().await?;
        for (node, _) in &plan.finish {
            plane.changed(id, Some(node));
        }
        plane.changed(id, None);
    }
    for node in plan.send.iter().chain(&plan.resend) {
        let job = job(row, node, patch_snapshot(plane, row, node, now).await?)?;
        plane
            .registry
            .send_job(node, id, message_type::AGENT_JOB, job, now);
    }
    for node in &plan.cancel {
        tell_cancel(plane, &row.region, id, node, now)?;
    }
    for (node, _) in &plan.finish {
        plane.registry.ended(node, id);
    }
    Ok(())
}

fn plan(
    row: &CommandRow,
    open: &[InvocationRow],
    now: Timestamp,
    patience: &Patience,
    reach: impl Fn(&str) -> Option<Reach>,
) -> Plan {
    let mut plan = Plan::default();
    let delivery_ends = row.requested_at.plus_ms(row.timeout_seconds * 1000);
    let execution_ms = row.execution_timeout_seconds * 1000 + patience.execution_grace_ms;
    let mut unsent = Vec::new();
    let (mut running, mut late_errors) = (0, 0);
    for invocation in open {
        let node = invocation.node_id.clone();
        let channel = reach(&node);
        let is_cancelling = invocation.detail == Detail::Cancelling;
        let ends_at = invocation
            .acknowledged_at
            .map_or(delivery_ends, |at| at.plus_ms(execution_ms));
        if now > ends_at {
            let detail = match (is_cancelling, invocation.acknowledged_at) {
                (true, _) => Detail::Cancelled,
                (false, Some(_)) => Detail::ExecutionTimedOut,
                (false, None) => Detail::DeliveryTimedOut,
            };
            late_errors += i64::from(detail.is_error());
            if invocation.sent_at.is_some() && channel.is_some() {
                // Whatever the node still has of it must not go on unseen.
                plan.cancel.push(node.clone());
            }
            plan.finish.push((node, detail));
            continue;
        }
        if invocation.sent_at.is_none() {
            unsent.push((invocation, channel));
            continue;
        }
        running += 1;
        if is_cancelling {
            if channel.is_some_and(|reach| !reach.cancel_sent) {
                plan.cancel.push(node);
            }
        } else if invocation.acknowledged_at.is_none()
            && let Some(reach) = channel
            && reach
                .sent_at
                .is_none_or(|at| now.since_ms(at) > patience.resend_after_ms)
        {
            plan.resend.push(node);
        }
    }
    let progress = Progress {
        targets: row.target_count,
        running,
        acknowledged: row.acknowledged_count,
        errors: row.error_count + late_errors,
    };
    match rate::next(row.max_concurrency(), row.max_errors(), progress) {
        Next::Stop => {
            let rest = unsent
                .into_iter()
                .map(|(invocation, _)| (invocation.node_id.clone(), Detail::Terminated));
            plan.finish.extend(rest);
        }
        Next::Send(mut room) => {
            for (invocation, channel) in unsent {
                if channel.is_none() {
                    // A node that is away takes no place from those that are there.
                    if invocation.detail == Detail::Pending {
                        plan.delay.push(invocation.node_id.clone());
                    }
                } else if room > 0 {
                    room -= 1;
                    plan.send.push(invocation.node_id.clone());
                }
            }
        }
    }
    plan
}

/// Whether a step holds its node against a patch baseline.
fn patches(step: &DocumentStep) -> bool {
    step.action == "aws:runPatchBaseline"
}

/// The baseline that goes with the command to that node, where one is needed. It is found when the command is sent: nodes
/// may have changed their patch group since, and those of one snapshot all get the same.
async fn patch_snapshot(
    plane: &ControlPlane,
    row: &CommandRow,
    node_id: &str,
    now: Timestamp,
) -> ApiResult<Option<Value>> {
    if !any_step(&row.content, &patches) {
        return Ok(None);
    }
    let Some(node) = crate::fleet::queries::node(plane.db.reader(), node_id).await? else {
        return Ok(None);
    };
    let given = row.resolved.as_ref().unwrap_or(&row.parameters);
    let named = given.get("SnapshotId").and_then(|values| values.first());
    let snapshot_id = named.filter(|id| !id.is_empty()).unwrap_or(&row.command_id);
    Ok(Some(snapshot::for_node(plane, &node, snapshot_id, now).await?))
}

fn job(row: &CommandRow, node_id: &str, patch_snapshot: Option<Value>) -> ApiResult<Vec<u8>> {
    let is_ours = row.output_bucket == OUTPUT_BUCKET;
    let flag = |name: &str| {
        row.cloud_watch
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    let group = row
        .cloud_watch
        .get("CloudWatchLogGroupName")
        .and_then(Value::as_str);
    let mut document = row.content.clone();
    if let Some(snapshot) = patch_snapshot {
        each_step(&mut document, &mut |step| {
            if patches(step) {
                step.inputs.insert(PATCH_SNAPSHOT.to_owned(), snapshot.clone());
            }
        })?;
    }
    let content = SendCommandContent {
        command_id: row.command_id.clone(),
        document_name: row.document.clone(),
        document_content: document,
        parameters: for_agent(row.resolved.as_ref().unwrap_or(&row.parameters)),
        // Output for the built-in bucket comes over the channel; the node uploads nothing itself.
        output_s3_bucket_name: if is_ours {
            String::new()
        } else {
            row.output_bucket.clone()
        },
        output_s3_key_prefix: if is_ours {
            String::new()
        } else {
            row.output_prefix.clone()
        },
        cloud_watch_log_group_name: group.unwrap_or_default().to_owned(),
        cloud_watch_output_enabled: flag("CloudWatchOutputEnabled").to_string(),
    };
    let topic = format!("{}.{}.1", topic::SEND_COMMAND, row.region.replace('-', "."));
    let content = serde_json::to_string(&content).map_err(ApiError::internal)?;
    encoded(job_id(&row.command_id, node_id), topic, content)
}

fn cancel_job(region: &str, command_id: &str, node_id: &str, own_id: &str) -> ApiResult<Vec<u8>> {
    let content = CancelCommandContent {
        cancel_message_id: job_id(command_id, node_id),
    };
    let topic = format!("{}.{}.1", topic::CANCEL_COMMAND, region.replace('-', "."));
    let content = serde_json::to_string(&content).map_err(ApiError::internal)?;
    encoded(job_id(own_id, node_id), topic, content)
}

/// Tells a node to stop a command. Nothing is kept of it: where it gets lost, it is told again.
fn tell_cancel(
    plane: &ControlPlane,
    region: &str,
    command_id: &str,
    node_id: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let own = plane.random.uuid();
    let job = cancel_job(region, command_id, node_id, &own)?;
    plane
        .registry
        .send_cancel(node_id, command_id, &own, message_type::AGENT_JOB, job, now);
    Ok(())
}

/// A node has taken a command: when that was given up in the meantime, the node is told to stop.
pub(crate) async fn stop_if_given_up(plane: &ControlPlane, command_id: &str, node_id: &str) -> ApiResult<()> {
    let known = invocation(plane.db.reader(), command_id, node_id).await?;
    let is_given_up = known.is_some_and(|known| {
        matches!(
            known.detail,
            Detail::DeliveryTimedOut | Detail::ExecutionTimedOut | Detail::Cancelled
        )
    });
    if is_given_up && let Some(node) = crate::fleet::queries::node(plane.db.reader(), node_id).await? {
        tell_cancel(plane, &node.region, command_id, node_id, plane.clock.now())?;
    }
    Ok(())
}

fn encoded(job_id: String, topic: String, content: String) -> ApiResult<Vec<u8>> {
    let job = AgentJob {
        schema_version: 1,
        job_id,
        topic,
        content,
    };
    serde_json::to_vec(&job).map_err(ApiError::internal)
}

/// How large the command's job is on its way to a node.
pub(crate) fn job_bytes(row: &CommandRow) -> ApiResult<usize> {
    Ok(job(row, "mi-00000000000000000", None)?.len())
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
