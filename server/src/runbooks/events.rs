//! Reads an execution's events from a cursor.

use muster_domain::ids::ExecutionId;
use muster_domain::runbooks::{ExecutionChange, ExecutionEvent};
use muster_store::{Db, RowExt, Sql, StoreError};

/// Events read at once at most.
pub const BATCH: i64 = 200;

/// Events after `cursor`, in order, at most [`BATCH`]; each with whether it is the last that there will be.
///
/// # Errors
/// When the database does not answer.
pub async fn after(
    db: &Db,
    execution: &ExecutionId,
    cursor: i64,
) -> Result<Vec<(ExecutionEvent, bool)>, StoreError> {
    let mut sql =
        Sql::new("select sequence, kind, happened_at, body from execution_events where execution_id = ");
    sql.text(execution.as_str())
        .push(" and sequence > ")
        .int(cursor)
        .push(" order by sequence limit ")
        .int(BATCH);
    let broken = |error: serde_json::Error| StoreError::Column {
        column: "body".into(),
        message: error.to_string(),
    };
    let mut events = Vec::new();
    for row in sql.all(db.reader()).await? {
        let kind = row.text("kind")?;
        let body = row.text("body")?;
        let change = match kind.as_str() {
            "step" => ExecutionChange::Step {
                step: serde_json::from_str(&body).map_err(broken)?,
            },
            _ => ExecutionChange::Execution {
                summary: serde_json::from_str(&body).map_err(broken)?,
            },
        };
        let event = ExecutionEvent {
            sequence: row.int("sequence")?,
            at: row.time("happened_at")?,
            change,
        };
        events.push((event, kind == "finished"));
    }
    // One that was retried goes on behind what was its last event.
    if events.iter().any(|(_, is_last)| *is_last) {
        let mut sql = Sql::new("select next_event from executions where execution_id = ");
        sql.text(execution.as_str());
        let next = match sql.first(db.reader()).await? {
            Some(row) => row.int("next_event")?,
            None => 0,
        };
        for (event, is_last) in &mut events {
            *is_last &= event.sequence + 1 >= next;
        }
    }
    Ok(events)
}
