//! No statement of the outbox reads the table to its end: all that run while notices are written, told, put aside, given
//! up and forgotten are caught on their way and explained by SQLite.

use super::receiver::{Receiver, Reply};
use super::{HOUR_MS, START, channels, webhook_world};
use muster_domain::time::Clock as _;
use muster_server::notifications::behind;
use muster_store::db::Address;
use muster_store::{Db, RowExt};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps what the store says that it runs.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Visit for Statements {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().insert(format!("{value:?}"));
        }
    }
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "muster_store::sql"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

async fn plan(db: &Db, statement: &str) -> String {
    let explained = sqlx::query(sqlx::AssertSqlSafe(format!("explain query plan {statement}")))
        .fetch_all(db.reader())
        .await
        .unwrap();
    let steps: Vec<String> = explained.iter().map(|row| row.text("detail").unwrap()).collect();
    steps.join("; ")
}

fn is_endless(plan: &str) -> bool {
    plan.contains("SCAN notifications") || plan.contains("TEMP B-TREE")
}

/// The whole life of a few notices.
async fn live(db: &Db) {
    let receiver = Receiver::start(|_| Reply::Status(503)).await;
    let mut world = webhook_world(db, &receiver);
    let deliverer = world.deliverer();
    world.tell_about(&["CR-1", "CR-2"]).await;
    for wait_ms in [0, 1_000, 5_000, HOUR_MS] {
        world.clock.advance(wait_ms);
        deliverer.round().await.unwrap();
    }
    receiver.answer(|seen| match seen.json()["about"].as_str() {
        Some("CR-1") => Reply::Status(400),
        _ => Reply::Status(204),
    });
    assert!(behind(db, world.clock.now()).await.unwrap().is_some());
    world.clock.advance(24 * HOUR_MS);
    while deliverer.round().await.unwrap() {}
    world.tell_about(&["CR-3"]).await;
    world.clock.advance(25 * HOUR_MS);
    world.channels = channels(&[]);
    world.deliverer().tidy().await.unwrap();
    assert_eq!(world.states().await, ["given_up", "delivered", "given_up"]);
    assert!(world.clock.now() > START);
}

#[tokio::test]
async fn no_statement_reads_the_outbox_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Address::File(folder.path().join("test.db")))
        .await
        .unwrap();
    muster_store::migrate::migrate(&db, "test").await.unwrap();
    let statements = Statements::default();
    // With a second one alive, what is of interest is asked of both, and not of whichever thread comes by first.
    let _second = tracing::Dispatch::new(statements.clone());
    let guard = tracing::subscriber::set_default(statements.clone());
    live(&db).await;
    drop(guard);

    assert!(is_endless(
        &plan(&db, "select * from notifications where title = $1").await
    ));
    let seen = statements.0.lock().unwrap().clone();
    // The tests' own look at all rows is none of the product's.
    let ours = |statement: &&String| !statement.starts_with("select * from notifications order by channel");
    let seen: Vec<&String> = seen.iter().filter(ours).collect();
    assert!(
        seen.len() >= 11,
        "only {} statements were seen: {seen:#?}",
        seen.len()
    );
    for statement in seen {
        let plan = plan(&db, statement).await;
        assert!(!is_endless(&plan), "{statement}: {plan}");
    }
}
