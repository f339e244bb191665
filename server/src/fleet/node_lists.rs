//! Lists of nodes that somebody chose one by one, kept under a digest of what is in them: an address names the list where it
//! could not name all of its nodes. The SQL of them.

use muster_domain::Timestamp;
use muster_domain::ids::{NodeId, NodeListId};
use muster_store::{Db, RowExt, Sql, StoreError};
use ring::digest::{SHA256, digest};

/// How long a list is kept after somebody chose it last, in milliseconds.
const KEPT_MS: i64 = 90 * 86_400_000;

/// The list's id: the same nodes give the same, in whatever order.
fn id_of(sorted: &str) -> NodeListId {
    let mut text = hex::encode(digest(&SHA256, sorted.as_bytes()));
    // Half of it: nobody gains anything by two lists of one id, whose nodes are shown before anything happens.
    text.truncate(32);
    NodeListId::new(text)
}

/// Keeps them, and forgets what nobody has chosen for long.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(db: &Db, nodes: &[NodeId], now: Timestamp) -> Result<NodeListId, StoreError> {
    let mut ids: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    let text = ids.join(",");
    let id = id_of(&text);
    let mut old = Sql::new("delete from node_lists where kept_at < ");
    old.int(now.plus_ms(-KEPT_MS).0);
    old.run(db.writer()).await?;
    let mut sql = Sql::new("insert into node_lists (list_id, node_ids, kept_at) values (");
    sql.text(id.as_str()).push(", ").text(text).push(", ").int(now.0);
    sql.push(") on conflict (list_id) do update set kept_at = excluded.kept_at");
    sql.run(db.writer()).await?;
    Ok(id)
}

/// The nodes of a list; `None` where there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, list: &NodeListId) -> Result<Option<Vec<NodeId>>, StoreError> {
    let mut sql = Sql::new("select node_ids from node_lists where list_id = ");
    sql.text(list.as_str());
    let Some(row) = sql.first(db.reader()).await? else {
        return Ok(None);
    };
    let text = row.text("node_ids")?;
    Ok(Some(
        text.split(',')
            .filter(|id| !id.is_empty())
            .map(NodeId::new)
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_store::test_database::on_both;

    fn ids(text: &str) -> Vec<NodeId> {
        text.split(' ').map(NodeId::new).collect()
    }

    #[tokio::test]
    async fn a_list_is_kept_once_and_forgotten_when_nobody_chose_it_for_long() {
        on_both(async |db| {
            let day = |days: i64| Timestamp(days * 86_400_000);
            let list = keep(&db, &ids("mi-2 mi-1 mi-2"), day(0)).await.unwrap();
            assert_eq!(keep(&db, &ids("mi-1 mi-2"), day(1)).await.unwrap(), list);
            assert_eq!(get(&db, &list).await.unwrap(), Some(ids("mi-1 mi-2")));
            let other = keep(&db, &ids("mi-3"), day(90)).await.unwrap();
            assert!(get(&db, &list).await.unwrap().is_some());
            keep(&db, &ids("mi-3"), day(92)).await.unwrap();
            assert!(get(&db, &list).await.unwrap().is_none());
            assert!(get(&db, &other).await.unwrap().is_some());
        })
        .await;
    }
}
