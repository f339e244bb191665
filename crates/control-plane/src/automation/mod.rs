//! Automation: runbooks that are run step by step. What a document says and which step comes next is `muster_automation`;
//! here executions are kept, steps are done, and calls are answered. One file per operation.

pub(crate) mod acting;
pub(crate) mod api_call;
pub(crate) mod describe_automation_executions;
pub(crate) mod describe_automation_step_executions;
pub(crate) mod fan_out;
pub(crate) mod get_automation_execution;
pub(crate) mod get_execution_preview;
pub(crate) mod looping;
pub(crate) mod preview_queries;
pub(crate) mod property;
pub(crate) mod queries;
pub(crate) mod retrying;
pub(crate) mod rounds;
pub(crate) mod script;
pub(crate) mod send_automation_signal;
pub(crate) mod shown;
pub(crate) mod start_automation_execution;
pub(crate) mod start_execution_preview;
pub(crate) mod starting;
pub(crate) mod step_queries;
pub(crate) mod stepwise;
pub(crate) mod stop_automation_execution;
pub(crate) mod target_queries;
pub(crate) mod targets;
pub(crate) mod under_way;
pub(crate) mod values;
pub(crate) mod watching;
pub(crate) mod webhook;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Shape, list, text};
use queries::ExecutionRow;

pub(crate) const EXECUTION_ID: Shape = text(36, 36);
/// Values of parameters, as they are sent.
pub(crate) const PARAMETERS: Shape = Shape::Map(&PARAMETER_VALUES);
const PARAMETER_VALUES: Shape = list(0, 50, &PARAMETER_VALUE);
const PARAMETER_VALUE: Shape = text(1, 512);

/// The word in `resource_type` for tags of executions.
pub(crate) const TAGS: &str = "Automation";
/// What one execution is run over at most.
pub(crate) const MOST_TARGETS: usize = 5_000;
/// Executions that run at once; more wait.
pub(crate) const AT_ONCE: usize = 100;
/// Executions that run or wait at most.
pub(crate) const MOST_OPEN: i64 = 1_100;

/// The execution that is meant.
pub(crate) async fn find(plane: &ControlPlane, call: &Call, id: &str) -> ApiResult<ExecutionRow> {
    queries::execution(plane.db.reader(), &call.region, id)
        .await?
        .ok_or_else(|| {
            ApiError::new(
                "AutomationExecutionNotFoundException",
                format!("There is no automation execution {id}."),
            )
        })
}
