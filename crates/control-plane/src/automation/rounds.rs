//! Executions go on: what comes next is asked, done and written down, until each waits for something. All of it follows
//! from the database, so it goes on after any stop.

use super::AT_ONCE;
use super::acting::{Standing, begin};
use super::queries::{self, ExecutionRow, OpenRow, StepRow};
use super::watching;
use crate::control_plane::ControlPlane;
use crate::documents::automation_content;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use muster_automation::{Decision, Document, Executed, RunStatus, StepStatus, Stop, next, texts_of};

/// Changes of one execution in one go: others have their turn too.
const MOST_CHANGES: usize = 100;

/// One round.
pub(crate) async fn round(plane: &ControlPlane) {
    let open = match queries::open(plane.db.reader()).await {
        Ok(open) => open,
        Err(ApiError { code, .. }) => {
            tracing::warn!(code, "automation executions could not be read; it is tried again");
            return;
        }
    };
    // Those that were started first; a runbook that was started by one that runs does not wait behind it, nor does one that
    // is to stop.
    let mut places = AT_ONCE;
    for row in open {
        if !row.is_child && !row.is_to_stop {
            if places == 0 {
                continue;
            }
            places -= 1;
        }
        if let Err(ApiError { code, .. }) = advance(plane, &row).await {
            tracing::warn!(
                code,
                execution.id = %row.execution_id,
                "an automation execution could not go on; it is tried again"
            );
        }
    }
}

fn executed(row: &StepRow) -> Executed {
    Executed {
        step: usize::try_from(row.step).unwrap_or(usize::MAX),
        status: row.status,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        chosen: (!row.chosen.is_empty()).then(|| row.chosen.clone()),
    }
}

/// How long what cleans up after a cancelled step may take (the guide's `onCancel`).
const CLEANING_MS: i64 = 120_000;

async fn advance(plane: &ControlPlane, open: &OpenRow) -> ApiResult<()> {
    // As it stands now: somebody may have asked it to stop since the round began.
    let now = queries::execution(plane.db.reader(), &open.region, &open.execution_id).await?;
    let Some(mut execution) = now.filter(|row| row.ended_at.is_none()) else {
        return Ok(());
    };
    // It was checked when it was taken; only a damaged database holds another one.
    let content = automation_content::read(&execution.content)
        .map_err(|error| ApiError::internal(format!("a runbook cannot be read: {error:?}")))?;
    for _ in 0..MOST_CHANGES {
        let steps = queries::steps(plane.db.reader(), &execution.execution_id).await?;
        let done: Vec<Executed> = steps.iter().map(executed).collect();
        let standing = Standing {
            execution: &execution,
            document: &content.document,
            declared: &content.parameters,
            steps: &steps,
        };
        let running = steps.last().and_then(|row| {
            let step = content.document.steps.get(usize::try_from(row.step).ok()?)?;
            Some((step, row))
        });
        match (next(&content.document, &done, execution.stop), running) {
            (Decision::Start(at), _) => begin(plane, &standing, at, 1).await?,
            (Decision::Retry, Some((_, row))) => {
                let at = usize::try_from(row.step).unwrap_or(usize::MAX);
                begin(plane, &standing, at, row.attempts + 1).await?;
            }
            (Decision::CancelStep, Some((step, row))) => {
                watching::cancel(plane, &standing, step, row).await?
            }
            (Decision::Wait, Some((step, row))) if is_cleaning_too_long(plane, &execution, &steps, row) => {
                watching::cancel(plane, &standing, step, row).await?;
            }
            (Decision::Wait, Some((step, row))) => {
                let is_new = watching::watch(plane, &standing, step, row).await?;
                let waits = queries::steps(plane.db.reader(), &execution.execution_id)
                    .await?
                    .last()
                    .is_some_and(|row| !row.status.is_final());
                if !is_new || waits {
                    return Ok(());
                }
            }
            (Decision::Finish(status, message), _) => {
                return finish(plane, execution, &content.document, &steps, (status, &message)).await;
            }
            (Decision::Retry | Decision::CancelStep | Decision::Wait, None) => {
                return Err(ApiError::internal(
                    "an execution waits for a step that was not begun",
                ));
            }
        }
        let (region, id) = (&execution.region, &execution.execution_id);
        match queries::execution(plane.db.reader(), region, id).await? {
            Some(row) if row.ended_at.is_none() => execution = row,
            _ => return Ok(()),
        }
    }
    // It goes on in the next round, which comes at once.
    plane.wake.notify_one();
    Ok(())
}

/// Whether a step that cleans up after a cancelled one has had its time.
fn is_cleaning_too_long(
    plane: &ControlPlane,
    execution: &ExecutionRow,
    steps: &[StepRow],
    row: &StepRow,
) -> bool {
    execution.stop == Stop::Cancel
        && matches!(row.status, StepStatus::InProgress | StepStatus::Waiting)
        && steps.iter().any(|other| other.status == StepStatus::Cancelled)
        && plane.clock.now().since_ms(row.started_at) > CLEANING_MS
}

async fn finish(
    plane: &ControlPlane,
    mut execution: ExecutionRow,
    document: &Document,
    steps: &[StepRow],
    (status, message): (RunStatus, &str),
) -> ApiResult<()> {
    let told = |reference: &String| {
        let (name, output) = reference.split_once('.')?;
        let row = steps.iter().rev().find(|row| row.name == name)?;
        Some((reference.clone(), texts_of(row.outputs.get(output)?)))
    };
    execution.outputs = document.outputs.iter().filter_map(told).collect::<Given>();
    // What the step said says more than that it failed.
    let of_step = steps
        .iter()
        .rev()
        .find(|row| !row.failure_message.is_empty() && message.contains(row.name.as_str()));
    execution.failure_message = match of_step {
        Some(row) if status != RunStatus::Success => format!("{message} {}", row.failure_message),
        _ => message.to_owned(),
    };
    execution.status = status.as_str().to_owned();
    execution.ended_at = Some(plane.clock.now());
    // Somebody waits for it; or it was asked to stop meanwhile, and is decided anew.
    if !queries::set(plane.db.writer(), &execution).await? || !execution.parent_id.is_empty() {
        plane.wake.notify_one();
    }
    Ok(())
}
