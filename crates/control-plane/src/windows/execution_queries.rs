//! SQL of what windows have done: executions, their tasks, and the tasks' invocations. Nothing else touches these tables.

use super::progress::Status;
use super::queries::{definition, to_text};
use super::task::Task;
use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

fn status(row: &AnyRow) -> ApiResult<Status> {
    let text = row.text("status")?;
    Status::parse(&text).ok_or_else(|| ApiError::internal(format!("a window has the unknown status {text}")))
}

/// One opening of a window.
#[derive(Clone, Debug)]
pub(crate) struct ExecutionRow {
    pub(crate) region: String,
    pub(crate) execution_id: String,
    pub(crate) window_id: String,
    pub(crate) status: Status,
    pub(crate) status_details: String,
    pub(crate) starts_at: Timestamp,
    pub(crate) cutoff_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

impl ExecutionRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            execution_id: row.text("execution_id")?,
            window_id: row.text("window_id")?,
            status: status(row)?,
            status_details: row.text("status_details")?,
            starts_at: row.time("starts_at")?,
            cutoff_at: row.time("cutoff_at")?,
            ended_at: row.time_or_none("ended_at")?,
        })
    }
}

/// Begins a query for executions; conditions speak of the table as `e`.
pub(crate) fn executions_sql() -> Sql {
    Sql::new("select e.* from ssm_window_executions e where ")
}

pub(crate) async fn executions(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<ExecutionRow>> {
    sql.all(on).await?.iter().map(ExecutionRow::read).collect()
}

pub(crate) async fn execution(
    on: impl AnyExecutor<'_>,
    region: &str,
    execution_id: &str,
) -> ApiResult<Option<ExecutionRow>> {
    let mut sql = executions_sql();
    sql.push("e.region = ")
        .text(region)
        .push(" and e.execution_id = ")
        .text(execution_id);
    Ok(executions(sql, on).await?.pop())
}

/// All that have not ended.
pub(crate) async fn open(on: impl AnyExecutor<'_>) -> ApiResult<Vec<ExecutionRow>> {
    let mut sql = executions_sql();
    sql.push("e.finished = 0 order by e.starts_at, e.execution_id");
    executions(sql, on).await
}

/// Whether a window is open at this moment.
pub(crate) async fn is_open(on: impl AnyExecutor<'_>, region: &str, window_id: &str) -> ApiResult<bool> {
    let mut sql = executions_sql();
    sql.push("e.finished = 0 and e.region = ").text(region);
    sql.push(" and e.window_id = ").text(window_id).push(" limit 1");
    Ok(sql.first(on).await?.is_some())
}

pub(crate) async fn insert_execution(on: impl AnyExecutor<'_>, row: &ExecutionRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_window_executions (region, execution_id, window_id, status, status_details, starts_at, \
         cutoff_at, ended_at, finished) values (",
    );
    for text in [
        row.region.as_str(),
        &row.execution_id,
        &row.window_id,
        row.status.as_str(),
        &row.status_details,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.starts_at.0)
        .push(", ")
        .int(row.cutoff_at.0)
        .push(", ");
    sql.int_or_none(row.ended_at.map(|at| at.0)).push(", ");
    sql.int(i64::from(row.status.is_final())).push(")");
    sql.run(on).await?;
    Ok(())
}

/// Changes an execution that has not ended.
pub(crate) async fn set_execution(
    on: impl AnyExecutor<'_>,
    region: &str,
    execution_id: &str,
    (status, details): (Status, &str),
    now: Timestamp,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_window_executions set status = ");
    sql.text(status.as_str())
        .push(", status_details = ")
        .text(details);
    sql.push(", ended_at = ")
        .int_or_none(status.is_final().then_some(now.0));
    sql.push(", finished = ").int(i64::from(status.is_final()));
    sql.push(" where finished = 0 and region = ").text(region);
    sql.push(" and execution_id = ").text(execution_id);
    Ok(sql.run(on).await? == 1)
}

/// A task in an execution, as it was registered when the window opened.
#[derive(Clone, Debug)]
pub(crate) struct TaskRow {
    pub(crate) execution_id: String,
    pub(crate) task_execution_id: String,
    pub(crate) task_id: String,
    pub(crate) task: Task,
    pub(crate) status: Status,
    pub(crate) status_details: String,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

impl TaskRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            execution_id: row.text("execution_id")?,
            task_execution_id: row.text("task_execution_id")?,
            task_id: row.text("task_id")?,
            task: definition(row)?,
            status: status(row)?,
            status_details: row.text("status_details")?,
            started_at: row.time_or_none("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
        })
    }
}

/// The tasks of an execution, in the order in which they run; there are few.
pub(crate) async fn tasks(on: impl AnyExecutor<'_>, execution_id: &str) -> ApiResult<Vec<TaskRow>> {
    let mut sql = Sql::new("select * from ssm_window_task_executions where execution_id = ");
    sql.text(execution_id)
        .push(" order by priority, task_execution_id");
    sql.all(on).await?.iter().map(TaskRow::read).collect()
}

pub(crate) async fn insert_task(on: impl AnyExecutor<'_>, row: &TaskRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_window_task_executions (execution_id, task_execution_id, task_id, definition, status, \
         status_details, priority) values (",
    );
    for text in [
        row.execution_id.as_str(),
        &row.task_execution_id,
        &row.task_id,
        &to_text(&row.task)?,
        row.status.as_str(),
        &row.status_details,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.task.priority).push(")");
    sql.run(on).await?;
    Ok(())
}

/// Moves a task on from the state in which it was read.
pub(crate) async fn set_task(
    on: impl AnyExecutor<'_>,
    row: &TaskRow,
    (status, details): (Status, &str),
    now: Timestamp,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_window_task_executions set status = ");
    sql.text(status.as_str())
        .push(", status_details = ")
        .text(details);
    sql.push(", started_at = coalesce(started_at, ")
        .int(now.0)
        .push(")");
    sql.push(", ended_at = ")
        .int_or_none(status.is_final().then_some(now.0));
    sql.push(" where execution_id = ")
        .text(&row.execution_id)
        .push(" and task_execution_id = ");
    sql.text(&row.task_execution_id)
        .push(" and status = ")
        .text(row.status.as_str());
    Ok(sql.run(on).await? == 1)
}

/// What one target has to do for a task.
#[derive(Clone, Debug)]
pub(crate) struct InvocationRow {
    pub(crate) execution_id: String,
    pub(crate) task_execution_id: String,
    pub(crate) invocation_id: String,
    pub(crate) position: i64,
    pub(crate) node_ids: Vec<String>,
    /// Empty until its command was written down.
    pub(crate) command_id: String,
    /// JSON: what was sent.
    pub(crate) parameters: String,
    pub(crate) owner_information: String,
    pub(crate) window_target_id: String,
    pub(crate) status: Status,
    pub(crate) status_details: String,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

impl InvocationRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            execution_id: row.text("execution_id")?,
            task_execution_id: row.text("task_execution_id")?,
            invocation_id: row.text("invocation_id")?,
            position: row.int("position")?,
            node_ids: serde_json::from_str(&row.text("node_ids")?).map_err(ApiError::internal)?,
            command_id: row.text("command_id")?,
            parameters: row.text("parameters")?,
            owner_information: row.text("owner_information")?,
            window_target_id: row.text("window_target_id")?,
            status: status(row)?,
            status_details: row.text("status_details")?,
            started_at: row.time_or_none("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
        })
    }
}

/// The invocations of all tasks of an execution, or of one task, in order.
pub(crate) async fn invocations(
    on: impl AnyExecutor<'_>,
    execution_id: &str,
    task_execution_id: Option<&str>,
) -> ApiResult<Vec<InvocationRow>> {
    let mut sql = Sql::new("select * from ssm_window_invocations where execution_id = ");
    sql.text(execution_id);
    if let Some(task) = task_execution_id {
        sql.push(" and task_execution_id = ").text(task);
    }
    sql.push(" order by task_execution_id, position");
    sql.all(on).await?.iter().map(InvocationRow::read).collect()
}

pub(crate) async fn insert_invocation(on: impl AnyExecutor<'_>, row: &InvocationRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_window_invocations (execution_id, task_execution_id, invocation_id, node_ids, command_id, \
         parameters, owner_information, window_target_id, status, status_details, position) values (",
    );
    for text in [
        row.execution_id.as_str(),
        &row.task_execution_id,
        &row.invocation_id,
        &to_text(&row.node_ids)?,
        &row.command_id,
        &row.parameters,
        &row.owner_information,
        &row.window_target_id,
        row.status.as_str(),
        &row.status_details,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.position).push(")");
    sql.run(on).await?;
    Ok(())
}

/// Moves an invocation on from the state in which `before` was read.
pub(crate) async fn set_invocation(
    on: impl AnyExecutor<'_>,
    before: &InvocationRow,
    (status, details): (Status, &str),
    now: Timestamp,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_window_invocations set status = ");
    sql.text(status.as_str())
        .push(", status_details = ")
        .text(details);
    sql.push(", ended_at = ")
        .int_or_none(status.is_final().then_some(now.0));
    only(&mut sql, before);
    Ok(sql.run(on).await? == 1)
}

/// An invocation's command was written down.
pub(crate) async fn set_started(
    on: impl AnyExecutor<'_>,
    before: &InvocationRow,
    command_id: &str,
    parameters: &str,
    now: Timestamp,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_window_invocations set status = ");
    sql.text(Status::InProgress.as_str())
        .push(", command_id = ")
        .text(command_id);
    sql.push(", parameters = ").text(parameters);
    sql.push(", started_at = ").int(now.0);
    only(&mut sql, before);
    Ok(sql.run(on).await? == 1)
}

fn only(sql: &mut Sql, before: &InvocationRow) {
    sql.push(" where execution_id = ").text(&before.execution_id);
    sql.push(" and task_execution_id = ")
        .text(&before.task_execution_id);
    sql.push(" and invocation_id = ").text(&before.invocation_id);
    sql.push(" and status = ").text(before.status.as_str());
}
