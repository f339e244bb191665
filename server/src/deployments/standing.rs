//! The SQL that reads how environments stand: what runs there, what is about to, and how it went before.

use crate::deployments::queries::{DEPLOYMENTS, deployment, history};
use crate::runbooks::queries::json;
use muster_domain::approvals::{PastOutcome, ProposedAct};
use muster_domain::commands::CommandStatus;
use muster_domain::deployments::{
    DeployRelease, DeploymentQuery, DeploymentState, DeploymentSummary, WaitingDeployment,
};
use muster_domain::ids::{ApplicationId, ExecutionId, RequestId};
use muster_store::{Db, RowExt, Sql, StoreError};
use std::collections::BTreeMap;

/// Open requests that are looked at for what waits.
const MAX_WAITING: i64 = 200;

/// How an environment stands: what runs there, and the newest deployment where that is another one.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The newest deployment that succeeded.
    pub current: Option<DeploymentSummary>,
    /// The newest of all.
    pub last: Option<DeploymentSummary>,
}

impl Standing {
    /// The deployment that runs there now, where one does.
    pub(super) fn open(&self) -> Option<&DeploymentSummary> {
        let mut both = self.last.iter().chain(&self.current);
        both.find(|one| one.state == DeploymentState::Running)
    }
}

/// How the environments of applications stand, by application and environment.
///
/// # Errors
/// When the database does not answer.
pub async fn standings(
    db: &Db,
    applications: &[ApplicationId],
) -> Result<BTreeMap<(String, String), Standing>, StoreError> {
    let mut found: BTreeMap<(String, String), Standing> = BTreeMap::new();
    if applications.is_empty() {
        return Ok(found);
    }
    let ids: Vec<String> = applications.iter().map(ToString::to_string).collect();
    for is_current in [true, false] {
        let mut sql = Sql::new(DEPLOYMENTS);
        sql.push(if is_current {
            "d.deployment_id in (select e.current_deployment_id from application_environments e where e.application_id in ("
        } else {
            "d.deployment_id in (select e.last_deployment_id from application_environments e where e.application_id in ("
        });
        sql.texts(&ids).push("))");
        for row in sql.all(db.reader()).await? {
            let one = deployment(&row)?;
            let key = (one.application_id.to_string(), one.environment.clone());
            let standing = found.entry(key).or_default();
            if is_current {
                standing.current = Some(one);
            } else {
                standing.last = Some(one);
            }
        }
    }
    for standing in found.values_mut() {
        let is_same = |last: &DeploymentSummary| {
            standing
                .current
                .as_ref()
                .is_some_and(|current| current.deployment_id == last.deployment_id)
        };
        standing.last = standing.last.take().filter(|last| !is_same(last));
    }
    Ok(found)
}

/// Deployments among the open requests, by application and environment.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(db: &Db) -> Result<BTreeMap<(String, String), Vec<WaitingDeployment>>, StoreError> {
    let mut sql = Sql::new(
        "select r.request_id, r.title, r.state, r.proposed from approval_requests r where r.is_open = 1 and r.act in \
         ('deployments.deploy', 'deployments.roll_back') and ",
    );
    sql.within("r.connection_id", db)
        .push(" order by r.number desc limit ")
        .int(MAX_WAITING);
    let mut found: BTreeMap<(String, String), Vec<WaitingDeployment>> = BTreeMap::new();
    for row in sql.all(db.reader()).await? {
        let ProposedAct::Deployment { deployment } = json(&row, "proposed")? else {
            continue;
        };
        let key = (deployment.application.to_string(), deployment.environment);
        found.entry(key).or_default().push(WaitingDeployment {
            request_id: RequestId::new(row.text("request_id")?),
            title: row.text("title")?,
            is_approved: row.text("state")? == "approved",
        });
    }
    Ok(found)
}

/// How the same application was deployed to the same environment the last times, as a request shows it.
///
/// # Errors
/// When the database does not answer.
pub async fn past(
    db: &Db,
    about: &DeployRelease,
    but: &str,
    count: usize,
) -> Result<Vec<PastOutcome>, StoreError> {
    let query = DeploymentQuery {
        application: about.application.clone(),
        environment: about.environment.clone(),
        state: None,
        text: String::new(),
        cursor: None,
        limit: u32::try_from(count + 2).ok(),
    };
    let found = history(db, &query).await?.items.into_iter();
    Ok(found
        .filter(|one| one.state != DeploymentState::Running && one.deployment_id.as_str() != but)
        .take(count)
        .map(|one| PastOutcome {
            label: one.kind.title(&one.application, &one.version, &one.environment),
            href: format!("/deployments/{}/runs/{}", one.application_id, one.deployment_id),
            at: one.requested_at,
            targets: one.nodes,
            errors: if one.state == DeploymentState::Succeeded {
                0
            } else {
                one.nodes
            },
            status: match one.state {
                DeploymentState::Running => CommandStatus::InProgress,
                DeploymentState::Succeeded => CommandStatus::Success,
                DeploymentState::Failed => CommandStatus::Failed,
                DeploymentState::Stopped => CommandStatus::Cancelled,
            },
        })
        .collect())
}

/// What the runbook was given for a deployment, and which of that were the nodes.
///
/// # Errors
/// When the database does not answer.
pub async fn given(
    db: &Db,
    execution: &ExecutionId,
) -> Result<Option<(BTreeMap<String, Vec<String>>, String)>, StoreError> {
    let mut sql = Sql::new("select parameters, targets from executions where execution_id = ");
    sql.text(execution.as_str());
    let Some(row) = sql.first(db.reader()).await? else {
        return Ok(None);
    };
    let targets: Option<muster_domain::runbooks::PlannedTargets> = json(&row, "targets")?;
    Ok(Some((
        json(&row, "parameters")?,
        targets.map(|targets| targets.parameter).unwrap_or_default(),
    )))
}

/// Why the execution of a deployment failed; empty when it did not.
///
/// # Errors
/// When the database does not answer.
pub async fn problem(db: &Db, execution: &ExecutionId) -> Result<String, StoreError> {
    let mut sql = Sql::new("select failure_message from executions where execution_id = ");
    sql.text(execution.as_str());
    match sql.first(db.reader()).await? {
        Some(row) => row.text("failure_message"),
        None => Ok(String::new()),
    }
}
