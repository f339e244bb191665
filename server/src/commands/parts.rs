//! The SQL of a command's parts: the calls that it takes, and what became of each.

use muster_domain::Timestamp;
use muster_domain::ids::CommandId;
use muster_store::{Db, RowExt, Sql, StoreError};

/// One call to Systems Manager that makes up a command, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which command.
    pub command_id: CommandId,
    /// Which part, from 0.
    pub part: i64,
    /// Systems Manager's id, once sent.
    pub ssm_command_id: Option<String>,
    /// The nodes, when named one by one.
    pub node_ids: Option<Vec<String>>,
    /// The targets, when named by tag: key and values.
    pub targets: Option<Vec<(String, Vec<String>)>>,
    /// `queued`, `sending`, `sent`, `done`, `dropped` or `refused`.
    pub state: String,
}

/// The parts of a command, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn parts(db: &Db, command: &CommandId) -> Result<Vec<Part>, StoreError> {
    let mut sql = Sql::new(
        "select command_id, part, ssm_command_id, node_ids, targets, state from command_parts where command_id = ",
    );
    sql.text(command.as_str()).push(" order by part");
    let mut parts = Vec::new();
    for found in sql.all(db.reader()).await? {
        let list = |column: &str| -> Result<Option<serde_json::Value>, StoreError> {
            Ok(found
                .text_or_none(column)?
                .and_then(|text| serde_json::from_str(&text).ok()))
        };
        parts.push(Part {
            command_id: CommandId::new(found.text("command_id")?),
            part: found.int("part")?,
            ssm_command_id: found.text_or_none("ssm_command_id")?,
            node_ids: list("node_ids")?.and_then(|value| serde_json::from_value(value).ok()),
            targets: list("targets")?.and_then(|value| serde_json::from_value(value).ok()),
            state: found.text("state")?,
        });
    }
    Ok(parts)
}

/// The command that holds a call's id.
///
/// # Errors
/// When the database does not answer.
pub async fn command_of_ssm(db: &Db, ssm_command_id: &str) -> Result<Option<CommandId>, StoreError> {
    let mut sql = Sql::new("select command_id from command_parts where ssm_command_id = ");
    sql.text(ssm_command_id);
    Ok(sql
        .first(db.reader())
        .await?
        .map(|row| row.text("command_id"))
        .transpose()?
        .map(CommandId::new))
}

/// Moves a part from one state to another; answers whether it was in that state.
///
/// # Errors
/// When the database does not answer.
pub async fn move_part(
    db: &Db,
    part: &Part,
    from: &str,
    to: &str,
    ssm_command_id: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update command_parts set state = ");
    sql.text(to);
    if let Some(id) = ssm_command_id {
        sql.push(", ssm_command_id = ")
            .text(id)
            .push(", sent_at = ")
            .int(now.0);
    }
    sql.push(" where command_id = ")
        .text(part.command_id.as_str())
        .push(" and part = ")
        .int(part.part);
    sql.push(" and state = ").text(from);
    Ok(sql.run(db.writer()).await? > 0)
}
