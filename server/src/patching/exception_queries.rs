//! The SQL of the register of exceptions.

use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::Timestamp;
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::patching::{ExceptionQuery, ExceptionState, PatchException};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

const COLUMNS: &str = "select e.exception_id, e.baseline_id, e.baseline_name, e.patch, e.because, e.control, e.expires_at, \
     e.state, e.granted_by, e.request_id, e.granted_at, e.ended_at, e.ended_because, e.ended_by from patch_exceptions e where \
     e.connection_id = ";

fn exception(row: &AnyRow) -> Result<PatchException, StoreError> {
    Ok(PatchException {
        exception_id: row.text("exception_id")?,
        baseline_id: row.text("baseline_id")?,
        baseline_name: row.text("baseline_name")?,
        patch: row.text("patch")?,
        because: row.text("because")?,
        control: row.text("control")?,
        expires_at: row.time("expires_at")?,
        state: ExceptionState::parse(&row.text("state")?).unwrap_or(ExceptionState::Failed),
        granted_by: row.text("granted_by")?,
        request_id: row.text("request_id")?,
        granted_at: row.time("granted_at")?,
        ended_at: row.time_or_none("ended_at")?,
        ended_because: row.text("ended_because")?,
        ended_by: row.text("ended_by")?,
    })
}

/// A page of the register, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    connection: &str,
    query: &ExceptionQuery,
) -> Result<Page<PatchException>, StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection);
    if let Some(state) = query.state {
        sql.push(" and e.state = ").text(state.as_str());
    }
    if !query.baseline_id.is_empty() {
        sql.push(" and e.baseline_id = ").text(&query.baseline_id);
    }
    if !query.exception_id.is_empty() {
        sql.push(" and e.exception_id = ").text(&query.exception_id);
    }
    if let Some((at, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (e.granted_at, e.exception_id) < (")
            .int(at.parse().unwrap_or_default())
            .push(", ")
            .text(id)
            .push(")");
    }
    sql.push(" order by e.granted_at desc, e.exception_id desc limit ")
        .int(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = sql.all(db.reader()).await?;
    let mut items = rows.iter().map(exception).collect::<Result<Vec<_>, _>>()?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| has_more)
        .map(|last| encode_cursor(&last.granted_at.0.to_string(), &last.exception_id));
    Ok(Page { items, next })
}

/// One exception.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, connection: &str, id: &str) -> Result<Option<PatchException>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection).push(" and e.exception_id = ").text(id);
    sql.first(db.reader()).await?.as_ref().map(exception).transpose()
}

/// Writes down one that is being granted. Whether it was: of a patch there is one at a time on a baseline.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(db: &Db, connection: &str, one: &PatchException) -> Result<bool, StoreError> {
    let mut sql = Sql::new(
        "insert into patch_exceptions (exception_id, connection_id, baseline_id, baseline_name, patch, because, control, \
         expires_at, state, is_open, granted_by, request_id, granted_at, ended_because) values (",
    );
    sql.text(&one.exception_id).push(", ").text(connection);
    for text in [
        &one.baseline_id,
        &one.baseline_name,
        &one.patch,
        &one.because,
        &one.control,
    ] {
        sql.push(", ").text(text);
    }
    sql.push(", ")
        .int(one.expires_at.0)
        .push(", ")
        .text(ExceptionState::Granting.as_str())
        .push(", 1, ")
        .text(&one.granted_by)
        .push(", ")
        .text(&one.request_id)
        .push(", ")
        .int(one.granted_at.0)
        .push(", '') on conflict do nothing");
    Ok(sql.run(db.writer()).await? == 1)
}

/// Says that one holds.
///
/// # Errors
/// When the database does not answer.
pub async fn holds(db: &Db, id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "update patch_exceptions set state = 'holding' where state = 'granting' and exception_id = ",
    );
    sql.text(id);
    sql.run(db.writer()).await.map(|_| ())
}

/// Says that one is over, and how that came.
///
/// # Errors
/// When the database does not answer.
pub async fn end(
    db: &Db,
    id: &str,
    state: ExceptionState,
    because: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update patch_exceptions set is_open = 0, state = ");
    sql.text(state.as_str())
        .push(", ended_at = ")
        .int(now.0)
        .push(", ended_because = ")
        .text(because)
        .push(" where is_open = 1 and exception_id = ")
        .text(id);
    sql.run(db.writer()).await.map(|_| ())
}

/// Says that somebody has ended one, unless that was done or it is over. Whether it was said.
///
/// # Errors
/// When the database does not answer.
pub async fn ask_end(
    db: &Db,
    connection: &str,
    id: &str,
    (who, because): (&str, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update patch_exceptions set state = 'ending', ending_at = ");
    sql.int(now.0)
        .push(", ended_by = ")
        .text(who)
        .push(", ended_because = ")
        .text(because)
        .push(" where is_open = 1 and state in ('granting', 'holding') and connection_id = ")
        .text(connection)
        .push(" and exception_id = ")
        .text(id);
    Ok(sql.run(db.writer()).await? == 1)
}

/// Says that one is over that somebody has ended: who and why stand there already.
///
/// # Errors
/// When the database does not answer.
pub async fn ended(db: &Db, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("update patch_exceptions set is_open = 0, state = 'ended', ended_at = ");
    sql.int(now.0)
        .push(" where is_open = 1 and state = 'ending' and exception_id = ")
        .text(id);
    sql.run(db.writer()).await.map(|_| ())
}

/// Those whose time is over, those that somebody has ended, and those that were left while they were granted, a few.
///
/// # Errors
/// When the database does not answer.
pub async fn due(
    db: &Db,
    connection: &str,
    now: Timestamp,
    left_since: Timestamp,
) -> Result<Vec<PatchException>, StoreError> {
    let mut found = Vec::new();
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and e.is_open = 1 and e.expires_at <= ")
        .int(now.0)
        .push(" order by e.expires_at, e.exception_id limit 20");
    for row in sql.all(db.reader()).await? {
        found.push(exception(&row)?);
    }
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and e.is_open = 1 and e.expires_at > ")
        .int(now.0)
        .push(" and e.state = 'granting' and e.granted_at <= ")
        .int(left_since.0)
        .push(" order by e.expires_at, e.exception_id limit 20");
    for row in sql.all(db.reader()).await? {
        found.push(exception(&row)?);
    }
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and e.is_open = 1 and e.ending_at is not null and e.expires_at > ")
        .int(now.0)
        .push(" order by e.ending_at limit 20");
    for row in sql.all(db.reader()).await? {
        found.push(exception(&row)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_store::test_database::on_both;

    const HERE: &str = "here";

    fn one(id: &str, patch: &str, at: i64, until: i64) -> PatchException {
        PatchException {
            exception_id: id.into(),
            baseline_id: "pb-1".into(),
            baseline_name: "web".into(),
            patch: patch.into(),
            because: "The vendor freezes it.".into(),
            control: "A proxy before the nodes.".into(),
            expires_at: Timestamp(until),
            state: ExceptionState::Granting,
            granted_by: "bertha".into(),
            request_id: "CR-1".into(),
            granted_at: Timestamp(at),
            ended_at: None,
            ended_because: String::new(),
            ended_by: String::new(),
        }
    }

    async fn due_ids(db: &Db, now: i64) -> Vec<String> {
        let found = due(db, HERE, Timestamp(now), Timestamp(now - 100)).await.unwrap();
        found.into_iter().map(|one| one.exception_id).collect()
    }

    #[tokio::test]
    async fn of_a_patch_one_holds_at_a_time_and_all_are_kept() {
        on_both(async |db: Db| {
            assert!(begin(&db, HERE, &one("a", "openssl*", 10, 500)).await.unwrap());
            assert!(
                !begin(&db, HERE, &one("b", "openssl*", 11, 600)).await.unwrap(),
                "it is open"
            );
            assert!(begin(&db, HERE, &one("c", "curl*", 12, 900)).await.unwrap());
            holds(&db, "a").await.unwrap();
            assert!(due_ids(&db, 50).await.is_empty());
            assert_eq!(due_ids(&db, 200).await, ["c"], "left while it was granted");
            holds(&db, "c").await.unwrap();
            assert_eq!(due_ids(&db, 500).await, ["a"]);
            end(&db, "a", ExceptionState::Ended, "It expired.", Timestamp(501))
                .await
                .unwrap();
            end(&db, "a", ExceptionState::Failed, "twice", Timestamp(502))
                .await
                .unwrap();
            assert!(due_ids(&db, 550).await.is_empty());
            let ended = get(&db, HERE, "a").await.unwrap().unwrap();
            assert_eq!(
                (ended.state, ended.ended_because.as_str()),
                (ExceptionState::Ended, "It expired.")
            );
            assert!(
                begin(&db, HERE, &one("b", "openssl*", 503, 900)).await.unwrap(),
                "again"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn one_is_ended_once_and_by_whom_stays_in_the_register() {
        on_both(async |db: Db| {
            assert!(begin(&db, HERE, &one("a", "openssl*", 10, 500)).await.unwrap());
            assert!(begin(&db, HERE, &one("b", "curl*", 11, 500)).await.unwrap());
            holds(&db, "a").await.unwrap();
            let ask = async |id: &str, who: &str| {
                ask_end(&db, HERE, id, (who, "It was released."), Timestamp(20))
                    .await
                    .unwrap()
            };
            assert!(ask("a", "olga").await);
            assert!(!ask("a", "bertha").await, "somebody was faster");
            assert!(ask("b", "olga").await, "it need not hold yet");
            assert!(!ask("c", "olga").await, "there is none");
            assert_eq!(due_ids(&db, 30).await, ["a", "b"]);
            // Whoever grants it meanwhile does not bring it back.
            holds(&db, "b").await.unwrap();
            assert_eq!(
                get(&db, HERE, "b").await.unwrap().unwrap().state,
                ExceptionState::Ending
            );
            ended(&db, "a", Timestamp(40)).await.unwrap();
            ended(&db, "a", Timestamp(50)).await.unwrap();
            let over = get(&db, HERE, "a").await.unwrap().unwrap();
            assert_eq!(
                (
                    over.state,
                    over.ended_at,
                    over.ended_by.as_str(),
                    over.ended_because.as_str()
                ),
                (
                    ExceptionState::Ended,
                    Some(Timestamp(40)),
                    "olga",
                    "It was released."
                )
            );
            assert_eq!(due_ids(&db, 30).await, ["b"]);
            assert!(!ask("a", "olga").await, "it is over");
            let only = ExceptionQuery {
                exception_id: "b".into(),
                ..ExceptionQuery::default()
            };
            assert_eq!(list(&db, HERE, &only).await.unwrap().items.len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn the_register_is_read_page_by_page() {
        on_both(async |db: Db| {
            for (at, patch) in ["p1", "p2", "p3", "p4", "p5"].iter().enumerate() {
                let at = i64::try_from(at).unwrap();
                assert!(
                    begin(&db, HERE, &one(&format!("id-{at}"), patch, at, 900))
                        .await
                        .unwrap()
                );
            }
            holds(&db, "id-1").await.unwrap();
            let mut query = ExceptionQuery {
                limit: Some(2),
                ..ExceptionQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = list(&db, HERE, &query).await.unwrap();
                seen.extend(page.items.into_iter().map(|one| one.patch));
                match page.next {
                    Some(next) => query.cursor = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen, ["p5", "p4", "p3", "p2", "p1"]);
            let holding = ExceptionQuery {
                state: Some(ExceptionState::Holding),
                baseline_id: "pb-1".into(),
                ..ExceptionQuery::default()
            };
            assert_eq!(list(&db, HERE, &holding).await.unwrap().items.len(), 1);
        })
        .await;
    }
}
