//! Executions that were started by other means than Muster, or by another execution, as they are written down here.

use crate::aws::Ssm;
use crate::error::store;
use crate::fleet::queries::by_ids;
use crate::runbooks::content::{self, Content};
use crate::runbooks::copy;
use crate::runbooks::insert::NewExecution;
use crate::runbooks::queries::{self, ExecutionRow};
use crate::runbooks::reach::reaches_further;
use crate::runbooks::ssm::SeenExecution;
use muster_domain::ids::{ExecutionId, NodeId};
use muster_domain::permission::Scope;
use muster_domain::runbooks::{ExecutionStatus, ExecutionSummary, PlannedNode};
use muster_domain::{PortalError, Timestamp};
use muster_store::Db;
use std::collections::BTreeMap;

/// The nodes that an execution was given. One that the portal does not know stays: nobody with a role on a part of the
/// fleet sees an execution that was given such.
async fn nodes(db: &Db, content: &Content, seen: &SeenExecution) -> Result<Vec<PlannedNode>, PortalError> {
    let given: Vec<NodeId> = content
        .node_parameters
        .iter()
        .filter_map(|parameter| seen.parameters.get(&parameter.name))
        .flatten()
        .filter(|id| !id.trim().is_empty())
        .map(|id| NodeId::new(id.trim()))
        .collect();
    let known = by_ids(db, &given, &[Scope::All]).await.map_err(store)?;
    Ok(given
        .into_iter()
        .map(|node_id| PlannedNode {
            name: known
                .iter()
                .find(|node| node.node_id == node_id)
                .map(|node| node.name.clone())
                .unwrap_or_default(),
            environment: String::new(),
            node_id,
        })
        .collect())
}

/// Such an execution, ready to be written down. One that another started is that one's person's.
///
/// # Errors
/// When the database does not answer.
pub async fn foreign(
    db: &Db,
    ssm: &Ssm,
    seen: &SeenExecution,
    now: Timestamp,
) -> Result<NewExecution, PortalError> {
    // Without its text nothing is known of what it touches.
    let found = copy::text(db, ssm, &seen.document, &seen.document_version).await;
    let (content_hash, text) = match found {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, document = seen.document, "the text of an execution from outside is not known");
            (String::new(), String::new())
        }
    };
    let content = content::read(&text);
    let parent = match seen.parent.as_str() {
        "" => None,
        parent => queries::of_ssm(db, parent).await.map_err(store)?,
    };
    let (reason, requested_by, requested_by_id) = parent.map_or_else(
        || (String::new(), "outside Muster".to_owned(), None),
        |parent| {
            (
                parent.summary.reason,
                parent.summary.requested_by,
                parent.requested_by_id,
            )
        },
    );
    let row = ExecutionRow {
        summary: ExecutionSummary {
            execution_id: ExecutionId::new(seen.id.as_str()),
            document: seen.document.clone(),
            document_version: seen.document_version.clone(),
            reason,
            requested_by,
            requested_at: seen.started_at.unwrap_or(now),
            ended_at: None,
            status: ExecutionStatus::Pending,
            current_step: String::new(),
            failure_message: String::new(),
            steps: 0,
            steps_ended: 0,
            steps_failed: 0,
            synced_at: now,
        },
        ssm_execution_id: Some(seen.id.clone()),
        client_token: String::new(),
        content_hash,
        parameters: seen.parameters.clone(),
        targets: None,
        max_concurrency: "10".into(),
        max_errors: "0".into(),
        reaches_further: !reaches_further(&content).is_empty(),
        requested_by_id,
        executed_by: seen.executed_by.clone(),
        outputs: BTreeMap::new(),
        parent_ssm_id: seen.parent.clone(),
        state: "active".into(),
        problem: String::new(),
        next_event: 1,
    };
    Ok(NewExecution {
        row,
        connection_id: ssm.connection.id.to_string(),
        nodes: nodes(db, &content, seen).await?,
        deployment: None,
    })
}
