//! Steps that run: how they stand, when their time is up, and stopping them.

use super::acting::{Standing, act, end, only_reads};
use super::property::look;
use super::queries;
use super::step_queries::{self, StepRow};
use super::under_way::Stands;
use crate::commands::cancel_command;
use crate::commands::get_command_invocation;
use crate::commands::queries as commands;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use muster_automation::{Action, Step, StepStatus, Stop};
use muster_domain::Timestamp;
use serde_json::{Value, json};

/// Looks at the step that runs. Whether it changed.
pub(crate) async fn watch(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    row: &StepRow,
) -> ApiResult<bool> {
    let now = plane.clock.now();
    let is_over = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let was = Some(row.status);
    let mut row = row.clone();
    match step.action {
        Action::RunCommand => return command(plane, standing, step, row).await,
        Action::ExecuteAutomation => return child(plane, standing, step, row).await,
        Action::ExecuteScript | Action::InvokeWebhook => return under_way(plane, step, row).await,
        Action::Sleep if is_over(row.poll_at) => end(&mut row, StepStatus::Success, "", now),
        _ if is_over(row.due_at) => {
            let why = format!("Step {} did not end within its time.", row.name);
            end(&mut row, StepStatus::TimedOut, &why, now);
        }
        // It was begun and not done: whoever did it was stopped.
        Action::ExecuteAwsApi if row.status == StepStatus::InProgress => {
            if only_reads(&row) {
                act(plane, standing, step, row).await?;
                return Ok(true);
            }
            row.attempts = row.attempts.max(i64::from(step.max_attempts));
            let why = "The control plane was stopped while the call was made: whether it was done is not known, and it is \
                       not made again.";
            end(&mut row, StepStatus::Failed, why, now);
        }
        Action::AssertProperty => {
            look(plane, standing, step, row).await?;
            return Ok(true);
        }
        Action::WaitForProperty if row.poll_at.is_none() || is_over(row.poll_at) => {
            look(plane, standing, step, row).await?;
            // What is waited for is looked at again in a later round.
            return Ok(true);
        }
        _ => return Ok(false),
    }
    // Somebody has decided meanwhile: that holds.
    step_queries::put_step(plane.db.writer(), &row, was).await?;
    Ok(true)
}

/// What has come of work that runs beside the rounds.
async fn under_way(plane: &ControlPlane, step: &Step, mut row: StepRow) -> ApiResult<bool> {
    let (was, now, key) = (Some(row.status), plane.clock.now(), row.key());
    match plane.under_way.stands(&key) {
        Stands::Ended(came) => {
            row.outputs = came.outputs;
            row.response_code = came.response_code;
            match came.failure {
                None => end(&mut row, StepStatus::Success, "", now),
                Some(failure) => {
                    if failure.is_unknown {
                        row.attempts = row.attempts.max(i64::from(step.max_attempts));
                    }
                    end(&mut row, StepStatus::Failed, &failure.why, now);
                }
            }
        }
        Stands::Runs if !is_late(&row, now) => return Ok(false),
        Stands::Runs => {
            if step.action == Action::InvokeWebhook {
                row.attempts = row.attempts.max(i64::from(step.max_attempts));
            }
            let why = format!("Step {} did not end within its time; it was stopped.", row.name);
            end(&mut row, StepStatus::TimedOut, &why, now);
        }
        // It is not known whether it was done: it is not done again.
        Stands::Lost => {
            row.attempts = row.attempts.max(i64::from(step.max_attempts));
            let why = "The control plane was stopped while the step ran: whether it was done is not known, and it is not done \
                       again.";
            end(&mut row, StepStatus::Failed, why, now);
        }
    }
    step_queries::put_step(plane.db.writer(), &row, was).await?;
    // What it has come to is written down.
    plane.under_way.forget(&key);
    Ok(true)
}

fn is_late(row: &StepRow, now: Timestamp) -> bool {
    row.due_at.is_some_and(|at| at <= now)
}

/// What a step was to begin was written down and is not there: whoever would have begun it was stopped. It is begun, unless
/// nobody wants it any more or its time is up.
async fn not_there(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    mut row: StepRow,
) -> ApiResult<bool> {
    let (was, now) = (Some(row.status), plane.clock.now());
    if row.status == StepStatus::Cancelling {
        end(&mut row, StepStatus::Cancelled, "", now);
    } else if is_late(&row, now) {
        let why = format!(
            "Step {} did not end within its time; what it does could not be begun.",
            row.name
        );
        end(&mut row, StepStatus::TimedOut, &why, now);
    } else {
        act(plane, standing, step, row).await?;
        return Ok(true);
    }
    step_queries::put_step(plane.db.writer(), &row, was).await?;
    Ok(true)
}

/// What the command of a step has come to.
async fn command(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    mut row: StepRow,
) -> ApiResult<bool> {
    let region = &standing.execution.region;
    let now = plane.clock.now();
    let was = Some(row.status);
    let Some(command) = commands::command(plane.db.reader(), region, &row.work).await? else {
        return not_there(plane, standing, step, row).await;
    };
    if !command.finished {
        if is_late(&row, now) && row.status == StepStatus::InProgress {
            cancel_command::cancel(plane, region, &row.work, None, now).await?;
            let why = format!(
                "Step {} did not end within its time; its command is cancelled.",
                row.name
            );
            end(&mut row, StepStatus::TimedOut, &why, now);
            step_queries::put_step(plane.db.writer(), &row, was).await?;
            return Ok(true);
        }
        return Ok(false);
    }
    row.outputs.insert("CommandId".into(), json!(row.work));
    row.outputs.insert("Status".into(), json!(command.status));
    if let Some((code, text)) = first_output(plane, region, &row.work).await? {
        row.response_code = code.to_string();
        row.outputs.insert("ResponseCode".into(), json!(code));
        row.outputs.insert("Output".into(), json!(text));
    }
    let (status, why) = match command.status.as_str() {
        _ if row.status == StepStatus::Cancelling => (StepStatus::Cancelled, String::new()),
        "Success" => (StepStatus::Success, String::new()),
        "Cancelled" => (
            StepStatus::Cancelled,
            format!("The command {} was cancelled.", row.work),
        ),
        other => (
            if other == "TimedOut" {
                StepStatus::TimedOut
            } else {
                StepStatus::Failed
            },
            format!(
                "Step fails when it is Execute/Cancelling action. The command {} ended as {} on {} of {} nodes.",
                row.work, command.status_details, command.error_count, command.target_count
            ),
        ),
    };
    // Somebody cancelled the command alone: that is a failure of the step, which nobody asked to stop.
    let status = if status == StepStatus::Cancelled && row.status != StepStatus::Cancelling {
        StepStatus::Failed
    } else {
        status
    };
    end(&mut row, status, &why, now);
    step_queries::put_step(plane.db.writer(), &row, was).await?;
    Ok(true)
}

/// Exit code and output of a command on its first node, as far as one answer tells them.
async fn first_output(
    plane: &ControlPlane,
    region: &str,
    command_id: &str,
) -> ApiResult<Option<(i64, String)>> {
    let mut sql = commands::invocations_sql();
    sql.push("where i.command_id = ").text(command_id);
    sql.push(" order by i.node_id limit 1");
    let Some(first) = commands::invocations(sql, plane.db.reader()).await?.pop() else {
        return Ok(None);
    };
    let call = Call::of_server(plane, region);
    let input = serde_json::from_value(json!({"CommandId": command_id, "InstanceId": first.node_id}));
    let Ok(input) = input else { return Ok(None) };
    // A command of several steps has no one answer.
    let Ok(told) = get_command_invocation::call(plane, &call, input).await else {
        return Ok(None);
    };
    let told = serde_json::to_value(told).unwrap_or_default();
    let code = told.get("ResponseCode").and_then(Value::as_i64).unwrap_or(-1);
    let text = told.get("StandardOutputContent").and_then(Value::as_str);
    Ok(Some((code, text.unwrap_or_default().to_owned())))
}

/// What the runbook that a step started has come to.
async fn child(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    mut row: StepRow,
) -> ApiResult<bool> {
    let region = &standing.execution.region;
    let now = plane.clock.now();
    let was = Some(row.status);
    let Some(found) = queries::execution(plane.db.reader(), region, &row.work).await? else {
        return not_there(plane, standing, step, row).await;
    };
    if found.ended_at.is_none() {
        if is_late(&row, now) && row.status == StepStatus::InProgress {
            queries::ask_to_stop(plane.db.writer(), region, &row.work, Stop::Cancel).await?;
            let why = format!(
                "Step {} did not end within its time; what it started is cancelled.",
                row.name
            );
            end(&mut row, StepStatus::TimedOut, &why, now);
            step_queries::put_step(plane.db.writer(), &row, was).await?;
            return Ok(true);
        }
        return Ok(false);
    }
    row.outputs.insert("ExecutionId".into(), json!(row.work));
    row.outputs.insert("Status".into(), json!(found.status));
    let told: Vec<&String> = found.outputs.values().flatten().collect();
    row.outputs.insert("Output".into(), json!(told));
    let status = match found.status.as_str() {
        _ if row.status == StepStatus::Cancelling => StepStatus::Cancelled,
        "Success" => StepStatus::Success,
        "TimedOut" => StepStatus::TimedOut,
        _ => StepStatus::Failed,
    };
    let why = if status == StepStatus::Success {
        String::new()
    } else {
        format!(
            "The execution {} ended as {}. {}",
            row.work, found.status, found.failure_message
        )
    };
    end(&mut row, status, &why, now);
    step_queries::put_step(plane.db.writer(), &row, was).await?;
    Ok(true)
}

/// Stops the step that runs.
pub(crate) async fn cancel(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    row: &StepRow,
) -> ApiResult<()> {
    let (region, now) = (&standing.execution.region, plane.clock.now());
    let was = Some(row.status);
    let mut row = row.clone();
    match step.action {
        Action::RunCommand => {
            // Cancelling twice is no fault, so it comes first.
            match cancel_command::cancel(plane, region, &row.work, None, now).await {
                Err(error) if error.code != "InvalidCommandId" => return Err(error),
                _ => row.status = StepStatus::Cancelling,
            }
        }
        Action::ExecuteAutomation => {
            queries::ask_to_stop(plane.db.writer(), region, &row.work, Stop::Cancel).await?;
            row.status = StepStatus::Cancelling;
        }
        _ => {
            plane.under_way.forget(&row.key());
            end(&mut row, StepStatus::Cancelled, "", now);
        }
    }
    step_queries::put_step(plane.db.writer(), &row, was).await?;
    Ok(())
}
