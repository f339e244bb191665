//! Loops: their next iteration, and how they end. What comes within an iteration is decided as for all steps.

use super::acting::{Standing, end};
use super::step_queries::{self, StepRow};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use muster_automation::{Action, Iterations, RunStatus, StepStatus, is_met};
use muster_domain::Timestamp;
use serde_json::json;

/// What is told of steps beside what they said themselves.
pub(crate) fn told<'a>(rows: impl DoubleEndedIterator<Item = &'a StepRow>, message: &str) -> String {
    let said = rows
        .rev()
        .find(|row| !row.failure_message.is_empty() && message.starts_with(&format!("Step {} ", row.name)));
    match said {
        Some(row) => format!("{message} {}", row.failure_message),
        None => message.to_owned(),
    }
}

fn row<'a>(standing: &'a Standing<'_>, at: usize) -> ApiResult<&'a StepRow> {
    standing
        .steps
        .get(at)
        .ok_or_else(|| ApiError::internal("a loop that was not begun is to go on"))
}

/// Begins the next iteration of a loop, or ends it well.
pub(crate) async fn iterate(plane: &ControlPlane, standing: &Standing<'_>, at: usize) -> ApiResult<()> {
    let mut row = row(standing, at)?.clone();
    let now = plane.clock.now();
    let done = row.iteration();
    let goes_on = Iterations::read(&row.inputs).and_then(|iterations| {
        let step = usize::try_from(row.step)
            .ok()
            .and_then(|at| standing.document.steps.get(at));
        let is_wanted = match step.and_then(|step| step.loop_condition.as_ref()) {
            // It is asked after each iteration.
            Some(condition) if done > 0 && iterations.has_more(done) => {
                is_met(&standing.resolved(plane, condition)?)?
            }
            _ => true,
        };
        Ok((is_wanted && iterations.has_more(done)).then(|| iterations.value(done + 1).cloned()))
    });
    match goes_on {
        Ok(Some(value)) => {
            row.work = (done + 1).to_string();
            row.outputs.insert("CurrentIteration".into(), json!(done + 1));
            if let Some(value) = value {
                row.outputs.insert("CurrentIteratorValue".into(), value);
            }
        }
        Ok(None) => end(&mut row, StepStatus::Success, "", now),
        Err(why) => {
            let why = format!("Step {}: {why}.", row.name);
            end(&mut row, StepStatus::Failed, &why, now);
        }
    }
    step_queries::put_step(plane.db.writer(), &row, Some(StepStatus::InProgress)).await?;
    Ok(())
}

/// Ends a loop as its iteration has come to.
pub(crate) async fn end_loop(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    at: usize,
    (status, message): (RunStatus, &str),
) -> ApiResult<()> {
    let mut row = row(standing, at)?.clone();
    let within = standing
        .steps
        .iter()
        .filter(|one| one.parent_position == Some(row.position));
    let why = told(within, message);
    end(&mut row, status.of_step(), &why, plane.clock.now());
    step_queries::put_step(plane.db.writer(), &row, Some(StepStatus::InProgress)).await?;
    Ok(())
}

/// Ends the loops whose time is up, and those within them, unless a step runs: that has no more time either. Whether
/// there were any.
pub(crate) async fn end_late(plane: &ControlPlane, standing: &Standing<'_>) -> ApiResult<bool> {
    let now = plane.clock.now();
    let is_loop = |row: &StepRow| row.action == Action::Loop.name();
    if standing
        .steps
        .last()
        .is_some_and(|last| !last.status.is_final() && !is_loop(last))
    {
        return Ok(false);
    }
    let is_late = |row: &StepRow| row.due_at.is_some_and(|at: Timestamp| at <= now);
    let mut late: Vec<StepRow> = Vec::new();
    for row in standing.steps {
        // From the first one on: those that follow are within it.
        if is_loop(row) && !row.status.is_final() && (!late.is_empty() || is_late(row)) {
            late.push(row.clone());
        }
    }
    for row in &late {
        let mut row = row.clone();
        let why = format!("Step {} did not end within its time.", row.name);
        end(&mut row, StepStatus::TimedOut, &why, now);
        step_queries::put_step(plane.db.writer(), &row, Some(StepStatus::InProgress)).await?;
    }
    Ok(!late.is_empty())
}
