//! The SQL that reads applications, releases and deployments.

use crate::fleet::queries::{decode_cursor, encode_cursor};
use crate::runbooks::queries::json;
use muster_domain::Timestamp;
use muster_domain::deployments::{
    ApplicationQuery, ApplicationSettings, DeploymentKind, DeploymentQuery, DeploymentState,
    DeploymentSummary, Environment, Release, ReleaseQuery,
};
use muster_domain::ids::{ApplicationId, DeploymentId, ExecutionId, ReleaseId, RequestId};
use muster_domain::paging::{Page, clamp_limit};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

/// Releases that can be chosen at most.
pub const MAX_CHOICE: i64 = 50;

const APPLICATIONS: &str = "select a.application_id, a.name_key, a.settings, a.environments, a.revision, a.changed_by, a.changed_at, \
     a.deleted_at, r.release_id as newest_id, r.version as newest_version, r.number as newest_number from applications a left join \
     releases r on r.application_id = a.application_id and r.number = a.releases where a.connection_id = ";

const RELEASES: &str = "select r.release_id, r.application_id, r.number, r.version, r.notes, r.content, r.created_by, r.created_at \
     from releases r where ";

pub(super) const DEPLOYMENTS: &str = "select d.deployment_id, d.application_id, d.application, d.environment, d.kind, d.release_id, d.number, \
     d.version, d.replaces, d.reason, d.ticket, d.requested_by, d.requested_at, d.ended_at, d.state, d.rolled_back, d.nodes, \
     d.execution_id, d.request_id from deployments d where ";

/// An application as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Which.
    pub id: ApplicationId,
    /// What it is.
    pub settings: ApplicationSettings,
    /// Its environments, in their order.
    pub environments: Vec<Environment>,
    /// Counts changes.
    pub revision: i64,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Its newest release: which, its version, its number.
    pub newest: Option<(ReleaseId, String, i64)>,
}

fn stored(row: &AnyRow) -> Result<Stored, StoreError> {
    let newest = match (
        row.text_or_none("newest_id")?,
        row.text_or_none("newest_version")?,
        row.int_or_none("newest_number")?,
    ) {
        (Some(id), Some(version), Some(number)) => Some((ReleaseId::new(id), version, number)),
        _ => None,
    };
    Ok(Stored {
        id: ApplicationId::new(row.text("application_id")?),
        settings: json(row, "settings")?,
        environments: json(row, "environments")?,
        revision: row.int("revision")?,
        changed_by: row.text("changed_by")?,
        changed_at: row.time("changed_at")?,
        deleted_at: row.time_or_none("deleted_at")?,
        newest,
    })
}

/// A page of rows: one more was asked for than it holds.
fn page_of<T>(
    rows: &[AnyRow],
    limit: usize,
    read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    cursor: impl Fn(&AnyRow) -> Result<(String, String), StoreError>,
) -> Result<Page<T>, StoreError> {
    let items = rows.iter().take(limit).map(read).collect::<Result<_, _>>()?;
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let next = match last {
        Some(last) => {
            let (key, id) = cursor(last)?;
            Some(encode_cursor(&key, &id))
        }
        None => None,
    };
    Ok(Page { items, next })
}

fn one_more(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// Applications that match, by name, and how many there are in all.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    connection: &str,
    query: &ApplicationQuery,
) -> Result<(Page<Stored>, u64), StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let mut sql = Sql::new(APPLICATIONS);
    sql.text(connection).push(" and a.deleted_at is null");
    if !query.text.trim().is_empty() {
        sql.push(" and a.name_key like ")
            .text(contains_pattern(query.text.trim()))
            .push(" escape '\\'");
    }
    if let Some((key, _)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and a.name_key > ").text(key);
    }
    sql.push(" order by a.name_key limit ").int(one_more(limit));
    let rows = sql.all(db.reader()).await?;
    let page = page_of(&rows, limit, stored, |row| {
        Ok((row.text("name_key")?, row.text("application_id")?))
    })?;
    let mut sql =
        Sql::new("select count(*) as many from applications where deleted_at is null and connection_id = ");
    sql.text(connection);
    let total = sql.one(db.reader()).await?.int("many")?;
    Ok((page, u64::try_from(total).unwrap_or_default()))
}

/// One application, also one that was deleted.
///
/// # Errors
/// When the database does not answer.
pub async fn application(
    db: &Db,
    connection: &str,
    id: &ApplicationId,
) -> Result<Option<Stored>, StoreError> {
    let mut sql = Sql::new(APPLICATIONS);
    sql.text(connection)
        .push(" and a.application_id = ")
        .text(id.as_str());
    sql.first(db.reader()).await?.as_ref().map(stored).transpose()
}

fn release(row: &AnyRow) -> Result<Release, StoreError> {
    Ok(Release {
        release_id: ReleaseId::new(row.text("release_id")?),
        application_id: ApplicationId::new(row.text("application_id")?),
        number: row.int("number")?,
        version: row.text("version")?,
        notes: row.text("notes")?,
        content: json(row, "content")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_at")?,
    })
}

/// Releases of an application, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn releases(db: &Db, query: &ReleaseQuery) -> Result<Page<Release>, StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let mut sql = Sql::new(RELEASES);
    sql.push("r.application_id = ").text(query.application.as_str());
    let text = query.text.trim();
    if !text.is_empty() {
        for (before, after) in [
            (" and (lower(r.version) like ", " escape '\\'"),
            (" or lower(r.notes) like ", " escape '\\'"),
            (" or lower(r.created_by) like ", " escape '\\')"),
        ] {
            sql.push(before).text(contains_pattern(text)).push(after);
        }
    }
    if let Some((number, _)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and r.number < ")
            .int(number.parse().unwrap_or_default());
    }
    sql.push(" order by r.number desc limit ").int(one_more(limit));
    let rows = sql.all(db.reader()).await?;
    page_of(&rows, limit, release, |row| {
        Ok((row.int("number")?.to_string(), row.text("release_id")?))
    })
}

/// One release.
///
/// # Errors
/// When the database does not answer.
pub async fn release_of(db: &Db, id: &ReleaseId) -> Result<Option<Release>, StoreError> {
    let mut sql = Sql::new(RELEASES);
    sql.push("r.release_id = ").text(id.as_str());
    sql.first(db.reader()).await?.as_ref().map(release).transpose()
}

/// The release of that number.
///
/// # Errors
/// When the database does not answer.
pub async fn release_number(
    db: &Db,
    application: &ApplicationId,
    number: i64,
) -> Result<Option<Release>, StoreError> {
    let mut sql = Sql::new(RELEASES);
    sql.push("r.application_id = ")
        .text(application.as_str())
        .push(" and r.number = ")
        .int(number);
    sql.first(db.reader()).await?.as_ref().map(release).transpose()
}

/// The newest releases that succeeded in an environment.
///
/// # Errors
/// When the database does not answer.
pub async fn succeeded(
    db: &Db,
    application: &ApplicationId,
    environment: &str,
) -> Result<Vec<Release>, StoreError> {
    let mut sql = Sql::new(RELEASES);
    sql.push("r.application_id = ")
        .text(application.as_str())
        .push(
            " and exists (select 1 from deployments d where d.release_id = r.release_id and d.environment = ",
        )
        .text(environment)
        .push(" and d.state = 'succeeded') order by r.number desc limit ")
        .int(MAX_CHOICE);
    sql.all(db.reader()).await?.iter().map(release).collect()
}

/// Whether a release succeeded in an environment.
///
/// # Errors
/// When the database does not answer.
pub async fn has_succeeded(db: &Db, release: &ReleaseId, environment: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select 1 as found from deployments d where d.release_id = ");
    sql.text(release.as_str())
        .push(" and d.environment = ")
        .text(environment)
        .push(" and d.state = 'succeeded' limit 1");
    Ok(sql.first(db.reader()).await?.is_some())
}

/// The release of that version.
///
/// # Errors
/// When the database does not answer.
pub async fn release_version(
    db: &Db,
    application: &ApplicationId,
    version: &str,
) -> Result<Option<Release>, StoreError> {
    let mut sql = Sql::new(RELEASES);
    sql.push("r.application_id = ")
        .text(application.as_str())
        .push(" and r.version = ")
        .text(version);
    sql.first(db.reader()).await?.as_ref().map(release).transpose()
}

pub(super) fn deployment(row: &AnyRow) -> Result<DeploymentSummary, StoreError> {
    Ok(DeploymentSummary {
        deployment_id: DeploymentId::new(row.text("deployment_id")?),
        application_id: ApplicationId::new(row.text("application_id")?),
        application: row.text("application")?,
        environment: row.text("environment")?,
        kind: DeploymentKind::parse(&row.text("kind")?).unwrap_or_default(),
        release_id: ReleaseId::new(row.text("release_id")?),
        number: row.int("number")?,
        version: row.text("version")?,
        replaces: row.text("replaces")?,
        reason: row.text("reason")?,
        ticket: row.text("ticket")?,
        requested_by: row.text("requested_by")?,
        requested_at: row.time("requested_at")?,
        ended_at: row.time_or_none("ended_at")?,
        state: DeploymentState::parse(&row.text("state")?).unwrap_or(DeploymentState::Failed),
        rolled_back: row.text("rolled_back")?,
        nodes: u32::try_from(row.int("nodes")?).unwrap_or(u32::MAX),
        execution_id: ExecutionId::new(row.text("execution_id")?),
        request_id: row.text_or_none("request_id")?.map(RequestId::new),
    })
}

/// Deployments of an application that match, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn history(db: &Db, query: &DeploymentQuery) -> Result<Page<DeploymentSummary>, StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let mut sql = Sql::new(DEPLOYMENTS);
    sql.push("d.application_id = ").text(query.application.as_str());
    if !query.environment.is_empty() {
        sql.push(" and d.environment = ").text(&query.environment);
    }
    if let Some(state) = query.state {
        sql.push(" and d.state = ").text(state.as_str());
    }
    let text = query.text.trim();
    if !text.is_empty() {
        for (before, after) in [
            (" and (lower(d.version) like ", " escape '\\'"),
            (" or lower(d.reason) like ", " escape '\\'"),
            (" or lower(d.ticket) like ", " escape '\\'"),
            (" or lower(d.requested_by) like ", " escape '\\')"),
        ] {
            sql.push(before).text(contains_pattern(text)).push(after);
        }
    }
    if let Some((at, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (d.requested_at, d.deployment_id) < (")
            .int(at.parse().unwrap_or_default())
            .push(", ")
            .text(id)
            .push(")");
    }
    sql.push(" order by d.requested_at desc, d.deployment_id desc limit ")
        .int(one_more(limit));
    let rows = sql.all(db.reader()).await?;
    page_of(&rows, limit, deployment, |row| {
        Ok((row.int("requested_at")?.to_string(), row.text("deployment_id")?))
    })
}

/// The newest deployments of a release.
///
/// # Errors
/// When the database does not answer.
pub async fn of_release(
    db: &Db,
    release: &ReleaseId,
    limit: i64,
) -> Result<Vec<DeploymentSummary>, StoreError> {
    let mut sql = Sql::new(DEPLOYMENTS);
    sql.push("d.release_id = ")
        .text(release.as_str())
        .push(" order by d.requested_at desc limit ")
        .int(limit);
    sql.all(db.reader()).await?.iter().map(deployment).collect()
}

/// One deployment.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, id: &DeploymentId) -> Result<Option<DeploymentSummary>, StoreError> {
    let mut sql = Sql::new(DEPLOYMENTS);
    sql.push("d.deployment_id = ").text(id.as_str());
    sql.first(db.reader()).await?.as_ref().map(deployment).transpose()
}

/// The deployment that an execution is.
///
/// # Errors
/// When the database does not answer.
pub async fn of_execution(db: &Db, id: &ExecutionId) -> Result<Option<DeploymentSummary>, StoreError> {
    let mut sql = Sql::new(DEPLOYMENTS);
    sql.push("d.execution_id = ").text(id.as_str());
    sql.first(db.reader()).await?.as_ref().map(deployment).transpose()
}
