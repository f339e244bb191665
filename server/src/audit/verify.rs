//! Checks the whole log, offline: the chain, the copies beside each row, the checkpoints, the head.
//! Reads page by page, so memory stays the same however long the log is.

use crate::audit::keys::is_signed;
use crate::audit::log::{HEAD_PLACE, Head, SignedHead};
use crate::audit::row::{Body, GENESIS, hash};
use muster_domain::Timestamp;
use muster_domain::audit::{Finding, VerifyReport};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use std::path::Path;
use tokio::task::JoinHandle;

const PAGE: i64 = 2_000;
/// Findings told at most: one broken row often breaks the next ones too.
const MAX_FINDINGS: usize = 50;

struct Check {
    findings: Vec<Finding>,
    /// Hashes that signed statements promise, by row.
    promised: BTreeMap<i64, Vec<(String, &'static str)>>,
}

impl Check {
    /// The head that is signed with each transaction: it attests exactly the last row.
    fn head(&mut self, signed: Option<SignedHead>, public_key: &str, sequence: i64, hash: &str) {
        let Some(signed) = signed else {
            if sequence > 0 {
                self.found(sequence, format!("The signed head in the database, which should attest row {sequence}, is missing, so rows added at the end could not be noticed."));
            }
            return;
        };
        let head: Option<Head> = serde_json::from_str(&signed.body).ok();
        match head {
            Some(head) if is_signed(public_key, signed.body.as_bytes(), &signed.signature) => {
                if head.sequence < sequence {
                    self.found(head.sequence + 1, format!("The signed head in the database attests row {}, the log goes on from row {} to row {sequence}: these were not written by Muster.", head.sequence, head.sequence + 1));
                } else if head.sequence > sequence {
                    self.found(sequence + 1, format!("The log ends at row {sequence}, but the signed head in the database attests row {}: its end from row {} on was cut off.", head.sequence, sequence + 1));
                } else if head.hash != hash {
                    self.found(sequence, format!("Row {sequence} is not the one that the signed head in the database attests: history was rewritten."));
                }
            }
            _ => self.found(sequence, format!("The signed head in the database, of row {sequence} or near it, does not bear our signature: it was changed, or made with another key.")),
        }
    }

    fn found(&mut self, sequence: i64, message: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { sequence, message });
        }
    }

    fn promise(&mut self, point: &SignedHead, public_key: &str, place: &'static str) {
        let head: Option<Head> = serde_json::from_str(&point.body).ok();
        let sequence = head.as_ref().map_or(0, |head| head.sequence);
        if !is_signed(public_key, point.body.as_bytes(), &point.signature) {
            return self.found(sequence, format!("The {place} of row {sequence} does not bear our signature: it was changed, or made with another key."));
        }
        if let Some(head) = head {
            self.promised
                .entry(head.sequence)
                .or_default()
                .push((head.hash, place));
        }
    }
}

/// Checks the log of `db` with what stands in `dir`.
///
/// # Errors
/// When the database cannot be read. What is wrong with the log is in the report.
pub async fn verify(
    db: &Db,
    dir: &Path,
    public_key: &str,
    now: Timestamp,
) -> Result<VerifyReport, StoreError> {
    let mut check = Check {
        findings: Vec::new(),
        promised: BTreeMap::new(),
    };
    let checkpoints = promises(db, dir, public_key, &mut check).await?;
    let (mut sequence, mut previous, mut rows) = (0_i64, GENESIS.to_owned(), 0_u64);
    let mut coming = rows_after(db.clone(), sequence);
    let signed = loop {
        let page = coming.await.map_err(|_| StoreError::Interrupted)??;
        // The database reads the next rows while these are checked.
        let last = page.last().map_or(Ok(sequence), |row| row.int("sequence"))?;
        coming = rows_after(db.clone(), last);
        if page.is_empty() {
            // The log may grow while it is read: go on until the head that the database tells is reached.
            let head = Sql::new("select sequence, hash from audit_head where id = 1")
                .first(db.reader())
                .await?;
            let signed = signed_head(db).await?;
            let next = Sql::new("select coalesce(max(sequence), 0) as last from audit_log")
                .one(db.reader())
                .await?
                .int("last")?;
            if next > sequence {
                continue;
            }
            match head {
                Some(row) if row.int("sequence")? == sequence && row.text("hash")? == previous => {}
                Some(row) => {
                    let says = row.int("sequence")?;
                    check.found(sequence, format!("The database's own head says row {says}, the log ends at row {sequence}, or with another hash."));
                }
                None => check.found(
                    sequence,
                    format!("The database's own head, which should name row {sequence}, is missing."),
                ),
            }
            break signed;
        }
        for row in &page {
            rows += 1;
            let at = row.int("sequence")?;
            if at != sequence + 1 {
                let gone = if at == sequence + 2 {
                    format!("Row {} is", sequence + 1)
                } else {
                    format!("Rows {} to {} are", sequence + 1, at - 1)
                };
                check.found(
                    sequence + 1,
                    format!("{gone} missing: deleted, or never written here."),
                );
            }
            let (body, stored) = (row.text("body")?, row.text("hash")?);
            if at == sequence + 1 && hash(&previous, &body) != stored {
                check.found(
                    at,
                    format!(
                        "Row {at} does not follow from the row before it: it was changed, inserted or moved."
                    ),
                );
            }
            match serde_json::from_str::<Body>(&body) {
                Ok(inside) => {
                    let same = inside.sequence == at
                        && inside.act_id == row.text("act_id")?
                        && inside.phase == row.text("phase")?
                        && Timestamp::parse(&inside.at) == Some(row.time("at")?)
                        && inside.actor == row.text("actor")?
                        && inside.action == row.text("action")?
                        && inside.resource == row.text("resource")?
                        && inside.address == row.text("address")?
                        && inside.via == row.text("via")?
                        && inside.outcome == row.text("outcome")?;
                    if !same {
                        check.found(at, format!("Row {at} shows something else than what it attests: a column was changed, or the row was moved."));
                    }
                }
                Err(_) => check.found(at, format!("Row {at} cannot be read: its text was changed.")),
            }
            for (promised, place) in check.promised.remove(&at).unwrap_or_default() {
                if promised != stored {
                    check.found(at, format!("Row {at} is not the one that the {place} attests: history was rewritten before it."));
                }
            }
            // The stored hash carries on, so that one broken row is named once and not all after it.
            (sequence, previous) = (at, stored);
        }
    };
    check.head(signed, public_key, sequence, &previous);
    for (at, promises) in std::mem::take(&mut check.promised) {
        if let Some((_, place)) = promises.first().filter(|_| at > sequence) {
            check.found(sequence + 1, format!("The log ends at row {sequence}, but the {place} attests row {at}: its end from row {} on was cut off, or an old copy was restored.", sequence + 1));
        }
    }
    check.findings.sort_by_key(|finding| finding.sequence);
    Ok(VerifyReport {
        rows,
        checkpoints,
        findings: check.findings,
        head: previous,
        checked_at: now,
    })
}

async fn signed_head(db: &Db) -> Result<Option<SignedHead>, StoreError> {
    let mut sql = Sql::new("select body, key_id, signature from audit_checkpoints where sequence = ");
    sql.int(HEAD_PLACE);
    sql.first(db.reader())
        .await?
        .map(|row| {
            Ok(SignedHead {
                body: row.text("body")?,
                key_id: row.text("key_id")?,
                signature: row.text("signature")?,
            })
        })
        .transpose()
}

/// The rows behind `sequence`, read in a task of their own.
fn rows_after(db: Db, sequence: i64) -> JoinHandle<Result<Vec<AnyRow>, StoreError>> {
    tokio::spawn(async move {
        let mut sql = Sql::new(
            "select sequence, act_id, phase, at, actor, action, resource, address, via, outcome, body, hash from audit_log where sequence > ",
        );
        sql.int(sequence).push(" order by sequence limit ").int(PAGE);
        sql.all(db.reader()).await
    })
}

/// Gathers what signed statements promise: in the database, in the file of checkpoints, in the head file.
async fn promises(db: &Db, dir: &Path, public_key: &str, check: &mut Check) -> Result<u64, StoreError> {
    let mut checkpoints = 0;
    let sql = Sql::new(
        "select sequence, body, key_id, signature from audit_checkpoints where sequence <> 0 order by sequence",
    );
    for row in sql.all(db.reader()).await? {
        let point = SignedHead {
            body: row.text("body")?,
            key_id: row.text("key_id")?,
            signature: row.text("signature")?,
        };
        check.promise(&point, public_key, "checkpoint in the database");
        checkpoints += 1;
    }
    for line in std::fs::read_to_string(dir.join("checkpoints.jsonl"))
        .unwrap_or_default()
        .lines()
    {
        match serde_json::from_str::<SignedHead>(line) {
            Ok(point) => check.promise(&point, public_key, "checkpoint in the file"),
            Err(_) => check.found(0, "A line of the checkpoint file cannot be read.".into()),
        }
    }
    match std::fs::read_to_string(dir.join("head.json")) {
        Ok(text) => match serde_json::from_str::<SignedHead>(&text) {
            Ok(head) => check.promise(&head, public_key, "head file"),
            Err(_) => check.found(0, "The head file cannot be read.".into()),
        },
        Err(_) => {
            let rows = Sql::new("select count(*) as n from audit_log")
                .one(db.reader())
                .await?
                .int("n")?;
            if rows > 0 {
                check.found(
                    0,
                    "The head file is missing, so a cut end could not be noticed.".into(),
                );
            }
        }
    }
    Ok(checkpoints)
}
