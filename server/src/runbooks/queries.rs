//! The SQL that reads executions, and the few writes that are not news from Systems Manager (those are in `apply`).

use crate::fleet::filter_sql::push_scopes;
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::ids::{ExecutionId, UserId};
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_domain::runbooks::{ExecutionQuery, ExecutionStatus, ExecutionSummary, PlannedTargets, StartPlan};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

pub(super) const COLUMNS: &str = "select e.execution_id, e.ssm_execution_id, e.client_token, e.document, e.document_version, e.content_hash, \
     e.parameters, e.targets, e.max_concurrency, e.max_errors, e.reaches_further, e.reason, e.requested_by, e.requested_by_id, \
     e.executed_by, e.requested_at, e.ended_at, e.status, e.current_step, e.failure_message, e.outputs, e.parent_ssm_id, e.steps, \
     e.steps_ended, e.steps_failed, e.state, e.problem, e.next_event, e.synced_at from executions e";

/// An execution's whole row.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionRow {
    /// As lists show it.
    pub summary: ExecutionSummary,
    /// Systems Manager's id, once it was sent.
    pub ssm_execution_id: Option<String>,
    /// Under what it is sent; empty where it was started elsewhere.
    pub client_token: String,
    /// By what its runbook's text is known; empty where that is not known.
    pub content_hash: String,
    /// What was asked.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The nodes that were planned.
    pub targets: Option<PlannedTargets>,
    /// Rate control as asked.
    pub max_concurrency: String,
    /// Rate control as asked.
    pub max_errors: String,
    /// Whether it may act on more than its nodes: then only those see it whose role is for all of the fleet.
    pub reaches_further: bool,
    /// Who, by account.
    pub requested_by_id: Option<UserId>,
    /// Who runs it, as Systems Manager says it.
    pub executed_by: String,
    /// What it told.
    pub outputs: BTreeMap<String, Vec<String>>,
    /// Systems Manager's id of the execution that started it; empty without.
    pub parent_ssm_id: String,
    /// `sending`, `active` or `done`.
    pub state: String,
    /// Why it could not be sent.
    pub problem: String,
    /// The number of the next event.
    pub next_event: i64,
}

impl ExecutionRow {
    /// The plan that it carries out.
    #[must_use]
    pub fn plan(&self) -> StartPlan {
        StartPlan {
            reaches_further: self.reaches_further,
            document: self.summary.document.clone(),
            document_version: self.summary.document_version.clone(),
            content_hash: self.content_hash.clone(),
            parameters: self.parameters.clone(),
            targets: self.targets.clone(),
            max_concurrency: self.max_concurrency.clone(),
            max_errors: self.max_errors.clone(),
        }
    }
}

pub(super) fn count(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.int(column)?).unwrap_or_default())
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(column)?).map_err(|error| StoreError::Column {
        column: column.to_owned(),
        message: error.to_string(),
    })
}

fn summary(row: &AnyRow) -> Result<ExecutionSummary, StoreError> {
    Ok(ExecutionSummary {
        execution_id: ExecutionId::new(row.text("execution_id")?),
        document: row.text("document")?,
        document_version: row.text("document_version")?,
        reason: row.text("reason")?,
        requested_by: row.text("requested_by")?,
        requested_at: row.time("requested_at")?,
        ended_at: row.time_or_none("ended_at")?,
        status: ExecutionStatus::parse(&row.text("status")?).unwrap_or(ExecutionStatus::Pending),
        current_step: row.text("current_step")?,
        failure_message: row.text("failure_message")?,
        steps: count(row, "steps")?,
        steps_ended: count(row, "steps_ended")?,
        steps_failed: count(row, "steps_failed")?,
        synced_at: row.time("synced_at")?,
    })
}

/// A whole row.
///
/// # Errors
/// When a column is not what it should be.
pub fn execution_row(row: &AnyRow) -> Result<ExecutionRow, StoreError> {
    Ok(ExecutionRow {
        summary: summary(row)?,
        ssm_execution_id: row.text_or_none("ssm_execution_id")?,
        client_token: row.text("client_token")?,
        content_hash: row.text("content_hash")?,
        parameters: json(row, "parameters")?,
        targets: json(row, "targets")?,
        max_concurrency: row.text("max_concurrency")?,
        max_errors: row.text("max_errors")?,
        reaches_further: row.flag("reaches_further")?,
        requested_by_id: row.text_or_none("requested_by_id")?.map(UserId::new),
        executed_by: row.text("executed_by")?,
        outputs: json(row, "outputs")?,
        parent_ssm_id: row.text("parent_ssm_id")?,
        state: row.text("state")?,
        problem: row.text("problem")?,
        next_event: row.int("next_event")?,
    })
}

/// Who looks, for what they may see.
#[derive(Clone, Debug)]
pub struct Viewer<'a> {
    /// Where they may read.
    pub scopes: &'a [Scope],
    /// They always see what they started themselves.
    pub user: Option<&'a UserId>,
}

/// What is of the connection of `db`. Whoever may read a part of the fleet sees what was given nodes of that part, none else, and acts on nothing else.
fn push_visible(sql: &mut Sql, db: &Db, viewer: &Viewer<'_>) {
    sql.within("e.connection_id", db).push(" and ");
    if viewer.scopes.contains(&Scope::All) {
        sql.push("1 = 1");
        return;
    }
    sql.push("(e.requested_by_id = ")
        .text(viewer.user.map_or("", UserId::as_str));
    sql.push(
        " or (e.reaches_further = 0 and exists (select 1 from execution_nodes x where x.execution_id = e.execution_id) \
         and not exists (select 1 from execution_nodes x where x.execution_id = e.execution_id and not exists \
         (select 1 from nodes n where n.node_id = x.node_id and ",
    );
    push_scopes(sql, viewer.scopes);
    sql.push("))))");
}

/// A page of executions, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    query: &ExecutionQuery,
    viewer: &Viewer<'_>,
) -> Result<Page<ExecutionSummary>, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where ");
    push_visible(&mut sql, db, viewer);
    if let Some(status) = query.status {
        sql.push(" and e.status = ").text(status.as_str());
    }
    if !query.document.trim().is_empty() {
        sql.push(" and lower(e.document) like ")
            .text(contains_pattern(query.document.trim()))
            .push(" escape '\\'");
    }
    if !query.text.trim().is_empty() {
        let pattern = contains_pattern(query.text.trim());
        sql.push(" and (lower(e.reason) like ")
            .text(pattern.clone())
            .push(" escape '\\' or lower(e.requested_by) like ")
            .text(pattern.clone())
            .push(" escape '\\' or lower(e.execution_id) like ")
            .text(pattern)
            .push(" escape '\\')");
    }
    if let Some(node) = &query.node_id {
        sql.push(" and e.execution_id in (select x.execution_id from execution_nodes x where x.node_id = ");
        sql.text(node.as_str()).push(")");
    }
    if let Some(since) = query.since {
        sql.push(" and e.requested_at >= ").int(since.0);
    }
    if let Some((at, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (e.requested_at, e.execution_id) < (")
            .int(at.parse().unwrap_or_default())
            .push(", ")
            .text(id)
            .push(")");
    }
    sql.push(" order by e.requested_at desc, e.execution_id desc limit ")
        .int(i64::from(limit) + 1);
    let mut items = Vec::new();
    for found in sql.all(db.reader()).await? {
        items.push(summary(&found)?);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.requested_at.0.to_string(), last.execution_id.as_str()));
    Ok(Page { items, next })
}

/// The last executions of one runbook.
///
/// # Errors
/// When the database does not answer.
pub async fn recent(
    db: &Db,
    document: &str,
    viewer: &Viewer<'_>,
    limit: i64,
) -> Result<Vec<ExecutionSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where e.document = ").text(document).push(" and ");
    push_visible(&mut sql, db, viewer);
    sql.push(" order by e.requested_at desc, e.execution_id desc limit ")
        .int(limit);
    sql.all(db.reader()).await?.iter().map(summary).collect()
}

/// The executions that one started, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn children(
    db: &Db,
    parent_ssm_id: &str,
    viewer: &Viewer<'_>,
) -> Result<Vec<ExecutionSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where e.parent_ssm_id = ")
        .text(parent_ssm_id)
        .push(" and ");
    push_visible(&mut sql, db, viewer);
    sql.push(" order by e.requested_at limit 200");
    sql.all(db.reader()).await?.iter().map(summary).collect()
}

/// One execution, if the viewer may see it.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    db: &Db,
    execution: &ExecutionId,
    viewer: &Viewer<'_>,
) -> Result<Option<ExecutionRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where e.execution_id = ")
        .text(execution.as_str())
        .push(" and ");
    push_visible(&mut sql, db, viewer);
    sql.first(db.reader())
        .await?
        .as_ref()
        .map(execution_row)
        .transpose()
}

/// The execution with Systems Manager's id, whoever may see it.
///
/// # Errors
/// When the database does not answer.
pub async fn of_ssm(db: &Db, ssm_execution_id: &str) -> Result<Option<ExecutionRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where e.ssm_execution_id = ").text(ssm_execution_id);
    sql.first(db.reader())
        .await?
        .as_ref()
        .map(execution_row)
        .transpose()
}

/// Executions in a state, those first that were looked at longest ago.
///
/// # Errors
/// When the database does not answer.
pub async fn in_state(db: &Db, state: &str, limit: i64) -> Result<Vec<ExecutionRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where ")
        .within("e.connection_id", db)
        .push(" and e.state = ")
        .text(state)
        .push(" order by e.synced_at limit ")
        .int(limit);
    sql.all(db.reader()).await?.iter().map(execution_row).collect()
}

/// Notes Systems Manager's id: it has taken the execution.
///
/// # Errors
/// When the database does not answer.
pub async fn sent(db: &Db, execution: &ExecutionId, ssm_execution_id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("update executions set state = 'active', ssm_execution_id = ");
    sql.text(ssm_execution_id)
        .push(" where execution_id = ")
        .text(execution.as_str())
        .push(" and state = 'sending'");
    sql.run(db.writer()).await?;
    Ok(())
}

/// Whether one of that runbook is being sent: then an execution that nobody knows may be it.
///
/// # Errors
/// When the database does not answer.
pub async fn is_sending(db: &Db, document: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select execution_id from executions where state = 'sending' and ");
    sql.within("connection_id", db)
        .push(" and document = ")
        .text(document)
        .push(" limit 1");
    Ok(sql.first(db.reader()).await?.is_some())
}

/// Whether there is an execution of that id.
///
/// # Errors
/// When the database does not answer.
pub async fn is_there(db: &Db, execution: &ExecutionId) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select execution_id from executions where execution_id = ");
    sql.text(execution.as_str());
    Ok(sql.first(db.reader()).await?.is_some())
}

/// Takes back an execution that was certainly not started.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_unsent(db: &Db, execution: &ExecutionId) -> Result<(), StoreError> {
    let mut transaction = db.begin().await?;
    crate::deployments::write::remove_unsent(&mut transaction, execution).await?;
    for text in [
        "delete from execution_events where execution_id = ",
        "delete from execution_steps where execution_id = ",
        "delete from execution_nodes where execution_id = ",
        "delete from executions where execution_id = ",
    ] {
        let mut sql = Sql::new(text);
        sql.text(execution.as_str());
        sql.run(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
