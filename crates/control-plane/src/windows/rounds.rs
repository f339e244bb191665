//! Windows on the clock: those that are due open, and what is open goes on. All of it follows from the database, so it
//! goes on after any stop.

use super::execution_queries::{self as executions, ExecutionRow, InvocationRow, TaskRow};
use super::progress::{self, Part, Piece, Status, Step, Whole};
use super::running;
use super::task::Task;
use super::{automation, opening};
use crate::commands::queries as commands;
use crate::commands::rate::Limit;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use std::collections::BTreeMap;

/// One execution as it stands: what `progress` decides on, and the rows behind it.
pub(crate) struct Standing {
    pub(crate) execution: ExecutionRow,
    pub(crate) tasks: Vec<(TaskRow, Vec<InvocationRow>)>,
    parts: Vec<Part>,
}

/// Rounds of one execution in one go: every one of them moves something on, this only bounds a fault of ours.
const MOST_STEPS: usize = 200;

/// One round.
pub(crate) async fn round(plane: &ControlPlane) {
    let opened = opening::round(plane).await;
    let goes_on = all_open(plane).await;
    for done in [opened, goes_on] {
        if let Err(ApiError { code, .. }) = done {
            tracing::warn!(
                code,
                "maintenance windows could not be looked after; it is tried again"
            );
        }
    }
}

async fn all_open(plane: &ControlPlane) -> ApiResult<()> {
    for execution in executions::open(plane.db.reader()).await? {
        let id = execution.execution_id.clone();
        if let Err(ApiError { code, .. }) = advance(plane, execution).await {
            tracing::warn!(code, execution.id = %id, "a maintenance window could not go on; it is tried again");
        }
    }
    Ok(())
}

async fn advance(plane: &ControlPlane, mut execution: ExecutionRow) -> ApiResult<()> {
    for _ in 0..MOST_STEPS {
        let standing = read(plane, execution).await?;
        let whole = Whole {
            status: standing.execution.status,
            cutoff_at: standing.execution.cutoff_at,
        };
        let steps = progress::next(whole, &standing.parts, plane.clock.now());
        if steps.is_empty() {
            return Ok(());
        }
        for step in steps {
            let ends = matches!(step, Step::EndAll { .. });
            running::take(plane, &standing, step).await?;
            if ends {
                return Ok(());
            }
        }
        let (region, id) = (&standing.execution.region, &standing.execution.execution_id);
        match executions::execution(plane.db.reader(), region, id).await? {
            Some(row) if !row.status.is_final() => execution = row,
            _ => return Ok(()),
        }
    }
    Err(ApiError::internal(
        "an execution of a maintenance window does not come to rest",
    ))
}

fn of_command(details: &str, status: &str) -> Option<(Status, String)> {
    let ended = match status {
        "Success" => Status::Success,
        "Failed" => Status::Failed,
        "TimedOut" => Status::TimedOut,
        "Cancelled" => Status::Cancelled,
        _ => return None,
    };
    let details = if ended == Status::Success {
        String::new()
    } else {
        format!("The command ended as {details}.")
    };
    Some((ended, details))
}

async fn piece(plane: &ControlPlane, region: &str, kind: &str, row: &InvocationRow) -> ApiResult<Piece> {
    let mut piece = Piece {
        status: row.status,
        nodes: i64::try_from(row.node_ids.len()).unwrap_or(i64::MAX),
        errors: 0,
        ended: None,
    };
    if row.command_id.is_empty() {
        return Ok(piece);
    }
    if kind == Task::AUTOMATION {
        return automation::piece(plane, region, row, piece).await;
    }
    match commands::command(plane.db.reader(), region, &row.command_id).await? {
        Some(command) => {
            piece.errors = command.error_count;
            if command.finished {
                piece.ended = of_command(&command.status_details, &command.status);
            }
        }
        None => piece.ended = Some((Status::Failed, "Its command is not there any more.".into())),
    }
    Ok(piece)
}

async fn read(plane: &ControlPlane, execution: ExecutionRow) -> ApiResult<Standing> {
    let id = &execution.execution_id;
    let mut by_task: BTreeMap<String, Vec<InvocationRow>> = BTreeMap::new();
    for row in executions::invocations(plane.db.reader(), id, None).await? {
        by_task
            .entry(row.task_execution_id.clone())
            .or_default()
            .push(row);
    }
    let (mut tasks, mut parts) = (Vec::new(), Vec::new());
    for row in executions::tasks(plane.db.reader(), id).await? {
        let rows = by_task.remove(&row.task_execution_id).unwrap_or_default();
        let mut invocations = Vec::with_capacity(rows.len());
        for invocation in &rows {
            invocations.push(piece(plane, &execution.region, &row.task.kind, invocation).await?);
        }
        let limit =
            |text: &Option<String>, default| text.as_deref().and_then(Limit::parse).unwrap_or(default);
        parts.push(Part {
            status: row.status,
            priority: row.task.priority,
            ends_at_cutoff: row.task.cutoff_behavior == "CANCEL_TASK",
            // What the service takes where nothing was said.
            max_concurrency: limit(&row.task.max_concurrency, Limit::Number(1)),
            max_errors: limit(&row.task.max_errors, Limit::Number(1)),
            invocations,
        });
        tasks.push((row, rows));
    }
    Ok(Standing {
        execution,
        tasks,
        parts,
    })
}
