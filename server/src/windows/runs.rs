//! The calls to Systems Manager that say how a window went.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::runbooks::ssm::stamp;
use crate::windows::ssm::{PAGE, owned};
use muster_domain::windows::{WindowInvocation, WindowRun, WindowTaskExecution};

/// Executions of a window that are shown.
const SHOWN_RUNS: i32 = 20;

/// How a window went, the newest first.
///
/// # Errors
/// [`CallError`].
pub async fn runs(ssm: &Ssm, id: &str) -> Result<Vec<WindowRun>, CallError> {
    let request = ssm
        .client
        .describe_maintenance_window_executions()
        .window_id(id)
        .max_results(SHOWN_RUNS);
    let answer = ssm
        .call("DescribeMaintenanceWindowExecutions", request.send())
        .await?;
    let mut runs: Vec<WindowRun> = answer
        .window_executions()
        .iter()
        .map(|one| WindowRun {
            id: owned(one.window_execution_id()),
            status: owned(one.status().map(|status| status.as_str())),
            details: owned(one.status_details()),
            at: stamp(one.start_time()),
            ended_at: stamp(one.end_time()),
        })
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.at));
    Ok(runs)
}

async fn invocations(ssm: &Ssm, run: &str, task: &str) -> Result<Vec<WindowInvocation>, CallError> {
    let request = ssm
        .client
        .describe_maintenance_window_execution_task_invocations()
        .window_execution_id(run)
        .task_id(task)
        .max_results(PAGE);
    let answer = ssm
        .call(
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            request.send(),
        )
        .await?;
    let found = answer.window_execution_task_invocation_identities();
    Ok(found
        .iter()
        .map(|one| WindowInvocation {
            status: owned(one.status().map(|status| status.as_str())),
            details: owned(one.status_details()),
            at: stamp(one.start_time()),
            ended_at: stamp(one.end_time()),
            target: owned(one.window_target_id()),
            execution: owned(one.execution_id()),
            href: None,
            node: None,
        })
        .collect())
}

/// The tasks of one execution, each with what was done for it.
///
/// # Errors
/// [`CallError`].
pub async fn run_tasks(ssm: &Ssm, run: &str) -> Result<Vec<WindowTaskExecution>, CallError> {
    let request = ssm
        .client
        .describe_maintenance_window_execution_tasks()
        .window_execution_id(run)
        .max_results(PAGE);
    let answer = ssm
        .call("DescribeMaintenanceWindowExecutionTasks", request.send())
        .await?;
    let mut tasks = Vec::new();
    for one in answer.window_execution_task_identities() {
        let invocations = match one.task_execution_id() {
            Some(task) => invocations(ssm, run, task).await?,
            None => Vec::new(),
        };
        tasks.push(WindowTaskExecution {
            document: owned(one.task_arn()),
            kind: owned(one.task_type().map(|kind| kind.as_str())),
            status: owned(one.status().map(|status| status.as_str())),
            details: owned(one.status_details()),
            at: stamp(one.start_time()),
            ended_at: stamp(one.end_time()),
            invocations,
        });
    }
    tasks.sort_by_key(|task| task.at);
    Ok(tasks)
}
