//! What the page of a runbook and the page of an execution show, put together.

use crate::error::store;
use crate::runbooks::queries::{self, ExecutionRow, Viewer};
use crate::runbooks::reach::reaches_further;
use crate::runbooks::service::{RunbookService, own_execution};
use crate::runbooks::text::in_lines;
use crate::runbooks::{apply, catalogue, content, copy, retry, steps};
use muster_domain::action::Action;
use muster_domain::permission::Scope;
use muster_domain::runbooks::{ExecutionDetail, RunbookDetail};
use muster_domain::{Actor, PortalError};

/// Executions of a runbook on its page.
const RECENT: i64 = 10;

/// A runbook in one version.
///
/// # Errors
/// When there is no such runbook or version, or the database does not answer.
pub async fn runbook(
    service: &RunbookService,
    actor: &Actor,
    name: &str,
    version: Option<String>,
    scopes: &[Scope],
) -> Result<RunbookDetail, PortalError> {
    let (db, ssm) = (&service.db, &service.ssm);
    let mut summary = copy::known(db, ssm, name, service.clock.now()).await?;
    let versions = catalogue::versions(db, ssm.connection.id.as_str(), name)
        .await
        .map_err(store)?;
    // The list may be older than the versions.
    if let Some(default) = versions.iter().find(|one| one.is_default) {
        summary.default_version.clone_from(&default.version);
    }
    let version = version.unwrap_or_else(|| summary.default_version.clone());
    let (content_hash, text) = copy::text(db, ssm, name, &version).await?;
    let read = content::read(&text);
    let viewer = Viewer {
        scopes,
        user: actor.user_id.as_ref(),
    };
    let recent = queries::recent(db, name, &viewer, RECENT).await.map_err(store)?;
    Ok(RunbookDetail {
        reaches_further: reaches_further(&read),
        node_parameter: read
            .node_parameters
            .first()
            .map(|one| (one.name.clone(), one.takes_several)),
        summary,
        version,
        versions,
        description: read.description,
        parameters: read.parameters,
        steps: read.steps,
        outputs: read.outputs,
        content: in_lines(&text),
        content_hash,
        recent,
        may_start: actor.may(Action::RunbooksStart),
    })
}

/// An execution.
///
/// # Errors
/// When the database does not answer.
pub async fn execution(
    service: &RunbookService,
    actor: &Actor,
    row: ExecutionRow,
    scopes: &[Scope],
) -> Result<ExecutionDetail, PortalError> {
    let db = &service.db;
    let id = row.summary.execution_id.clone();
    let viewer = Viewer {
        scopes,
        user: actor.user_id.as_ref(),
    };
    let steps = steps::steps(db.reader(), &id).await.map_err(store)?;
    let (usual_duration_ms, usual_steps_ms) = steps::usual(db, &row).await.map_err(store)?;
    let text = catalogue::text_of_hash(db, &row.content_hash)
        .await
        .map_err(store)?;
    let children = match &row.ssm_execution_id {
        Some(ssm_id) => queries::children(db, ssm_id, &viewer).await.map_err(store)?,
        None => Vec::new(),
    };
    let parent = match row.parent_ssm_id.as_str() {
        "" => None,
        parent => queries::of_ssm(db, parent).await.map_err(store)?,
    };
    let is_running = row.state != "done" && row.ssm_execution_id.is_some();
    // Each right holds where the actor has it, and that may be elsewhere than where they look.
    let mut may = Vec::with_capacity(3);
    for action in [
        Action::RunbooksStop,
        Action::RunbooksSignal,
        Action::RunbooksDecide,
    ] {
        let scopes = actor.scopes_for(action);
        let viewer = Viewer {
            scopes: &scopes,
            user: actor.user_id.as_ref(),
        };
        let reaches = is_running
            && !scopes.is_empty()
            && queries::get(db, &id, &viewer).await.map_err(store)?.is_some();
        may.push(reaches);
    }
    let retry_from = retry::retry_from(service, actor, &row, &steps, &content::read(&text)).await?;
    let retried = apply::retries(db, &id).await.map_err(store)?;
    let may_do = |at: usize| may.get(at).copied().unwrap_or(false);
    let why_not_decide = own_execution(actor, &row);
    Ok(ExecutionDetail {
        event_cursor: row.next_event - 1,
        steps,
        parent: parent.map(|parent| parent.summary.execution_id),
        children,
        document_steps: content::read(&text).steps,
        content: in_lines(&text),
        content_hash: row.content_hash,
        ssm_execution_id: row.ssm_execution_id,
        executed_by: row.executed_by,
        parameters: row.parameters,
        targets: row.targets,
        max_concurrency: row.max_concurrency,
        max_errors: row.max_errors,
        outputs: row.outputs,
        problem: row.problem,
        deployment: crate::deployments::queries::of_execution(db, &id)
            .await
            .map_err(store)?,
        usual_duration_ms,
        usual_steps_ms,
        may_start: actor.may(Action::RunbooksStart),
        may_stop: may_do(0),
        retry_from,
        retried,
        may_signal: may_do(1),
        may_decide: may_do(2) && why_not_decide.is_empty(),
        why_not_decide: why_not_decide.to_owned(),
        summary: row.summary,
    })
}
