//! SQL of executions of runbooks and of their steps. Nothing else touches these tables.

use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use muster_automation::{StepStatus, Stop};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// An execution.
#[derive(Clone, Debug)]
pub(crate) struct ExecutionRow {
    pub(crate) region: String,
    pub(crate) execution_id: String,
    pub(crate) document: String,
    pub(crate) document_version: String,
    /// The document as it was when it was started.
    pub(crate) content: Value,
    pub(crate) parameters: Given,
    pub(crate) variables: Map<String, Value>,
    pub(crate) status: String,
    pub(crate) failure_message: String,
    pub(crate) stop: Stop,
    pub(crate) executed_by: String,
    pub(crate) parent_id: String,
    pub(crate) outputs: Given,
    /// The step that was begun last.
    pub(crate) current_step: String,
    pub(crate) current_action: String,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// A step that was begun.
#[derive(Clone, Debug)]
pub(crate) struct StepRow {
    pub(crate) execution_id: String,
    /// The how-many-eth it was.
    pub(crate) position: i64,
    /// Its place in the document.
    pub(crate) step: i64,
    pub(crate) name: String,
    pub(crate) action: String,
    pub(crate) step_execution_id: String,
    pub(crate) attempts: i64,
    pub(crate) status: StepStatus,
    /// With references replaced.
    pub(crate) inputs: Value,
    pub(crate) outputs: Map<String, Value>,
    pub(crate) response_code: String,
    pub(crate) failure_message: String,
    pub(crate) chosen: String,
    /// What it waits for: a command, another execution, decisions.
    pub(crate) work: String,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// When its time is up, or its waiting over.
    pub(crate) due_at: Option<Timestamp>,
    /// When it is looked at again.
    pub(crate) poll_at: Option<Timestamp>,
}

fn json<T: DeserializeOwned>(row: &AnyRow, name: &str) -> ApiResult<T> {
    serde_json::from_str(&row.text(name)?).map_err(ApiError::internal)
}

fn text(value: &impl Serialize) -> ApiResult<String> {
    serde_json::to_string(value).map_err(ApiError::internal)
}

fn stop_text(stop: Stop) -> &'static str {
    match stop {
        Stop::No => "",
        Stop::Complete => "Complete",
        Stop::Cancel => "Cancel",
    }
}

impl ExecutionRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            execution_id: row.text("execution_id")?,
            document: row.text("document")?,
            document_version: row.text("document_version")?,
            content: json(row, "content")?,
            parameters: json(row, "parameters")?,
            variables: json(row, "variables")?,
            status: row.text("status")?,
            failure_message: row.text("failure_message")?,
            stop: match row.text("stop")?.as_str() {
                "Complete" => Stop::Complete,
                "Cancel" => Stop::Cancel,
                _ => Stop::No,
            },
            executed_by: row.text("executed_by")?,
            parent_id: row.text("parent_id")?,
            outputs: json(row, "outputs")?,
            current_step: row.text("current_step")?,
            current_action: row.text("current_action")?,
            started_at: row.time("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
        })
    }
}

impl StepRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        let status = row.text("status")?;
        Ok(Self {
            execution_id: row.text("execution_id")?,
            position: row.int("position")?,
            step: row.int("step")?,
            name: row.text("name")?,
            action: row.text("action")?,
            step_execution_id: row.text("step_execution_id")?,
            attempts: row.int("attempts")?,
            status: StepStatus::parse(&status)
                .ok_or_else(|| ApiError::internal(format!("no step has the status {status}")))?,
            inputs: json(row, "inputs")?,
            outputs: json(row, "outputs")?,
            response_code: row.text("response_code")?,
            failure_message: row.text("failure_message")?,
            chosen: row.text("chosen")?,
            work: row.text("work")?,
            started_at: row.time("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
            due_at: row.time_or_none("due_at")?,
            poll_at: row.time_or_none("poll_at")?,
        })
    }
}

/// Begins a query for executions of a region; conditions speak of the table as `e`.
pub(crate) fn executions_sql(region: &str) -> Sql {
    let mut sql = Sql::new("select e.* from ssm_automation_executions e where e.region = ");
    sql.text(region);
    sql
}

pub(crate) async fn executions(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<ExecutionRow>> {
    sql.all(on).await?.iter().map(ExecutionRow::read).collect()
}

pub(crate) async fn execution(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<ExecutionRow>> {
    let mut sql = executions_sql(region);
    sql.push(" and e.execution_id = ").text(id);
    Ok(executions(sql, on).await?.pop())
}

/// One that has not ended, without all that it holds.
#[derive(Clone, Debug)]
pub(crate) struct OpenRow {
    pub(crate) region: String,
    pub(crate) execution_id: String,
    /// Whether another one has started it.
    pub(crate) is_child: bool,
    /// Whether somebody asked it to stop.
    pub(crate) is_to_stop: bool,
}

/// All that have not ended, the oldest first.
pub(crate) async fn open(on: impl AnyExecutor<'_>) -> ApiResult<Vec<OpenRow>> {
    let sql = Sql::new(
        "select e.region, e.execution_id, e.parent_id, e.stop from ssm_automation_executions e where e.ended_at is null \
         order by e.started_at, e.execution_id",
    );
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenRow {
                region: row.text("region")?,
                execution_id: row.text("execution_id")?,
                is_child: !row.text("parent_id")?.is_empty(),
                is_to_stop: !row.text("stop")?.is_empty(),
            })
        })
        .collect()
}

/// How many have not ended.
pub(crate) async fn count_open(on: impl AnyExecutor<'_>) -> ApiResult<i64> {
    let sql = Sql::new("select count(*) as n from ssm_automation_executions where ended_at is null");
    Ok(sql
        .first(on)
        .await?
        .map(|row| row.int("n"))
        .transpose()?
        .unwrap_or_default())
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &ExecutionRow) -> ApiResult<()> {
    let (content, parameters) = (text(&row.content)?, text(&row.parameters)?);
    let (variables, outputs) = (text(&row.variables)?, text(&row.outputs)?);
    let mut sql = Sql::new(
        "insert into ssm_automation_executions (region, execution_id, document, document_version, content, parameters, \
         variables, status, failure_message, stop, executed_by, parent_id, outputs, current_step, current_action, \
         started_at) values (",
    );
    for value in [
        row.region.as_str(),
        &row.execution_id,
        &row.document,
        &row.document_version,
        &content,
        &parameters,
        &variables,
        &row.status,
        &row.failure_message,
        stop_text(row.stop),
        &row.executed_by,
        &row.parent_id,
        &outputs,
        &row.current_step,
        &row.current_action,
    ] {
        sql.text(value).push(", ");
    }
    sql.int(row.started_at.0).push(")");
    sql.run(on).await?;
    Ok(())
}

/// Writes how an execution stands, unless it has ended or was asked to stop since it was read. `false` when it was.
pub(crate) async fn set(on: impl AnyExecutor<'_>, row: &ExecutionRow) -> ApiResult<bool> {
    let (variables, outputs) = (text(&row.variables)?, text(&row.outputs)?);
    let mut sql = Sql::new("update ssm_automation_executions set status = ");
    sql.text(&row.status);
    for (name, value) in [
        (", failure_message = ", row.failure_message.as_str()),
        (", variables = ", &variables),
        (", outputs = ", &outputs),
        (", current_step = ", &row.current_step),
        (", current_action = ", &row.current_action),
    ] {
        sql.push(name).text(value);
    }
    sql.push(", ended_at = ").int_or_none(row.ended_at.map(|at| at.0));
    sql.push(" where region = ").text(&row.region);
    sql.push(" and execution_id = ").text(&row.execution_id);
    sql.push(" and ended_at is null and stop = ")
        .text(stop_text(row.stop));
    Ok(sql.run(on).await? == 1)
}

/// Asks an execution to stop. `false` when it has ended.
pub(crate) async fn ask_to_stop(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
    stop: Stop,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_automation_executions set stop = ");
    sql.text(stop_text(stop));
    if stop == Stop::Cancel {
        sql.push(", status = 'Cancelling'");
    }
    sql.push(" where region = ").text(region);
    sql.push(" and execution_id = ").text(id);
    sql.push(" and ended_at is null");
    Ok(sql.run(on).await? == 1)
}

/// The steps of an execution, in the order in which they were begun.
pub(crate) async fn steps(on: impl AnyExecutor<'_>, execution_id: &str) -> ApiResult<Vec<StepRow>> {
    let mut sql = Sql::new("select * from ssm_automation_steps where execution_id = ");
    sql.text(execution_id).push(" order by position");
    sql.all(on).await?.iter().map(StepRow::read).collect()
}

/// Keeps a step that is new, or how one stands now that stood as `was`. `false` when somebody else has changed it since.
pub(crate) async fn put_step(
    on: impl AnyExecutor<'_>,
    row: &StepRow,
    was: Option<StepStatus>,
) -> ApiResult<bool> {
    let (inputs, outputs) = (text(&row.inputs)?, text(&row.outputs)?);
    let mut sql = Sql::new(
        "insert into ssm_automation_steps (execution_id, name, action, step_execution_id, status, inputs, outputs, \
         response_code, failure_message, chosen, work, position, step, attempts, started_at, ended_at, due_at, poll_at) \
         values (",
    );
    for value in [
        row.execution_id.as_str(),
        &row.name,
        &row.action,
        &row.step_execution_id,
        row.status.as_str(),
        &inputs,
        &outputs,
        &row.response_code,
        &row.failure_message,
        &row.chosen,
        &row.work,
    ] {
        sql.text(value).push(", ");
    }
    for value in [row.position, row.step, row.attempts, row.started_at.0] {
        sql.int(value).push(", ");
    }
    sql.int_or_none(row.ended_at.map(|at| at.0)).push(", ");
    sql.int_or_none(row.due_at.map(|at| at.0)).push(", ");
    sql.int_or_none(row.poll_at.map(|at| at.0)).push(")");
    let Some(was) = was else {
        sql.push(" on conflict do nothing");
        return Ok(sql.run(on).await? == 1);
    };
    sql.push(
        " on conflict (execution_id, position) do update set status = excluded.status, inputs = excluded.inputs, \
         outputs = excluded.outputs, response_code = excluded.response_code, failure_message = excluded.failure_message, \
         chosen = excluded.chosen, work = excluded.work, attempts = excluded.attempts, started_at = excluded.started_at, \
         ended_at = excluded.ended_at, due_at = excluded.due_at, poll_at = excluded.poll_at \
         where ssm_automation_steps.status = ",
    );
    sql.text(was.as_str());
    Ok(sql.run(on).await? == 1)
}

/// Keeps others from changing an execution until the transaction ends. `false` when it has ended.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, row: &ExecutionRow) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_automation_executions set started_at = started_at where region = ");
    sql.text(&row.region);
    sql.push(" and execution_id = ").text(&row.execution_id);
    sql.push(" and ended_at is null");
    Ok(sql.run(on).await? == 1)
}
