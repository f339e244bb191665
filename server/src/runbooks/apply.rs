//! Writes what Systems Manager says of an execution: one transaction, each change numbered as an event. Applying the same
//! twice changes nothing and numbers nothing.

use crate::runbooks::queries::{COLUMNS, ExecutionRow, execution_row};
use crate::runbooks::ssm::SeenExecution;
use crate::runbooks::steps;
use muster_domain::Timestamp;
use muster_domain::ids::ExecutionId;
use muster_domain::runbooks::{ExecutionStatus, Retried, StepExecution};
use muster_store::{Db, RowExt, Sql, StoreError};
use serde_json::json;
use sqlx::{Any, Transaction};

/// How long news that an execution has ended before it was retried is old news, in ms: so long the retry may be under way.
const RETRY_MS: i64 = 60_000;
/// Retries of one execution that are shown at most.
const SHOWN_RETRIES: i64 = 200;

struct Writer {
    transaction: Transaction<'static, Any>,
    execution: ExecutionId,
    next: i64,
    now: Timestamp,
}

impl Writer {
    /// Takes the execution for this transaction: whoever comes at the same time waits.
    async fn begin(
        db: &Db,
        execution: &ExecutionId,
        now: Timestamp,
    ) -> Result<Option<(Self, ExecutionRow)>, StoreError> {
        let mut transaction = db.begin().await?;
        let mut sql = Sql::new("update executions set synced_at = ");
        sql.int(now.0)
            .push(" where execution_id = ")
            .text(execution.as_str());
        if sql.run(&mut *transaction).await? == 0 {
            return Ok(None);
        }
        let mut sql = Sql::new(COLUMNS);
        sql.push(" where e.execution_id = ").text(execution.as_str());
        let row = execution_row(&sql.one(&mut *transaction).await?)?;
        let writer = Self {
            transaction,
            execution: execution.clone(),
            next: row.next_event,
            now,
        };
        Ok(Some((writer, row)))
    }

    async fn event(&mut self, kind: &str, body: String) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "insert into execution_events (execution_id, sequence, kind, happened_at, body) values (",
        );
        sql.text(self.execution.as_str())
            .push(", ")
            .int(self.next)
            .push(", ")
            .text(kind)
            .push(", ")
            .int(self.now.0)
            .push(", ")
            .text(body)
            .push(")");
        sql.run(&mut *self.transaction).await?;
        self.next += 1;
        Ok(())
    }

    async fn step(&mut self, step: &StepExecution) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "insert into execution_steps (execution_id, position, step_execution_id, name, action, status, started_at, ended_at, \
             response_code, failure_message, inputs, outputs) values (",
        );
        sql.text(self.execution.as_str())
            .push(", ")
            .int(step.position.into())
            .push(", ")
            .text(&step.step_execution_id)
            .push(", ")
            .text(&step.name)
            .push(", ")
            .text(&step.action)
            .push(", ")
            .text(step.status.as_str())
            .push(", ");
        sql.int_or_none(step.started_at.map(|at| at.0))
            .push(", ")
            .int_or_none(step.ended_at.map(|at| at.0))
            .push(", ")
            .text(&step.response_code)
            .push(", ")
            .text(&step.failure_message)
            .push(", ")
            .text(json!(step.inputs).to_string())
            .push(", ")
            .text(json!(step.outputs).to_string());
        sql.push(
            ") on conflict (execution_id, position) do update set step_execution_id = excluded.step_execution_id, name = excluded.name, \
             action = excluded.action, status = excluded.status, started_at = excluded.started_at, ended_at = excluded.ended_at, \
             response_code = excluded.response_code, failure_message = excluded.failure_message, inputs = excluded.inputs, \
             outputs = excluded.outputs",
        );
        sql.run(&mut *self.transaction).await?;
        self.event("step", json!(step).to_string()).await
    }

    /// Writes the whole; the last event of an execution is called `finished`.
    async fn whole(&mut self, row: &ExecutionRow) -> Result<(), StoreError> {
        let summary = &row.summary;
        let mut sql = Sql::new("update executions set status = ");
        sql.text(summary.status.as_str())
            .push(", current_step = ")
            .text(&summary.current_step)
            .push(", failure_message = ")
            .text(&summary.failure_message);
        sql.push(", ended_at = ")
            .int_or_none(summary.ended_at.map(|at| at.0))
            .push(", steps = ")
            .int(summary.steps.into())
            .push(", steps_ended = ")
            .int(summary.steps_ended.into())
            .push(", steps_failed = ")
            .int(summary.steps_failed.into());
        sql.push(", outputs = ")
            .text(json!(row.outputs).to_string())
            .push(", executed_by = ")
            .text(&row.executed_by)
            .push(", parent_ssm_id = ")
            .text(&row.parent_ssm_id)
            .push(", state = ")
            .text(&row.state)
            .push(", problem = ")
            .text(&row.problem);
        sql.push(" where execution_id = ").text(self.execution.as_str());
        sql.run(&mut *self.transaction).await?;
        crate::deployments::write::follow(
            &mut self.transaction,
            &self.execution,
            summary.status,
            summary.ended_at,
        )
        .await?;
        let kind = if row.state == "done" {
            "finished"
        } else {
            "execution"
        };
        self.event(kind, json!(summary).to_string()).await
    }

    /// Notes that it is retried, or that it is not after all: since when, and when it had ended before.
    async fn retried(&mut self, at: Option<Timestamp>, ended: Option<Timestamp>) -> Result<(), StoreError> {
        let mut sql = Sql::new("update executions set retried_at = ");
        sql.int_or_none(at.map(|at| at.0))
            .push(", ended_before = ")
            .int_or_none(ended.map(|at| at.0));
        sql.push(" where execution_id = ").text(self.execution.as_str());
        sql.run(&mut *self.transaction).await?;
        Ok(())
    }

    /// Whether it is how an execution had ended before it was retried just now.
    async fn is_old(&mut self, seen: &SeenExecution) -> Result<bool, StoreError> {
        let Some(ended_at) = seen.ended_at.filter(|_| seen.status.is_final()) else {
            return Ok(false);
        };
        let mut sql = Sql::new("select retried_at, ended_before from executions where execution_id = ");
        sql.text(self.execution.as_str());
        let row = sql.one(&mut *self.transaction).await?;
        let (retried_at, before) = (row.time_or_none("retried_at")?, row.time_or_none("ended_before")?);
        Ok(retried_at
            .zip(before)
            .is_some_and(|(at, before)| ended_at <= before && self.now.since_ms(at) < RETRY_MS))
    }

    async fn end(mut self, from: i64) -> Result<i64, StoreError> {
        let made = self.next - from;
        if made > 0 {
            let mut sql = Sql::new("update executions set next_event = ");
            sql.int(self.next)
                .push(" where execution_id = ")
                .text(self.execution.as_str());
            sql.run(&mut *self.transaction).await?;
        }
        self.transaction.commit().await?;
        Ok(made)
    }
}

/// The row as it is after what was seen.
fn after(row: &ExecutionRow, seen: &SeenExecution, now: Timestamp) -> ExecutionRow {
    let mut next = row.clone();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let is_final = seen.status.is_final();
    next.summary.status = seen.status;
    next.summary.current_step = if is_final {
        String::new()
    } else {
        seen.current_step.clone()
    };
    next.summary.failure_message.clone_from(&seen.failure_message);
    next.summary.ended_at = if is_final {
        seen.ended_at.or(row.summary.ended_at).or(Some(now))
    } else {
        None
    };
    next.summary.steps = number(seen.steps.len()).max(row.summary.steps);
    next.summary.steps_ended = number(seen.steps.iter().filter(|step| step.status.is_final()).count());
    next.summary.steps_failed = number(seen.steps.iter().filter(|step| step.status.has_failed()).count());
    next.outputs.clone_from(&seen.outputs);
    next.executed_by.clone_from(&seen.executed_by);
    next.parent_ssm_id.clone_from(&seen.parent);
    next.state = if is_final { "done" } else { "active" }.into();
    next
}

/// Applies what Systems Manager says of an execution. Answers how many events that made.
///
/// # Errors
/// When the database does not answer; nothing is written then.
pub async fn apply(
    db: &Db,
    execution: &ExecutionId,
    seen: &SeenExecution,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let Some((mut writer, row)) = Writer::begin(db, execution, now).await? else {
        return Ok(0);
    };
    // What has ended does not change; late news of it is older news.
    if row.state == "done" || writer.is_old(seen).await? {
        return Ok(0);
    }
    let stored = steps::steps(&mut *writer.transaction, execution).await?;
    for step in &seen.steps {
        let before = stored.iter().find(|one| one.position == step.position);
        if before != Some(step) {
            writer.step(step).await?;
        }
    }
    let mut next = after(&row, seen, now);
    next.summary.synced_at = row.summary.synced_at;
    if next != row {
        next.summary.synced_at = now;
        writer.whole(&next).await?;
    }
    writer.end(row.next_event).await
}

/// Ends an execution of which Systems Manager says nothing (any more), with the reason.
///
/// # Errors
/// When the database does not answer.
pub async fn give_up(
    db: &Db,
    execution: &ExecutionId,
    problem: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let Some((mut writer, row)) = Writer::begin(db, execution, now).await? else {
        return Ok(0);
    };
    if row.state == "done" {
        return Ok(0);
    }
    let mut next = row.clone();
    next.summary.status = ExecutionStatus::Failed;
    next.summary.ended_at = Some(now);
    next.summary.current_step = String::new();
    next.summary.failure_message = problem.to_owned();
    next.problem = problem.to_owned();
    next.state = "done".into();
    writer.whole(&next).await?;
    writer.end(row.next_event).await
}

/// The events that say from which step an execution was done again, and by whom. To everybody who follows them they say how it
/// stands, like any other.
const RETRIED: &str = "retried";

/// Lets an execution that has ended run again: it is being retried, from that step by that person, where it was done here. Answers
/// how it stood, and nothing where it has not ended.
///
/// # Errors
/// When the database does not answer.
pub async fn reopen(
    db: &Db,
    execution: &ExecutionId,
    by: Option<(&str, &str)>,
    now: Timestamp,
) -> Result<Option<ExecutionRow>, StoreError> {
    let Some((mut writer, row)) = Writer::begin(db, execution, now).await? else {
        return Ok(None);
    };
    if row.state != "done" {
        return Ok(None);
    }
    let mut next = row.clone();
    next.summary.status = ExecutionStatus::InProgress;
    next.summary.ended_at = None;
    next.summary.failure_message = String::new();
    next.state = "active".into();
    writer.whole(&next).await?;
    if let Some((step, who)) = by {
        let mut said = json!(next.summary);
        said["retried"] = json!({"step": step, "by": who});
        let mut sql = Sql::new("update execution_events set kind = ");
        sql.text(RETRIED)
            .push(", body = ")
            .text(said.to_string())
            .push(" where execution_id = ")
            .text(execution.as_str())
            .push(" and sequence = ")
            .int(writer.next - 1);
        sql.run(&mut *writer.transaction).await?;
    }
    writer.retried(Some(now), row.summary.ended_at).await?;
    writer.end(row.next_event).await?;
    Ok(Some(row))
}

/// Takes that back: Systems Manager refused. What it has said meanwhile stays.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(db: &Db, before: &ExecutionRow, now: Timestamp) -> Result<i64, StoreError> {
    let Some((mut writer, row)) = Writer::begin(db, &before.summary.execution_id, now).await? else {
        return Ok(0);
    };
    if row.state == "done" {
        return Ok(0);
    }
    writer.whole(before).await?;
    writer.retried(None, None).await?;
    // It was not done again after all.
    let id = before.summary.execution_id.as_str();
    let mut sql = Sql::new("update execution_events set kind = 'execution' where execution_id = ");
    sql.text(id)
        .push(" and sequence = (select max(sequence) from execution_events where kind = ")
        .text(RETRIED)
        .push(" and execution_id = ")
        .text(id)
        .push(")");
    sql.run(&mut *writer.transaction).await?;
    writer.end(row.next_event).await
}

/// From which steps an execution was done again here, in the order of that.
///
/// # Errors
/// When the database does not answer.
pub async fn retries(db: &Db, execution: &ExecutionId) -> Result<Vec<Retried>, StoreError> {
    let mut sql = Sql::new("select happened_at, body from execution_events where execution_id = ");
    sql.text(execution.as_str())
        .push(" and kind = ")
        .text(RETRIED)
        .push(" order by sequence limit ")
        .int(SHOWN_RETRIES);
    let mut found = Vec::new();
    for row in sql.all(db.reader()).await? {
        let said: serde_json::Value = serde_json::from_str(&row.text("body")?).unwrap_or_default();
        let text = |name: &str| said["retried"][name].as_str().unwrap_or_default().to_owned();
        found.push(Retried {
            step: text("step"),
            by: text("by"),
            at: row.time("happened_at")?,
        });
    }
    Ok(found)
}
