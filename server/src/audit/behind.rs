//! Whether the log is behind what was signed before: a quick look at the start of the server, by the files beside the
//! database alone. It finds an old copy of the database that was put back; [`crate::audit::verify`] finds the rest.

use crate::audit::keys::is_signed;
use crate::audit::log::{Head, SignedHead};
use muster_domain::audit::Finding;
use muster_store::{Db, RowExt, Sql, StoreError};
use std::path::Path;

/// Rows asked for at once.
const AT_ONCE: usize = 500;

/// Everything in `dir` that bears our signature: row and hash, in order. What does not is the check's business.
fn statements(dir: &Path, public_key: &str) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    for file in ["checkpoints.jsonl", "head.json"] {
        for line in std::fs::read_to_string(dir.join(file))
            .unwrap_or_default()
            .lines()
        {
            let Ok(point) = serde_json::from_str::<SignedHead>(line) else {
                continue;
            };
            if let Ok(head) = serde_json::from_str::<Head>(&point.body)
                && is_signed(public_key, point.body.as_bytes(), &point.signature)
            {
                found.push((head.sequence, head.hash));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The first row at which the log is not what was signed, and why. `None` when it holds all that was.
///
/// # Errors
/// When the database cannot be read.
pub async fn look(db: &Db, dir: &Path, public_key: &str) -> Result<Option<Finding>, StoreError> {
    // The files first: the log only grows, so it is never behind what was read before it.
    let statements = statements(dir, public_key);
    let last = Sql::new("select coalesce(max(sequence), 0) as last from audit_log")
        .one(db.reader())
        .await?
        .int("last")?;
    for some in statements.chunks(AT_ONCE) {
        let mut sql = Sql::new("select sequence, hash from audit_log where sequence in (");
        for (place, (sequence, _)) in some.iter().enumerate() {
            if place > 0 {
                sql.push(", ");
            }
            sql.int(*sequence);
        }
        sql.push(")");
        let mut there = std::collections::BTreeMap::new();
        for row in sql.all(db.reader()).await? {
            there.insert(row.int("sequence")?, row.text("hash")?);
        }
        for (sequence, hash) in some {
            let message = match there.get(sequence) {
                Some(stored) if stored == hash => continue,
                Some(_) => format!(
                    "Row {sequence} is not the row {sequence} that was signed: other rows stood there before, as when an old copy of the database was put back and written on."
                ),
                None => format!(
                    "It ends at row {last}, but row {sequence} was signed: what was written up to there is gone, as when an old copy of the database was put back."
                ),
            };
            let sequence = if *sequence > last { last + 1 } else { *sequence };
            return Ok(Some(Finding { sequence, message }));
        }
    }
    Ok(None)
}
