//! Notices on both databases, with real receivers on loopback: what a webhook and Slack are sent, what becomes of a notice
//! that is not taken, and when. In `notifications/`: the outbox (order, leases, restarts), how its
//! statements find their rows, mail, and the receivers.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what cannot be done"
)]

#[path = "notifications/mail.rs"]
mod mail;
#[path = "notifications/outbox.rs"]
mod outbox;
#[path = "notifications/plans.rs"]
mod plans;
#[path = "notifications/receiver.rs"]
mod receiver;
#[path = "notifications/smtp_sink.rs"]
mod smtp_sink;

use muster_domain::Timestamp;
use muster_domain::system::ManualClock;
use muster_domain::time::Clock as _;
use muster_server::config::{Config, Settings};
use muster_server::notifications::{Channels, Deliverer, Notice, enqueue};
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};
use receiver::{Receiver, Reply};
use ring::hmac;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const START: Timestamp = Timestamp(1_795_000_000_000);
const SECRET: &str = "hunter2hunter2hunter2";
const HOUR_MS: i64 = 3_600_000;

/// A database, its clock, and channels as the settings say.
struct World {
    db: Db,
    clock: Arc<ManualClock>,
    channels: Arc<Channels>,
}

/// What became of a notice for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fate {
    about: String,
    channel: String,
    recipient: String,
    state: String,
    tries: i64,
    next_at: i64,
    error: String,
}

fn channels(pairs: &[(&str, &str)]) -> Arc<Channels> {
    let flags: BTreeMap<String, String> = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let settings = Settings::gather(&flags, std::iter::empty(), None).unwrap();
    Arc::new(Config::read(&settings).unwrap().notifications)
}

fn world(db: &Db, pairs: &[(&str, &str)]) -> World {
    World {
        db: db.clone(),
        clock: Arc::new(ManualClock::at(START)),
        channels: channels(pairs),
    }
}

/// A world that tells this receiver alone.
fn webhook_world(db: &Db, receiver: &Receiver) -> World {
    world(
        db,
        &[
            ("notify_webhook_url", &receiver.url("/notices?key=hunter2")),
            ("notify_webhook_secret", SECRET),
        ],
    )
}

fn notice(about: &str, at: Timestamp) -> Notice {
    Notice {
        kind: "approval.waiting".into(),
        about: about.into(),
        title: format!("{about} waits for you"),
        text: "Restart web\non 12 nodes".into(),
        href: format!("/approvals/{about}"),
        at,
        to: vec!["group:sre".into(), "user:bob".into()],
        urgent: false,
    }
}

impl World {
    fn deliverer(&self) -> Deliverer {
        let portal = "https://muster.example".to_owned();
        Deliverer::new(
            self.db.clone(),
            self.clock.clone(),
            Arc::clone(&self.channels),
            portal,
        )
        .unwrap()
    }

    async fn tell(&self, notice: &Notice) {
        let mut transaction = self.db.begin().await.unwrap();
        enqueue(&mut transaction, &self.channels, notice).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn tell_about(&self, abouts: &[&str]) {
        for about in abouts {
            self.tell(&notice(about, self.clock.now())).await;
        }
    }

    /// All rows, in the order in which they were written.
    async fn fates(&self) -> Vec<Fate> {
        let sql = Sql::new("select * from notifications order by channel, sequence, recipient");
        let rows = sql.all(self.db.reader()).await.unwrap();
        rows.iter()
            .map(|row| Fate {
                about: row.text("about").unwrap(),
                channel: row.text("channel").unwrap(),
                recipient: row.text("recipient").unwrap(),
                state: row.text("state").unwrap(),
                tries: row.int("tries").unwrap(),
                next_at: row.int("next_at").unwrap(),
                error: row.text("last_error").unwrap(),
            })
            .collect()
    }

    async fn states(&self) -> Vec<String> {
        self.fates().await.into_iter().map(|fate| fate.state).collect()
    }

    async fn only(&self) -> Fate {
        let mut all = self.fates().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

/// What a careful receiver does with the header.
fn is_signed(signature: &str, body: &str, now: Timestamp) -> bool {
    let (time, tag) = signature.split_once(",v1=").unwrap();
    let seconds = time.strip_prefix("t=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{seconds}.{body}");
    seconds == (now.0 / 1_000).to_string()
        && hmac::verify(&key, signed.as_bytes(), &hex::decode(tag).unwrap()).is_ok()
}

#[tokio::test]
async fn a_webhook_fails_first_and_takes_it_later_signed_each_time_and_with_one_id() {
    on_both(async |db: Db| {
        let mut failures = [503, 500].into_iter();
        let receiver = Receiver::start(move |_| Reply::Status(failures.next().unwrap_or(204))).await;
        let world = webhook_world(&db, &receiver);
        let deliverer = world.deliverer();
        world.tell_about(&["CR-1", "CR-2"]).await;
        deliverer.round().await.unwrap();
        deliverer.round().await.unwrap();
        assert_eq!(receiver.abouts(), ["CR-1"], "not before it is time, and in order");
        let first = world.fates().await.remove(0);
        assert_eq!(
            (
                first.state.as_str(),
                first.tries,
                first.next_at,
                first.error.as_str()
            ),
            ("waiting", 1, START.0 + 1_000, "it answered 503")
        );
        world.clock.advance(1_000);
        deliverer.round().await.unwrap();
        world.clock.advance(4_999);
        deliverer.round().await.unwrap();
        assert_eq!(receiver.abouts(), ["CR-1", "CR-1"]);
        world.clock.advance(1);
        deliverer.round().await.unwrap();
        assert_eq!(receiver.abouts(), ["CR-1", "CR-1", "CR-1", "CR-2"]);
        assert_eq!(world.states().await, ["delivered", "delivered"]);

        let seen = receiver.seen();
        for (request, after_ms) in seen.iter().zip([0, 1_000, 6_000, 6_000]) {
            let now = START.plus_ms(after_ms);
            assert!(
                is_signed(request.header("muster-signature"), &request.body, now),
                "{request:?}"
            );
            assert!(!is_signed(request.header("muster-signature"), "{}", now));
            assert_eq!(request.header("content-type"), "application/json");
            assert_eq!(request.json()["id"], request.header("muster-message-id"));
        }
        let ids: Vec<&str> = seen
            .iter()
            .map(|request| request.header("muster-message-id"))
            .collect();
        assert!(
            ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3],
            "{ids:?}"
        );
        let body = seen[0].json();
        assert_eq!(
            body,
            serde_json::json!({
                "id": ids[0], "kind": "approval.waiting", "about": "CR-1", "title": "CR-1 waits for you",
                "text": "Restart web\non 12 nodes", "url": "https://muster.example/approvals/CR-1",
                "at": START.rfc3339(), "to": ["group:sre", "user:bob"], "urgent": false,
            })
        );
    })
    .await;
}

#[tokio::test]
async fn slack_is_sent_a_text_with_the_link() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|_| Reply::Status(200)).await;
        let world = world(&db, &[("notify_slack_url", &receiver.url("/services/hunter2"))]);
        let said = Notice {
            title: "<!channel> run\u{202e} it".into(),
            text: "a & b\u{0}".into(),
            urgent: true,
            ..notice("CR-7", START)
        };
        world.tell(&said).await;
        world.deliverer().round().await.unwrap();
        let seen = receiver.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            seen[0].json(),
            serde_json::json!({
                "text": "<https://muster.example/approvals/CR-7|Urgent: &lt;!channel&gt; run it>\na &amp; b"
            })
        );
        assert_eq!(world.only().await.state, "delivered");
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    on_both(async |db: Db| {
        let inside = Receiver::start(|_| Reply::Status(200)).await;
        let target = inside.url("/latest/meta-data");
        let receiver = Receiver::start(move |_| Reply::Redirect(target.clone())).await;
        let world = webhook_world(&db, &receiver);
        world.tell_about(&["CR-1"]).await;
        world.deliverer().round().await.unwrap();
        assert_eq!((receiver.abouts().len(), inside.seen().len()), (1, 0));
        let fate = world.only().await;
        assert_eq!(fate.state, "waiting");
        assert!(
            fate.error.contains("not followed") && !fate.error.contains("http"),
            "{fate:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_down_for_a_day_is_given_up_and_nothing_secret_is_kept() {
    on_both(async |db: Db| {
        // A port that is taken, and on which nobody listens.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let url = format!("http://{address}/notices?key=hunter2");
        let settings = [
            ("notify_webhook_url", url.as_str()),
            ("notify_webhook_secret", SECRET),
        ];
        let world = world(&db, &settings);
        let deliverer = world.deliverer();
        world.tell_about(&["CR-1"]).await;
        let mut tries = 0;
        let mut last = None;
        while world.only().await.state == "waiting" {
            deliverer.round().await.unwrap();
            let fate = world.only().await;
            assert_eq!(fate.tries, tries + 1, "{fate:?}");
            assert_eq!(fate.error, "it cannot be reached: the connection was refused");
            tries = fate.tries;
            if fate.state == "waiting" {
                let wait = fate.next_at - world.clock.now().0;
                assert!((1..=HOUR_MS).contains(&wait), "{fate:?}");
                world.clock.advance(wait);
            }
            last = Some(fate);
        }
        let fate = last.unwrap();
        assert_eq!(fate.state, "given_up");
        assert_eq!(world.clock.now(), START.plus_ms(24 * HOUR_MS));
        assert!((20..40).contains(&fate.tries), "{fate:?}");
        world.clock.advance(HOUR_MS);
        assert!(!deliverer.round().await.unwrap());
        let kept = format!("{:?}", world.fates().await);
        assert!(!kept.contains("hunter2") && !kept.contains(&address), "{kept}");
    })
    .await;
}

#[tokio::test]
async fn answers_are_neither_waited_for_nor_read_without_end() {
    on_both(async |db: Db| {
        let receiver = Receiver::start(|seen| match seen.json()["about"].as_str() {
            Some("CR-1") => Reply::Endless,
            _ => Reply::Never,
        })
        .await;
        let world = webhook_world(&db, &receiver);
        let mut deliverer = world.deliverer();
        deliverer.within = Duration::from_secs(2);
        world.tell_about(&["CR-1", "CR-2"]).await;
        deliverer.round().await.unwrap();
        let fates = world.fates().await;
        assert_eq!(fates[0].state, "delivered");
        assert_eq!(
            (fates[1].state.as_str(), fates[1].error.as_str()),
            ("waiting", "it did not answer in time")
        );
    })
    .await;
}
