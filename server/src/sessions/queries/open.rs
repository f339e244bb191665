//! Sessions that go on, page by page, and how many there are. They are few beside the history (the portal holds only so many),
//! and an index leads to them: they may be sorted and counted whole.

use super::{COLUMNS, SessionRow, Viewer, count, push_asked, push_visible, session};
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::sessions::{LiveQuery, RecordingState};
use muster_store::{Db, Sql, StoreError};

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub all: u64,
    /// Those that are being recorded.
    pub recorded: u64,
}

fn push_rank(sql: &mut Sql, viewer: &Viewer<'_>) {
    match viewer.user {
        Some(user) => {
            sql.push("(case when s.owner_id = ")
                .text(user.as_str())
                .push(" then 0 else 1 end)");
        }
        None => {
            sql.push("1");
        }
    }
}

/// A page of them: the viewer's own first, then newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn open(db: &Db, query: &LiveQuery, viewer: &Viewer<'_>) -> Result<Page<SessionRow>, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where s.is_over = 0 and ");
    push_visible(&mut sql, db, viewer);
    push_asked(&mut sql, &query.text, query.node.as_ref(), &query.owner);
    let after = query.cursor.as_ref().and_then(decode_cursor);
    if let Some(((rank, at), id)) = after
        .as_ref()
        .and_then(|(key, id)| Some((key.split_once('.')?, id)))
    {
        let rank = i64::from(rank != "0");
        sql.push(" and (");
        push_rank(&mut sql, viewer);
        sql.push(" > ").int(rank).push(" or (");
        push_rank(&mut sql, viewer);
        sql.push(" = ")
            .int(rank)
            .push(" and (s.started_at, s.session_id) < (")
            .int(at.parse().unwrap_or_default())
            .push(", ")
            .text(id)
            .push(")))");
    }
    sql.push(" order by ");
    push_rank(&mut sql, viewer);
    sql.push(", s.started_at desc, s.session_id desc limit ")
        .int(i64::from(limit) + 1);
    let rows = sql.all(db.reader()).await?;
    let mut items = rows
        .iter()
        .map(|row| session(row, viewer))
        .collect::<Result<Vec<_>, _>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(|last| {
        let rank = u8::from(!last.summary.is_own);
        let key = format!("{rank}.{}", last.summary.started_at.0);
        encode_cursor(&key, last.summary.session_id.as_str())
    });
    Ok(Page { items, next })
}

/// How many the viewer may see of those that are asked for, on whatever page.
///
/// # Errors
/// When the database does not answer.
pub async fn count_open(db: &Db, query: &LiveQuery, viewer: &Viewer<'_>) -> Result<Counts, StoreError> {
    let mut sql = Sql::new("select count(*) as number, coalesce(sum(case when s.recording = ");
    sql.text(RecordingState::Recording.as_str())
        .push(" then 1 else 0 end), 0) as recorded from sessions s where s.is_over = 0 and ");
    push_visible(&mut sql, db, viewer);
    push_asked(&mut sql, &query.text, query.node.as_ref(), &query.owner);
    let row = sql.one(db.reader()).await?;
    Ok(Counts {
        all: count(&row, "number")?,
        recorded: count(&row, "recorded")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::queries::fixtures::{insert_many, owned};
    use muster_domain::ids::UserId;
    use muster_domain::permission::Scope;
    use muster_store::test_database::on_both;

    fn all<'a>(user: &'a UserId) -> Viewer<'a> {
        Viewer {
            scopes: &[Scope::All],
            user: Some(user),
        }
    }

    #[tokio::test]
    async fn a_thousand_are_counted_and_each_is_on_one_page_ones_own_first() {
        on_both(async |db| {
            let (ann, bob) = (UserId::new("ann"), UserId::new("bob"));
            insert_many(&db, 1_000, |number| {
                owned(number, if number % 100 == 7 { "ann" } else { "bob" })
            })
            .await;
            insert_many(&db, 3, |number| {
                let mut over = owned(5_000 + number, "ann");
                over.summary.status = muster_domain::sessions::SessionStatus::Ended;
                over
            })
            .await;
            let mut query = LiveQuery {
                limit: Some(150),
                ..LiveQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = open(&db, &query, &all(&ann)).await.unwrap();
                assert!(page.items.len() <= 150);
                seen.extend(page.items.into_iter().map(|row| row.summary));
                match page.next {
                    Some(next) => query.cursor = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 1_000);
            assert!(seen[..10].iter().all(|one| one.is_own) && !seen[10..].iter().any(|one| one.is_own));
            for part in [&seen[..10], &seen[10..]] {
                assert!(
                    part.is_sorted_by(|one, next| one.started_at > next.started_at),
                    "newest first"
                );
            }
            let asked = LiveQuery {
                owner: "ann".into(),
                ..LiveQuery::default()
            };
            let everything = LiveQuery::default();
            let count =
                async |query: &LiveQuery, viewer: &Viewer<'_>| count_open(&db, query, viewer).await.unwrap();
            assert_eq!(count(&everything, &all(&bob)).await.all, 1_000);
            assert_eq!(count(&everything, &all(&bob)).await.recorded, 1_000);
            assert_eq!(count(&asked, &all(&bob)).await.all, 10);
            // Who may see nothing else still has their own.
            let alone = Viewer {
                scopes: &[],
                user: Some(&ann),
            };
            assert_eq!(count(&everything, &alone).await.all, 10);
            let text = LiveQuery {
                text: "NODE-7 ".into(),
                ..LiveQuery::default()
            };
            let found = open(&db, &text, &all(&ann)).await.unwrap().items;
            assert!(!found.is_empty() && found.iter().all(|row| row.summary.node_name.contains("node-7")));
        })
        .await;
    }
}
