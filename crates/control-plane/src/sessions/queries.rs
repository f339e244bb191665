//! SQL of sessions. Nothing else touches their table.

use super::status::Status;
use crate::errors::{ApiError, ApiResult};
use crate::gateway::relay::live::{Ending, Written};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub(crate) session_id: String,
    pub(crate) region: String,
    pub(crate) node_id: String,
    pub(crate) document: String,
    /// JSON, as it was sent to the node.
    pub(crate) document_content: String,
    /// JSON, as it was sent to the node.
    pub(crate) parameters: String,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) status: Status,
    pub(crate) status_version: i64,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) idle_ms: i64,
    pub(crate) max_ms: Option<i64>,
    pub(crate) end_message: String,
    pub(crate) details: String,
    pub(crate) input_bytes: i64,
    pub(crate) output_bytes: i64,
}

impl SessionRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        let status = row.text("status")?;
        Ok(Self {
            session_id: row.text("session_id")?,
            region: row.text("region")?,
            node_id: row.text("node_id")?,
            document: row.text("document")?,
            document_content: row.text("document_content")?,
            parameters: row.text("parameters")?,
            reason: row.text("reason")?,
            owner: row.text("owner")?,
            status: Status::from_name(&status)
                .ok_or_else(|| ApiError::internal(format!("a session has the unknown status {status}")))?,
            status_version: row.int("status_version")?,
            started_at: row.time("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
            idle_ms: row.int("idle_ms")?,
            max_ms: row.int_or_none("max_ms")?,
            end_message: row.text("end_message")?,
            details: row.text("details")?,
            input_bytes: row.int("input_bytes")?,
            output_bytes: row.int("output_bytes")?,
        })
    }
}

/// Begins a query for sessions.
pub(crate) fn sessions_sql() -> Sql {
    Sql::new(
        "select session_id, region, node_id, document, document_content, parameters, reason, owner, status, \
         status_version, started_at, ended_at, idle_ms, max_ms, end_message, details, input_bytes, output_bytes \
         from ssm_sessions ",
    )
}

pub(crate) async fn sessions(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<SessionRow>> {
    sql.all(on).await?.iter().map(SessionRow::read).collect()
}

pub(crate) async fn session(on: impl AnyExecutor<'_>, id: &str) -> ApiResult<Option<SessionRow>> {
    let mut sql = sessions_sql();
    sql.push("where session_id = ").text(id);
    sql.first(on).await?.map(|row| SessionRow::read(&row)).transpose()
}

/// All sessions that go on.
pub(crate) async fn open(on: impl AnyExecutor<'_>) -> ApiResult<Vec<SessionRow>> {
    let mut sql = sessions_sql();
    sql.push("where finished = 0 order by started_at, session_id");
    sessions(sql, on).await
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &SessionRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_sessions (session_id, region, node_id, document, document_content, parameters, reason, owner, \
         status, end_message, details, status_version, started_at, ended_at, idle_ms, max_ms, input_bytes, \
         output_bytes, finished) values (",
    );
    for text in [
        row.session_id.as_str(),
        &row.region,
        &row.node_id,
        &row.document,
        &row.document_content,
        &row.parameters,
        &row.reason,
        &row.owner,
        row.status.name(),
        &row.end_message,
        &row.details,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.status_version).push(", ").int(row.started_at.0);
    sql.push(", ").int_or_none(row.ended_at.map(|at| at.0));
    sql.push(", ").int(row.idle_ms).push(", ").int_or_none(row.max_ms);
    sql.push(", ")
        .int(row.input_bytes)
        .push(", ")
        .int(row.output_bytes);
    sql.push(", ").int(i64::from(row.status.is_final())).push(")");
    sql.run(on).await?;
    Ok(())
}

/// How a session that goes on stands.
pub(crate) async fn set_status(on: impl AnyExecutor<'_>, id: &str, written: Written) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_sessions set status = ");
    sql.text(written.status.name());
    sql.push(", status_version = ").int(written.version);
    sql.push(", input_bytes = ").int(written.input_bytes);
    sql.push(", output_bytes = ").int(written.output_bytes);
    sql.push(" where session_id = ").text(id);
    sql.push(" and finished = 0 and status_version < ")
        .int(written.version);
    sql.run(on).await?;
    Ok(())
}

/// That a session has ended. Of several endings the first one holds.
pub(crate) async fn end(
    on: impl AnyExecutor<'_>,
    id: &str,
    ending: &Ending,
    written: Written,
    now: Timestamp,
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_sessions set finished = 1, status = ");
    sql.text(ending.status.name());
    sql.push(", status_version = ").int(written.version);
    sql.push(", ended_at = ").int(now.0);
    sql.push(", end_message = ").text(ending.output.as_str());
    sql.push(", details = ").text(ending.details.as_str());
    sql.push(", input_bytes = ").int(written.input_bytes);
    sql.push(", output_bytes = ").int(written.output_bytes);
    sql.push(" where session_id = ").text(id);
    sql.push(" and finished = 0");
    sql.run(on).await?;
    Ok(())
}
