//! The SQL of schedules on which runbooks are started.

use muster_domain::Timestamp;
use muster_domain::ids::{ScheduleId, UserId};
use muster_domain::runbooks::{StartPlan, Timing};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

/// Schedules at most: a region has no more windows for all purposes.
pub const MOST: i64 = 200;

const COLUMNS: &str = "select s.schedule_id, s.name, s.plan, s.reason, s.schedule, s.time_zone, s.duration_hours, s.cutoff_hours, \
     s.window_token, s.task_token, s.window_id, s.state, s.enabled, s.held, s.problem, s.created_by, s.created_by_id, s.created_at, \
     s.last_window_execution, s.last_status, s.last_at, s.last_execution from runbook_schedules s where s.connection_id = ";

/// A schedule's whole row.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Which.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// What is started.
    pub plan: StartPlan,
    /// What it is for.
    pub reason: String,
    /// When.
    pub timing: Timing,
    /// Under what the window is made.
    pub window_token: String,
    /// Under what the task is put into it.
    pub task_token: String,
    /// The window, once it was made.
    pub window_id: Option<String>,
    /// `making`, `made`, `deleting`, or `gone`: somebody has deleted the window elsewhere.
    pub state: String,
    /// Whether somebody wants it to be started.
    pub enabled: bool,
    /// Why it is not, all the same.
    pub held: String,
    /// What is wrong with it.
    pub problem: String,
    /// Whose it is.
    pub created_by: String,
    /// Whose, by account.
    pub created_by_id: Option<UserId>,
    /// Since when.
    pub created_at: Timestamp,
    /// The window's last execution, by its id; empty before the first.
    pub last_window_execution: String,
    /// How that stood when it was looked at.
    pub last_status: String,
    /// When it began.
    pub last_at: Option<Timestamp>,
    /// Systems Manager's id of the automation execution that it started.
    pub last_execution: String,
}

fn read(row: &AnyRow) -> Result<Schedule, StoreError> {
    let hours = |name: &str| Ok::<_, StoreError>(u32::try_from(row.int(name)?).unwrap_or_default());
    Ok(Schedule {
        id: ScheduleId::new(row.text("schedule_id")?),
        name: row.text("name")?,
        plan: super::queries::json(row, "plan")?,
        reason: row.text("reason")?,
        timing: Timing {
            schedule: row.text("schedule")?,
            time_zone: row.text("time_zone")?,
            duration_hours: hours("duration_hours")?,
            cutoff_hours: hours("cutoff_hours")?,
        },
        window_token: row.text("window_token")?,
        task_token: row.text("task_token")?,
        window_id: row.text_or_none("window_id")?,
        state: row.text("state")?,
        enabled: row.flag("enabled")?,
        held: row.text("held")?,
        problem: row.text("problem")?,
        created_by: row.text("created_by")?,
        created_by_id: row.text_or_none("created_by_id")?.map(UserId::new),
        created_at: row.time("created_at")?,
        last_window_execution: row.text("last_window_execution")?,
        last_status: row.text("last_status")?,
        last_at: row.time_or_none("last_at")?,
        last_execution: row.text("last_execution")?,
    })
}

/// All of them, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, connection: &str) -> Result<Vec<Schedule>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" order by s.created_at, s.schedule_id limit ")
        .int(MOST);
    sql.all(db.reader()).await?.iter().map(read).collect()
}

/// One of them.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, connection: &str, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.text(connection)
        .push(" and s.schedule_id = ")
        .text(id.as_str());
    sql.first(db.reader()).await?.as_ref().map(read).transpose()
}

/// Writes a new one.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &Db, connection: &str, new: &Schedule) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into runbook_schedules (schedule_id, connection_id, name, plan, reason, schedule, time_zone, window_token, task_token, \
         state, held, problem, created_by, last_window_execution, last_status, last_execution, window_id, created_by_id, last_at, \
         duration_hours, cutoff_hours, enabled, created_at) values (",
    );
    let plan = serde_json::json!(new.plan).to_string();
    for text in [
        new.id.as_str(),
        connection,
        &new.name,
        &plan,
        &new.reason,
        &new.timing.schedule,
        &new.timing.time_zone,
        &new.window_token,
        &new.task_token,
        &new.state,
        &new.held,
        &new.problem,
        &new.created_by,
        &new.last_window_execution,
        &new.last_status,
        &new.last_execution,
    ] {
        sql.text(text).push(", ");
    }
    sql.text_or_none(new.window_id.clone())
        .push(", ")
        .text_or_none(new.created_by_id.as_ref().map(ToString::to_string))
        .push(", ")
        .int_or_none(new.last_at.map(|at| at.0));
    for number in [
        i64::from(new.timing.duration_hours),
        i64::from(new.timing.cutoff_hours),
        i64::from(new.enabled),
        new.created_at.0,
    ] {
        sql.push(", ").int(number);
    }
    sql.push(")");
    sql.run(db.writer()).await?;
    Ok(())
}

/// A change of a schedule.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// The window was made.
    Window(&'a str),
    /// It is in another state: `made`, `deleting`, `gone`.
    State(&'a str, &'a str),
    /// Whether somebody wants it to be started.
    Enabled(bool),
    /// Why it is not started all the same.
    Held(&'a str),
    /// How it went the last time.
    Last {
        /// The window's execution.
        window_execution: &'a str,
        /// How that stands.
        status: &'a str,
        /// When it began.
        at: Option<Timestamp>,
        /// What it started.
        execution: &'a str,
    },
}

/// Writes a change. Answers whether the schedule is there.
///
/// # Errors
/// When the database does not answer.
pub async fn change(db: &Db, id: &ScheduleId, change: &Change<'_>) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update runbook_schedules set ");
    match change {
        Change::Window(window) => {
            sql.push("window_id = ").text(*window);
        }
        Change::State(state, problem) => {
            sql.push("state = ")
                .text(*state)
                .push(", problem = ")
                .text(*problem);
        }
        Change::Enabled(enabled) => {
            sql.push("enabled = ").int(i64::from(*enabled));
        }
        Change::Held(why) => {
            sql.push("held = ").text(*why);
        }
        Change::Last {
            window_execution,
            status,
            at,
            execution,
        } => {
            sql.push("last_window_execution = ")
                .text(*window_execution)
                .push(", last_status = ")
                .text(*status)
                .push(", last_at = ")
                .int_or_none(at.map(|at| at.0))
                .push(", last_execution = ")
                .text(*execution);
        }
    }
    sql.push(" where schedule_id = ").text(id.as_str());
    Ok(sql.run(db.writer()).await? > 0)
}

/// Forgets a schedule.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(db: &Db, id: &ScheduleId) -> Result<bool, StoreError> {
    let mut sql = Sql::new("delete from runbook_schedules where schedule_id = ");
    sql.text(id.as_str());
    Ok(sql.run(db.writer()).await? > 0)
}

/// Says of an execution that was found to be started outside whose schedule it belongs to.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: &Db, ssm_execution_id: &str, schedule: &Schedule) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update executions set reason = ");
    sql.text(format!("{} (schedule “{}”)", schedule.reason, schedule.name))
        .push(", requested_by = ")
        .text(&schedule.created_by)
        .push(", requested_by_id = ")
        .text_or_none(schedule.created_by_id.as_ref().map(ToString::to_string));
    sql.push(" where ssm_execution_id = ")
        .text(ssm_execution_id)
        .push(" and requested_by = 'outside Muster'");
    Ok(sql.run(db.writer()).await? > 0)
}
