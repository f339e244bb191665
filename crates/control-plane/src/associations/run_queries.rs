//! SQL of what associations have done: executions, and how they stand on their nodes. Nothing else touches these tables.

use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};
use std::collections::BTreeMap;

/// How many nodes are in which status.
pub(crate) type Counts = BTreeMap<String, i64>;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct ExecutionRow {
    pub(crate) region: String,
    pub(crate) association_id: String,
    pub(crate) execution_id: String,
    pub(crate) version: i64,
    /// Empty when there was nothing to send.
    pub(crate) command_id: String,
    pub(crate) status: String,
    pub(crate) detailed_status: String,
    pub(crate) counts: Counts,
    pub(crate) created_at: Timestamp,
}

impl ExecutionRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            region: row.text("region")?,
            association_id: row.text("association_id")?,
            execution_id: row.text("execution_id")?,
            version: row.int("version")?,
            command_id: row.text("command_id")?,
            status: row.text("status")?,
            detailed_status: row.text("detailed_status")?,
            counts: serde_json::from_str(&row.text("counts")?).map_err(ApiError::internal)?,
            created_at: row.time("created_at")?,
        })
    }
}

/// Begins a query for executions; conditions speak of the table as `e`.
pub(crate) fn executions_sql() -> Sql {
    Sql::new("select e.* from ssm_association_executions e where ")
}

pub(crate) async fn executions(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<ExecutionRow>> {
    sql.all(on).await?.iter().map(ExecutionRow::read).collect()
}

/// All that have not ended.
pub(crate) async fn open(on: impl AnyExecutor<'_>) -> ApiResult<Vec<ExecutionRow>> {
    let mut sql = executions_sql();
    sql.push("e.finished = 0 order by e.created_at, e.execution_id");
    executions(sql, on).await
}

/// The commands of those of an association that have not ended.
pub(crate) async fn open_of(
    on: impl AnyExecutor<'_>,
    region: &str,
    association_id: &str,
) -> ApiResult<Vec<String>> {
    let mut sql = executions_sql();
    sql.push("e.finished = 0 and e.region = ").text(region);
    sql.push(" and e.association_id = ").text(association_id);
    let open = executions(sql, on).await?;
    Ok(open.into_iter().map(|execution| execution.command_id).collect())
}

/// The newest of an association.
pub(crate) async fn newest(
    on: impl AnyExecutor<'_>,
    region: &str,
    association_id: &str,
) -> ApiResult<Option<ExecutionRow>> {
    let mut sql = executions_sql();
    sql.push("e.region = ").text(region);
    sql.push(" and e.association_id = ").text(association_id);
    sql.push(" order by e.created_at desc, e.execution_id desc limit 1");
    Ok(executions(sql, on).await?.pop())
}

pub(crate) async fn insert(on: impl AnyExecutor<'_>, row: &ExecutionRow, finished: bool) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_association_executions (region, association_id, execution_id, command_id, status, \
         detailed_status, counts, version, created_at, finished) values (",
    );
    let counts = serde_json::to_string(&row.counts).map_err(ApiError::internal)?;
    for text in [
        &row.region,
        &row.association_id,
        &row.execution_id,
        &row.command_id,
        &row.status,
        &row.detailed_status,
        &counts,
    ] {
        sql.text(text).push(", ");
    }
    sql.int(row.version).push(", ").int(row.created_at.0);
    sql.push(", ").int(i64::from(finished)).push(")");
    sql.run(on).await?;
    Ok(())
}

/// Ends one that has not ended.
pub(crate) async fn finish(
    on: impl AnyExecutor<'_>,
    row: &ExecutionRow,
    (status, detailed): (&str, &str),
    counts: &Counts,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_association_executions set finished = 1, status = ");
    sql.text(status).push(", detailed_status = ").text(detailed);
    sql.push(", counts = ")
        .text(serde_json::to_string(counts).map_err(ApiError::internal)?);
    sql.push(" where finished = 0 and region = ").text(&row.region);
    sql.push(" and association_id = ").text(&row.association_id);
    sql.push(" and execution_id = ").text(&row.execution_id);
    Ok(sql.run(on).await? == 1)
}

/// How an association stands on a node.
#[derive(Clone, Debug)]
pub(crate) struct NodeState {
    pub(crate) association_id: String,
    pub(crate) node_id: String,
    pub(crate) version: i64,
    pub(crate) status: String,
    pub(crate) detailed_status: String,
    pub(crate) execution_at: Timestamp,
}

impl NodeState {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            association_id: row.text("association_id")?,
            node_id: row.text("node_id")?,
            version: row.int("version")?,
            status: row.text("status")?,
            detailed_status: row.text("detailed_status")?,
            execution_at: row.time("execution_at")?,
        })
    }
}

/// Rows in one insert: well below the number of placeholders that either engine takes.
const ROWS_AT_ONCE: usize = 400;

/// Nodes on which a run begins.
pub(crate) async fn put_pending(
    transaction: &mut Transaction<'static, Any>,
    execution: &ExecutionRow,
    nodes: &[String],
) -> ApiResult<()> {
    for some in nodes.chunks(ROWS_AT_ONCE) {
        let mut sql = Sql::new(
            "insert into ssm_association_nodes (region, association_id, node_id, execution_id, status, \
             detailed_status, version, execution_at) values ",
        );
        for (at, node) in some.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" });
            for text in [
                execution.region.as_str(),
                &execution.association_id,
                node,
                &execution.execution_id,
                "Pending",
                "Pending",
            ] {
                sql.text(text).push(", ");
            }
            sql.int(execution.version)
                .push(", ")
                .int(execution.created_at.0)
                .push(")");
        }
        sql.push(
            " on conflict (region, association_id, node_id) do update set execution_id = excluded.execution_id, \
             status = excluded.status, detailed_status = excluded.detailed_status, version = excluded.version, \
             execution_at = excluded.execution_at",
        );
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// How a run ended on a node, unless another one has begun there since.
pub(crate) async fn set_node(
    on: impl AnyExecutor<'_>,
    execution: &ExecutionRow,
    node: &str,
    (status, detailed): (&str, &str),
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_association_nodes set status = ");
    sql.text(status).push(", detailed_status = ").text(detailed);
    sql.push(" where region = ").text(&execution.region);
    sql.push(" and association_id = ").text(&execution.association_id);
    sql.push(" and node_id = ").text(node);
    sql.push(" and execution_id = ").text(&execution.execution_id);
    Ok(sql.run(on).await? == 1)
}

/// The nodes on which an association was ever run.
pub(crate) async fn nodes_of(
    on: impl AnyExecutor<'_>,
    region: &str,
    association_id: &str,
) -> ApiResult<Vec<NodeState>> {
    let mut sql = Sql::new("select * from ssm_association_nodes where region = ");
    sql.text(region)
        .push(" and association_id = ")
        .text(association_id)
        .push(" order by node_id");
    sql.all(on).await?.iter().map(NodeState::read).collect()
}

/// How associations stand on a node, after an association's id.
pub(crate) async fn of_node(
    on: impl AnyExecutor<'_>,
    region: &str,
    node_id: &str,
    after: &str,
    limit: i64,
) -> ApiResult<Vec<NodeState>> {
    let mut sql = Sql::new("select * from ssm_association_nodes where region = ");
    sql.text(region)
        .push(" and node_id = ")
        .text(node_id)
        .push(" and association_id > ")
        .text(after);
    sql.push(" order by association_id limit ").int(limit);
    sql.all(on).await?.iter().map(NodeState::read).collect()
}

/// How many nodes are in which status.
pub(crate) async fn counts(
    on: impl AnyExecutor<'_>,
    region: &str,
    association_id: &str,
) -> ApiResult<Counts> {
    let mut sql = Sql::new("select status, count(*) as n from ssm_association_nodes where region = ");
    sql.text(region)
        .push(" and association_id = ")
        .text(association_id)
        .push(" group by status");
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| Ok((row.text("status")?, row.int("n")?)))
        .collect()
}

/// Forgets nodes that are no targets any more.
pub(crate) async fn forget(
    on: impl AnyExecutor<'_>,
    region: &str,
    association_id: Option<&str>,
    node_id: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("delete from ssm_association_nodes where region = ");
    sql.text(region).push(" and node_id = ").text(node_id);
    if let Some(id) = association_id {
        sql.push(" and association_id = ").text(id);
    }
    sql.run(on).await?;
    Ok(())
}
