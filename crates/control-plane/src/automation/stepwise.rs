//! Executions that are run step by step: each step waits until somebody wants it begun.

use super::queries::{self, ExecutionRow};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use muster_automation::{Document, Step, Stop};

fn step(document: &Document, at: usize) -> Option<&Step> {
    document.steps.get(at)
}

/// Whether a step waits for somebody. What cleans up after a cancellation does not.
pub(crate) fn is_held(execution: &ExecutionRow, document: &Document, at: usize) -> bool {
    let name = step(document, at).map_or("", |step| step.name.as_str());
    execution.mode == "Interactive" && execution.stop == Stop::No && execution.permitted != name
}

/// Says which step waits.
pub(crate) async fn hold(
    plane: &ControlPlane,
    mut execution: ExecutionRow,
    document: &Document,
    at: usize,
) -> ApiResult<()> {
    let Some(step) = step(document, at) else {
        return Ok(());
    };
    if execution.status == "Waiting" && execution.current_step == step.name {
        return Ok(());
    }
    execution.status = "Waiting".into();
    execution.current_step.clone_from(&step.name);
    step.action.name().clone_into(&mut execution.current_action);
    queries::set(plane.db.writer(), &execution).await?;
    Ok(())
}
