//! The portal on PostgreSQL: the same stories, and the same audit log.

use crate::rough::survives_a_power_cut;
use crate::support;
use muster_store::Db;
use muster_store::db::Address;
use muster_tests::portal::run;
use muster_tests::{Client, Portal};
use sqlx::{AssertSqlSafe, Executor as _};

/// A database of a test's own.
struct Own {
    server: Db,
    name: String,
    url: String,
}

impl Own {
    async fn create(what: &str) -> Self {
        let server = std::env::var("MUSTER_TEST_POSTGRES_URL")
            .expect("`cargo xtask test` starts a PostgreSQL and names it");
        let name = format!("muster_{what}_{}", std::process::id());
        let (base, query) = server
            .split_once('?')
            .map_or((server.as_str(), String::new()), |(b, q)| (b, format!("?{q}")));
        let stem = base.rsplit_once('/').unwrap().0;
        let url = format!("{stem}/{name}{query}");
        let server = Db::open(&Address::Postgres(server.clone())).await.unwrap();
        let own = Self { server, name, url };
        own.say(format!("create database {}", own.name)).await;
        own
    }

    async fn say(&self, sql: String) {
        self.server.writer().execute(AssertSqlSafe(sql)).await.unwrap();
    }

    async fn drop(self) {
        self.say(format!("drop database {} with (force)", self.name))
            .await;
        self.server.close().await;
    }
}

#[tokio::test]
async fn the_portal_runs_on_postgresql() {
    let own = Own::create("portal").await;
    let url = own.url.as_str();
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[("MUSTER_DATABASE_URL", url)]).unwrap();
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
        .command(&["audit", "verify", "--database-url", url])
        .unwrap();
    assert!(code == 0 && text.contains("intact"), "{text}");
    drop(portal);
    own.drop().await;
}

#[tokio::test]
async fn a_power_cut_of_the_server_on_postgresql_loses_nothing_and_repeats_nothing() {
    let own = Own::create("power_cut").await;
    let folder = tempfile::tempdir().unwrap();
    survives_a_power_cut(folder.path(), &[("MUSTER_DATABASE_URL", &own.url)]).await;
    let verify = ["audit", "verify", "--database-url", &own.url];
    let (code, text) = run(&folder.path().join("data"), &verify).unwrap();
    assert!(code == 0 && text.contains("intact"), "{text}");
    own.drop().await;
}
