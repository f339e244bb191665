//! The SQL of the portal's copy of maintenance windows.

use crate::fleet::queries::{decode_cursor, encode_cursor};
use crate::runbooks::moments::Moments;
use crate::windows::ssm::Listed;
use muster_domain::Timestamp;
use muster_domain::ids::WindowId;
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::runbooks::{LocalTime, Timing};
use muster_domain::windows::{WindowPage, WindowQuery, WindowRun, WindowSettings, WindowSummary};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

const COLUMNS: &str = "select w.window_id, w.name, w.name_key, w.description, w.enabled, w.schedule, w.time_zone, w.duration_hours, \
     w.cutoff_hours, w.next_at, w.targets, w.tasks, w.last_id, w.last_status, w.last_details, w.last_at, w.last_ended_at, \
     w.synced_at from maintenance_windows w where w.connection_id = ";

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

/// What of the settings says when a window opens.
#[must_use]
pub fn timing(settings: &WindowSettings) -> Timing {
    Timing {
        schedule: settings.schedule.clone(),
        time_zone: settings.time_zone.clone(),
        duration_hours: settings.duration_hours,
        cutoff_hours: settings.cutoff_hours,
    }
}

/// A moment as a clock in a window's time zone shows it; in UTC where that zone is not known here.
#[must_use]
pub fn local(at: Timestamp, time_zone: &str) -> LocalTime {
    let of = |zone: &str| {
        let timing = Timing {
            schedule: "rate(1 day)".into(),
            time_zone: zone.to_owned(),
            duration_hours: 1,
            cutoff_hours: 0,
        };
        Moments::read(&timing, at).ok().map(|moments| moments.local(at))
    };
    of(time_zone).or_else(|| of("UTC")).unwrap_or_else(|| LocalTime {
        at,
        local: at.readable(),
    })
}

fn summary(row: &AnyRow) -> Result<WindowSummary, StoreError> {
    let (schedule, time_zone) = (row.text("schedule")?, row.text("time_zone")?);
    let last = WindowRun {
        id: row.text("last_id")?,
        status: row.text("last_status")?,
        details: row.text("last_details")?,
        at: row.time_or_none("last_at")?,
        ended_at: row.time_or_none("last_ended_at")?,
    };
    Ok(WindowSummary {
        id: WindowId::new(row.text("window_id")?),
        name: row.text("name")?,
        description: row.text("description")?,
        enabled: row.flag("enabled")?,
        schedule_words: muster_schedule::words(&schedule).unwrap_or_default(),
        next: row.time_or_none("next_at")?.map(|at| local(at, &time_zone)),
        schedule,
        time_zone,
        duration_hours: small(row.int("duration_hours")?),
        cutoff_hours: small(row.int("cutoff_hours")?),
        targets: row.int_or_none("targets")?.map(small),
        tasks: row.int_or_none("tasks")?.map(small),
        last: (!last.status.is_empty()).then_some(last),
        synced_at: row.time("synced_at")?,
    })
}

fn narrow(sql: &mut Sql, query: &WindowQuery) {
    if let Some(enabled) = query.enabled {
        sql.push(" and w.enabled = ").int(i64::from(enabled));
    }
    if let Some(standing) = query.standing {
        let statuses: Vec<String> = standing.statuses().iter().map(|one| (*one).to_owned()).collect();
        sql.push(" and w.last_status in (").texts(&statuses).push(")");
    }
    let text = query.text.trim();
    if !text.is_empty() {
        for (before, after) in [
            (" and (w.name_key like ", " escape '\\'"),
            (" or lower(w.description) like ", " escape '\\'"),
            (" or lower(w.window_id) like ", " escape '\\')"),
        ] {
            sql.push(before).text(contains_pattern(text)).push(after);
        }
    }
}

/// Windows that match, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, connection: &str, query: &WindowQuery) -> Result<WindowPage, StoreError> {
    let limit = clamp_limit(query.limit) as usize;
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection);
    narrow(&mut sql, query);
    if let Some((key, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (w.name_key > ").text(&key);
        sql.push(" or (w.name_key = ").text(&key);
        sql.push(" and w.window_id > ").text(id).push("))");
    }
    sql.push(" order by w.name_key, w.window_id limit ")
        .int(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = sql.all(db.reader()).await?;
    let items: Vec<WindowSummary> = rows.iter().take(limit).map(summary).collect::<Result<_, _>>()?;
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let next = match last {
        Some(last) => Some(encode_cursor(&last.text("name_key")?, &last.text("window_id")?)),
        None => None,
    };
    let mut sql = Sql::new("select count(*) as many from maintenance_windows where connection_id = ");
    sql.text(connection);
    let total = sql.one(db.reader()).await?.int("many")?;
    let mut sql = Sql::new("select copied_at from maintenance_window_copies where connection_id = ");
    sql.text(connection);
    let copied = sql.first(db.reader()).await?;
    Ok(WindowPage {
        page: Page { items, next },
        total: u64::try_from(total).unwrap_or_default(),
        synced_at: copied.map(|row| row.time("copied_at")).transpose()?,
        may_change: false,
    })
}

/// One window.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, connection: &str, id: &str) -> Result<Option<WindowSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection).push(" and w.window_id = ").text(id);
    sql.first(db.reader()).await?.as_ref().map(summary).transpose()
}

/// Whether there is a window of that name.
///
/// # Errors
/// When the database does not answer.
pub async fn is_named(db: &Db, connection: &str, name: &str, but: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select 1 as found from maintenance_windows where connection_id = ");
    sql.text(connection)
        .push(" and name_key = ")
        .text(name.to_lowercase());
    sql.push(" and window_id <> ").text(but).push(" limit 1");
    Ok(sql.first(db.reader()).await?.is_some())
}

/// The schedule of a runbook that a window was made for, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule_of(db: &Db, connection: &str, id: &str) -> Result<Option<String>, StoreError> {
    let mut sql = Sql::new("select name from runbook_schedules where connection_id = ");
    sql.text(connection).push(" and window_id = ").text(id);
    let found = sql.first(db.reader()).await?;
    found.map(|row| row.text("name")).transpose()
}

/// Keeps what the list says of a window. What is different from before wants its targets, tasks and executions looked up.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(db: &Db, connection: &str, one: &Listed, now: Timestamp) -> Result<(), StoreError> {
    let settings = &one.settings;
    let mut sql = Sql::new(
        "insert into maintenance_windows (connection_id, window_id, name, name_key, description, schedule, time_zone, enabled, \
         duration_hours, cutoff_hours, offset_days, next_at, ends, synced_at) values (",
    );
    for text in [
        connection,
        &one.id,
        &settings.name,
        &settings.name.to_lowercase(),
        &settings.description,
        &settings.schedule,
        &settings.time_zone,
    ] {
        sql.text(text).push(", ");
    }
    for number in [
        i64::from(settings.enabled),
        i64::from(settings.duration_hours),
        i64::from(settings.cutoff_hours),
        i64::from(settings.offset_days),
    ] {
        sql.int(number).push(", ");
    }
    sql.int_or_none(one.next_at.map(|at| at.0)).push(", ");
    sql.text(&settings.ends).push(", ").int(now.0);
    // An opening that has gone by is a new execution.
    sql.push(
        ") on conflict (connection_id, window_id) do update set looked_at = case when \
         coalesce(maintenance_windows.next_at, 0) <> coalesce(excluded.next_at, 0) or maintenance_windows.name <> excluded.name \
         or maintenance_windows.schedule <> excluded.schedule or maintenance_windows.enabled <> excluded.enabled then 0 else \
         maintenance_windows.looked_at end, name = excluded.name, name_key = excluded.name_key, description = excluded.description, \
         schedule = excluded.schedule, time_zone = excluded.time_zone, enabled = excluded.enabled, duration_hours = \
         excluded.duration_hours, cutoff_hours = excluded.cutoff_hours, offset_days = excluded.offset_days, \
         ends = excluded.ends, next_at = excluded.next_at, synced_at = \
         excluded.synced_at where maintenance_windows.synced_at <= excluded.synced_at",
    );
    sql.run(db.writer()).await.map(|_| ())
}

/// Keeps how many targets and tasks a window has, and how it went the last time.
///
/// # Errors
/// When the database does not answer.
pub async fn looked(
    db: &Db,
    connection: &str,
    id: &str,
    (targets, tasks): (usize, usize),
    last: Option<&WindowRun>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut sql = Sql::new("update maintenance_windows set targets = ");
    sql.int(number(targets)).push(", tasks = ").int(number(tasks));
    if let Some(run) = last {
        sql.push(", last_id = ").text(&run.id);
        sql.push(", last_status = ").text(&run.status);
        sql.push(", last_details = ").text(&run.details);
        sql.push(", last_at = ").int_or_none(run.at.map(|at| at.0));
        sql.push(", last_ended_at = ")
            .int_or_none(run.ended_at.map(|at| at.0));
    }
    sql.push(", looked_at = ").int(now.0);
    sql.push(" where connection_id = ").text(connection);
    sql.push(" and window_id = ").text(id);
    sql.run(db.writer()).await.map(|_| ())
}

/// Windows whose targets, tasks and executions were not looked up since then, or that are open; the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn to_look_at(
    db: &Db,
    connection: &str,
    (before, open_before): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::new("select window_id from maintenance_windows where connection_id = ");
    sql.text(connection).push(" and (looked_at < ").int(before.0);
    sql.push(" or (looked_at < ").int(open_before.0);
    sql.push(" and last_status in ('PENDING', 'IN_PROGRESS', 'CANCELLING'))) order by looked_at limit ")
        .int(limit);
    let rows = sql.all(db.reader()).await?;
    rows.iter().map(|row| row.text("window_id")).collect()
}

/// Forgets one.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &Db, connection: &str, id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from maintenance_windows where connection_id = ");
    sql.text(connection).push(" and window_id = ").text(id);
    sql.run(db.writer()).await.map(|_| ())
}

/// After a whole copy that began then: forgets what it did not find, and says that there is a copy.
///
/// # Errors
/// When the database does not answer.
pub async fn copied(db: &Db, connection: &str, begun: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from maintenance_windows where connection_id = ");
    sql.text(connection).push(" and synced_at < ").int(begun.0);
    sql.run(db.writer()).await?;
    let mut sql = Sql::new("insert into maintenance_window_copies (connection_id, copied_at) values (");
    sql.text(connection)
        .push(", ")
        .int(begun.0)
        .push(") on conflict (connection_id) do update set copied_at = excluded.copied_at");
    sql.run(db.writer()).await.map(|_| ())
}

/// Takes the right to change a window, until then. Whether it was free.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    db: &Db,
    connection: &str,
    id: &str,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update maintenance_windows set claimed_until = ");
    sql.int(until.0).push(" where connection_id = ").text(connection);
    sql.push(" and window_id = ").text(id);
    sql.push(" and claimed_until < ").int(now.0);
    Ok(sql.run(db.writer()).await? == 1)
}

/// Gives that right back.
///
/// # Errors
/// When the database does not answer.
pub async fn release(db: &Db, connection: &str, id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("update maintenance_windows set claimed_until = 0 where connection_id = ");
    sql.text(connection).push(" and window_id = ").text(id);
    sql.run(db.writer()).await.map(|_| ())
}

#[cfg(test)]
#[path = "queries_tests.rs"]
mod tests;
