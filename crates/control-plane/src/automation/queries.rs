//! SQL of executions of runbooks. Nothing else touches their table.

use super::targets::Plan;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use muster_automation::Stop;
use muster_domain::Timestamp;
use muster_store::{Db, RowExt, Sql};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

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
    /// `Auto` or `Interactive`.
    pub(crate) mode: String,
    /// The step that somebody wants to be begun, where it is run step by step.
    pub(crate) permitted: String,
    /// What it is run over; then each target is an execution of its own.
    pub(crate) plan: Option<Plan>,
    /// The target that it is for.
    pub(crate) target: String,
    pub(crate) target_group: String,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

pub(super) fn json<T: DeserializeOwned>(row: &AnyRow, name: &str) -> ApiResult<T> {
    serde_json::from_str(&row.text(name)?).map_err(ApiError::internal)
}

pub(super) fn text(value: &impl Serialize) -> ApiResult<String> {
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
            mode: row.text("mode")?,
            permitted: row.text("permitted")?,
            plan: match row.text("targets")?.as_str() {
                "" => None,
                _ => json(row, "targets")?,
            },
            target: row.text("target")?,
            target_group: row.text("target_group")?,
            started_at: row.time("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
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
    let targets = row.plan.as_ref().map(text).transpose()?.unwrap_or_default();
    let mut sql = Sql::new(
        "insert into ssm_automation_executions (region, execution_id, document, document_version, content, parameters, \
         variables, status, failure_message, stop, executed_by, parent_id, outputs, current_step, current_action, \
         mode, permitted, targets, target, target_group, ended_at, started_at) values (",
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
        &row.mode,
        &row.permitted,
        &targets,
        &row.target,
        &row.target_group,
    ] {
        sql.text(value).push(", ");
    }
    sql.int_or_none(row.ended_at.map(|at| at.0)).push(", ");
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
        (", permitted = ", &row.permitted),
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

/// What has become of the executions that another one has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Children {
    pub(crate) open: i64,
    pub(crate) ended: i64,
    /// Those that failed or took too long.
    pub(crate) errors: i64,
    pub(crate) cancelled: i64,
}

pub(crate) async fn children(db: &Db, parent_id: &str) -> ApiResult<Children> {
    let mut sql =
        Sql::new("select e.status, count(*) as n from ssm_automation_executions e where e.parent_id = ");
    sql.text(parent_id).push(" group by e.status");
    let mut found = Children::default();
    let rows = sql.all(db.reader()).await?;
    for row in &rows {
        let count = row.int("n")?;
        match row.text("status")?.as_str() {
            "Success" => found.ended += count,
            "Cancelled" => {
                found.ended += count;
                found.cancelled += count;
            }
            "Failed" | "TimedOut" => {
                found.ended += count;
                found.errors += count;
            }
            _ => found.open += count,
        }
    }
    Ok(found)
}

/// Asks all that an execution has started to stop.
pub(crate) async fn ask_children_to_stop(
    on: impl AnyExecutor<'_>,
    parent_id: &str,
    stop: Stop,
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_automation_executions set stop = ");
    sql.text(stop_text(stop));
    if stop == Stop::Cancel {
        sql.push(", status = 'Cancelling'");
    }
    sql.push(" where parent_id = ").text(parent_id);
    sql.push(" and ended_at is null and stop <> 'Cancel' and stop <> ")
        .text(stop_text(stop));
    sql.run(on).await?;
    Ok(())
}

/// Lets a step be begun. `false` when the execution has ended.
pub(crate) async fn permit(on: impl AnyExecutor<'_>, row: &ExecutionRow, step: &str) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_automation_executions set permitted = ");
    sql.text(step).push(" where region = ").text(&row.region);
    sql.push(" and execution_id = ").text(&row.execution_id);
    sql.push(" and ended_at is null");
    Ok(sql.run(on).await? == 1)
}

/// Those that ended before a moment, the oldest first.
pub(crate) async fn ended_before(
    on: impl AnyExecutor<'_>,
    before: Timestamp,
    most: i64,
) -> ApiResult<Vec<String>> {
    let mut sql = Sql::new("select e.execution_id from ssm_automation_executions e where e.ended_at < ");
    // What ran for another one is counted by it until that has ended.
    sql.int(before.0)
        .push(
            " and not exists (select 1 from ssm_automation_executions p where p.execution_id = e.parent_id and p.ended_at is \
             null) order by e.ended_at limit ",
        )
        .int(most);
    let rows = sql.all(on).await?;
    Ok(rows
        .iter()
        .map(|row| row.text("execution_id"))
        .collect::<Result<_, _>>()?)
}

/// Forgets executions, with their steps, targets and tags.
pub(crate) async fn forget(transaction: &mut Transaction<'static, Any>, ids: &[String]) -> ApiResult<()> {
    for table in [
        "delete from ssm_automation_steps where execution_id in (",
        "delete from ssm_automation_targets where execution_id in (",
        "delete from ssm_automation_executions where execution_id in (",
        "delete from ssm_tags where resource_type = 'Automation' and resource_id in (",
    ] {
        let mut sql = Sql::new(table);
        sql.texts(ids).push(")");
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// Keeps others from changing an execution until the transaction ends. `false` when it has ended.
pub(crate) async fn lock(on: impl AnyExecutor<'_>, row: &ExecutionRow) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_automation_executions set started_at = started_at where region = ");
    sql.text(&row.region);
    sql.push(" and execution_id = ").text(&row.execution_id);
    sql.push(" and ended_at is null");
    Ok(sql.run(on).await? == 1)
}

/// Lets an execution that has ended go on as that row says. `false` when it does not stand so any more.
pub(crate) async fn reopen(
    on: impl AnyExecutor<'_>,
    row: &ExecutionRow,
    ended_at: Timestamp,
) -> ApiResult<bool> {
    let (variables, outputs) = (text(&row.variables)?, text(&row.outputs)?);
    let mut sql = Sql::new("update ssm_automation_executions set ended_at = null, stop = '', status = ");
    sql.text(&row.status);
    for (name, value) in [
        (", failure_message = ", row.failure_message.as_str()),
        (", variables = ", &variables),
        (", outputs = ", &outputs),
        (", permitted = ", &row.permitted),
    ] {
        sql.push(name).text(value);
    }
    sql.push(" where region = ").text(&row.region);
    sql.push(" and execution_id = ").text(&row.execution_id);
    sql.push(" and ended_at = ").int(ended_at.0);
    Ok(sql.run(on).await? == 1)
}
