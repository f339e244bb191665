//! The SQL that writes applications, releases and deployments.

use muster_domain::Timestamp;
use muster_domain::deployments::{
    ApplicationSettings, DeploymentKind, DeploymentState, Environment, ROLL_BACK_STEP, Release,
};
use muster_domain::ids::{ApplicationId, DeploymentId, ExecutionId, ReleaseId, RequestId, UserId};
use muster_domain::runbooks::ExecutionStatus;
use muster_store::{Db, RowExt, Sql, StoreError};
use serde_json::json;
use sqlx::{Any, Transaction};

/// A deployment about to be written, with the execution that it is.
#[derive(Clone, Debug)]
pub struct NewDeployment {
    /// Its id.
    pub id: DeploymentId,
    /// Of which application, in the revision that was planned with.
    pub application_id: ApplicationId,
    /// That revision.
    pub revision: i64,
    /// What the application is called.
    pub application: String,
    /// To which environment.
    pub environment: String,
    /// Whether it goes on, or back.
    pub kind: DeploymentKind,
    /// Which release.
    pub release_id: ReleaseId,
    /// Its number.
    pub number: i64,
    /// Its version.
    pub version: String,
    /// What ran there when it was planned.
    pub replaces: Option<(DeploymentId, String)>,
    /// What it is for.
    pub reason: String,
    /// The ticket.
    pub ticket: String,
    /// Who asked, by name.
    pub requested_by: String,
    /// Who asked, by account.
    pub requested_by_id: Option<UserId>,
    /// On how many nodes.
    pub nodes: usize,
    /// The request on which it was approved.
    pub request_id: Option<RequestId>,
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The key by which a name is unique, and stands in the list.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Writes a new application.
///
/// # Errors
/// When the database does not answer; a unique violation where there is one of that name.
pub async fn create(
    db: &Db,
    connection: &str,
    id: &ApplicationId,
    settings: &ApplicationSettings,
    environments: &[Environment],
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into applications (application_id, connection_id, name, name_key, settings, environments, changed_by, \
         revision, releases, changed_at) values (",
    );
    for text in [
        id.as_str(),
        connection,
        settings.name.trim(),
        &name_key(&settings.name),
        &json!(settings).to_string(),
        &json!(environments).to_string(),
        by,
    ] {
        sql.text(text).push(", ");
    }
    sql.push("1, 0, ").int(now.0).push(")");
    sql.run(db.writer()).await?;
    Ok(())
}

/// Changes an application as it was looked at. Answers whether it still was that.
///
/// # Errors
/// When the database does not answer; a unique violation where there is another one of that name.
pub async fn change(
    db: &Db,
    id: &ApplicationId,
    seen: i64,
    settings: &ApplicationSettings,
    environments: &[Environment],
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update applications set revision = revision + 1, name = ");
    sql.text(settings.name.trim())
        .push(", name_key = ")
        .text(name_key(&settings.name))
        .push(", settings = ")
        .text(json!(settings).to_string())
        .push(", environments = ")
        .text(json!(environments).to_string());
    sql.push(", changed_by = ")
        .text(by)
        .push(", changed_at = ")
        .int(now.0)
        .push(" where application_id = ")
        .text(id.as_str())
        .push(" and revision = ")
        .int(seen)
        .push(" and deleted_at is null");
    Ok(sql.run(db.writer()).await? > 0)
}

/// Marks an application as deleted, as it was looked at, while none of its deployments runs. Answers whether that was so.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(
    db: &Db,
    id: &ApplicationId,
    seen: i64,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update applications set revision = revision + 1, deleted_at = ");
    sql.int(now.0)
        .push(", changed_by = ")
        .text(by)
        .push(", changed_at = ")
        .int(now.0)
        .push(" where application_id = ")
        .text(id.as_str())
        .push(" and revision = ")
        .int(seen)
        .push(
            " and deleted_at is null and not exists (select 1 from deployments d where d.application_id = \
             applications.application_id and d.is_open = 1)",
        );
    Ok(sql.run(db.writer()).await? > 0)
}

/// Writes a release under the application's next number. Answers whether the application still was the one of that revision.
///
/// # Errors
/// When the database does not answer; a unique violation where there is a release of that version.
pub async fn create_release(
    db: &Db,
    release: &Release,
    revision: i64,
    by_id: Option<&UserId>,
) -> Result<bool, StoreError> {
    let mut transaction = db.begin().await?;
    // Whoever comes at the same time waits here, and gets the number after.
    let mut sql = Sql::new("update applications set releases = releases + 1 where application_id = ");
    sql.text(release.application_id.as_str())
        .push(" and revision = ")
        .int(revision)
        .push(" and deleted_at is null returning releases");
    let Some(row) = sql.first(&mut *transaction).await? else {
        return Ok(false);
    };
    let number = row.int("releases")?;
    let mut sql = Sql::new(
        "insert into releases (release_id, application_id, version, notes, content, created_by, created_by_id, number, \
         created_at) values (",
    );
    for text in [
        release.release_id.as_str(),
        release.application_id.as_str(),
        &release.version,
        &release.notes,
        &json!(release.content).to_string(),
        &release.created_by,
    ] {
        sql.text(text).push(", ");
    }
    sql.text_or_none(by_id.map(ToString::to_string))
        .push(", ")
        .int(number)
        .push(", ")
        .int(release.created_at.0)
        .push(")");
    sql.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Writes a deployment in the transaction of its execution. Answers whether application and environment still were what was
/// planned with; where not, the transaction has to be given up.
///
/// # Errors
/// When the database does not answer; a unique violation where one runs in that environment.
pub async fn deployment(
    transaction: &mut Transaction<'static, Any>,
    new: &NewDeployment,
    execution: &ExecutionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // Holds the application as it is until this is written down.
    let mut sql = Sql::new("update applications set revision = revision where application_id = ");
    sql.text(new.application_id.as_str())
        .push(" and revision = ")
        .int(new.revision)
        .push(" and deleted_at is null");
    if sql.run(&mut **transaction).await? == 0 {
        return Ok(false);
    }
    let mut sql = Sql::new(
        "insert into deployments (deployment_id, application_id, application, environment, kind, release_id, version, \
         replaces, reason, ticket, requested_by, state, rolled_back, execution_id, replaces_id, requested_by_id, request_id, \
         number, requested_at, nodes, is_open) values (",
    );
    for text in [
        new.id.as_str(),
        new.application_id.as_str(),
        &new.application,
        &new.environment,
        new.kind.as_str(),
        new.release_id.as_str(),
        &new.version,
        new.replaces.as_ref().map_or("", |(_, version)| version),
        new.reason.trim(),
        new.ticket.trim(),
        &new.requested_by,
        DeploymentState::Running.as_str(),
        "",
        execution.as_str(),
    ] {
        sql.text(text).push(", ");
    }
    sql.text_or_none(new.replaces.as_ref().map(|(id, _)| id.to_string()))
        .push(", ")
        .text_or_none(new.requested_by_id.as_ref().map(ToString::to_string))
        .push(", ")
        .text_or_none(new.request_id.as_ref().map(ToString::to_string))
        .push(", ");
    sql.int(new.number)
        .push(", ")
        .int(now.0)
        .push(", ")
        .int(number(new.nodes))
        .push(", 1)");
    sql.run(&mut **transaction).await?;
    // After it has its place nothing else can end there: what runs now is what it replaces.
    let mut sql =
        Sql::new("select current_deployment_id from application_environments where application_id = ");
    sql.text(new.application_id.as_str())
        .push(" and environment = ")
        .text(&new.environment);
    let current = match sql.first(&mut **transaction).await? {
        Some(row) => row.text_or_none("current_deployment_id")?,
        None => None,
    };
    if current.as_deref() != new.replaces.as_ref().map(|(id, _)| id.as_str()) {
        return Ok(false);
    }
    let mut sql = Sql::new(
        "insert into application_environments (application_id, environment, last_deployment_id) values (",
    );
    sql.text(new.application_id.as_str())
        .push(", ")
        .text(&new.environment)
        .push(", ")
        .text(new.id.as_str())
        .push(
            ") on conflict (application_id, environment) do update set last_deployment_id = excluded.last_deployment_id",
        );
    sql.run(&mut **transaction).await?;
    Ok(true)
}

/// Takes a deployment back whose execution was certainly not started, in the transaction that takes that back.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_unsent(
    transaction: &mut Transaction<'static, Any>,
    execution: &ExecutionId,
) -> Result<(), StoreError> {
    // The newest before it takes its place.
    let mut sql = Sql::new(
        "select d.deployment_id, d.application_id, d.environment, (select o.deployment_id from deployments o where \
         o.application_id = d.application_id and o.environment = d.environment and o.deployment_id <> d.deployment_id \
         order by o.requested_at desc, o.deployment_id desc limit 1) as earlier_id from deployments d where d.execution_id = ",
    );
    sql.text(execution.as_str());
    let Some(row) = sql.first(&mut **transaction).await? else {
        return Ok(());
    };
    let mut sql = match row.text_or_none("earlier_id")? {
        Some(before) => {
            let mut sql = Sql::new("update application_environments set last_deployment_id = ");
            sql.text(before).push(" where application_id = ");
            sql
        }
        None => Sql::new("delete from application_environments where application_id = "),
    };
    sql.text(row.text("application_id")?)
        .push(" and environment = ")
        .text(row.text("environment")?)
        .push(" and last_deployment_id = ")
        .text(row.text("deployment_id")?);
    sql.run(&mut **transaction).await?;
    let mut sql = Sql::new("delete from deployments where execution_id = ");
    sql.text(execution.as_str());
    sql.run(&mut **transaction).await?;
    Ok(())
}

/// Lets the deployment that an execution is stand as that does, in the transaction that writes how it stands. Its steps are
/// written before.
///
/// # Errors
/// When the database does not answer.
pub async fn follow(
    transaction: &mut Transaction<'static, Any>,
    execution: &ExecutionId,
    status: ExecutionStatus,
    ended_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let state = DeploymentState::of(status);
    let finals: Vec<String> = ExecutionStatus::ALL
        .iter()
        .filter(|status| status.is_final())
        .map(|status| status.as_str().to_owned())
        .collect();
    let mut sql = Sql::new("update deployments set state = ");
    sql.text(state.as_str()).push(", ended_at = ").int_or_none(
        ended_at
            .filter(|_| state != DeploymentState::Running)
            .map(|at| at.0),
    );
    if state == DeploymentState::Running {
        // One that goes on after it had ended has its place again, unless another one took that.
        sql.push(
            ", is_open = case when exists (select 1 from deployments o where o.application_id = deployments.application_id \
             and o.environment = deployments.environment and o.is_open = 1 and o.deployment_id <> deployments.deployment_id) \
             then 0 else 1 end",
        );
    } else {
        sql.push(", is_open = 0");
    }
    sql.push(
        ", rolled_back = coalesce((select max(s.status) from execution_steps s where s.execution_id = \
         deployments.execution_id and s.name = ",
    );
    sql.text(ROLL_BACK_STEP)
        .push(" and s.started_at is not null and s.status in (")
        .texts(&finals)
        .push(")), '') where execution_id = ")
        .text(execution.as_str());
    if sql.run(&mut **transaction).await? == 0 || state != DeploymentState::Succeeded {
        return Ok(());
    }
    let mut sql = Sql::new(
        "update application_environments set current_deployment_id = (select d.deployment_id from deployments d where \
         d.execution_id = ",
    );
    sql.text(execution.as_str())
        .push(") where application_id = (select d.application_id from deployments d where d.execution_id = ")
        .text(execution.as_str())
        .push(") and environment = (select d.environment from deployments d where d.execution_id = ")
        .text(execution.as_str())
        // One that is copied anew after a later one has succeeded does not run again by that.
        .push(
            ") and not exists (select 1 from deployments c where c.deployment_id = application_environments.current_deployment_id \
             and c.requested_at > (select d.requested_at from deployments d where d.execution_id = ",
        )
        .text(execution.as_str())
        .push("))");
    sql.run(&mut **transaction).await?;
    Ok(())
}
