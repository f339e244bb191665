//! The portal on PostgreSQL: the same story, and the same audit log.

use crate::support;
use muster_store::Db;
use muster_store::db::Address;
use muster_tests::{Client, Portal};
use sqlx::{AssertSqlSafe, Executor as _};

#[tokio::test]
async fn the_portal_runs_on_postgresql() {
    let server = std::env::var("MUSTER_TEST_POSTGRES_URL")
        .expect("`cargo xtask test` starts a PostgreSQL and names it");
    let name = format!("muster_portal_{}", std::process::id());
    let admin_db = Db::open(&Address::Postgres(server.clone())).await.unwrap();
    admin_db
        .writer()
        .execute(AssertSqlSafe(format!("create database {name}")))
        .await
        .unwrap();
    let (base, query) = server
        .split_once('?')
        .map_or((server.as_str(), String::new()), |(b, q)| (b, format!("?{q}")));
    let stem = base.rsplit_once('/').unwrap().0;
    let url = format!("{stem}/{name}{query}");

    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[("MUSTER_DATABASE_URL", &url)]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let id = support::run_script(&admin, &node, "echo on PostgreSQL").await;
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(support::output(&events, "stdout"), "on PostgreSQL\n");
    for path in ["/", "/fleet", "/commands", "/audit", "/settings/users"] {
        assert_eq!(admin.get(path).await.unwrap().0, 200, "{path}");
    }
    let (code, text) = portal
        .command(&["audit", "verify", "--database-url", &url])
        .unwrap();
    assert!(code == 0 && text.contains("intact"), "{text}");
    drop(portal);
    admin_db
        .writer()
        .execute(AssertSqlSafe(format!("drop database {name} with (force)")))
        .await
        .unwrap();
    admin_db.close().await;
}
