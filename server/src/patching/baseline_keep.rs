//! The SQL that writes the portal's copy of patch baselines, and what each of them said before.

use crate::patching::baseline_ssm::Live;
use muster_domain::Timestamp;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::{Any, Transaction};

/// Who changed a baseline, where that was done here.
#[derive(Clone, Copy, Debug, Default)]
pub struct By<'a> {
    /// The person's name.
    pub who: &'a str,
    /// The request on which it was done; empty where there was none.
    pub request: &'a str,
}

/// For what a baseline holds.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    /// For its operating system.
    pub is_default: bool,
    /// For these patch groups.
    pub groups: Vec<String>,
}

/// Adds what it says to what it said before, when that is something else. A change that was done here says by whom, also
/// where the copy in rounds was faster.
async fn version(
    transaction: &mut Transaction<'static, Any>,
    connection: &str,
    live: &Live,
    by: By<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sha256 = live.sha256();
    let mut sql =
        Sql::new("select number, sha256, changed_by from patch_baseline_versions where connection_id = ");
    sql.text(connection)
        .push(" and baseline_id = ")
        .text(&live.baseline_id)
        .push(" order by number desc limit 1");
    let mut number = 1;
    if let Some(newest) = sql.first(&mut **transaction).await? {
        let newest_number = newest.int("number")?;
        if newest.text("sha256")? == sha256 {
            if newest.text("changed_by")?.is_empty() && !by.who.is_empty() {
                let mut sql = Sql::new("update patch_baseline_versions set changed_by = ");
                sql.text(by.who)
                    .push(", request_id = ")
                    .text(by.request)
                    .push(" where connection_id = ")
                    .text(connection)
                    .push(" and baseline_id = ")
                    .text(&live.baseline_id)
                    .push(" and number = ")
                    .int(newest_number);
                sql.run(&mut **transaction).await?;
            }
            return Ok(());
        }
        number = newest_number + 1;
    }
    let mut sql = Sql::new(
        "insert into patch_baseline_versions (connection_id, baseline_id, number, content, sha256, seen_at, changed_by, request_id) \
         values (",
    );
    sql.text(connection)
        .push(", ")
        .text(&live.baseline_id)
        .push(", ")
        .int(number)
        .push(", ")
        .text(live.content.canonical())
        .push(", ")
        .text(&sha256)
        .push(", ")
        .int(now.0)
        .push(", ")
        .text(by.who)
        .push(", ")
        .text(by.request)
        .push(") on conflict (connection_id, baseline_id, number) do nothing");
    sql.run(&mut **transaction).await.map(|_| ())
}

/// Keeps what a baseline is. An answer that is older than what is kept undoes nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(
    db: &Db,
    connection: &str,
    live: &Live,
    holds: &Holds,
    by: By<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let content = &live.content;
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new(
        "insert into patch_baselines (connection_id, baseline_id, name, operating_system, is_given, is_default, patch_groups, \
         content, sha256, modified_at, synced_at) values (",
    );
    sql.text(connection).push(", ").text(&live.baseline_id);
    sql.push(", ").text(&content.name);
    sql.push(", ").text(&content.operating_system);
    sql.push(", ")
        .int(i64::from(live.baseline_id.starts_with("arn:")))
        .push(", ")
        .int(i64::from(holds.is_default))
        .push(", ")
        .text(serde_json::to_string(&holds.groups).unwrap_or_else(|_| "[]".into()))
        .push(", ")
        .text(content.canonical())
        .push(", ")
        .text(live.sha256())
        .push(", ")
        .int(live.modified_at.0)
        .push(", ")
        .int(now.0);
    sql.push(
        ") on conflict (connection_id, baseline_id) do update set name = excluded.name, operating_system = \
         excluded.operating_system, is_default = excluded.is_default, patch_groups = excluded.patch_groups, content = \
         excluded.content, sha256 = excluded.sha256, modified_at = excluded.modified_at, synced_at = excluded.synced_at \
         where patch_baselines.modified_at <= excluded.modified_at",
    );
    if sql.run(&mut *transaction).await? > 0 {
        version(&mut transaction, connection, live, by, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Says for what a baseline holds whose content was not looked at again.
///
/// # Errors
/// When the database does not answer.
pub async fn holds(
    db: &Db,
    connection: &str,
    baseline_id: &str,
    holds: &Holds,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update patch_baselines set is_default = ");
    sql.int(i64::from(holds.is_default))
        .push(", patch_groups = ")
        .text(serde_json::to_string(&holds.groups).unwrap_or_else(|_| "[]".into()))
        .push(", synced_at = ")
        .int(now.0)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and baseline_id = ")
        .text(baseline_id);
    sql.run(db.writer()).await.map(|_| ())
}

/// Says that these are still there, as they were.
///
/// # Errors
/// When the database does not answer.
pub async fn seen(
    db: &Db,
    connection: &str,
    baseline_ids: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    if baseline_ids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("update patch_baselines set synced_at = ");
    sql.int(now.0)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and baseline_id in (")
        .texts(baseline_ids)
        .push(")");
    sql.run(db.writer()).await.map(|_| ())
}

/// After a whole copy that began then: forgets what it did not find, and says that there is a copy. What a baseline said stays.
///
/// # Errors
/// When the database does not answer.
pub async fn copied(db: &Db, connection: &str, begun: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from patch_baselines where connection_id = ");
    sql.text(connection).push(" and synced_at < ").int(begun.0);
    sql.run(db.writer()).await?;
    let mut sql = Sql::new("insert into patch_copies (connection_id, baselines_at) values (");
    sql.text(connection)
        .push(", ")
        .int(begun.0)
        .push(") on conflict (connection_id) do update set baselines_at = excluded.baselines_at");
    sql.run(db.writer()).await.map(|_| ())
}

/// Forgets one that was deleted.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &Db, connection: &str, baseline_id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from patch_baselines where connection_id = ");
    sql.text(connection).push(" and baseline_id = ").text(baseline_id);
    sql.run(db.writer()).await.map(|_| ())
}

/// Takes the right to change what says `sha256`, until then. Whether it was free: of two who saw the same, one gets it.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    db: &Db,
    connection: &str,
    baseline_id: &str,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update patch_baselines set claimed_until = ");
    sql.int(until.0)
        .push(" where connection_id = ")
        .text(connection)
        .push(" and baseline_id = ")
        .text(baseline_id)
        .push(" and claimed_until < ")
        .int(now.0);
    Ok(sql.run(db.writer()).await? == 1)
}

/// Gives that right back.
///
/// # Errors
/// When the database does not answer.
pub async fn release(db: &Db, connection: &str, baseline_id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("update patch_baselines set claimed_until = 0 where connection_id = ");
    sql.text(connection).push(" and baseline_id = ").text(baseline_id);
    sql.run(db.writer()).await.map(|_| ())
}
