//! SQL of the steps of executions. Nothing else touches their table.

use super::queries::{json, text};
use crate::errors::{ApiError, ApiResult};
use muster_automation::StepStatus;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde_json::{Map, Value};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// A step that was begun.
#[derive(Clone, Debug)]
pub(crate) struct StepRow {
    pub(crate) execution_id: String,
    /// The how-many-eth it was.
    pub(crate) position: i64,
    /// Its place in the document.
    pub(crate) step: i64,
    /// The loop that it was begun in, by its position, and in which iteration.
    pub(crate) parent_position: Option<i64>,
    pub(crate) parent_iteration: i64,
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
    /// What it waits for: a command, another execution, decisions; of a loop the iteration that it is in.
    pub(crate) work: String,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// When its time is up, or its waiting over.
    pub(crate) due_at: Option<Timestamp>,
    /// When it is looked at again.
    pub(crate) poll_at: Option<Timestamp>,
    /// Whether it was retried from here, or from before it: then it counts as not begun.
    pub(crate) retried: bool,
}

impl StepRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        let status = row.text("status")?;
        Ok(Self {
            execution_id: row.text("execution_id")?,
            position: row.int("position")?,
            step: row.int("step")?,
            parent_position: row.int_or_none("parent_position")?,
            parent_iteration: row.int("parent_iteration")?,
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
            retried: row.flag("retried")?,
        })
    }

    /// What an attempt's work is called while it is under way.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}/{}", self.execution_id, self.position, self.attempts)
    }

    /// The iteration that a loop is in; 0 before its first.
    pub(crate) fn iteration(&self) -> usize {
        self.work.parse().unwrap_or_default()
    }
}

/// The steps of an execution, in the order in which they were begun.
pub(crate) async fn steps(on: impl AnyExecutor<'_>, execution_id: &str) -> ApiResult<Vec<StepRow>> {
    let mut sql = Sql::new("select * from ssm_automation_steps where execution_id = ");
    sql.text(execution_id).push(" order by position");
    sql.all(on).await?.iter().map(StepRow::read).collect()
}

/// The step that was begun last.
pub(crate) async fn last(on: impl AnyExecutor<'_>, execution_id: &str) -> ApiResult<Option<StepRow>> {
    let mut sql = Sql::new("select * from ssm_automation_steps where execution_id = ");
    sql.text(execution_id).push(" order by position desc limit 1");
    let row = sql.first(on).await?;
    row.as_ref().map(StepRow::read).transpose()
}

/// Reads anew what may have changed of steps that were read: those that had not ended, the last one, and what came after it.
pub(crate) async fn renew(
    on: impl AnyExecutor<'_>,
    execution_id: &str,
    known: &mut Vec<StepRow>,
) -> ApiResult<()> {
    let last = known.last().map_or(0, |row| row.position);
    let mut sql = Sql::new("select * from ssm_automation_steps where execution_id = ");
    sql.text(execution_id);
    sql.push(" and (position >= ").int(last);
    for row in known.iter().filter(|row| !row.status.is_final()) {
        sql.push(" or position = ").int(row.position);
    }
    sql.push(") order by position");
    for row in sql.all(on).await? {
        let row = StepRow::read(&row)?;
        match known.iter_mut().find(|one| one.position == row.position) {
            Some(one) => *one = row,
            None => known.push(row),
        }
    }
    Ok(())
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
         response_code, failure_message, chosen, work, position, step, attempts, parent_iteration, started_at, parent_position, ended_at, due_at, \
         poll_at) values (",
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
    for value in [
        row.position,
        row.step,
        row.attempts,
        row.parent_iteration,
        row.started_at.0,
    ] {
        sql.int(value).push(", ");
    }
    sql.int_or_none(row.parent_position).push(", ");
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

/// Notes that steps from a position on are retried: they count as not begun.
pub(crate) async fn retry_from(on: impl AnyExecutor<'_>, execution_id: &str, position: i64) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_automation_steps set retried = 1 where execution_id = ");
    sql.text(execution_id).push(" and position >= ").int(position);
    sql.run(on).await?;
    Ok(())
}
