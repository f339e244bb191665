//! Throw-away databases for tests, so that every store test runs on both engines.

use crate::db::{Address, Db};
use muster_domain::system::SystemRandom;
use muster_domain::time::Random;
use sqlx::{AssertSqlSafe, Executor};
use std::future::Future;

/// The environment variable with the address of a PostgreSQL server on which databases may be made.
pub const POSTGRES_VARIABLE: &str = "MUSTER_TEST_POSTGRES_URL";

/// A migrated database of its own on each engine, handed to `test` one after the other. PostgreSQL is
/// used where [`POSTGRES_VARIABLE`] is set, as `cargo xtask test` does.
///
/// # Panics
/// When a database cannot be made: a test cannot go on then.
#[expect(clippy::unwrap_used, reason = "only tests call this")]
pub async fn on_both<T, F>(test: T)
where
    T: Fn(Db) -> F,
    F: Future<Output = ()>,
{
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Address::File(folder.path().join("test.db")))
        .await
        .unwrap();
    crate::migrate::migrate(&db, "test").await.unwrap();
    test(db.clone()).await;
    db.close().await;

    if let Ok(server) = std::env::var(POSTGRES_VARIABLE) {
        let name = format!("muster_test_{}", SystemRandom.hex(8));
        let admin = Db::open(&Address::Postgres(server.clone())).await.unwrap();
        admin
            .writer()
            .execute(AssertSqlSafe(format!("create database {name}")))
            .await
            .unwrap();
        let (base, query) = server
            .split_once('?')
            .map_or((server.as_str(), ""), |(b, q)| (b, q));
        let stem = base.rsplit_once('/').map_or(base, |(stem, _)| stem);
        let url = if query.is_empty() {
            format!("{stem}/{name}")
        } else {
            format!("{stem}/{name}?{query}")
        };
        let db = Db::open(&Address::Postgres(url)).await.unwrap();
        crate::migrate::migrate(&db, "test").await.unwrap();
        test(db.clone()).await;
        db.close().await;
        admin
            .writer()
            .execute(AssertSqlSafe(format!("drop database {name}")))
            .await
            .unwrap();
        admin.close().await;
    }
}
