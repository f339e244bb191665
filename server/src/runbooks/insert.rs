//! Writes down a new execution before it is sent: its row and the nodes that it is given.

use crate::deployments::{NewDeployment, write};
use crate::runbooks::queries::ExecutionRow;
use muster_domain::runbooks::PlannedNode;
use muster_store::{Db, Sql, StoreError};
use serde_json::json;

/// An execution about to be written.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// Its whole row.
    pub row: ExecutionRow,
    /// Through which connection.
    pub connection_id: String,
    /// The nodes that it is given: who may see those may see it.
    pub nodes: Vec<PlannedNode>,
    /// The deployment that it is, where it is one: written with it, or neither is.
    pub deployment: Option<NewDeployment>,
}

/// Writes a new execution. Answers whether what its deployment was planned with still holds, where it is one; nothing is
/// written where not.
///
/// # Errors
/// When the database does not answer, or knows the execution already, or one is being deployed there.
pub async fn insert(db: &Db, new: &NewExecution) -> Result<bool, StoreError> {
    let row = &new.row;
    let summary = &row.summary;
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new(
        "insert into executions (execution_id, connection_id, ssm_execution_id, client_token, document, document_version, \
         content_hash, parameters, targets, max_concurrency, max_errors, reaches_further, reason, requested_by, requested_by_id, \
         executed_by, requested_at, ended_at, status, current_step, failure_message, outputs, parent_ssm_id, steps, steps_ended, \
         steps_failed, state, problem, next_event, synced_at) values (",
    );
    sql.text(summary.execution_id.as_str())
        .push(", ")
        .text(&new.connection_id)
        .push(", ")
        .text_or_none(row.ssm_execution_id.clone())
        .push(", ")
        .text(&row.client_token)
        .push(", ");
    sql.text(&summary.document)
        .push(", ")
        .text(&summary.document_version)
        .push(", ")
        .text(&row.content_hash)
        .push(", ");
    sql.text(json!(row.parameters).to_string())
        .push(", ")
        .text(json!(row.targets).to_string())
        .push(", ")
        .text(&row.max_concurrency)
        .push(", ")
        .text(&row.max_errors)
        .push(", ");
    sql.int(i64::from(row.reaches_further))
        .push(", ")
        .text(&summary.reason)
        .push(", ")
        .text(&summary.requested_by)
        .push(", ")
        .text_or_none(row.requested_by_id.as_ref().map(ToString::to_string))
        .push(", ")
        .text(&row.executed_by)
        .push(", ");
    sql.int(summary.requested_at.0)
        .push(", ")
        .int_or_none(summary.ended_at.map(|at| at.0))
        .push(", ")
        .text(summary.status.as_str())
        .push(", ")
        .text(&summary.current_step)
        .push(", ")
        .text(&summary.failure_message)
        .push(", ");
    sql.text(json!(row.outputs).to_string())
        .push(", ")
        .text(&row.parent_ssm_id)
        .push(", ")
        .int(summary.steps.into())
        .push(", ")
        .int(summary.steps_ended.into())
        .push(", ")
        .int(summary.steps_failed.into())
        .push(", ");
    sql.text(&row.state)
        .push(", ")
        .text(&row.problem)
        .push(", ")
        .int(row.next_event)
        .push(", ")
        .int(summary.synced_at.0)
        .push(")");
    sql.run(&mut *transaction).await?;
    for node in &new.nodes {
        let mut sql = Sql::new("insert into execution_nodes (execution_id, node_id, node_name) values (");
        sql.text(summary.execution_id.as_str())
            .push(", ")
            .text(node.node_id.as_str())
            .push(", ")
            .text(&node.name)
            .push(") on conflict (execution_id, node_id) do nothing");
        sql.run(&mut *transaction).await?;
    }
    if let Some(deployment) = &new.deployment
        && !write::deployment(
            &mut transaction,
            deployment,
            &summary.execution_id,
            summary.requested_at,
        )
        .await?
    {
        return Ok(false);
    }
    transaction.commit().await?;
    Ok(true)
}
