//! Opening windows: an execution for each moment of a schedule, once. What was missed while nothing ran, or falls into an
//! execution that goes on, is recorded and not made up for.

use super::execution_queries::{self as executions, ExecutionRow, TaskRow};
use super::progress::Status;
use super::queries::{self, WindowRow};
use super::schedule::Moments;
use super::task::Task;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::parameters::events::{self, Event};
use muster_domain::Timestamp;
use sqlx::{Any, Transaction};

/// Windows that are opened in one go.
const AT_ONCE: i64 = 100;
/// A start that is later than this is missed: nobody counts on work that begins whenever the process comes back.
pub(crate) const LATEST_MS: i64 = 60_000;
/// Missed starts of one window that are recorded one by one; what is beyond is told in one record.
const MISSED_ONE_BY_ONE: usize = 100;

/// One round over all windows that are due. Answers whether one was opened.
pub(crate) async fn round(plane: &ControlPlane) -> ApiResult<()> {
    loop {
        let due = queries::due(plane.db.reader(), plane.clock.now(), AT_ONCE).await?;
        let is_last = i64::try_from(due.len()).unwrap_or_default() < AT_ONCE;
        let mut moved = false;
        for window in due {
            match open(plane, &window).await {
                Ok(()) => moved = true,
                Err(ApiError { code, .. }) => {
                    tracing::warn!(code, window.id = %window.window_id, "a maintenance window could not be opened; it is tried again");
                }
            }
        }
        if is_last || !moved {
            return Ok(());
        }
    }
}

/// What became due.
struct Due {
    moments: Vec<Timestamp>,
    /// Whether there were more than are told one by one.
    is_more: bool,
    next: Option<Timestamp>,
}

/// The moments from the one that is due until now, and the one after.
fn due(window: &WindowRow, now: Timestamp) -> ApiResult<Due> {
    let schedule = Moments::read(&window.definition, window.created_at)?;
    let mut found = Due {
        moments: Vec::new(),
        is_more: false,
        next: window.next_at,
    };
    while let Some(at) = found.next.filter(|at| *at <= now) {
        if found.moments.len() == MISSED_ONE_BY_ONE && now.since_ms(at) > LATEST_MS {
            // Nobody reads more of them; what may still be in time comes after this.
            found.is_more = true;
            found.next = schedule.next(now.plus_ms(-LATEST_MS - 1));
            continue;
        }
        found.moments.push(at);
        found.next = schedule.next(at);
    }
    Ok(found)
}

async fn open(plane: &ControlPlane, window: &WindowRow) -> ApiResult<()> {
    let now = plane.clock.now();
    let Due {
        moments: due,
        is_more,
        next,
    } = due(window, now)?;
    let mut transaction = plane.db.begin().await?;
    // Who opens it at the same time, or has changed it, has the say.
    if !queries::set_next(&mut *transaction, window, next).await? {
        return Ok(());
    }
    let goes_on = executions::is_open(&mut *transaction, &window.region, &window.window_id).await?;
    let count = due.len();
    for (place, at) in due.into_iter().enumerate() {
        let is_last = place + 1 == count;
        let (status, details) = if is_last && now.since_ms(at) <= LATEST_MS {
            if goes_on {
                (
                    Status::SkippedOverlapping,
                    "The execution before this one goes on.".to_owned(),
                )
            } else {
                (Status::InProgress, String::new())
            }
        } else {
            let more = if place + 1 == MISSED_ONE_BY_ONE && is_more {
                " More starts after it were missed, too."
            } else {
                ""
            };
            (
                Status::Failed,
                format!(
                    "Missed: the control plane did not run when the window was to open; it was back at {}.{more}",
                    now.readable()
                ),
            )
        };
        let row = ExecutionRow {
            region: window.region.clone(),
            execution_id: plane.random.uuid(),
            window_id: window.window_id.clone(),
            status,
            status_details: details,
            starts_at: at,
            cutoff_at: at.plus_ms((window.definition.duration - window.definition.cutoff) * 3_600_000),
            ended_at: status.is_final().then_some(now),
        };
        executions::insert_execution(&mut *transaction, &row).await?;
        if status == Status::InProgress {
            take_tasks(plane, &mut transaction, &row).await?;
        }
        tell(plane, &mut transaction, &row, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The tasks that are registered at this moment are the ones that are run.
async fn take_tasks(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    execution: &ExecutionRow,
) -> ApiResult<()> {
    let registered =
        queries::registered::<Task>(&mut **transaction, &execution.region, &execution.window_id).await?;
    for (task_id, task) in registered {
        let row = TaskRow {
            execution_id: execution.execution_id.clone(),
            task_execution_id: plane.random.uuid(),
            task_id,
            task,
            status: Status::Pending,
            status_details: String::new(),
            started_at: None,
            ended_at: None,
        };
        executions::insert_task(&mut **transaction, &row).await?;
    }
    Ok(())
}

/// In the words of the service's own events.
pub(crate) async fn tell(
    plane: &ControlPlane,
    transaction: &mut Transaction<'static, Any>,
    row: &ExecutionRow,
    now: Timestamp,
) -> ApiResult<()> {
    let event = Event {
        region: &row.region,
        detail_type: "Maintenance Window Execution State-change Notification",
        resource: format!(
            "arn:aws:ssm:{}:{}:maintenancewindow/{}",
            row.region, plane.config.account, row.window_id
        ),
        detail: serde_json::json!({
            "start-time": row.starts_at.rfc3339(),
            "end-time": row.ended_at.map(Timestamp::rfc3339),
            "window-id": row.window_id,
            "window-execution-id": row.execution_id,
            "status": row.status.as_str(),
            "status-details": row.status_details,
        }),
    };
    events::put(plane, transaction, event, now).await
}
