//! Executions go on: what comes next is asked, done and written down, until each waits for something. All of it follows
//! from the database, so it goes on after any stop.

use super::AT_ONCE;
use super::acting::{Standing, begin};
use super::queries::{self, ExecutionRow, OpenRow};
use super::step_queries::{self, StepRow};
use super::{fan_out, looping, stepwise, watching};
use crate::control_plane::ControlPlane;
use crate::documents::automation_content;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use muster_automation::{
    Action, Decision, Document, Executed, RunStatus, StepStatus, Stop, Within, next, texts_of,
};
use muster_domain::Timestamp;

/// Changes of one execution in one go: others have their turn too.
const MOST_CHANGES: usize = 100;

/// Executions that go on at the same moment.
const SIDE_BY_SIDE: usize = 8;

/// How long what has ended is kept (the guide's thirty days).
const KEPT_MS: i64 = 30 * 86_400_000;
/// Executions that are forgotten in one go.
const MOST_FORGOTTEN: i64 = 100;

async fn forget_old(plane: &ControlPlane) -> ApiResult<()> {
    let before = plane.clock.now().plus_ms(-KEPT_MS);
    let old = queries::ended_before(plane.db.reader(), before, MOST_FORGOTTEN).await?;
    if old.is_empty() {
        return Ok(());
    }
    let mut transaction = plane.db.begin().await?;
    queries::forget(&mut transaction, &old).await?;
    transaction.commit().await?;
    Ok(())
}

/// One round.
pub(crate) async fn round(plane: &ControlPlane) {
    if let Err(ApiError { code, .. }) = forget_old(plane).await {
        tracing::warn!(
            code,
            "old automation executions could not be forgotten; it is tried again"
        );
    }
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
    let goes_on = |row: &OpenRow| {
        if row.is_child || row.is_to_stop {
            return true;
        }
        let has_place = places > 0;
        places = places.saturating_sub(1);
        has_place
    };
    let open: Vec<OpenRow> = open.into_iter().filter(goes_on).collect();
    // While one waits for the database others are decided.
    stream::iter(&open)
        .for_each_concurrent(SIDE_BY_SIDE, async |row| {
            if let Err(ApiError { code, .. }) = advance(plane, row).await {
                tracing::warn!(
                    code,
                    execution.id = %row.execution_id,
                    "an automation execution could not go on; it is tried again"
                );
            }
        })
        .await;
}

pub(super) fn executed(row: &StepRow) -> Executed {
    Executed {
        step: usize::try_from(row.step).unwrap_or(usize::MAX),
        status: row.status,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        chosen: (!row.chosen.is_empty()).then(|| row.chosen.clone()),
        within: row.parent_position.map(|position| Within {
            at: usize::try_from(position).unwrap_or(usize::MAX),
            iteration: usize::try_from(row.parent_iteration).unwrap_or(usize::MAX),
        }),
        iteration: if row.action == Action::Loop.name() {
            row.iteration()
        } else {
            0
        },
        retried: row.retried,
    }
}

/// How long what cleans up after a cancelled step may take (the guide's `onCancel`).
const CLEANING_MS: i64 = 120_000;

/// Whether a step waits for a moment that has not come, or for somebody: then there is nothing to look at.
fn sleeps(plane: &ControlPlane, row: &StepRow) -> bool {
    let now = plane.clock.now();
    let waits = [Action::Sleep, Action::Pause, Action::Approve].map(Action::name);
    let is_to_come = |at: Option<Timestamp>| at.is_none_or(|at| at > now);
    waits.contains(&row.action.as_str())
        && !row.status.is_final()
        && is_to_come(row.due_at)
        && is_to_come(row.poll_at)
}

/// Boxed, for it is large.
fn advance<'a>(plane: &'a ControlPlane, open: &'a OpenRow) -> BoxFuture<'a, ApiResult<()>> {
    Box::pin(async {
        let mut has_news = false;
        let done = go_on(plane, open, &mut has_news).await;
        if has_news {
            plane.execution_changed(&open.execution_id);
        }
        done
    })
}

/// `has_news` is set before anything is written that others may want to see.
async fn go_on(plane: &ControlPlane, open: &OpenRow, has_news: &mut bool) -> ApiResult<()> {
    // As it stands now: somebody may have asked it to stop since the round began.
    let now = queries::execution(plane.db.reader(), &open.region, &open.execution_id).await?;
    let Some(mut execution) = now.filter(|row| row.ended_at.is_none()) else {
        return Ok(());
    };
    if let Some(plan) = execution.plan.clone() {
        *has_news = true;
        return fan_out::advance(plane, execution, plan).await;
    }
    let last = step_queries::last(plane.db.reader(), &execution.execution_id).await?;
    if execution.stop != Stop::Cancel && last.is_some_and(|row| sleeps(plane, &row)) {
        return Ok(());
    }
    // It was checked when it was taken; only a damaged database holds another one.
    let content = automation_content::read(&execution.content)
        .map_err(|error| ApiError::internal(format!("a runbook cannot be read: {error:?}")))?;
    let mut steps = step_queries::steps(plane.db.reader(), &execution.execution_id).await?;
    for _ in 0..MOST_CHANGES {
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
        if looping::end_late(plane, &standing).await? {
            *has_news = true;
            step_queries::renew(plane.db.reader(), &execution.execution_id, &mut steps).await?;
            continue;
        }
        let decision = next(&content.document, &done, execution.stop);
        *has_news |= decision != Decision::Wait;
        let mut begun = None;
        match (decision, running) {
            (Decision::Start(at, _), _) if stepwise::is_held(&execution, &content.document, at) => {
                *has_news = execution.status != "Waiting";
                return stepwise::hold(plane, execution, &content.document, at).await;
            }
            (Decision::Start(at, within), _) => begun = begin(plane, &standing, (at, within), 1).await?,
            (Decision::Iterate(at), _) => looping::iterate(plane, &standing, at).await?,
            (Decision::EndLoop(at, status, message), _) => {
                looping::end_loop(plane, &standing, at, (status, &message)).await?;
            }
            (Decision::Retry, Some((_, row))) => {
                let at = usize::try_from(row.step).unwrap_or(usize::MAX);
                begun = begin(plane, &standing, (at, executed(row).within), row.attempts + 1).await?;
            }
            (Decision::CancelStep, Some((step, row))) => {
                watching::cancel(plane, &standing, step, row).await?
            }
            (Decision::Wait, Some((step, row))) if is_cleaning_too_long(plane, &execution, &steps, row) => {
                *has_news = true;
                watching::cancel(plane, &standing, step, row).await?;
            }
            (Decision::Wait, Some((step, row))) => {
                let is_new = watching::watch(plane, &standing, step, row).await?;
                *has_news |= is_new;
                step_queries::renew(plane.db.reader(), &execution.execution_id, &mut steps).await?;
                let waits = steps.last().is_some_and(|row| !row.status.is_final());
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
        if let Some(begun) = begun {
            // What was just written down need not be read; that somebody asked it to stop since is seen when it is written
            // down the next time.
            execution = begun.execution;
            steps.retain(|row| row.position != begun.row.position);
            steps.push(begun.row);
            if begun.is_acting {
                step_queries::renew(plane.db.reader(), &execution.execution_id, &mut steps).await?;
            }
            continue;
        }
        let (region, id) = (&execution.region, &execution.execution_id);
        step_queries::renew(plane.db.reader(), id, &mut steps).await?;
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
        && steps
            .iter()
            .any(|other| other.status == StepStatus::Cancelled && !other.retried)
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
        let row = steps.iter().rev().find(|row| row.name == name && !row.retried)?;
        Some((reference.clone(), texts_of(row.outputs.get(output)?)))
    };
    execution.outputs = document.outputs.iter().filter_map(told).collect::<Given>();
    // What the step said says more than that it failed.
    execution.failure_message = if status == RunStatus::Success {
        message.to_owned()
    } else {
        looping::told(steps.iter().filter(|row| !row.retried), message)
    };
    execution.status = status.as_str().to_owned();
    execution.ended_at = Some(plane.clock.now());
    // Somebody waits for it; or it was asked to stop meanwhile, and is decided anew.
    if !queries::set(plane.db.writer(), &execution).await? || !execution.parent_id.is_empty() {
        plane.wake.notify_one();
    }
    Ok(())
}
