//! Nodes that ended alike and wrote the same, as groups: on a thousand nodes, what matters is what differs.

use crate::commands::invocations::push_invocation_scope;
use crate::commands::queries::count;
use crate::commands::reads;
use muster_domain::commands::{CommandStatus, OutputGroup, OutputStream};
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::permission::Scope;
use muster_store::{Db, RowExt, Sql, StoreError};

/// Groups shown at most: where every node writes something else, grouping says nothing.
pub const MOST_GROUPS: i64 = 50;
/// Nodes named per group.
pub const NAMED: i64 = 5;
/// Bytes of output shown per group.
pub const BEGINNING_BYTES: i64 = 600;

/// The groups: failures first, then the largest.
///
/// # Errors
/// When the database does not answer.
pub async fn groups(db: &Db, command: &CommandId, scopes: &[Scope]) -> Result<Vec<OutputGroup>, StoreError> {
    let mut sql = Sql::new(
        "select i.status, i.response_code, i.output_hash, min(i.sort_rank) as rank_, count(*) as nodes \
         from command_invocations i where i.command_id = ",
    );
    sql.text(command.as_str());
    push_invocation_scope(&mut sql, scopes);
    sql.push(
        " group by i.status, i.response_code, i.output_hash order by rank_, nodes desc, i.output_hash limit ",
    )
    .int(MOST_GROUPS);
    let mut found = Vec::new();
    for row in sql.all(db.reader()).await? {
        let status = CommandStatus::parse(&row.text("status")?).unwrap_or(CommandStatus::Pending);
        let response_code = row.int("response_code")?;
        let output_hash = row.text("output_hash")?;
        let some = named(db, command, scopes, (status, response_code, &output_hash)).await?;
        let beginning = match some.first() {
            Some((node, _)) => beginning(db, command, node).await?,
            None => String::new(),
        };
        found.push(OutputGroup {
            status,
            response_code: i32::try_from(response_code).unwrap_or(-1),
            output_hash,
            nodes: count(&row, "nodes")?,
            some,
            beginning,
        });
    }
    Ok(found)
}

async fn named(
    db: &Db,
    command: &CommandId,
    scopes: &[Scope],
    (status, response_code, output_hash): (CommandStatus, i64, &str),
) -> Result<Vec<(NodeId, String)>, StoreError> {
    let mut sql = Sql::new("select i.node_id, i.node_name from command_invocations i where i.command_id = ");
    sql.text(command.as_str())
        .push(" and i.status = ")
        .text(status.as_str())
        .push(" and i.response_code = ")
        .int(response_code)
        .push(" and i.output_hash = ")
        .text(output_hash);
    push_invocation_scope(&mut sql, scopes);
    sql.push(" order by i.sort_rank, i.node_name, i.node_id limit ")
        .int(NAMED);
    sql.all(db.reader())
        .await?
        .iter()
        .map(|row| Ok((NodeId::new(row.text("node_id")?), row.text("node_name")?)))
        .collect()
}

async fn beginning(db: &Db, command: &CommandId, node: &NodeId) -> Result<String, StoreError> {
    for stream in [OutputStream::Stdout, OutputStream::Stderr] {
        let mut bytes = reads::bytes(db, command, node, stream, 0, BEGINNING_BYTES).await?;
        bytes.truncate(reads::whole_characters(&bytes));
        if !bytes.is_empty() {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(String::new())
}
