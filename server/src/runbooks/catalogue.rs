//! The SQL of the portal's copy of runbooks: what there is, versions, and texts.

use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::Timestamp;
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::runbooks::{RunbookOwner, RunbookPage, RunbookQuery, RunbookSummary, RunbookVersion};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

const COLUMNS: &str = "select r.name, r.owner, r.owner_name, r.category, r.description, r.default_version, r.described_at, \
     r.versions_at, r.synced_at from runbooks r";

fn summary(row: &AnyRow) -> Result<RunbookSummary, StoreError> {
    Ok(RunbookSummary {
        name: row.text("name")?,
        owner: RunbookOwner::parse(&row.text("owner")?).unwrap_or(RunbookOwner::Shared),
        owner_name: row.text("owner_name")?,
        category: row.text("category")?,
        description: row.text("description")?,
        default_version: row.text("default_version")?,
        synced_at: row.time("synced_at")?,
    })
}

/// A page of runbooks, by name, with the categories that there are.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, connection: &str, query: &RunbookQuery) -> Result<RunbookPage, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where r.connection_id = ").text(connection);
    if let Some(owner) = query.owner {
        sql.push(" and r.owner = ").text(owner.as_str());
    }
    if let Some(category) = &query.category {
        sql.push(" and r.category = ").text(category);
    }
    if !query.text.trim().is_empty() {
        let pattern = contains_pattern(query.text.trim());
        sql.push(" and (lower(r.name) like ").text(pattern.clone());
        sql.push(" escape '\\' or lower(r.description) like ")
            .text(pattern)
            .push(" escape '\\')");
    }
    if let Some((name, _)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and r.name > ").text(name);
    }
    sql.push(" order by r.name limit ").int(i64::from(limit) + 1);
    let mut items = Vec::new();
    for row in sql.all(db.reader()).await? {
        items.push(summary(&row)?);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.name, &last.name));
    let mut sql = Sql::new(
        "select category, count(*) as runbooks, max(synced_at) as synced_at from runbooks where connection_id = ",
    );
    sql.text(connection).push(" group by category order by category");
    let mut categories = Vec::new();
    let (mut total, mut synced_at) = (0_u64, None::<Timestamp>);
    for row in sql.all(db.reader()).await? {
        let count = u64::try_from(row.int("runbooks")?).unwrap_or_default();
        total += count;
        synced_at = synced_at.max(Some(row.time("synced_at")?));
        let name = row.text("category")?;
        if !name.is_empty() {
            categories.push((name, count));
        }
    }
    Ok(RunbookPage {
        page: Page { items, next },
        categories,
        total,
        synced_at,
    })
}

/// The first runbooks whose name contains the text, each with the first line of what it does.
///
/// # Errors
/// When the database does not answer.
pub async fn found(
    db: &Db,
    connection: &str,
    text: &str,
    limit: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut sql = Sql::new("select name, description from runbooks where connection_id = ");
    sql.text(connection)
        .push(" and lower(name) like ")
        .text(contains_pattern(text))
        .push(" escape '\\' order by name limit ")
        .int(limit);
    let rows = sql.all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            let description = row.text("description")?;
            let line = description.lines().next().unwrap_or_default().to_owned();
            Ok((row.text("name")?, line))
        })
        .collect()
}

/// One runbook, and when its versions were copied.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    db: &Db,
    connection: &str,
    name: &str,
) -> Result<Option<(RunbookSummary, Timestamp)>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where r.connection_id = ")
        .text(connection)
        .push(" and r.name = ")
        .text(name);
    sql.first(db.reader())
        .await?
        .map(|row| Ok((summary(&row)?, row.time("versions_at")?)))
        .transpose()
}

/// What a list says of a runbook.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: RunbookOwner,
    /// The account.
    pub owner_name: String,
    /// What it acts on, in a word.
    pub category: String,
    /// The version used when none is named.
    pub default_version: String,
}

/// Keeps what a list says. A runbook with another default version than before is described anew.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(db: &Db, connection: &str, listed: &Listed, now: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into runbooks (connection_id, name, owner, owner_name, category, description, default_version, described_at, \
         versions_at, synced_at) values (",
    );
    sql.text(connection)
        .push(", ")
        .text(&listed.name)
        .push(", ")
        .text(listed.owner.as_str())
        .push(", ")
        .text(&listed.owner_name)
        .push(", ")
        .text(&listed.category)
        .push(", '', ")
        .text(&listed.default_version)
        .push(", 0, 0, ")
        .int(now.0);
    sql.push(
        ") on conflict (connection_id, name) do update set owner = excluded.owner, owner_name = excluded.owner_name, \
         described_at = case when runbooks.default_version = excluded.default_version then runbooks.described_at else 0 end, \
         versions_at = case when runbooks.default_version = excluded.default_version then runbooks.versions_at else 0 end, \
         default_version = excluded.default_version, synced_at = excluded.synced_at",
    );
    sql.run(db.writer()).await?;
    Ok(())
}

/// Forgets runbooks that a whole copy of the list, begun then, did not find.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_older(db: &Db, connection: &str, begun: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from runbooks where connection_id = ");
    sql.text(connection).push(" and synced_at < ").int(begun.0);
    sql.run(db.writer()).await?;
    Ok(())
}

/// Runbooks that were never described, or not since then, those first.
///
/// # Errors
/// When the database does not answer.
pub async fn undescribed(
    db: &Db,
    connection: &str,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::new("select name from runbooks where connection_id = ");
    sql.text(connection)
        .push(" and described_at < ")
        .int(before.0)
        .push(" order by described_at limit ")
        .int(limit);
    sql.all(db.reader())
        .await?
        .iter()
        .map(|row| row.text("name"))
        .collect()
}

/// Keeps what a runbook is said to do. Without a category it keeps the one that the list gave.
///
/// # Errors
/// When the database does not answer.
pub async fn describe(
    db: &Db,
    connection: &str,
    name: &str,
    (description, category): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update runbooks set description = ");
    sql.text(description).push(", described_at = ").int(now.0);
    if !category.is_empty() {
        sql.push(", category = ").text(category);
    }
    sql.push(" where connection_id = ")
        .text(connection)
        .push(" and name = ")
        .text(name);
    sql.run(db.writer()).await?;
    Ok(())
}

/// The versions of a runbook, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn versions(db: &Db, connection: &str, name: &str) -> Result<Vec<RunbookVersion>, StoreError> {
    let mut sql = Sql::new(
        "select version, version_name, created_at, is_default from runbook_versions where connection_id = ",
    );
    sql.text(connection)
        .push(" and name = ")
        .text(name)
        .push(" order by version desc limit 1000");
    let rows = sql.all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            Ok(RunbookVersion {
                version: row.int("version")?.to_string(),
                version_name: row.text("version_name")?,
                created_at: row.time_or_none("created_at")?,
                is_default: row.flag("is_default")?,
            })
        })
        .collect()
}

/// Writes the versions of a runbook as they are now. A text that is known stays with its version, unless that was made anew.
///
/// # Errors
/// When the database does not answer.
pub async fn put_versions(
    db: &Db,
    connection: &str,
    name: &str,
    versions: &[RunbookVersion],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("update runbooks set versions_at = ");
    sql.int(now.0)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and name = ")
        .text(name);
    sql.run(&mut *transaction).await?;
    let numbers: Vec<i64> = versions
        .iter()
        .filter_map(|one| one.version.parse().ok())
        .collect();
    let mut sql = Sql::new("delete from runbook_versions where connection_id = ");
    sql.text(connection).push(" and name = ").text(name);
    for number in &numbers {
        sql.push(" and version <> ").int(*number);
    }
    sql.run(&mut *transaction).await?;
    for one in versions {
        let Ok(number) = one.version.parse::<i64>() else {
            continue;
        };
        let mut sql = Sql::new(
            "insert into runbook_versions (connection_id, name, version, version_name, created_at, is_default, content_hash) values (",
        );
        sql.text(connection)
            .push(", ")
            .text(name)
            .push(", ")
            .int(number)
            .push(", ")
            .text(&one.version_name)
            .push(", ")
            .int_or_none(one.created_at.map(|at| at.0))
            .push(", ")
            .int(i64::from(one.is_default));
        sql.push(
            ", '') on conflict (connection_id, name, version) do update set content_hash = \
             case when runbook_versions.created_at = excluded.created_at then runbook_versions.content_hash else '' end, \
             version_name = excluded.version_name, created_at = excluded.created_at, is_default = excluded.is_default",
        );
        sql.run(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The text of a version, with its hash; `None` while it is not here.
///
/// # Errors
/// When the database does not answer.
pub async fn text(
    db: &Db,
    connection: &str,
    name: &str,
    version: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let mut sql = Sql::new(
        "select c.content_hash, c.content from runbook_versions v join runbook_contents c on c.content_hash = v.content_hash \
         where v.connection_id = ",
    );
    sql.text(connection)
        .push(" and v.name = ")
        .text(name)
        .push(" and v.version = ")
        .int(version.parse().unwrap_or_default());
    sql.first(db.reader())
        .await?
        .map(|row| Ok((row.text("content_hash")?, row.text("content")?)))
        .transpose()
}

/// The text with that hash; empty where there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn text_of_hash(db: &Db, hash: &str) -> Result<String, StoreError> {
    if hash.is_empty() {
        return Ok(String::new());
    }
    let mut sql = Sql::new("select content from runbook_contents where content_hash = ");
    sql.text(hash);
    let row = sql.first(db.reader()).await?;
    Ok(row
        .map(|row| row.text("content"))
        .transpose()?
        .unwrap_or_default())
}

/// Keeps a version's text. Answers its hash.
///
/// # Errors
/// When the database does not answer.
pub async fn put_text(
    db: &Db,
    connection: &str,
    name: &str,
    version: &str,
    content: &str,
) -> Result<String, StoreError> {
    let hash = super::content_hash(content);
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("insert into runbook_contents (content_hash, content) values (");
    sql.text(&hash)
        .push(", ")
        .text(content)
        .push(") on conflict (content_hash) do nothing");
    sql.run(&mut *transaction).await?;
    let mut sql = Sql::new("update runbook_versions set content_hash = ");
    sql.text(&hash)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and name = ")
        .text(name)
        .push(" and version = ")
        .int(version.parse().unwrap_or_default());
    sql.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(hash)
}
