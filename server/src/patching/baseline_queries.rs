//! The SQL that reads the portal's copy of patch baselines. There are a few dozen at most.

use muster_domain::Timestamp;
use muster_domain::patching::{BaselineContent, BaselineQuery, BaselineSummary, BaselineVersion, short_id};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

/// Versions that are shown at most.
const MOST_VERSIONS: i64 = 100;

const COLUMNS: &str = "select b.baseline_id, b.name, b.operating_system, b.is_given, b.is_default, b.patch_groups, b.content, \
     b.sha256, b.modified_at, b.synced_at from patch_baselines b where b.connection_id = ";

fn summary(row: &AnyRow) -> Result<BaselineSummary, StoreError> {
    Ok(BaselineSummary {
        baseline_id: row.text("baseline_id")?,
        name: row.text("name")?,
        operating_system: row.text("operating_system")?,
        is_given: row.int("is_given")? != 0,
        is_default: row.int("is_default")? != 0,
        groups: serde_json::from_str(&row.text("patch_groups")?).unwrap_or_default(),
        content: serde_json::from_str(&row.text("content")?).unwrap_or_default(),
        sha256: row.text("sha256")?,
        modified_at: row.time("modified_at")?,
        synced_at: row.time("synced_at")?,
    })
}

/// All baselines, by operating system and name.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &Db, connection: &str) -> Result<Vec<BaselineSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" order by b.operating_system, b.is_given, b.name, b.baseline_id");
    sql.all(db.reader()).await?.iter().map(summary).collect()
}

/// Whether a baseline is among those that are asked for.
#[must_use]
pub fn matches(one: &BaselineSummary, query: &BaselineQuery) -> bool {
    let text = query.text.trim().to_lowercase();
    let has = |what: &str| what.to_lowercase().contains(&text);
    (query.operating_system.is_empty() || query.operating_system == one.operating_system)
        && query.own.is_none_or(|own| own != one.is_given)
        && (text.is_empty()
            || has(&one.name)
            || has(&one.baseline_id)
            || has(&one.content.description)
            || one.groups.iter().any(|group| has(group)))
}

/// The first baselines that people may mean by a text.
///
/// # Errors
/// When the database does not answer.
pub async fn found(
    db: &Db,
    connection: &str,
    text: &str,
    limit: usize,
) -> Result<Vec<BaselineSummary>, StoreError> {
    let query = BaselineQuery {
        text: text.to_owned(),
        ..BaselineQuery::default()
    };
    let mut all = all(db, connection).await?;
    all.retain(|one| matches(one, &query));
    // One's own before those that come with Systems Manager: these are many.
    all.sort_by_key(|one| one.is_given);
    all.truncate(limit);
    Ok(all)
}

/// One baseline, by its id or by what stands behind the last slash of that.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, connection: &str, id: &str) -> Result<Option<BaselineSummary>, StoreError> {
    let all = all(db, connection).await?;
    Ok(all
        .into_iter()
        .find(|one| one.baseline_id == id || short_id(&one.baseline_id) == id))
}

/// What a baseline said, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn versions(
    db: &Db,
    connection: &str,
    baseline_id: &str,
) -> Result<Vec<BaselineVersion>, StoreError> {
    let mut sql = Sql::new(
        "select v.number, v.sha256, v.seen_at, v.changed_by, v.request_id from patch_baseline_versions v where \
         v.connection_id = ",
    );
    sql.text(connection)
        .push(" and v.baseline_id = ")
        .text(baseline_id)
        .push(" order by v.number desc limit ")
        .int(MOST_VERSIONS);
    let rows = sql.all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            Ok(BaselineVersion {
                number: row.int("number")?,
                sha256: row.text("sha256")?,
                seen_at: row.time("seen_at")?,
                changed_by: row.text("changed_by")?,
                request_id: row.text("request_id")?,
            })
        })
        .collect()
}

/// What a version of a baseline said.
///
/// # Errors
/// When the database does not answer.
pub async fn version(
    db: &Db,
    connection: &str,
    baseline_id: &str,
    number: i64,
) -> Result<Option<BaselineContent>, StoreError> {
    content(db, connection, baseline_id, |sql| {
        sql.push(" and v.number = ").int(number);
    })
    .await
}

/// What a baseline said that had this SHA-256.
///
/// # Errors
/// When the database does not answer.
pub async fn version_of(
    db: &Db,
    connection: &str,
    baseline_id: &str,
    sha256: &str,
) -> Result<Option<BaselineContent>, StoreError> {
    content(db, connection, baseline_id, |sql| {
        sql.push(" and v.sha256 = ").text(sha256);
    })
    .await
}

async fn content(
    db: &Db,
    connection: &str,
    baseline_id: &str,
    narrow: impl FnOnce(&mut Sql),
) -> Result<Option<BaselineContent>, StoreError> {
    let mut sql = Sql::new("select v.content from patch_baseline_versions v where v.connection_id = ");
    sql.text(connection)
        .push(" and v.baseline_id = ")
        .text(baseline_id);
    narrow(&mut sql);
    sql.push(" order by v.number desc limit 1");
    let found = sql.first(db.reader()).await?;
    Ok(match found {
        Some(row) => serde_json::from_str(&row.text("content")?).ok(),
        None => None,
    })
}

/// When all baselines were last copied.
///
/// # Errors
/// When the database does not answer.
pub async fn synced_at(db: &Db, connection: &str) -> Result<Option<Timestamp>, StoreError> {
    let mut sql = Sql::new("select baselines_at from patch_copies where connection_id = ");
    sql.text(connection);
    match sql.first(db.reader()).await? {
        Some(row) => row.time_or_none("baselines_at"),
        None => Ok(None),
    }
}

/// Nodes that were last held against a baseline.
///
/// # Errors
/// When the database does not answer.
pub async fn nodes(db: &Db, connection: &str, baseline_id: &str) -> Result<u64, StoreError> {
    let mut sql = Sql::new("select count(*) as nodes from patch_states p where p.connection_id = ");
    sql.text(connection)
        .push(" and p.baseline_id = ")
        .text(baseline_id);
    let row = sql.one(db.reader()).await?;
    Ok(row.int("nodes")?.unsigned_abs())
}

#[cfg(test)]
#[path = "baseline_tests.rs"]
mod tests;
