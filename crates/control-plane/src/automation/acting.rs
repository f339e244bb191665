//! Beginning a step: its inputs are read with what is known by now, and it is written down before anything happens.

use super::api_call::{self, ApiCall};
use super::property::{PROPERTY, PROPERTY_MS, look};
use super::queries::{self, ExecutionRow};
use super::script::{self, Script};
use super::starting::{send, start_child};
use super::step_queries::{self, StepRow};
use super::values::{self, duration_ms};
use super::webhook::Webhook;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Declared;
use crate::errors::{ApiError, ApiResult};
use muster_automation::{
    Action, Document, Iterations, Step, StepStatus, Stop, Within, chosen, resolve, texts_of,
};
use muster_domain::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The longest sleep (the guide's `aws:sleep`).
const LONGEST_SLEEP_MS: i64 = 604_799_000;
/// How long somebody may take to approve, unless told otherwise, and at most (`aws:approve`).
const APPROVAL_MS: i64 = 7 * 86_400_000;
const LONGEST_APPROVAL_MS: i64 = 30 * 86_400_000;
/// Of all variables of an execution together, as JSON.
const MOST_VARIABLES: usize = 256 * 1024;
/// Answers that are told whole.
const MOST_PAYLOAD: usize = 16 * 1024;

/// An execution as it stands.
pub(crate) struct Standing<'a> {
    pub(crate) execution: &'a ExecutionRow,
    pub(crate) document: &'a Document,
    pub(crate) declared: &'a Declared,
    pub(crate) steps: &'a [StepRow],
}

impl Standing<'_> {
    /// With its references replaced by what is known by now.
    pub(crate) fn resolved(&self, plane: &ControlPlane, value: &Value) -> Result<Value, String> {
        resolve(value, &|reference| {
            values::lookup(plane, self.execution, self.declared, self.steps, reference)
        })
    }
}

/// Ends a step.
pub(crate) fn end(row: &mut StepRow, status: StepStatus, message: &str, now: Timestamp) {
    row.status = status;
    // PostgreSQL keeps no text with a zero character in it.
    row.failure_message = message.replace('\0', "\u{fffd}");
    row.ended_at = Some(now);
    row.poll_at = None;
}

pub(crate) fn code(error: &ApiError) -> String {
    format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default())
}

/// A step that was begun, as it was written down with its execution.
pub(crate) struct Begun {
    pub(crate) execution: ExecutionRow,
    pub(crate) row: StepRow,
    /// Whether it does something, by which it may have changed since.
    pub(crate) is_acting: bool,
}

/// Begins a step, or its next attempt; nothing when somebody asked the execution to stop meanwhile, so that it is decided
/// anew.
pub(crate) async fn begin(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    (at, within): (usize, Option<Within>),
    attempt: i64,
) -> ApiResult<Option<Begun>> {
    let Some(step) = standing.document.steps.get(at) else {
        return Err(ApiError::internal(
            "a step that is not in the document is to be begun",
        ));
    };
    let now = plane.clock.now();
    let last = standing.steps.last();
    let (position, id) = match last {
        Some(last) if attempt > 1 => (last.position, last.step_execution_id.clone()),
        _ => (last.map_or(0, |last| last.position + 1), plane.random.uuid()),
    };
    let mut resolved = standing.resolved(plane, &step.followed());
    if let (Ok(Value::Object(inputs)), Some(script)) = (&mut resolved, step.script()) {
        inputs.insert("Script".into(), script.clone());
    }
    let timeout = step
        .timeout_seconds
        .and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1_000));
    // What is within a loop has no more time than the loop.
    let parent = within.and_then(|within| standing.steps.get(within.at));
    let due_at = [
        timeout.map(|ms| now.plus_ms(ms)),
        parent.and_then(|row| row.due_at),
    ];
    let mut row = StepRow {
        execution_id: standing.execution.execution_id.clone(),
        position,
        step: i64::try_from(at).unwrap_or(i64::MAX),
        parent_position: parent.map(|row| row.position),
        parent_iteration: within.map_or(0, |within| i64::try_from(within.iteration).unwrap_or(i64::MAX)),
        name: step.name.clone(),
        action: step.action.name().to_owned(),
        step_execution_id: id,
        attempts: attempt,
        status: StepStatus::InProgress,
        inputs: resolved
            .clone()
            .unwrap_or_else(|_| Value::Object(step.inputs.clone())),
        outputs: Map::new(),
        response_code: String::new(),
        failure_message: String::new(),
        chosen: String::new(),
        work: String::new(),
        started_at: now,
        ended_at: None,
        due_at: due_at.into_iter().flatten().min(),
        poll_at: None,
        retried: false,
    };
    let mut execution = standing.execution.clone();
    execution.current_step.clone_from(&row.name);
    execution.current_action.clone_from(&row.action);
    execution.permitted.clear();
    let is_cancelled = execution.stop == Stop::Cancel;
    execution.status = if is_cancelled { "Cancelling" } else { "InProgress" }.into();
    let prepared = match resolved {
        Ok(inputs) => prepare(plane, step, &inputs, &mut row, &mut execution, now),
        Err(why) => Err(why),
    };
    let is_acting =
        prepared.is_ok() && row.status == StepStatus::InProgress && row.due_at.is_none_or(|at| at > now);
    if let Err(why) = prepared {
        end(
            &mut row,
            StepStatus::Failed,
            &format!("Step {}: {why}.", step.name),
            now,
        );
    }
    if row.status == StepStatus::Waiting && !is_cancelled {
        execution.status = "Waiting".into();
    }
    let was = last.filter(|_| attempt > 1).map(|last| last.status);
    // Before others see that it runs: one who stops it then stops it here too, also before it has begun.
    let is_beside = is_acting && matches!(step.action, Action::ExecuteScript | Action::InvokeWebhook);
    if is_beside {
        plane.under_way.announce(row.key());
    }
    let written = write(plane, &execution, &row, was).await;
    if is_beside && !matches!(written, Ok(true)) {
        plane.under_way.forget(&row.key());
    }
    if !written? {
        return Ok(None);
    }
    if is_acting {
        act(plane, standing, step, row.clone()).await?;
    }
    Ok(Some(Begun {
        execution,
        row,
        is_acting,
    }))
}

/// Writes a step down with its execution. `false` when somebody asked it to stop meanwhile.
async fn write(
    plane: &ControlPlane,
    execution: &ExecutionRow,
    row: &StepRow,
    was: Option<StepStatus>,
) -> ApiResult<bool> {
    let mut transaction = plane.db.begin().await?;
    if !queries::set(&mut *transaction, execution).await?
        || !step_queries::put_step(&mut *transaction, row, was).await?
    {
        return Ok(false);
    }
    transaction.commit().await?;
    Ok(true)
}

/// Decides what a step will be; what needs nobody else is done.
fn prepare(
    plane: &ControlPlane,
    step: &Step,
    inputs: &Value,
    row: &mut StepRow,
    execution: &mut ExecutionRow,
    now: Timestamp,
) -> Result<(), String> {
    match step.action {
        Action::Sleep => {
            let ms = match (
                values::text(inputs, "Duration"),
                values::text(inputs, "Timestamp"),
            ) {
                (Some(text), None) => duration_ms(&text)
                    .ok_or_else(|| format!("its input Duration is {text:?}; write it like PT10M"))?,
                (None, Some(text)) => {
                    let at = Timestamp::parse(&text).ok_or_else(|| {
                        format!("its input Timestamp is {text:?}; write it like 2030-01-01T01:00:00Z")
                    })?;
                    at.since_ms(now).max(0)
                }
                _ => return Err("it needs one of the inputs Duration and Timestamp".to_owned()),
            };
            if ms > LONGEST_SLEEP_MS {
                return Err("it may sleep for 604799 seconds at most".to_owned());
            }
            row.poll_at = Some(now.plus_ms(ms));
        }
        Action::Pause => row.status = StepStatus::Waiting,
        Action::Approve => {
            let approvers = inputs.get("Approvers").map(texts_of).unwrap_or_default();
            if approvers.is_empty() || approvers.len() > 10 {
                return Err("its input Approvers has to name 1 to 10 of them".to_owned());
            }
            let known = known_approvers(&approvers);
            let needed = values::text(inputs, "MinRequiredApprovals").unwrap_or_else(|| "1".to_owned());
            let needed: usize = needed.trim().parse().unwrap_or_default();
            if needed == 0 || needed > known {
                return Err(format!(
                    "its input MinRequiredApprovals has to be 1 or more, and {known} of its Approvers are known here \
                     (user/operator and user/portal)"
                ));
            }
            let limit = row.due_at.map_or(APPROVAL_MS, |at| at.since_ms(now));
            row.due_at = Some(now.plus_ms(limit.min(LONGEST_APPROVAL_MS)));
            row.status = StepStatus::Waiting;
            row.work = "[]".into();
        }
        Action::Branch => {
            row.chosen = chosen(inputs)?.unwrap_or_default();
            end(row, StepStatus::Success, "", now);
        }
        Action::UpdateVariable => {
            let name = values::text(inputs, "Name").unwrap_or_default();
            let name = name.strip_prefix("variable:").unwrap_or(&name).to_owned();
            if !execution.variables.contains_key(&name) {
                return Err(format!("there is no variable {name:?}"));
            }
            let value = inputs.get("Value").cloned().ok_or("it needs the input Value")?;
            execution.variables.insert(name, value);
            let bytes = Value::Object(execution.variables.clone()).to_string().len();
            if bytes > MOST_VARIABLES {
                return Err(format!(
                    "the variables would be {bytes} bytes together, and {MOST_VARIABLES} are the most"
                ));
            }
            end(row, StepStatus::Success, "", now);
        }
        Action::ExecuteAutomation => {
            let known = [
                "DocumentName",
                "DocumentVersion",
                "RuntimeParameters",
                "TargetParameterName",
                "Targets",
                "TargetMaps",
                "MaxConcurrency",
                "MaxErrors",
            ];
            let other = inputs.as_object().into_iter().flatten().find(|(name, value)| {
                !known.contains(&name.as_str()) && !value.is_null() && **value != json!([])
            });
            if let Some((name, _)) = other {
                return Err(format!(
                    "its input {name} is not known; there are {}",
                    known.join(", ")
                ));
            }
            row.work = plane.random.uuid();
        }
        Action::RunCommand => row.work = plane.random.uuid(),
        Action::Loop => {
            Iterations::read(inputs)?;
            row.work = "0".into();
        }
        Action::ExecuteAwsApi => {
            ApiCall::read(inputs, &[])?;
        }
        Action::ExecuteScript => {
            Script::read(inputs)?;
            let longest = now.plus_ms(script::LONGEST_MS);
            row.due_at = Some(row.due_at.map_or(longest, |at| at.min(longest)));
        }
        Action::InvokeWebhook => {
            Webhook::read(inputs)?;
        }
        Action::WaitForProperty | Action::AssertProperty => {
            let call = ApiCall::read(inputs, PROPERTY)?;
            if !call.only_reads() {
                return Err("it looks at something; this call would change it".to_owned());
            }
            if step.action == Action::WaitForProperty {
                row.due_at = row.due_at.or(Some(now.plus_ms(PROPERTY_MS)));
            }
        }
        Action::Other(name) => {
            return Err(format!("{name} is about services that are not here"));
        }
    }
    Ok(())
}

/// Does what was written down. Also after a stop in between: everything but a call that changes something is done anew
/// under the id that was written down, and so done once.
pub(crate) async fn act(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    mut row: StepRow,
) -> ApiResult<()> {
    let region = &standing.execution.region;
    let done = match step.action {
        Action::RunCommand => send(plane, standing.execution, &row).await,
        Action::ExecuteAutomation => start_child(plane, standing.execution, &row).await,
        Action::ExecuteAwsApi => {
            let reason = standing.execution.execution_id.clone();
            let made = match ApiCall::read(&row.inputs, &[]) {
                Ok(call) => call.make(plane, region, &reason).await,
                Err(why) => Err(ApiError::validation(why)),
            };
            match made {
                Ok(answer) => {
                    let text = answer.to_string();
                    match api_call::outputs(&step.outputs, &answer) {
                        Ok(outputs) => {
                            row.outputs = outputs;
                            if text.len() <= MOST_PAYLOAD {
                                row.outputs.insert("OutputPayload".into(), Value::String(text));
                            }
                            end(&mut row, StepStatus::Success, "", plane.clock.now());
                        }
                        Err(why) => end(&mut row, StepStatus::Failed, &why, plane.clock.now()),
                    }
                    step_queries::put_step(plane.db.writer(), &row, Some(StepStatus::InProgress)).await?;
                    return Ok(());
                }
                // Whether a call that changes something was done is not known: it is not made again.
                Err(error) if error.status >= 500 && !only_reads(&row) => {
                    row.attempts = row.attempts.max(i64::from(step.max_attempts));
                    Err(ApiError { status: 400, ..error })
                }
                Err(error) => Err(error),
            }
        }
        Action::AssertProperty => return look(plane, standing, step, row).await,
        Action::ExecuteScript => {
            let script = Script::read(&row.inputs).map_err(|why| {
                plane.under_way.forget(&row.key());
                ApiError::validation(why)
            })?;
            let work = script.run(plane, standing, step, row.due_at);
            plane.under_way.begin(row.key(), Arc::clone(&plane.wake), work);
            return Ok(());
        }
        Action::InvokeWebhook => {
            let webhook = Webhook::read(&row.inputs).map_err(|why| {
                plane.under_way.forget(&row.key());
                ApiError::validation(why)
            })?;
            match webhook.prepared(plane, region, &row.execution_id).await {
                Ok(work) => {
                    plane.under_way.begin(row.key(), Arc::clone(&plane.wake), work);
                    Ok(())
                }
                // It was not called, and that is known: whether it is tried again is the step's to say.
                Err(error) => {
                    plane.under_way.forget(&row.key());
                    Err(ApiError { status: 400, ..error })
                }
            }
        }
        _ => return Ok(()),
    };
    match done {
        Ok(()) => Ok(()),
        // What is wrong with it stays wrong; what is only too much at the moment does not.
        Err(error) if error.status < 500 && !(is_passing(&error) && is_begun_anew(step.action)) => {
            end(&mut row, StepStatus::Failed, &code(&error), plane.clock.now());
            step_queries::put_step(plane.db.writer(), &row, Some(StepStatus::InProgress)).await?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Whether a step of that kind begins something under an id of its own, and so may begin it at any time.
fn is_begun_anew(action: Action) -> bool {
    matches!(action, Action::RunCommand | Action::ExecuteAutomation)
}

/// Whether it is worth trying again.
fn is_passing(error: &ApiError) -> bool {
    matches!(
        error.code,
        "LimitExceeded"
            | "TooManyUpdates"
            | "ThrottlingException"
            | "AutomationExecutionLimitExceededException"
    )
}

/// Whether a step's call changes nothing.
pub(crate) fn only_reads(row: &StepRow) -> bool {
    ApiCall::read(&row.inputs, &[]).is_ok_and(|call| call.only_reads())
}

/// How many of these are somebody here: whoever holds the operator's key, and the portal.
fn known_approvers(approvers: &[String]) -> usize {
    ["operator", "portal"]
        .into_iter()
        .filter(|name| approvers.iter().any(|approver| is_approver(approver, name)))
        .count()
}

/// Whether an entry of `Approvers` means that user: by ARN or by name.
pub(crate) fn is_approver(entry: &str, user: &str) -> bool {
    entry == user || entry.ends_with(&format!(":user/{user}"))
}
