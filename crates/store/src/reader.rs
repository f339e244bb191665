//! Connections for reading. On SQLite they are kept here and not in the library's pool: that asks a connection after every
//! statement whether it still lives, which wakes the connection's thread once more, and what is in this process's own memory
//! does not go away. Pages ask several small questions each, so that was half of what asking cost.

use crate::db::{SQLITE_PRAGMAS, StoreError};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Either, Error, Execute, Executor, SqlStr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections to a file at most.
const MOST: u32 = 8;
/// Who waits longer for one is told so.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where statements that change nothing run. Cheap to clone.
#[derive(Clone)]
pub struct Reader(Kind);

#[derive(Clone)]
enum Kind {
    /// Those of a file.
    Kept(Arc<Kept>),
    /// Those to a server, which may go away: the library's pool looks after them.
    Pool(AnyPool),
}

struct Kept {
    url: String,
    /// The last that was used is the next: its thread and its pages are warm.
    idle: Mutex<Vec<AnyConnection>>,
    room: Semaphore,
}

/// A connection that is in use. One that is dropped before [`Held::done`] was in the middle of something: it goes.
struct Held<'a> {
    kept: &'a Kept,
    connection: AnyConnection,
    _room: SemaphorePermit<'a>,
}

impl Held<'_> {
    fn done(self) {
        self.kept.idle().push(self.connection);
    }
}

impl Kept {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<AnyConnection, Error> {
        let mut connection = AnyConnection::connect(&self.url).await?;
        connection.execute(SQLITE_PRAGMAS).await?;
        Ok(connection)
    }

    async fn take(&self) -> Result<Held<'_>, Error> {
        let room = match self.room.try_acquire() {
            Ok(room) => room,
            Err(_) => tokio::time::timeout(PATIENCE, self.room.acquire())
                .await
                .map_err(|_| Error::PoolTimedOut)?
                .map_err(|_| Error::PoolClosed)?,
        };
        let warm = self.idle().pop();
        let connection = match warm {
            Some(connection) => connection,
            None => self.open().await?,
        };
        Ok(Held {
            kept: self,
            connection,
            _room: room,
        })
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Connections to the file of this URL; the first is opened, so that what is wrong with it shows here.
    pub(crate) async fn of_file(url: String) -> Result<Self, StoreError> {
        let kept = Kept {
            url,
            idle: Mutex::default(),
            room: Semaphore::new(MOST as usize),
        };
        kept.take().await?.done();
        Ok(Self(Kind::Kept(Arc::new(kept))))
    }

    /// Connections of a pool.
    pub(crate) fn of_pool(pool: AnyPool) -> Self {
        Self(Kind::Pool(pool))
    }

    /// Waits for what runs, and ends all connections.
    pub(crate) async fn close(&self) {
        match &self.0 {
            Kind::Pool(pool) => pool.close().await,
            Kind::Kept(kept) => {
                let all = kept.room.acquire_many(MOST).await;
                kept.room.close();
                drop(all);
                let idle = std::mem::take(&mut *kept.idle());
                for connection in idle {
                    let _ = connection.close().await;
                }
            }
        }
    }
}

/// Rows come all at once, not one by one as they are found: nobody here reads a stream of them.
impl<'c> Executor<'c> for &'c Reader {
    type Database = Any;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<AnyQueryResult, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move {
            match &self.0 {
                Kind::Pool(pool) => pool.execute(query).await,
                Kind::Kept(kept) => {
                    let mut held = kept.take().await?;
                    let result = held.connection.execute(query).await?;
                    held.done();
                    Ok(result)
                }
            }
        }
        .boxed()
    }

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let all = async move {
            match &self.0 {
                Kind::Pool(pool) => pool.fetch_many(query).try_collect::<Vec<_>>().await,
                Kind::Kept(kept) => {
                    let mut held = kept.take().await?;
                    let all = held.connection.fetch_many(query).try_collect::<Vec<_>>().await?;
                    held.done();
                    Ok(all)
                }
            }
        };
        stream::once(all)
            .map_ok(|all| stream::iter(all.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move {
            match &self.0 {
                Kind::Pool(pool) => pool.fetch_all(query).await,
                Kind::Kept(kept) => {
                    let mut held = kept.take().await?;
                    let rows = held.connection.fetch_all(query).await?;
                    held.done();
                    Ok(rows)
                }
            }
        }
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move {
            match &self.0 {
                Kind::Pool(pool) => pool.fetch_optional(query).await,
                Kind::Kept(kept) => {
                    let mut held = kept.take().await?;
                    let row = held.connection.fetch_optional(query).await?;
                    held.done();
                    Ok(row)
                }
            }
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        async move {
            match &self.0 {
                Kind::Pool(pool) => pool.prepare_with(sql, parameters).await,
                Kind::Kept(kept) => {
                    let mut held = kept.take().await?;
                    let statement = held.connection.prepare_with(sql, parameters).await?;
                    held.done();
                    Ok(statement)
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use crate::Sql;
    use crate::db::{Address, Db};

    async fn file() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Address::File(folder.path().join("a b?.db")))
            .await
            .unwrap();
        Sql::new("create table t (n bigint)")
            .run(db.writer())
            .await
            .unwrap();
        (folder, db)
    }

    async fn one(db: &Db) -> i64 {
        let row = Sql::new("select 1 as n").one(db.reader()).await.unwrap();
        crate::RowExt::int(&row, "n").unwrap()
    }

    #[tokio::test]
    async fn connections_are_used_again_and_never_more_than_there_may_be() {
        let (_folder, db) = file().await;
        let asking = (0..100).map(|_| one(&db));
        assert_eq!(futures::future::join_all(asking).await, vec![1; 100]);
        let super::Kind::Kept(kept) = &db.reader().0 else {
            unreachable!("this is a file")
        };
        let many = kept.idle().len();
        assert!((1..=super::MOST as usize).contains(&many), "{many}");
        for _ in 0..100 {
            one(&db).await;
        }
        assert_eq!(kept.idle().len(), many);
    }

    #[tokio::test]
    async fn who_gives_up_and_what_fails_leaves_no_gap() {
        let (_folder, db) = file().await;
        let slow = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 300000) select count(*) as n from c";
        for _ in 0..super::MOST * 2 {
            let given_up = tokio::time::timeout(
                std::time::Duration::from_micros(200),
                Sql::new(slow).one(db.reader()),
            );
            let _ = given_up.await;
            let failed = Sql::new("select nothing from nowhere").all(db.reader()).await;
            assert!(failed.is_err());
        }
        assert_eq!(one(&db).await, 1);
        let super::Kind::Kept(kept) = &db.reader().0 else {
            unreachable!("this is a file")
        };
        assert_eq!(kept.room.available_permits(), super::MOST as usize);
    }

    #[tokio::test]
    async fn what_was_written_is_read_at_once() {
        let (_folder, db) = file().await;
        for n in 0..50_i64 {
            let mut sql = Sql::new("insert into t (n) values (");
            sql.int(n).push(")");
            sql.run(db.writer()).await.unwrap();
            let row = Sql::new("select max(n) as n from t")
                .one(db.reader())
                .await
                .unwrap();
            assert_eq!(crate::RowExt::int(&row, "n").unwrap(), n);
        }
    }

    #[tokio::test]
    async fn nobody_reads_once_it_is_closed_and_closing_waits() {
        let (_folder, db) = file().await;
        let other = db.clone();
        let asking = tokio::spawn(async move { one(&other).await });
        tokio::task::yield_now().await;
        db.close().await;
        // Either it came first, or it was told that the database is closed.
        let _ = asking.await;
        assert!(Sql::new("select 1 as n").one(db.reader()).await.is_err());
        db.close().await;
    }
}
