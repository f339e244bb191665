//! The SQL that reads steps of executions, and how long executions and steps usually take.

use crate::runbooks::queries::{ExecutionRow, count, json};
use muster_domain::ids::ExecutionId;
use muster_domain::runbooks::{ExecutionStatus, StepExecution};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

fn step(row: &AnyRow) -> Result<StepExecution, StoreError> {
    Ok(StepExecution {
        position: count(row, "position")?,
        step_execution_id: row.text("step_execution_id")?,
        name: row.text("name")?,
        action: row.text("action")?,
        status: ExecutionStatus::parse(&row.text("status")?).unwrap_or(ExecutionStatus::Pending),
        started_at: row.time_or_none("started_at")?,
        ended_at: row.time_or_none("ended_at")?,
        response_code: row.text("response_code")?,
        failure_message: row.text("failure_message")?,
        inputs: json(row, "inputs")?,
        outputs: json(row, "outputs")?,
    })
}

/// The steps of an execution, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn steps<'c>(
    on: impl AnyExecutor<'c>,
    execution: &ExecutionId,
) -> Result<Vec<StepExecution>, StoreError> {
    let mut sql = Sql::new(
        "select s.position, s.step_execution_id, s.name, s.action, s.status, s.started_at, s.ended_at, s.response_code, \
         s.failure_message, s.inputs, s.outputs from execution_steps s where s.execution_id = ",
    );
    sql.text(execution.as_str())
        .push(" order by s.position limit 1000");
    sql.all(on).await?.iter().map(step).collect()
}

fn median(mut took: Vec<i64>) -> Option<i64> {
    took.sort_unstable();
    (took.len() >= 3)
        .then(|| took.get(took.len() / 2).copied())
        .flatten()
}

/// How long the last ten successful executions of the same runbook took, in the middle, and their steps.
///
/// # Errors
/// When the database does not answer.
pub async fn usual(db: &Db, row: &ExecutionRow) -> Result<(Option<i64>, BTreeMap<String, i64>), StoreError> {
    let mut sql =
        Sql::new("select e.execution_id, e.ended_at - e.requested_at as took from executions e where ");
    sql.within("e.connection_id", db)
        .push(" and e.document = ")
        .text(&row.summary.document)
        .push(" and e.status = 'Success' and e.ended_at is not null and e.execution_id <> ")
        .text(row.summary.execution_id.as_str());
    sql.push(" and e.requested_at >= ")
        .int(row.summary.requested_at.plus_ms(-30 * 86_400_000).0);
    sql.push(" order by e.requested_at desc limit 10");
    let (mut ids, mut took) = (Vec::new(), Vec::new());
    for found in sql.all(db.reader()).await? {
        ids.push(found.text("execution_id")?);
        took.push(found.int("took")?);
    }
    let whole = median(took);
    let mut steps: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    if whole.is_some() {
        let mut sql = Sql::new(
            "select s.name, s.ended_at - s.started_at as took from execution_steps s where s.execution_id in (",
        );
        sql.texts(&ids)
            .push(") and s.started_at is not null and s.ended_at is not null");
        for found in sql.all(db.reader()).await? {
            steps
                .entry(found.text("name")?)
                .or_default()
                .push(found.int("took")?);
        }
    }
    let steps = steps
        .into_iter()
        .filter_map(|(name, took)| Some((name, median(took)?)));
    Ok((whole, steps.collect()))
}
