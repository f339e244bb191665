//! Steps that look at a property of something: once, or until it is as wanted.

use super::acting::{Standing, code, end};
use super::api_call::{self, ApiCall};
use super::step_queries::{self, StepRow};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use muster_automation::{Action, Step, StepStatus};

/// How long a property is waited for, unless told otherwise, and how often it is looked at.
pub(crate) const PROPERTY_MS: i64 = 3_600_000;
const LOOK_AGAIN_MS: i64 = 2_000;
/// Inputs of these steps that are not the call's.
pub(crate) const PROPERTY: &[&str] = &["PropertySelector", "DesiredValues"];

/// Looks at a property; one that is waited for is looked at again.
pub(crate) async fn look(
    plane: &ControlPlane,
    standing: &Standing<'_>,
    step: &Step,
    mut row: StepRow,
) -> ApiResult<()> {
    let execution = standing.execution;
    let answer = match ApiCall::read(&row.inputs, PROPERTY) {
        Ok(call) => call.make(plane, &execution.region, &execution.execution_id).await,
        Err(why) => Err(ApiError::validation(why)),
    };
    let now = plane.clock.now();
    let seen = match answer {
        Ok(answer) => api_call::is_as_wanted(&row.inputs, &answer)
            .and_then(|seen| Ok((seen, api_call::outputs(&step.outputs, &answer)?))),
        Err(error) if error.status < 500 => Err(code(&error)),
        Err(error) => return Err(error),
    };
    match seen {
        Ok(((true, _), outputs)) => {
            row.outputs = outputs;
            end(&mut row, StepStatus::Success, "", now);
        }
        Ok(((false, found), _)) if step.action == Action::AssertProperty => {
            let why = format!("The property is {found}, which is not among the desired values.");
            end(&mut row, StepStatus::Failed, &why, now);
        }
        Ok(_) => row.poll_at = Some(now.plus_ms(LOOK_AGAIN_MS)),
        Err(why) => end(&mut row, StepStatus::Failed, &why, now),
    }
    step_queries::put_step(plane.db.writer(), &row, Some(StepStatus::InProgress)).await?;
    Ok(())
}
