//! The outbox: with its transaction or not at all, once for each channel, in order without one holding up all, through
//! restarts, with two deliverers, and forgotten in time.

use super::receiver::{Receiver, Reply};
use super::{HOUR_MS, SECRET, START, channels, notice, webhook_world, world};
use muster_domain::Timestamp;
use muster_domain::time::Clock as _;
use muster_server::notifications::{Behind, Channels, Notice, behind, enqueue};
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

const DAY_MS: i64 = 24 * HOUR_MS;

#[tokio::test]
async fn a_notice_is_written_with_its_transaction_once_for_each_channel_and_cleaned() {
    on_both(async |db: Db| {
        let world = world(
            &db,
            &[
                ("notify_webhook_url", "http://127.0.0.1:9/"),
                ("notify_webhook_secret", SECRET),
                ("notify_slack_url", "http://127.0.0.1:9/"),
                ("notify_smtp_url", "smtp://127.0.0.1:9"),
                ("notify_mail_from", "muster@example.com"),
                (
                    "notify_mail_to",
                    "group:sre=sre@example.com,user:bob=bob@example.com,user:eve=eve@example.com,*=bob@example.com",
                ),
            ],
        );
        let mut transaction = db.begin().await.unwrap();
        enqueue(&mut transaction, &world.channels, &notice("CR-1", START)).await.unwrap();
        transaction.rollback().await.unwrap();
        assert!(world.fates().await.is_empty());

        let mut transaction = db.begin().await.unwrap();
        let nobody = Channels::default();
        enqueue(&mut transaction, &nobody, &notice("CR-1", START)).await.unwrap();
        for _ in 0..2 {
            enqueue(&mut transaction, &world.channels, &notice("CR-1", START)).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let told: Vec<(String, String)> = world
            .fates()
            .await
            .into_iter()
            .map(|fate| (fate.channel, fate.recipient))
            .collect();
        let expected = [
            ("mail", "sre@example.com"),
            ("mail", "bob@example.com"),
            ("slack", ""),
            ("webhook", ""),
        ];
        assert_eq!(told, expected.map(|(channel, to)| (channel.to_owned(), to.to_owned())));

        let long = Notice {
            title: format!("a\r\nb\u{0}{}", "ü".repeat(500)),
            text: "x\u{1b}".repeat(5_000),
            href: "https://evil.example/".into(),
            ..notice("CR-2", START)
        };
        world.tell(&long).await;
        let sql = Sql::new("select * from notifications where about = 'CR-2' and channel = 'slack'");
        let row = sql.one(db.reader()).await.unwrap();
        let (title, text) = (row.text("title").unwrap(), row.text("body").unwrap());
        assert!(title.starts_with("a  bü") && title.ends_with('…'), "{title}");
        assert_eq!((title.chars().count(), text.chars().count()), (200, 2_000));
        assert_eq!(row.text("href").unwrap(), "/");
    })
    .await;
}

#[tokio::test]
async fn one_that_is_never_taken_steps_aside_and_is_given_up_alone() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|seen| match seen.json()["about"].as_str() {
            Some("CR-1") => Reply::Status(500),
            _ => Reply::Status(204),
        })
        .await;
        let world = webhook_world(&db, &receiver);
        let deliverer = world.deliverer();
        world.tell_about(&["CR-1", "CR-2", "CR-3", "CR-4"]).await;
        for wait_ms in [0, 1_000, 5_000] {
            world.clock.advance(wait_ms);
            deliverer.round().await.unwrap();
        }
        // Out of its turn it is tried once, when another one was taken; then it waits for its time.
        assert_eq!(
            receiver.abouts(),
            ["CR-1", "CR-1", "CR-1", "CR-2", "CR-1", "CR-3", "CR-4"]
        );
        world.clock.advance(DAY_MS - 6_000);
        world.tell_about(&["CR-5"]).await;
        deliverer.round().await.unwrap();
        assert_eq!(receiver.abouts()[7..], ["CR-5", "CR-1"]);
        let states = world.states().await;
        assert_eq!(
            states,
            ["given_up", "delivered", "delivered", "delivered", "delivered"]
        );
        assert_eq!(world.fates().await[0].error, "it answered 500");
    })
    .await;
}

#[tokio::test]
async fn when_a_channel_works_again_nothing_waits_for_its_hour() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(503)).await;
        let world = webhook_world(&db, &receiver);
        let deliverer = world.deliverer();
        let five = ["CR-1", "CR-2", "CR-3", "CR-4", "CR-5"];
        world.tell_about(&five).await;
        for _ in 0..90 {
            deliverer.round().await.unwrap();
            world.clock.advance(60_000);
        }
        let now = world.clock.now();
        let waiting = world.fates().await;
        assert!(
            waiting
                .iter()
                .all(|fate| fate.state == "waiting" && fate.tries > 5)
        );
        assert!(waiting.iter().any(|fate| fate.next_at > now.0), "{waiting:?}");
        let before = receiver.abouts().len();
        receiver.answer(|_| Reply::Status(204));
        world.tell_about(&["CR-6"]).await;
        while deliverer.round().await.unwrap() {}
        let told = receiver.abouts().split_off(before);
        assert_eq!(told.len(), 6, "{told:?}");
        assert_eq!(world.states().await, ["delivered"; 6]);
    })
    .await;
}

#[tokio::test]
async fn a_restart_in_the_middle_goes_on_and_says_the_same_again() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Never).await;
        let world = webhook_world(&db, &receiver);
        world.tell_about(&["CR-1", "CR-2"]).await;
        let killed = world.deliverer();
        let under_way = tokio::spawn(async move { killed.round().await });
        receiver.came().await;
        under_way.abort();
        assert!(under_way.await.unwrap_err().is_cancelled());

        receiver.answer(|_| Reply::Status(204));
        let next = world.deliverer();
        next.round().await.unwrap();
        assert_eq!(receiver.abouts(), ["CR-1"], "it may still be under way");
        world.clock.advance(60_000);
        next.round().await.unwrap();
        assert_eq!(receiver.abouts(), ["CR-1", "CR-1", "CR-2"]);
        let seen = receiver.seen();
        assert_eq!(
            seen[0].header("muster-message-id"),
            seen[1].header("muster-message-id")
        );
        let fates = world.fates().await;
        assert_eq!((fates[0].tries, fates[1].tries), (2, 1));
        assert_eq!(world.states().await, ["delivered"; 2]);
    })
    .await;
}

#[tokio::test]
async fn a_try_that_ends_after_its_lease_changes_nothing_of_the_next() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Never).await;
        let world = webhook_world(&db, &receiver);
        world.tell_about(&["CR-1"]).await;
        let (mut slow, other) = (world.deliverer(), world.deliverer());
        slow.within = std::time::Duration::from_secs(1);
        let under_way = tokio::spawn(async move { slow.round().await });
        receiver.came().await;
        receiver.answer(|_| Reply::Status(204));
        world.clock.advance(60_000);
        other.round().await.unwrap();
        let fate = world.only().await;
        assert_eq!((fate.state.as_str(), fate.tries), ("delivered", 2));
        under_way.await.unwrap().unwrap();
        assert_eq!(
            world.only().await,
            fate,
            "the slow one gave up waiting, and says nothing"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_deliverers_tell_each_notice_once_and_in_order() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(204)).await;
        let world = webhook_world(&db, &receiver);
        let abouts: Vec<String> = (1..=40).map(|number| format!("CR-{number}")).collect();
        for about in &abouts {
            world.tell(&notice(about, START)).await;
        }
        let deliver = |db: Db| {
            let deliverer = world.deliverer();
            tokio::spawn(async move {
                loop {
                    deliverer.round().await.unwrap();
                    let left = Sql::new("select 1 from notifications where state = 'waiting' limit 1");
                    if left.first(db.reader()).await.unwrap().is_none() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        let (one, two) = (deliver(db.clone()), deliver(db.clone()));
        one.await.unwrap();
        two.await.unwrap();
        assert_eq!(receiver.abouts(), abouts);
        let fates = world.fates().await;
        assert!(
            fates
                .iter()
                .all(|fate| fate.tries == 1 && fate.state == "delivered")
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_written_at_once_by_several_is_all_told() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(204)).await;
        let world = webhook_world(&db, &receiver);
        let abouts: BTreeSet<String> = (1..=20).map(|number| format!("CR-{number}")).collect();
        let writing = abouts.iter().map(|about| {
            let world = &world;
            async move { world.tell(&notice(about, START)).await }
        });
        futures::future::join_all(writing).await;
        while world.deliverer().round().await.unwrap() {}
        let told = receiver.abouts();
        assert_eq!(told.len(), abouts.len());
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), abouts);
    })
    .await;
}

#[tokio::test]
async fn what_ended_is_forgotten_after_thirty_days_and_what_waits_never() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(204)).await;
        let world = webhook_world(&db, &receiver);
        let deliverer = world.deliverer();
        world.tell_about(&["CR-1"]).await;
        deliverer.round().await.unwrap();
        world.tell_about(&["CR-2"]).await;
        world.clock.advance(30 * DAY_MS);
        deliverer.tidy().await.unwrap();
        assert_eq!(world.states().await, ["delivered", "waiting"]);
        world.clock.advance(1);
        deliverer.tidy().await.unwrap();
        assert_eq!(world.only().await.about, "CR-2");
        // Old as it is, it is tried once.
        deliverer.round().await.unwrap();
        assert_eq!(receiver.abouts(), ["CR-1", "CR-2"]);
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_is_given_up_after_a_day() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(204)).await;
        let mut world = webhook_world(&db, &receiver);
        world.tell_about(&["CR-1"]).await;
        world.channels = channels(&[("notify_slack_url", "http://127.0.0.1:9/")]);
        let deliverer = world.deliverer();
        world.clock.advance(DAY_MS);
        deliverer.tidy().await.unwrap();
        assert_eq!(world.only().await.state, "waiting");
        world.clock.advance(1);
        deliverer.tidy().await.unwrap();
        let fate = world.only().await;
        assert_eq!(
            (fate.state.as_str(), fate.error.as_str()),
            ("given_up", "this channel is not set any more")
        );
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_more_than_five_minutes_is_said() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(503)).await;
        let world = webhook_world(&db, &receiver);
        let late = |now: Timestamp| behind(&db, now);
        assert_eq!(late(START.plus_ms(DAY_MS)).await.unwrap(), None);
        world.tell_about(&["CR-1"]).await;
        world.clock.advance(1_000);
        world.tell_about(&["CR-2"]).await;
        world.deliverer().round().await.unwrap();
        assert_eq!(late(START.plus_ms(300_000)).await.unwrap(), None);
        let one = Behind {
            waiting: 1,
            since: START,
        };
        assert_eq!(late(START.plus_ms(300_001)).await.unwrap(), Some(one));
        let two = Behind {
            waiting: 2,
            since: START,
        };
        assert_eq!(late(START.plus_ms(301_001)).await.unwrap(), Some(two));
        receiver.answer(|_| Reply::Status(204));
        world.clock.advance(300_000);
        world.deliverer().round().await.unwrap();
        assert_eq!(late(START.plus_ms(DAY_MS)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_task_delivers_until_it_is_stopped() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(204)).await;
        let world = webhook_world(&db, &receiver);
        world.tell_about(&["CR-1"]).await;
        let stop = CancellationToken::new();
        let task = tokio::spawn(world.deliverer().run(stop.clone()));
        receiver.came().await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(
            world.only().await.state,
            "delivered",
            "what was under way is finished"
        );
        world.tell_about(&["CR-2"]).await;
        assert_eq!(receiver.abouts(), ["CR-1"]);
    })
    .await;
}
