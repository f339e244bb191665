//! The audit log on both databases: the chain, every way of tampering, many writers, lists and files.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what cannot be done"
)]

#[path = "audit/tampering.rs"]
mod tampering;

use futures::TryStreamExt as _;
use muster_domain::action::Action;
use muster_domain::actor::Origin;
use muster_domain::audit::{
    ActKind, AuditEntryView, AuditQuery, AuditTrail as _, Intent, Outcome, VerifyReport,
};
use muster_domain::system::{ManualClock, SeededRandom};
use muster_domain::{Actor, Timestamp};
use muster_server::audit::log::AuditLog;
use muster_server::audit::{export, queries, verify};
use muster_server::fleet::export::Format;
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const START: Timestamp = Timestamp(1_795_000_000_000);
const ROWS: i64 = 12;

fn actor(name: &str, address: &str) -> Actor {
    let mut actor = Actor::anonymous(Origin {
        address: address.into(),
        user_agent: "a \"browser\", ü".into(),
        via: "browser".into(),
    });
    actor.name = name.into();
    actor
}

fn open(db: &Db, dir: &Path, clock: &Arc<ManualClock>, seed: u64) -> Arc<AuditLog> {
    let random = Arc::new(SeededRandom::new(seed));
    AuditLog::open(db.clone(), clock.clone(), random, dir.to_owned(), None).unwrap()
}

async fn check(db: &Db, dir: &Path) -> VerifyReport {
    let key = std::fs::read_to_string(dir.join("signing-key.pub")).unwrap();
    verify::verify(db, dir, key.trim(), START).await.unwrap()
}

async fn run(db: &Db, sql: &'static str) {
    assert!(Sql::new(sql).run(db.writer()).await.unwrap() > 0, "{sql}");
}

/// Twelve rows: five acts with an outcome, one refusal, one act that never ended; a checkpoint after the
/// seventh row and one after the last.
async fn fill(db: &Db, dir: &Path) {
    let clock = Arc::new(ManualClock::at(START));
    let log = open(db, dir, &clock, 1);
    for number in 0..5 {
        if number == 3 {
            clock.advance(600_000);
        }
        let who = actor(if number % 2 == 0 { "ada" } else { "bob" }, "192.0.2.1");
        let intent = Intent::new(Action::CommandsRun, format!("command:{number}")).with("nodes", number);
        let act = log.begin(&who, &intent).await.unwrap();
        clock.advance(1_000);
        let outcome = if number == 4 {
            Outcome::Failure
        } else {
            Outcome::Success
        };
        let result = BTreeMap::from([("count".to_owned(), serde_json::json!(number))]);
        log.complete(&who, &intent, &act, outcome, "", result)
            .await
            .unwrap();
    }
    let who = actor("eve", "192.0.2.9");
    let refused = Intent::new(Action::UsersCreate, "user:mallory");
    log.record(&who, &refused, Outcome::Denied, "No, \"not\" you.")
        .await
        .unwrap();
    log.begin(&who, &Intent::new(Action::SessionSignIn, "user:eve"))
        .await
        .unwrap();
    log.close().await;
}

/// The formula once more, from its description alone.
fn hash_again(previous: &str, body: &str) -> String {
    let mut bytes = b"muster-audit-v1\n".to_vec();
    bytes.extend(hex::decode(previous).unwrap());
    bytes.extend(body.as_bytes());
    hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes))
}

#[tokio::test]
async fn rows_are_chained_and_intact() {
    on_both(async |db: Db| {
        let dir = tempfile::tempdir().unwrap();
        fill(&db, dir.path()).await;
        let report = check(&db, dir.path()).await;
        assert_eq!((report.rows, report.checkpoints), (12, 2), "{report:?}");
        assert_eq!(report.findings, []);

        let rows = Sql::new("select sequence, body, hash from audit_log order by sequence");
        let mut previous = "0".repeat(64);
        for (row, number) in rows.all(db.reader()).await.unwrap().iter().zip(1..) {
            assert_eq!(row.int("sequence").unwrap(), number);
            let body = row.text("body").unwrap();
            let start = format!("{{\"schema\":1,\"sequence\":{number},\"act_id\":\"");
            assert!(body.starts_with(&start), "{body}");
            previous = hash_again(&previous, &body);
            assert_eq!(row.text("hash").unwrap(), previous);
        }
        assert_eq!(report.head, previous);

        // Going on after a restart, with a text that PostgreSQL would not take.
        let log = open(&db, dir.path(), &Arc::new(ManualClock::at(START)), 2);
        let who = actor("a\0b", "192.0.2.1");
        let odd = Intent::new(Action::UsersCreate, "user:a\0b").with("n", "x\0y");
        log.record(&who, &odd, Outcome::Failure, "a\0b").await.unwrap();
        let report = check(&db, dir.path()).await;
        assert_eq!((report.rows, report.findings.len()), (13, 0), "{report:?}");
    })
    .await;
}

#[tokio::test]
async fn the_head_file_holds_what_a_crash_leaves_and_finds_a_restored_copy() {
    on_both(async |db: Db| {
        let dir = tempfile::tempdir().unwrap();
        let head = dir.path().join("head.json");
        fill(&db, dir.path()).await;
        let old = std::fs::read(&head).unwrap();
        let log = open(&db, dir.path(), &Arc::new(ManualClock::at(START)), 2);
        let who = actor("ada", "192.0.2.1");
        let intent = Intent::new(Action::UsersCreate, "user:x");
        log.begin(&who, &intent).await.unwrap();
        let new = std::fs::read(&head).unwrap();
        assert_ne!(old, new);
        // Stopped between the commit and the file: nothing is wrong.
        std::fs::write(&head, &old).unwrap();
        assert_eq!(check(&db, dir.path()).await.findings, []);
        assert_eq!(log.behind().await.unwrap(), None);
        std::fs::remove_file(&head).unwrap();
        let report = check(&db, dir.path()).await;
        assert!(report.findings[0].message.contains("head file is missing"), "{report:?}");
        std::fs::write(&head, b"{\"body\":\"").unwrap();
        assert!(check(&db, dir.path()).await.findings[0].message.contains("head file"));
        std::fs::write(&head, &new).unwrap();

        // An older copy of the whole database: only the file knows better.
        for statement in [
            "delete from audit_log where sequence > 12",
            "update audit_head set sequence = 12, hash = (select hash from audit_log where sequence = 12)",
            "delete from audit_checkpoints where sequence = 0",
            "insert into audit_checkpoints select 0, body, key_id, signature from audit_checkpoints where sequence = 12",
        ] {
            run(&db, statement).await;
        }
        let report = check(&db, dir.path()).await;
        assert_eq!(report.findings.len(), 1, "{report:?}");
        assert_eq!(report.findings[0].sequence, 13);
        assert_eq!(log.behind().await.unwrap().unwrap().sequence, 13);
        // Writing on does not cover it up.
        log.record(&actor("bob", "192.0.2.2"), &intent, Outcome::Success, "").await.unwrap();
        log.record(&who, &intent, Outcome::Success, "").await.unwrap();
        let report = check(&db, dir.path()).await;
        assert!(report.findings.iter().any(|finding| finding.sequence == 13), "{report:?}");
        assert_eq!(log.behind().await.unwrap().unwrap().sequence, 13);
    })
    .await;
}

#[tokio::test]
async fn many_writers_leave_no_gap() {
    on_both(async |db: Db| {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START));
        let logs = [open(&db, dir.path(), &clock, 1), open(&db, dir.path(), &clock, 2)];
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..200 {
            let log = Arc::clone(&logs[number % 2]);
            tasks.spawn(async move {
                let who = actor(&format!("user{number}"), "192.0.2.1");
                let intent = Intent::new(Action::CommandsRun, format!("command:{number}"));
                let act = log.begin(&who, &intent).await.unwrap();
                let done = BTreeMap::new();
                log.complete(&who, &intent, &act, Outcome::Success, "", done)
                    .await
                    .unwrap();
            });
        }
        let all = async {
            while let Some(done) = tasks.join_next().await {
                done.unwrap()
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
        for log in logs {
            log.close().await;
        }
        let report = check(&db, dir.path()).await;
        assert_eq!((report.rows, report.findings.len()), (400, 0), "{report:?}");
        let acts = everything(&db, AuditQuery::default(), 37).await;
        assert_eq!(acts.len(), 200);
        assert!(acts.iter().all(|act| act.outcome == Outcome::Success));
        let left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert!(
            left.iter().all(|name| !name.to_string_lossy().ends_with("tmp")),
            "{left:?}"
        );
    })
    .await;
}

/// All pages of a query.
async fn everything(db: &Db, mut query: AuditQuery, limit: u32) -> Vec<AuditEntryView> {
    let mut all = Vec::new();
    query.limit = Some(limit);
    loop {
        let page = queries::list(db, &query).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        all.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn lists_filter_page_and_export_the_same_acts() {
    on_both(async |db: Db| {
        let dir = tempfile::tempdir().unwrap();
        fill(&db, dir.path()).await;
        let none = AuditQuery::default;
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            (none(), vec![12, 11, 9, 7, 5, 3, 1]),
            (
                AuditQuery {
                    actor: some("ada"),
                    ..none()
                },
                vec![9, 5, 1],
            ),
            (
                AuditQuery {
                    actor: some("ad"),
                    ..none()
                },
                vec![],
            ),
            (
                AuditQuery {
                    action: some("session."),
                    ..none()
                },
                vec![12],
            ),
            (
                AuditQuery {
                    action: some("users.create"),
                    ..none()
                },
                vec![11],
            ),
            (
                AuditQuery {
                    action: some("users.crea"),
                    ..none()
                },
                vec![],
            ),
            (
                AuditQuery {
                    resource: some("Command:"),
                    ..none()
                },
                vec![9, 7, 5, 3, 1],
            ),
            (
                AuditQuery {
                    resource: some("%"),
                    ..none()
                },
                vec![],
            ),
            (
                AuditQuery {
                    kind: Some(ActKind::Changes),
                    ..none()
                },
                vec![12, 11, 9, 7, 5, 3, 1],
            ),
            (
                AuditQuery {
                    kind: Some(ActKind::Reads),
                    ..none()
                },
                vec![],
            ),
            (
                AuditQuery {
                    outcome: Some(Outcome::Success),
                    ..none()
                },
                vec![7, 5, 3, 1],
            ),
            (
                AuditQuery {
                    outcome: Some(Outcome::Failure),
                    ..none()
                },
                vec![9],
            ),
            (
                AuditQuery {
                    outcome: Some(Outcome::Denied),
                    ..none()
                },
                vec![11],
            ),
            (
                AuditQuery {
                    outcome: Some(Outcome::Unknown),
                    ..none()
                },
                vec![12],
            ),
            (
                AuditQuery {
                    address: some("192.0.2.9"),
                    ..none()
                },
                vec![12, 11],
            ),
            (
                AuditQuery {
                    since: Some(START.plus_ms(1_000)),
                    until: Some(START.plus_ms(603_000)),
                    ..none()
                },
                vec![5, 3],
            ),
            (
                AuditQuery {
                    since: Some(START.plus_ms(603_000)),
                    ..none()
                },
                vec![12, 11, 9, 7],
            ),
        ];
        for (query, wanted) in cases {
            for limit in [1, 2, 3, 200] {
                let found = everything(&db, query.clone(), limit).await;
                let found: Vec<i64> = found.iter().map(|act| act.sequence).collect();
                assert_eq!(found, wanted, "{query:?} by {limit}");
            }
        }
        let all = everything(&db, none(), 200).await;
        assert_eq!(all[0].outcome, Outcome::Unknown);
        assert_eq!(all[0].outcome_sequence, None);
        assert_eq!(all[2].outcome_sequence, Some(ROWS - 2));
        let detail: serde_json::Value = serde_json::from_str(&all[2].detail).unwrap();
        assert_eq!(detail, serde_json::json!({"nodes": 4, "result": {"count": 4}}));

        for format in [Format::Csv, Format::JsonLines] {
            let chunks: Vec<_> = export::stream(db.clone(), none(), format)
                .try_collect()
                .await
                .unwrap();
            let text = String::from_utf8(chunks.concat()).unwrap();
            let wanted: String = all.iter().map(|act| export::line(format, act)).collect();
            assert!(text.ends_with(&wanted), "{text}");
            if format == Format::Csv {
                assert_eq!(text.lines().next().unwrap().split(',').count(), 14);
                assert!(text.contains("\"No, \"\"not\"\" you.\""), "{text}");
            } else {
                assert_eq!(text, wanted);
                for (line, act) in text.lines().zip(&all) {
                    let line: serde_json::Value = serde_json::from_str(line).unwrap();
                    assert_eq!(line["hash"], act.hash);
                    assert_eq!(line["outcome"], act.outcome.as_str());
                }
            }
        }
    })
    .await;
}
