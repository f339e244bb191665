//! The SQL that reads the portal's copy of parameters.

use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::Timestamp;
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::parameters::{
    ParameterFolder, ParameterKind, ParameterPage, ParameterQuery, ParameterSummary, ParameterTier, name_key,
};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

const COLUMNS: &str = "select p.name_key, p.name, p.type, p.tier, p.data_type, p.version, p.modified_at, p.modified_by, \
     p.description, p.key_id, p.allowed_pattern, p.policies, p.synced_at from parameters p where p.connection_id = ";

fn summary(row: &AnyRow) -> Result<ParameterSummary, StoreError> {
    Ok(ParameterSummary {
        name: row.text("name")?,
        // What cannot be read is treated as a secret.
        kind: ParameterKind::parse(&row.text("type")?).unwrap_or(ParameterKind::SecureString),
        tier: ParameterTier::parse(&row.text("tier")?).unwrap_or(ParameterTier::Standard),
        data_type: row.text("data_type")?,
        version: row.int("version")?,
        modified_at: row.time("modified_at")?,
        modified_by: row.text("modified_by")?,
        description: row.text("description")?,
        key_id: row.text("key_id")?,
        allowed_pattern: row.text("allowed_pattern")?,
        policies: serde_json::from_str(&row.text("policies")?).unwrap_or_default(),
        synced_at: row.time("synced_at")?,
    })
}

async fn summaries(db: &Db, sql: Sql) -> Result<Vec<ParameterSummary>, StoreError> {
    sql.all(db.reader()).await?.iter().map(summary).collect()
}

/// Narrows a statement that begins with [`COLUMNS`] to what `query` asks for, below its folder.
fn narrow(sql: &mut Sql, query: &ParameterQuery) {
    if !query.path.is_empty() {
        // From the slash to what comes after it: all that is below, along the index.
        sql.push(" and p.name_key >= ").text(format!("{}/", query.path));
        sql.push(" and p.name_key < ").text(format!("{}0", query.path));
    }
    if let Some(kind) = query.kind {
        sql.push(" and p.type = ").text(kind.as_str());
    }
    if let Some(tier) = query.tier {
        sql.push(" and p.tier = ").text(tier.as_str());
    }
    if !query.text.trim().is_empty() {
        sql.push(" and lower(p.name) like ")
            .text(contains_pattern(query.text.trim()))
            .push(" escape '\\'");
    }
    if !query.label.trim().is_empty() {
        sql.push(
            " and exists (select 1 from parameter_labels l where l.connection_id = p.connection_id and l.name_key = \
             p.name_key and l.label = ",
        )
        .text(query.label.trim())
        .push(")");
    }
}

/// Parameters below a folder that match, after that key.
///
/// # Errors
/// When the database does not answer.
pub async fn below(
    db: &Db,
    connection: &str,
    query: &ParameterQuery,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ParameterSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection);
    narrow(&mut sql, query);
    if let Some(after) = after {
        sql.push(" and p.name_key > ").text(after);
    }
    sql.push(" order by p.name_key limit ").int(limit);
    summaries(db, sql).await
}

async fn inside(
    db: &Db,
    connection: &str,
    folder: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ParameterSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection).push(" and p.parent = ").text(folder);
    if let Some(after) = after {
        sql.push(" and p.name_key > ").text(after);
    }
    sql.push(" order by p.name_key limit ").int(limit);
    summaries(db, sql).await
}

async fn folders(
    db: &Db,
    connection: &str,
    folder: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ParameterFolder>, StoreError> {
    let mut sql = Sql::new("select f.path, f.parameters from parameter_folders f where f.connection_id = ");
    sql.text(connection).push(" and f.parent = ").text(folder);
    if let Some(after) = after {
        sql.push(" and f.path > ").text(after);
    }
    sql.push(" order by f.path limit ").int(limit);
    let rows = sql.all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            Ok(ParameterFolder {
                path: row.text("path")?,
                parameters: u64::try_from(row.int("parameters")?).unwrap_or_default(),
            })
        })
        .collect()
}

/// How many parameters are below a folder.
async fn count(db: &Db, connection: &str, folder: &str) -> Result<u64, StoreError> {
    let mut sql = Sql::new("select f.parameters from parameter_folders f where f.connection_id = ");
    sql.text(connection).push(" and f.path = ").text(folder);
    let found = sql.first(db.reader()).await?;
    let count = found.map(|row| row.int("parameters")).transpose()?;
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default())
}

/// When all parameters were last copied.
async fn copied_at(db: &Db, connection: &str) -> Result<Option<Timestamp>, StoreError> {
    let mut sql = Sql::new("select copied_at from parameter_copies where connection_id = ");
    sql.text(connection);
    let found = sql.first(db.reader()).await?;
    found.map(|row| row.time("copied_at")).transpose()
}

fn parameter_cursor(last: &ParameterSummary) -> muster_domain::paging::Cursor {
    encode_cursor("parameter", name_key(&last.name))
}

/// A page of a folder: first the folders in it, then the parameters. With a filter, the parameters below it that match.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, connection: &str, query: &ParameterQuery) -> Result<ParameterPage, StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let more = |count: usize| i64::try_from(count + 1).unwrap_or(i64::MAX);
    let cursor = query.cursor.as_ref().and_then(decode_cursor);
    let after = |kind: &str| {
        let found = cursor.as_ref().filter(|(of, _)| of == kind);
        found.map(|(_, key)| key.as_str())
    };
    let mut page = ParameterPage {
        below: count(db, connection, &query.path).await?,
        total: count(db, connection, "").await?,
        synced_at: copied_at(db, connection).await?,
        ..ParameterPage::default()
    };
    let in_parameters = after("parameter");
    let mut items = if query.is_filtered() {
        below(db, connection, query, in_parameters, more(limit)).await?
    } else {
        if in_parameters.is_none() {
            page.folders = folders(db, connection, &query.path, after("folder"), more(limit)).await?;
            if page.folders.len() > limit {
                page.folders.truncate(limit);
                page.page.next = page
                    .folders
                    .last()
                    .map(|last| encode_cursor("folder", &last.path));
                return Ok(page);
            }
        }
        let left = limit - page.folders.len();
        inside(db, connection, &query.path, in_parameters, more(left)).await?
    };
    let left = limit - page.folders.len();
    let has_more = items.len() > left;
    items.truncate(left);
    page.page = Page {
        next: match (has_more, items.last(), page.folders.last()) {
            (true, Some(last), _) => Some(parameter_cursor(last)),
            (true, None, Some(last)) => Some(encode_cursor("folder", &last.path)),
            _ => None,
        },
        items,
    };
    Ok(page)
}

/// One parameter.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, connection: &str, name: &str) -> Result<Option<ParameterSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and p.name_key = ")
        .text(name_key(name));
    sql.first(db.reader()).await?.as_ref().map(summary).transpose()
}

/// The first parameters whose name contains the text, each with what it is for.
///
/// # Errors
/// When the database does not answer.
pub async fn found(
    db: &Db,
    connection: &str,
    text: &str,
    limit: i64,
) -> Result<Vec<ParameterSummary>, StoreError> {
    let query = ParameterQuery {
        text: text.to_owned(),
        ..ParameterQuery::default()
    };
    below(db, connection, &query, None, limit).await
}

/// Parameters whose labels were never looked up, or not for their newest version, or not since then, those first.
///
/// # Errors
/// When the database does not answer.
pub async fn unlabelled(
    db: &Db,
    connection: &str,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::new("select p.name from parameters p where p.connection_id = ");
    sql.text(connection)
        .push(" and p.labels_at < ")
        .int(before.0)
        .push(" order by p.labels_at limit ")
        .int(limit);
    let rows = sql.all(db.reader()).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::keep;
    use muster_store::test_database::on_both;

    const HERE: &str = "here";

    fn parameter(name: &str, version: i64, at: i64) -> ParameterSummary {
        ParameterSummary {
            name: name.into(),
            kind: if name.contains("secret") {
                ParameterKind::SecureString
            } else {
                ParameterKind::String
            },
            tier: ParameterTier::Standard,
            data_type: "text".into(),
            version,
            modified_at: Timestamp(at),
            modified_by: "arn:aws:iam::1:user/portal".into(),
            description: String::new(),
            key_id: String::new(),
            allowed_pattern: String::new(),
            policies: Vec::new(),
            synced_at: Timestamp(at),
        }
    }

    async fn keep_all(db: &Db, names: &[&str], at: i64) {
        let all: Vec<ParameterSummary> = names.iter().map(|name| parameter(name, 1, at)).collect();
        keep::keep(db, HERE, &all).await.unwrap();
    }

    fn query(path: &str) -> ParameterQuery {
        ParameterQuery {
            path: path.into(),
            ..ParameterQuery::default()
        }
    }

    async fn names(db: &Db, query: &ParameterQuery) -> (Vec<(String, u64)>, Vec<String>, ParameterPage) {
        let page = list(db, HERE, query).await.unwrap();
        let folders = page
            .folders
            .iter()
            .map(|one| (one.path.clone(), one.parameters))
            .collect();
        let items = page.page.items.iter().map(|one| one.name.clone()).collect();
        (folders, items, page)
    }

    const ALL: [&str; 6] = [
        "/app/a",
        "/app/prod/secret",
        "/app/prod/db",
        "bare",
        "/apple/x",
        "/B",
    ];

    #[tokio::test]
    async fn a_folder_shows_what_is_in_it_and_how_much_is_below() {
        on_both(async |db: Db| {
            keep_all(&db, &ALL, 10).await;
            // Copied again, nothing is counted twice.
            keep_all(&db, &ALL, 20).await;
            let (folders, items, page) = names(&db, &query("")).await;
            assert_eq!(folders, [("app".to_owned(), 3), ("apple".to_owned(), 1)]);
            assert_eq!(items, ["/B", "bare"]);
            assert_eq!((page.below, page.total, page.synced_at), (6, 6, None));
            let (folders, items, page) = names(&db, &query("app")).await;
            assert_eq!(folders, [("app/prod".to_owned(), 2)]);
            assert_eq!((items, page.below), (vec!["/app/a".to_owned()], 3));
            keep::forget_one(&db, HERE, "app/prod/secret").await.unwrap();
            keep::forget_one(&db, HERE, "/app/prod/secret").await.unwrap();
            let (folders, ..) = names(&db, &query("app")).await;
            assert_eq!(folders, [("app/prod".to_owned(), 1)]);
            keep::forget_one(&db, HERE, "/app/prod/db").await.unwrap();
            let (folders, _, page) = names(&db, &query("app")).await;
            assert_eq!((folders.len(), page.below, page.total), (0, 1, 4));
        })
        .await;
    }

    #[tokio::test]
    async fn pages_go_through_folders_and_parameters_without_gaps() {
        on_both(async |db: Db| {
            keep_all(&db, &["/a/1", "/b/1", "/c/1", "x", "y", "z"], 10).await;
            for limit in 1..=7 {
                let mut asked = query("");
                asked.limit = Some(limit);
                let mut seen = Vec::new();
                loop {
                    let (folders, items, page) = names(&db, &asked).await;
                    assert!(folders.len() + items.len() <= limit as usize);
                    seen.extend(folders.into_iter().map(|(path, _)| path));
                    seen.extend(items);
                    match page.page.next {
                        Some(next) => asked.cursor = Some(next),
                        None => break,
                    }
                }
                assert_eq!(seen, ["a", "b", "c", "x", "y", "z"], "{limit} at a time");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_filter_looks_below_the_folder() {
        on_both(async |db: Db| {
            keep_all(&db, &ALL, 10).await;
            let found = async |change: &dyn Fn(&mut ParameterQuery)| {
                let mut asked = query("app");
                change(&mut asked);
                let (folders, items, _) = names(&db, &asked).await;
                assert!(folders.is_empty());
                items
            };
            assert_eq!(
                found(&|asked| asked.text = "PROD".into()).await,
                ["/app/prod/db", "/app/prod/secret"]
            );
            assert_eq!(
                found(&|asked| asked.kind = Some(ParameterKind::SecureString)).await,
                ["/app/prod/secret"]
            );
            assert_eq!(
                found(&|asked| asked.tier = Some(ParameterTier::Advanced))
                    .await
                    .len(),
                0
            );
            assert_eq!(found(&|asked| asked.text = "%".into()).await.len(), 0);
            keep::labels(&db, HERE, "/app/a", &[("live".into(), 1)], Timestamp(30))
                .await
                .unwrap();
            assert_eq!(found(&|asked| asked.label = "live".into()).await, ["/app/a"]);
            assert_eq!(unlabelled(&db, HERE, Timestamp(20), 50).await.unwrap().len(), 5);
            // A new version's labels are looked up anew.
            keep::keep(&db, HERE, &[parameter("/app/a", 2, 40)])
                .await
                .unwrap();
            assert_eq!(unlabelled(&db, HERE, Timestamp(20), 50).await.unwrap().len(), 6);
        })
        .await;
    }

    #[tokio::test]
    async fn an_old_answer_undoes_nothing_and_a_whole_copy_forgets_the_rest() {
        on_both(async |db: Db| {
            keep_all(&db, &["/a", "/b"], 10).await;
            keep::keep(&db, HERE, &[parameter("a", 5, 50)]).await.unwrap();
            keep::keep(&db, HERE, &[parameter("/a", 4, 40)]).await.unwrap();
            let found = get(&db, HERE, "/a").await.unwrap().unwrap();
            assert_eq!((found.version, found.name.as_str()), (5, "a"));
            keep::copied(&db, HERE, Timestamp(20)).await.unwrap();
            assert_eq!(get(&db, HERE, "/b").await.unwrap(), None);
            let (_, items, page) = names(&db, &query("")).await;
            assert_eq!(
                (items, page.total, page.synced_at),
                (vec!["a".to_owned()], 1, Some(Timestamp(20)))
            );
            // Made again after it was deleted, it begins at version 1 and is newer all the same.
            keep::keep(&db, HERE, &[parameter("/a", 1, 60)]).await.unwrap();
            assert_eq!(get(&db, HERE, "a").await.unwrap().unwrap().version, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn of_two_who_saw_the_same_version_one_may_write() {
        on_both(async |db: Db| {
            keep_all(&db, &["/a"], 10).await;
            let claim = async |version, now| {
                keep::claim(&db, HERE, "/a", version, (Timestamp(now), Timestamp(now + 100)))
                    .await
                    .unwrap()
            };
            assert!(!claim(2, 1).await, "another version");
            assert!(claim(1, 1).await && !claim(1, 2).await);
            keep::release(&db, HERE, "/a").await.unwrap();
            assert!(claim(1, 3).await, "given back");
            assert!(!claim(1, 50).await && claim(1, 104).await, "run out");
        })
        .await;
    }

    #[test]
    fn what_cannot_be_read_of_a_cursor_begins_anew() {
        assert_eq!(decode_cursor(&muster_domain::paging::Cursor("?".into())), None);
    }
}
