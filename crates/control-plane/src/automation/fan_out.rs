//! An execution over many targets: it starts one execution for each, so many at once and until too many have failed, and
//! ends when they have. All of it follows from the database.

use super::queries::{self, Children, ExecutionRow};
use super::target_queries;
use super::targets::{Plan, told};
use crate::commands::rate::{self, Limit, Next, Progress};
use crate::control_plane::ControlPlane;
use crate::documents::automation_content;
use crate::documents::parameters::{self, Given};
use crate::errors::{ApiError, ApiResult};
use muster_automation::{RunStatus, Stop};

/// Executions that one round starts for one that has targets.
const MOST_AT_ONCE: i64 = 100;

/// One target's execution, as it is when it begins: of the document and with the values of the whole.
fn child(plane: &ControlPlane, parent: &ExecutionRow, given: &Given) -> ApiResult<ExecutionRow> {
    let content = automation_content::read(&parent.content)
        .map_err(|error| ApiError::internal(format!("a runbook cannot be read: {error:?}")))?;
    let now = plane.clock.now();
    let mut all = parent.parameters.clone();
    all.extend(given.clone());
    let mut row = ExecutionRow {
        execution_id: plane.random.uuid(),
        parent_id: parent.execution_id.clone(),
        parameters: all,
        status: "Pending".into(),
        plan: None,
        target: told(given),
        target_group: String::new(),
        stop: Stop::No,
        current_step: String::new(),
        current_action: String::new(),
        started_at: now,
        ..parent.clone()
    };
    let wrong = given.iter().find_map(|(name, values)| {
        let declared = content.parameters.get(name)?;
        let is_allowed =
            |value: &String| declared.allowed_values.is_empty() || declared.allowed_values.contains(value);
        if let Some(value) = values.iter().find(|value| !is_allowed(value)) {
            return Some(format!(
                "Parameter \"{name}\" has value \"{value}\", which is not allowed."
            ));
        }
        let checked = parameters::check_one(name, declared, values);
        checked.err().map(|error| error.message.unwrap_or_default())
    });
    if let Some(why) = wrong {
        row.status = RunStatus::Failed.as_str().into();
        row.failure_message = why;
        row.ended_at = Some(now);
    }
    Ok(row)
}

/// Starts what is next, unless the whole was asked to stop meanwhile. Whether it did.
async fn start(plane: &ControlPlane, parent: &ExecutionRow, most: i64) -> ApiResult<bool> {
    let next =
        target_queries::waiting(plane.db.reader(), &parent.execution_id, most.min(MOST_AT_ONCE)).await?;
    if next.is_empty() {
        return Ok(false);
    }
    let mut transaction = plane.db.begin().await?;
    if !queries::set(&mut *transaction, parent).await? {
        return Ok(false);
    }
    for target in &next {
        let row = child(plane, parent, &target.given)?;
        let id = &parent.execution_id;
        if target_queries::started(&mut *transaction, id, target.position, &row.execution_id).await? {
            queries::insert(&mut *transaction, &row).await?;
        }
    }
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(true)
}

/// How it ends, when nothing runs any more and nothing more is started.
fn end(parent: &ExecutionRow, plan: &Plan, so_far: &Children, is_too_much: bool) -> (RunStatus, String) {
    match parent.stop {
        Stop::Cancel => return (RunStatus::Cancelled, String::new()),
        Stop::Complete => return (RunStatus::Success, String::new()),
        Stop::No => {}
    }
    if plan.count == 0 {
        return (RunStatus::Failed, "The targets match nothing.".to_owned());
    }
    let failed = format!("{} of {} targets failed.", so_far.errors, plan.count);
    let left = plan.count - so_far.ended;
    match (is_too_much, left) {
        (true, 0) => (RunStatus::Failed, failed),
        (true, left) => {
            let most = &plan.max_errors;
            (
                RunStatus::Failed,
                format!("{failed} MaxErrors is {most}, so {left} were not started."),
            )
        }
        (false, _) if so_far.cancelled > 0 => (
            RunStatus::Cancelled,
            format!("{} of {} targets were cancelled.", so_far.cancelled, plan.count),
        ),
        // So many may fail.
        (false, _) => (
            RunStatus::Success,
            if so_far.errors > 0 { failed } else { String::new() },
        ),
    }
}

fn limit(text: &str) -> Limit {
    Limit::parse(text).unwrap_or(Limit::Number(0))
}

/// Brings an execution over targets on.
pub(crate) async fn advance(plane: &ControlPlane, mut parent: ExecutionRow, plan: Plan) -> ApiResult<()> {
    let so_far = queries::children(&plane.db, &parent.execution_id).await?;
    let progress = Progress {
        targets: plan.count,
        running: so_far.open,
        // There is no ramp: nobody has to acknowledge anything.
        acknowledged: plan.count,
        errors: so_far.errors,
    };
    let next = rate::next(limit(&plan.max_concurrency), limit(&plan.max_errors), progress);
    if parent.stop != Stop::No {
        queries::ask_children_to_stop(plane.db.writer(), &parent.execution_id, parent.stop).await?;
    }
    if let (Stop::No, Next::Send(most @ 1..)) = (parent.stop, next) {
        parent.status = "InProgress".into();
        if start(plane, &parent, most).await? {
            return Ok(());
        }
    }
    if so_far.open > 0 {
        return Ok(());
    }
    let (status, message) = end(&parent, &plan, &so_far, next == Next::Stop);
    parent.status = status.as_str().to_owned();
    parent.failure_message = message;
    parent.outputs = Given::new();
    parent.ended_at = Some(plane.clock.now());
    if !queries::set(plane.db.writer(), &parent).await? || !parent.parent_id.is_empty() {
        plane.wake.notify_one();
    }
    Ok(())
}
