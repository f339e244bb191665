//! Every way of tampering that is found, by raw SQL on both databases, and the row that is named.

use crate::{check, fill, hash_again, run};
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};
use std::collections::BTreeSet;

/// What was done to the log, how, and which row must be named.
const TAMPERING: &[(&str, &[&str], i64)] = &[
    (
        "a body",
        &["update audit_log set body = replace(body, 'ada', 'bob') where sequence = 5"],
        5,
    ),
    (
        "a column",
        &["update audit_log set actor = 'bob' where sequence = 5"],
        5,
    ),
    (
        "a time",
        &["update audit_log set at = at - 1 where sequence = 5"],
        5,
    ),
    (
        "an outcome",
        &["update audit_log set outcome = 'success' where sequence = 10"],
        10,
    ),
    (
        "a hash",
        &["update audit_log set hash = replace(hash, substr(hash, 1, 1), 'x') where sequence = 5"],
        5,
    ),
    (
        "the last hash",
        &["update audit_log set hash = replace(hash, substr(hash, 1, 1), 'x') where sequence = 12"],
        12,
    ),
    (
        "no JSON",
        &["update audit_log set body = 'gone' where sequence = 5"],
        5,
    ),
    ("a row gone", &["delete from audit_log where sequence = 5"], 5),
    (
        "rows gone",
        &["delete from audit_log where sequence in (5, 6, 7)"],
        5,
    ),
    (
        "the first row gone",
        &["delete from audit_log where sequence = 1"],
        1,
    ),
    ("the end cut", &["delete from audit_log where sequence > 10"], 11),
    (
        "the end cut and the head set back",
        &[
            "delete from audit_log where sequence > 10",
            "update audit_head set sequence = 10, hash = (select hash from audit_log where sequence = 10)",
        ],
        11,
    ),
    (
        "an old copy restored, its checkpoints too",
        &[
            "delete from audit_log where sequence > 8",
            "update audit_head set sequence = 8, hash = (select hash from audit_log where sequence = 8)",
            "delete from audit_checkpoints where sequence > 8 or sequence = 0",
        ],
        9,
    ),
    (
        "everything gone",
        &[
            "delete from audit_log",
            "update audit_head set sequence = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000'",
            "delete from audit_checkpoints",
        ],
        1,
    ),
    (
        "two rows swapped",
        &[
            "update audit_log set sequence = -5 where sequence = 5",
            "update audit_log set sequence = 5 where sequence = 7",
            "update audit_log set sequence = 7 where sequence = -5",
        ],
        5,
    ),
    ("the head", &["update audit_head set sequence = 11"], 12),
    ("no head", &["delete from audit_head"], 12),
    (
        "a checkpoint",
        &[
            "update audit_checkpoints set body = replace(body, '\"hash\":\"', '\"hash\":\"0') where sequence = 12",
        ],
        12,
    ),
    (
        "the signed head",
        &["update audit_checkpoints set body = replace(body, '12', '11') where sequence = 0"],
        12,
    ),
    (
        "no signed head",
        &["delete from audit_checkpoints where sequence = 0"],
        12,
    ),
    (
        "a signature",
        &["update audit_checkpoints set signature = '00' where sequence = 12"],
        12,
    ),
];

#[tokio::test]
async fn tampering_is_found_and_the_row_is_named() {
    for (what, statements, sequence) in TAMPERING {
        on_both(async |db: Db| {
            let dir = tempfile::tempdir().unwrap();
            fill(&db, dir.path()).await;
            for statement in *statements {
                run(&db, statement).await;
            }
            let report = check(&db, dir.path()).await;
            let named = report.findings.iter().any(|finding| {
                finding.sequence == *sequence && finding.message.contains(&sequence.to_string())
            });
            assert!(named, "{what}: {report:?}");
        })
        .await;
    }
}

/// Adds rows as somebody without the key can: with right bodies, hashes and head.
async fn forge(db: &Db, from: i64, name: &str) {
    let mut sql = Sql::new("select * from audit_log where sequence >= ");
    sql.int(from).push(" order by sequence");
    let mut sql_before = Sql::new("select hash from audit_log where sequence = ");
    sql_before.int(from - 1);
    let mut previous = sql_before.one(db.reader()).await.unwrap().text("hash").unwrap();
    let mut sequence = from;
    for row in sql.all(db.reader()).await.unwrap() {
        sequence = row.int("sequence").unwrap();
        let old = row.text("actor").unwrap();
        let body = row.text("body").unwrap();
        let body = body.replace(&format!("\"actor\":\"{old}\""), &format!("\"actor\":\"{name}\""));
        previous = hash_again(&previous, &body);
        let mut sql = Sql::new("update audit_log set actor = ");
        sql.text(name)
            .push(", body = ")
            .text(body)
            .push(", hash = ")
            .text(&previous);
        sql.push(" where sequence = ").int(sequence);
        sql.run(db.writer()).await.unwrap();
    }
    let mut sql = Sql::new("update audit_head set sequence = ");
    sql.int(sequence).push(", hash = ").text(&previous);
    sql.run(db.writer()).await.unwrap();
}

#[tokio::test]
async fn whole_forged_chains_are_found() {
    on_both(async |db: Db| {
        let dir = tempfile::tempdir().unwrap();
        fill(&db, dir.path()).await;
        // A thirteenth row that follows rightly from the twelfth, with the head set to it.
        run(
            &db,
            "insert into audit_log select 13, act_id, phase, at, actor, action, resource, address, via, outcome, \
             replace(body, '\"sequence\":12,', '\"sequence\":13,'), hash from audit_log where sequence = 12",
        )
        .await;
        forge(&db, 13, "mallory").await;
        let report = check(&db, dir.path()).await;
        assert_eq!(report.findings.len(), 1, "{report:?}");
        assert_eq!(report.findings[0].sequence, 13);
        assert!(report.findings[0].message.contains("row 13"));
    })
    .await;
    on_both(async |db: Db| {
        // History rewritten from the sixth row on, all hashes and the head made anew.
        let dir = tempfile::tempdir().unwrap();
        fill(&db, dir.path()).await;
        forge(&db, 6, "mallory").await;
        let report = check(&db, dir.path()).await;
        let rows: BTreeSet<i64> = report.findings.iter().map(|finding| finding.sequence).collect();
        assert_eq!(rows, BTreeSet::from([7, 12]), "{report:?}");
    })
    .await;
}
