//! How often signing in may fail, per account and per address: kept in the database, so that a restart
//! forgives nothing and two servers count together.

use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, RowExt, Sql, StoreError};
use ring::digest::{SHA256, digest};

/// Failures are forgotten after so long without one.
const FORGET_MS: i64 = 60 * 60_000;
/// The first lock.
const FIRST_LOCK_MS: i64 = 30_000;
/// The longest lock.
const LONGEST_LOCK_MS: i64 = 15 * 60_000;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An account, existing or not, by its name.
    Account(String),
    /// An address.
    Address(String),
}

impl Subject {
    fn key(&self) -> String {
        match self {
            // Only a hash of it: people type their password where the name belongs.
            Self::Account(name) => {
                let name = name.trim().to_lowercase();
                format!("account:{}", hex::encode(digest(&SHA256, name.as_bytes())))
            }
            Self::Address(address) => format!("address:{address}"),
        }
    }

    /// Failures that cost nothing. One address may be a whole office.
    const fn free(&self) -> i64 {
        match self {
            Self::Account(_) => 5,
            Self::Address(_) => 30,
        }
    }
}

/// How long a lock holds after so many failures: doubling from 30 s up to 15 min.
#[must_use]
pub fn lock_ms(failures: i64, free: i64) -> i64 {
    if failures < free {
        return 0;
    }
    let doublings = u32::try_from((failures - free).min(20)).unwrap_or(20);
    FIRST_LOCK_MS
        .saturating_mul(1_i64 << doublings)
        .min(LONGEST_LOCK_MS)
}

/// Refuses while one of `subjects` is locked.
///
/// # Errors
/// [`PortalError::TooManyRequests`], or when the database does not answer.
pub async fn check(db: &Db, subjects: &[Subject], now: Timestamp) -> Result<(), PortalError> {
    for subject in subjects {
        let mut sql = Sql::new("select locked_until from sign_in_failures where subject = ");
        sql.text(subject.key());
        let row = sql.first(db.reader()).await.map_err(crate::error::store)?;
        let until = row
            .map_or(Ok(0), |row| row.int("locked_until"))
            .map_err(crate::error::store)?;
        if until > now.0 {
            let seconds = u32::try_from((until - now.0 + 999) / 1_000).unwrap_or(u32::MAX);
            return Err(PortalError::TooManyRequests {
                retry_after_seconds: seconds,
            });
        }
    }
    Ok(())
}

/// Counts a failure of each of `subjects`.
///
/// # Errors
/// When the database does not answer.
pub async fn failed(db: &Db, subjects: &[Subject], now: Timestamp) -> Result<(), StoreError> {
    for subject in subjects {
        let mut transaction = db.begin().await?;
        let mut sql =
            Sql::new("insert into sign_in_failures (subject, failures, first_at, locked_until) values (");
        sql.text(subject.key())
            .push(", 1, ")
            .int(now.0)
            .push(", 0) on conflict (subject) do update set failures = ");
        sql.push("case when sign_in_failures.first_at < ")
            .int(now.plus_ms(-FORGET_MS).0);
        sql.push(
            " then 1 else sign_in_failures.failures + 1 end, first_at = excluded.first_at returning failures",
        );
        let failures = sql.one(&mut *transaction).await?.int("failures")?;
        let mut sql = Sql::new("update sign_in_failures set locked_until = ");
        let lock = lock_ms(failures, subject.free());
        sql.int(if lock == 0 { 0 } else { now.plus_ms(lock).0 })
            .push(" where subject = ")
            .text(subject.key());
        sql.run(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// Forgives an account after a success.
///
/// # Errors
/// When the database does not answer.
pub async fn succeeded(db: &Db, subject: &Subject) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from sign_in_failures where subject = ");
    sql.text(subject.key());
    sql.run(db.writer()).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_double_and_end_at_a_quarter_of_an_hour() {
        let locks: Vec<i64> = (4..12).map(|failures| lock_ms(failures, 5) / 1_000).collect();
        assert_eq!(locks, [0, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(lock_ms(i64::MAX, 5), LONGEST_LOCK_MS);
    }
}
