//! People are told before it is too late: each of it once, whoever looks and however often.

use crate::world::{POLICIES, World, people, wish, world_telling};
use muster_domain::approvals::{Approvals, HandOver, Review};
use muster_domain::permission::Role;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock;
use muster_server::config::{Config, Settings};
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};
use std::collections::BTreeMap;
use std::sync::Arc;

const MINUTE: i64 = 60_000;

async fn telling(db: &Db) -> World {
    let flags: BTreeMap<String, String> = [
        ("notify_webhook_url", "http://127.0.0.1:9/"),
        ("notify_webhook_secret", "a secret of some length, as is wanted"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let settings = Settings::gather(&flags, std::iter::empty(), None).unwrap();
    let channels = Arc::new(Config::read(&settings).unwrap().notifications);
    world_telling(db, POLICIES, SystemClock.now(), "http://127.0.0.1:9", channels).await
}

/// How often each kind was told, and to whom the last time.
async fn told(db: &Db, kind: &str) -> (usize, String) {
    let mut sql = Sql::new("select told from notifications where kind = ");
    sql.text(kind).push(" order by sequence");
    let rows = sql.all(db.reader()).await.unwrap();
    let last = rows.last().map(|row| row.text("told").unwrap());
    (rows.len(), last.unwrap_or_default())
}

async fn rounds(world: &World) {
    let mut other = world.service.clone();
    other.gate.desk.owner = "the other one".into();
    for _ in 0..2 {
        let (a, b) = tokio::join!(world.service.round(), other.round());
        a.unwrap();
        b.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_about_to_expire_is_told_once_for_each_time_that_it_would() {
    on_both(async |db: Db| {
        let world = telling(&db).await;
        let (rita, bob, _) = people(&world).await;
        let request = world.ask(&rita).await;
        let decided = world.ask(&rita).await;
        world.clock.advance(45 * MINUTE - 1);
        rounds(&world).await;
        assert_eq!(told(&db, "approval.expires_soon").await.0, 0, "not yet");
        world
            .decide(&bob, &decided, muster_domain::approvals::Verdict::Reject)
            .await
            .unwrap();
        world.clock.advance(1);
        rounds(&world).await;
        let (times, to) = told(&db, "approval.expires_soon").await;
        assert_eq!(times, 1, "of the hour a quarter is left");
        assert!(to.contains("group:sre") && to.contains("user:rita"), "{to}");
        world.clock.advance(5 * MINUTE);
        rounds(&world).await;
        assert_eq!(told(&db, "approval.expires_soon").await.0, 1);
        // It is given its whole time again, and runs out again.
        world.service.extend(&rita, request.clone()).await.unwrap();
        world.clock.advance(20 * MINUTE);
        rounds(&world).await;
        assert_eq!(told(&db, "approval.expires_soon").await.0, 1);
        world.clock.advance(25 * MINUTE);
        rounds(&world).await;
        assert_eq!(told(&db, "approval.expires_soon").await.0, 2);
        world.clock.advance(15 * MINUTE);
        rounds(&world).await;
        assert_eq!(told(&db, "approval.expires_soon").await.0, 2, "it has expired");
        assert_eq!(told(&db, "approval.expired").await.0, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_is_asked_for_before_it_is_due_and_when_it_is_overdue() {
    on_both(async |db: Db| {
        let world = telling(&db).await;
        let (rita, _, eve) = people(&world).await;
        let reviewed = world.service.ask(&rita, wish(true)).await.unwrap();
        let request = world.service.ask(&rita, wish(true)).await.unwrap();
        rounds(&world).await;
        let review = Review {
            request: reviewed,
            was_right: true,
            comment: "it had to be".into(),
        };
        world.service.review(&eve, review.clone()).await.unwrap();
        world.clock.advance(90 * MINUTE - 1);
        rounds(&world).await;
        assert_eq!(told(&db, "approval.review_soon").await.0, 0);
        world.clock.advance(1);
        rounds(&world).await;
        let (times, to) = told(&db, "approval.review_soon").await;
        assert_eq!(times, 1, "of two hours a quarter is left");
        assert!(to.contains("group:sre") && !to.contains("rita"), "{to}");
        assert_eq!(told(&db, "approval.review_overdue").await.0, 0);
        world.clock.advance(30 * MINUTE);
        rounds(&world).await;
        let (times, to) = told(&db, "approval.review_overdue").await;
        assert_eq!(times, 1);
        assert!(to.contains("user:rita"), "{to}");
        world.clock.advance(24 * 60 * MINUTE);
        rounds(&world).await;
        world
            .service
            .review(&eve, Review { request, ..review })
            .await
            .unwrap();
        rounds(&world).await;
        assert_eq!(told(&db, "approval.review_soon").await.0, 1);
        assert_eq!(told(&db, "approval.review_overdue").await.0, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stands_in_for_an_approver_is_told_too_while_that_holds() {
    on_both(async |db: Db| {
        let world = telling(&db).await;
        let (rita, _, eve) = people(&world).await;
        let carol = world.add("carol", Role::Viewer).await;
        world.ask(&rita).await;
        let (_, to) = told(&db, "approval.waiting").await;
        assert!(to.contains("group:sre") && !to.contains("user:carol"), "{to}");
        let over = |to: &str, minutes: i64| HandOver {
            to: to.into(),
            until: world.clock.now().plus_ms(minutes * MINUTE),
            reason: "on leave".into(),
        };
        world.service.hand_over(&eve, over("carol", 30)).await.unwrap();
        let request = world.ask(&rita).await;
        let (_, to) = told(&db, "approval.waiting").await;
        assert!(to.contains("user:carol") && to.contains("group:sre"), "{to}");
        world.service.remind(&rita, request.clone()).await.unwrap();
        let (_, to) = told(&db, "approval.reminder").await;
        assert!(to.contains("user:carol"), "{to}");
        // What is only for who asked is not for her.
        world
            .decide_for(&carol, "eve", &request, muster_domain::approvals::Verdict::Reject)
            .await
            .unwrap();
        let (_, to) = told(&db, "approval.decided").await;
        assert!(to.contains("user:rita") && !to.contains("user:carol"), "{to}");
        // When its time is over she is told nothing any more.
        world.clock.advance(31 * MINUTE);
        world.ask(&rita).await;
        let (_, to) = told(&db, "approval.waiting").await;
        assert!(!to.contains("user:carol"), "{to}");
    })
    .await;
}
