//! Reads a command's events from a cursor, with the output that they speak of.

use muster_domain::commands::{CommandChange, CommandEvent, OutputPiece, OutputStream};
use muster_domain::ids::{CommandId, NodeId};
use muster_store::{Db, RowExt, Sql, StoreError};

/// Events read at once at most.
pub const BATCH: i64 = 200;

/// An event, and whether it is the last that there will be.
#[derive(Clone, Debug)]
pub struct Read {
    /// The event.
    pub event: CommandEvent,
    /// Which node it concerns, if any.
    pub node: Option<String>,
    /// Whether the command is finished with it.
    pub last: bool,
}

/// Events after `cursor`, in order, at most [`BATCH`].
///
/// # Errors
/// When the database does not answer.
pub async fn after(db: &Db, command: &CommandId, cursor: i64) -> Result<Vec<Read>, StoreError> {
    let mut sql = Sql::new(
        "select e.sequence, e.kind, e.node_id, e.stream, e.start_offset, e.body, e.happened_at, o.end_offset, o.bytes, \
         coalesce(i.node_name, '') as node_name from command_events e \
         left join command_output o on e.kind = 'output' and o.command_id = e.command_id and o.node_id = e.node_id \
         and o.stream = e.stream and o.start_offset = e.start_offset \
         left join command_invocations i on i.command_id = e.command_id and i.node_id = e.node_id where e.command_id = ",
    );
    sql.text(command.as_str())
        .push(" and e.sequence > ")
        .int(cursor)
        .push(" order by e.sequence limit ")
        .int(BATCH);
    let mut events = Vec::new();
    for row in sql.all(db.reader()).await? {
        let sequence = row.int("sequence")?;
        let kind = row.text("kind")?;
        let node = row.text_or_none("node_id")?;
        let broken = |error: serde_json::Error| StoreError::Column {
            column: "body".into(),
            message: error.to_string(),
        };
        let change = match kind.as_str() {
            "output" => {
                let stream = row
                    .text_or_none("stream")?
                    .and_then(|s| OutputStream::parse(&s))
                    .unwrap_or(OutputStream::Stdout);
                let end = row.int_or_none("end_offset")?.unwrap_or_default();
                CommandChange::Output {
                    node_id: NodeId::new(node.clone().unwrap_or_default()),
                    node_name: row.text("node_name")?,
                    piece: OutputPiece {
                        stream,
                        offset: row.int_or_none("start_offset")?.unwrap_or_default(),
                        end,
                        text: String::from_utf8_lossy(&row.bytes("bytes")?).into_owned(),
                        total: end,
                    },
                }
            }
            "invocation" => CommandChange::Invocation {
                invocation: serde_json::from_str(&row.text("body")?).map_err(broken)?,
            },
            _ => CommandChange::Command {
                summary: serde_json::from_str(&row.text("body")?).map_err(broken)?,
            },
        };
        events.push(Read {
            event: CommandEvent {
                sequence,
                at: row.time_or_none("happened_at")?,
                change,
            },
            node,
            last: kind == "finished",
        });
    }
    Ok(events)
}
