//! What nodes report about commands, taken into the database: acknowledgements, replies. Reports that
//! arrive together share one transaction, so 200 nodes that answer at once cost few commits.

use super::notices::{acknowledge, finish, settle};
use super::queries::invocation;
use super::status::Detail;
use super::step_queries::{StepRow, put_step};
use super::text;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use muster_agent_protocol::control::{
    MAX_STDERR_CHARS, MAX_STDOUT_CHARS, ReplyContent, StepStatus, ack_code,
};
use muster_domain::Timestamp;
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// One report of one node.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// The node has the job, or will not take it.
    Acknowledged {
        command_id: String,
        node_id: String,
        code: String,
        message: String,
    },
    /// The node has the request to cancel.
    CancelAcknowledged { command_id: String, node_id: String },
    /// How the job stands.
    Reply {
        command_id: String,
        node_id: String,
        content: ReplyContent,
    },
}

impl Report {
    fn command_id(&self) -> &str {
        match self {
            Self::Acknowledged { command_id, .. }
            | Self::CancelAcknowledged { command_id, .. }
            | Self::Reply { command_id, .. } => command_id,
        }
    }

    fn node_id(&self) -> &str {
        match self {
            Self::Acknowledged { node_id, .. }
            | Self::CancelAcknowledged { node_id, .. }
            | Self::Reply { node_id, .. } => node_id,
        }
    }
}

type Waiting = (Report, oneshot::Sender<bool>);

/// The queue of reports, and the turn of those that change commands: one at a time.
#[derive(Default)]
pub(crate) struct Reports {
    queue: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Reports {
    /// Waits until nobody else changes commands. Transactions on both engines then never collide.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn push(&self, waiting: Waiting) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(waiting);
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Characters of what a node says about an invocation as a whole.
const MAX_TRACE_CHARS: usize = 2_500;
/// Steps of one reply that are taken; no document has more.
const MAX_STEPS: usize = 100;

/// Takes a report in. `true` once it is durable; `false` when the node should tell it again.
pub(crate) async fn take_in(plane: &ControlPlane, report: Report) -> bool {
    let (told, done) = oneshot::channel();
    plane.reports.push((report, told));
    let turn = plane.reports.turn().await;
    // Whoever gets the turn takes in everybody's reports; for the others nothing is left to do.
    let batch = plane.reports.take();
    if !batch.is_empty() {
        let kept = match take_in_all(plane, &batch).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(
                    code = error.code,
                    reports = batch.len(),
                    "reports of nodes could not be kept"
                );
                false
            }
        };
        for (report, told) in batch {
            if kept {
                plane.changed(report.command_id(), Some(report.node_id()));
            }
            let _ = told.send(kept);
        }
        plane.wake.notify_one();
    }
    drop(turn);
    done.await.unwrap_or(false)
}

async fn take_in_all(plane: &ControlPlane, batch: &[Waiting]) -> ApiResult<()> {
    let now = plane.clock.now();
    let mut transaction = plane.db.begin().await?;
    let mut commands = BTreeSet::new();
    for (report, _) in batch {
        take_in_one(plane, &mut transaction, report, now).await?;
        commands.insert(report.command_id());
    }
    for command_id in commands {
        settle(plane, &mut transaction, command_id).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn take_in_one(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    report: &Report,
    now: Timestamp,
) -> ApiResult<()> {
    let (command_id, node_id) = (report.command_id(), report.node_id());
    let whose = (command_id, node_id);
    let Some(known) = invocation(&mut **transaction, command_id, node_id).await? else {
        // From before a restored backup, or made up: there is nothing to change.
        return Ok(());
    };
    if known.finished {
        return Ok(());
    }
    match report {
        Report::Acknowledged { code, message, .. } => match code.as_str() {
            ack_code::SUCCESS | ack_code::DUPLICATE => {
                acknowledge(plane, transaction, command_id, node_id, now).await?;
            }
            // It will be sent again.
            ack_code::BUFFER_FULL => {}
            _ => {
                let trace = storable(
                    &format!("The node refused the command ({code}): {message}"),
                    MAX_TRACE_CHARS,
                );
                finish(plane, transaction, whose, Detail::Undeliverable, &trace, now).await?;
            }
        },
        Report::CancelAcknowledged { .. } => {
            // A node that never took the job has nothing to stop, and will not be sent it any more.
            if known.acknowledged_at.is_none() && known.detail == Detail::Cancelling {
                finish(plane, transaction, whose, Detail::Cancelled, "", now).await?;
            }
        }
        Report::Reply { content, .. } => {
            // A reply says that the job arrived, even when its acknowledgement was lost.
            acknowledge(plane, transaction, command_id, node_id, now).await?;
            for (name, step) in content.runtime_status.iter().flatten().take(MAX_STEPS) {
                put_step(&mut **transaction, command_id, &step_row(node_id, name, step)).await?;
            }
            if let Some(detail) = Detail::of_agent(&content.document_status) {
                let trace = storable(&content.document_trace_output, MAX_TRACE_CHARS);
                finish(plane, transaction, whose, detail, &trace, now).await?;
            }
        }
    }
    Ok(())
}

/// Text of a node as a database can keep it: PostgreSQL's cannot hold the zero character.
fn storable(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

fn step_row(node_id: &str, name: &str, step: &StepStatus) -> StepRow {
    let short = |text: &str| storable(text, 128);
    StepRow {
        node_id: node_id.to_owned(),
        step: short(name),
        plugin: short(&step.name),
        status: short(&step.status),
        code: i64::from(step.code),
        started_at: Timestamp::parse(&step.start_date_time),
        ended_at: Timestamp::parse(&step.end_date_time),
        standard_output: storable(
            &text::output(&step.standard_output, MAX_STDOUT_CHARS),
            MAX_STDOUT_CHARS,
        ),
        standard_error: storable(
            &text::error(&step.standard_error, MAX_STDERR_CHARS),
            MAX_STDERR_CHARS,
        ),
    }
}
