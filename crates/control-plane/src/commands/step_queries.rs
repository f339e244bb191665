//! SQL of the steps of invocations, as their nodes told them. Commands and invocations are in `queries`.

use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// How a step of an invocation stands.
#[derive(Clone, Debug)]
pub(crate) struct StepRow {
    pub(crate) node_id: String,
    pub(crate) step: String,
    pub(crate) plugin: String,
    pub(crate) status: String,
    pub(crate) code: i64,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) standard_output: String,
    pub(crate) standard_error: String,
}

pub(crate) async fn put_step(on: impl AnyExecutor<'_>, command_id: &str, row: &StepRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_steps (command_id, node_id, step, plugin, status, standard_output, standard_error, code, \
         started_at, ended_at) values (",
    );
    for text in [
        command_id,
        &row.node_id,
        &row.step,
        &row.plugin,
        &row.status,
        &row.standard_output,
        &row.standard_error,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.code).push(", ");
    sql.int_or_none(row.started_at.map(|at| at.0)).push(", ");
    sql.int_or_none(row.ended_at.map(|at| at.0));
    sql.push(
        ") on conflict (command_id, node_id, step) do update set status = excluded.status, code = excluded.code, \
         plugin = excluded.plugin, started_at = excluded.started_at, ended_at = excluded.ended_at, \
         standard_output = excluded.standard_output, standard_error = excluded.standard_error",
    );
    sql.run(on).await?;
    Ok(())
}

/// Steps of one command on these nodes.
pub(crate) async fn steps(
    on: impl AnyExecutor<'_>,
    command_id: &str,
    nodes: &[String],
) -> ApiResult<Vec<StepRow>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("select * from ssm_steps where command_id = ");
    sql.text(command_id)
        .push(" and node_id in (")
        .texts(nodes)
        .push(")");
    let read = |row: &AnyRow| {
        Ok(StepRow {
            node_id: row.text("node_id")?,
            step: row.text("step")?,
            plugin: row.text("plugin")?,
            status: row.text("status")?,
            code: row.int("code")?,
            started_at: row.time_or_none("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
            standard_output: row.text("standard_output")?,
            standard_error: row.text("standard_error")?,
        })
    };
    let rows = sql.all(on).await?;
    Ok(rows.iter().map(read).collect::<Result<_, StoreError>>()?)
}
