//! The history of sessions, page by page. It grows for ever, so a page never looks at more of it than [`LOOKED_AT`] rows: indexes
//! lead to a period, a node and a place in the order, but none to a part of a text, to a status or to a part of the fleet.
//! What is looked for among these is looked for in that many of the newest sessions; the next page goes on behind them.

use super::{COLUMNS, HERE, HERE_ALONG_ANOTHER, Viewer, push_asked, push_visible_by, session};
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_domain::sessions::{SessionQuery, SessionSummary};
use muster_store::{Db, RowExt as _, Sql, StoreError};

/// Sessions that one page looks at, at most.
pub const LOOKED_AT: u32 = 5_000;

/// The connection, so that the index of the node is gone along where one is asked for.
fn here(query: &SessionQuery) -> &'static str {
    if query.node.is_some() {
        HERE_ALONG_ANOTHER
    } else {
        HERE
    }
}

/// What indexes lead to.
fn push_along(sql: &mut Sql, query: &SessionQuery) {
    if let Some(node) = &query.node {
        sql.push(" and s.node_id = ").text(node.as_str());
    }
    if let Some(from) = query.from {
        sql.push(" and s.started_at >= ").int(from.0);
    }
    if let Some((at, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (s.started_at, s.session_id) < (")
            .int(at.parse().unwrap_or_default())
            .push(", ")
            .text(id)
            .push(")");
    }
}

/// Whether anything is looked for that no index leads to.
fn is_sieved(query: &SessionQuery, viewer: &Viewer<'_>) -> bool {
    let is_asked = !query.text.trim().is_empty() || !query.owner.trim().is_empty() || query.status.is_some();
    is_asked || !viewer.scopes.contains(&Scope::All)
}

/// The last row that this page looks at; none when there are fewer.
fn last_sql(db: &Db, query: &SessionQuery) -> Sql {
    let mut sql = Sql::new("select s.started_at, s.session_id from sessions s where ");
    sql.within(here(query), db);
    push_along(&mut sql, query);
    sql.push(" order by s.started_at desc, s.session_id desc limit 1 offset ")
        .int(i64::from(LOOKED_AT) - 1);
    sql
}

fn page_sql(
    db: &Db,
    query: &SessionQuery,
    viewer: &Viewer<'_>,
    last: Option<&(i64, String)>,
    limit: u32,
) -> Sql {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where ");
    push_visible_by(&mut sql, db, here(query), viewer);
    push_asked(&mut sql, &query.text, None, &query.owner);
    if let Some(status) = query.status {
        sql.push(" and s.status = ").text(status.as_str());
    }
    push_along(&mut sql, query);
    if let Some((at, id)) = last {
        // The first of these ends the walk along the index, the second keeps out what began in the same moment.
        sql.push(" and s.started_at >= ").int(*at);
        sql.push(" and (s.started_at, s.session_id) >= (")
            .int(*at)
            .push(", ")
            .text(id)
            .push(")");
    }
    sql.push(" order by s.started_at desc, s.session_id desc limit ")
        .int(i64::from(limit) + 1);
    sql
}

/// A page of sessions, newest first. It may have fewer rows than there is room for, even none, and another page behind it all
/// the same.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    query: &SessionQuery,
    viewer: &Viewer<'_>,
) -> Result<Page<SessionSummary>, StoreError> {
    let limit = clamp_limit(query.limit);
    let last = if is_sieved(query, viewer) {
        let row = last_sql(db, query).first(db.reader()).await?;
        row.map(|row| Ok::<_, StoreError>((row.int("started_at")?, row.text("session_id")?)))
            .transpose()?
    } else {
        None
    };
    let mut items = Vec::new();
    for row in page_sql(db, query, viewer, last.as_ref(), limit)
        .all(db.reader())
        .await?
    {
        items.push(session(&row, viewer)?.summary);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = match items.last().filter(|_| more) {
        Some(shown) => Some(encode_cursor(
            &shown.started_at.0.to_string(),
            shown.session_id.as_str(),
        )),
        None => last.map(|(at, id)| encode_cursor(&at.to_string(), &id)),
    };
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::queries::fixtures::insert_history;
    use muster_domain::Timestamp;
    use muster_domain::ids::UserId;
    use muster_store::db::Dialect;
    use muster_store::test_database::on_both;
    use std::collections::BTreeSet;

    const ALL: Viewer<'static> = Viewer::ALL;

    /// All pages, as lists of ids.
    async fn pages(db: &Db, mut query: SessionQuery, viewer: &Viewer<'_>) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        loop {
            let page = list(db, &query, viewer).await.unwrap();
            let ids = page.items.iter().map(|one| one.session_id.to_string());
            pages.push(ids.collect());
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return pages,
            }
        }
    }

    async fn plan(db: &Db, sql: &Sql) -> String {
        let explained = sqlx::query(sqlx::AssertSqlSafe(format!(
            "explain query plan {}",
            sql.as_str()
        )))
        .fetch_all(db.reader())
        .await
        .unwrap();
        let steps: Vec<String> = explained.iter().map(|row| row.text("detail").unwrap()).collect();
        steps.join("; ")
    }

    #[tokio::test]
    async fn ten_thousand_sessions_are_walked_through_and_searched_in_bounded_steps() {
        on_both(async |db| {
            insert_history(&db, 10_000).await;
            let text = |text: &str| SessionQuery {
                text: text.into(),
                limit: Some(200),
                ..SessionQuery::default()
            };
            let walked = pages(&db, text(""), &ALL).await;
            assert_eq!(walked.len(), 50);
            let ids: Vec<&String> = walked.iter().flatten().collect();
            assert!(
                ids.is_sorted_by(|one, next| one > next),
                "newest first, each once"
            );
            assert_eq!(ids.len(), 10_000);

            // The oldest of all: found behind a page that has looked at the newer half.
            let found = pages(&db, text("INC-0:"), &ALL).await;
            assert_eq!(found, [vec![], vec!["session-000000".to_owned()], vec![]]);
            // Within a period nothing is looked at that is older.
            let recent = SessionQuery {
                from: Some(Timestamp(1_000_000 + 9_000 * 1_000)),
                ..text("INC-0:")
            };
            assert_eq!(pages(&db, recent, &ALL).await, [Vec::<String>::new()]);
            // On a node only its own sessions are.
            let node = SessionQuery {
                node: Some("mi-0".into()),
                ..text("INC-0:")
            };
            assert_eq!(pages(&db, node, &ALL).await, [["session-000000"]]);
            // Whoever may see their own alone sees all of those.
            let bob = UserId::new("bob");
            let own = Viewer {
                scopes: &[],
                user: Some(&bob),
            };
            let seen: BTreeSet<String> = pages(&db, text(""), &own).await.into_iter().flatten().collect();
            assert_eq!(seen.len(), 100);

            if db.dialect() == Dialect::Sqlite {
                let last = (2, "x".to_owned());
                for (query, viewer, last) in [
                    (text(""), &ALL, None),
                    (text("disk"), &ALL, Some(&last)),
                    (text(""), &own, Some(&last)),
                ] {
                    let plan = plan(&db, &page_sql(&db, &query, viewer, last, 50)).await;
                    assert!(
                        plan.contains("sessions_by_time") && !plan.contains("TEMP B-TREE"),
                        "{plan}"
                    );
                    let bounded = plan
                        .contains("SEARCH s USING INDEX sessions_by_time (connection_id=? AND started_at>?");
                    assert_eq!(bounded, last.is_some(), "{plan}");
                }
                let node = SessionQuery {
                    node: Some("mi-0".into()),
                    ..text("disk")
                };
                for sql in [last_sql(&db, &node), page_sql(&db, &node, &ALL, Some(&last), 50)] {
                    let plan = plan(&db, &sql).await;
                    assert!(
                        plan.contains("sessions_of_node (node_id=?") && !plan.contains("TEMP B-TREE"),
                        "{plan}"
                    );
                }
            }
        })
        .await;
    }
}
