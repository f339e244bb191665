//! Writes what came back from nodes: one transaction per batch, each change numbered as an event.
//! Applying the same news twice changes nothing and numbers nothing.

use crate::commands::invocations::{INVOCATION_COLUMNS, invocation, names};
use crate::commands::ssm::SeenInvocation;
use crate::commands::write_whole::write_whole;
use muster_domain::Timestamp;
use muster_domain::commands::{CommandStatus, InvocationView, OutputStream};
use muster_domain::ids::{CommandId, NodeId};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::{Any, Transaction};
use std::collections::HashMap;

/// Bytes of output that a node wrote.
#[derive(Clone, Debug)]
pub struct Bytes {
    /// Which node.
    pub node_id: String,
    /// Which stream.
    pub stream: OutputStream,
    /// Where they begin.
    pub offset: i64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// News of a command.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Invocations as they are now, with the call that they belong to.
    pub invocations: Vec<(String, SeenInvocation)>,
    /// New output. Pieces that begin anywhere but at the end of what is stored are left out.
    pub output: Vec<Bytes>,
    /// Nodes whose output is complete, with its hash.
    pub complete: Vec<(String, String)>,
    /// The command as a whole, if it was looked at.
    pub summary: Option<Whole>,
}

/// How a command stands as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How it stands.
    pub status: CommandStatus,
    /// More precisely.
    pub status_details: String,
    /// Nodes.
    pub targets: u32,
    /// Nodes that are done.
    pub completed: u32,
    /// Nodes that failed.
    pub errors: u32,
    /// Whether nothing more is to be followed: final, and all output is here.
    pub finished: bool,
    /// Why parts of it could not be sent, when so.
    pub problem: String,
}

/// Failures first, then what is unfinished, then the rest.
const fn rank(status: CommandStatus) -> i64 {
    match status {
        CommandStatus::Failed | CommandStatus::TimedOut => 0,
        CommandStatus::Cancelled | CommandStatus::Cancelling => 1,
        CommandStatus::InProgress | CommandStatus::Delayed | CommandStatus::Pending => 2,
        CommandStatus::Success => 3,
    }
}

/// Writes news and numbers it.
pub(super) struct Writer {
    pub(super) transaction: Transaction<'static, Any>,
    pub(super) command: CommandId,
    next: i64,
    from: i64,
    now: Timestamp,
}

impl Writer {
    pub(super) async fn event(
        &mut self,
        kind: &str,
        node: Option<&str>,
        stream: Option<&str>,
        offset: Option<i64>,
        body: String,
    ) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "insert into command_events (command_id, sequence, kind, node_id, stream, start_offset, happened_at, body) values (",
        );
        sql.text(self.command.as_str())
            .push(", ")
            .int(self.next)
            .push(", ")
            .text(kind)
            .push(", ");
        sql.text_or_none(node.map(str::to_owned))
            .push(", ")
            .text_or_none(stream.map(str::to_owned))
            .push(", ");
        sql.int_or_none(offset)
            .push(", ")
            .int(self.now.0)
            .push(", ")
            .text(body)
            .push(")");
        sql.run(&mut *self.transaction).await?;
        self.next += 1;
        Ok(())
    }

    async fn stored(&mut self, nodes: &[String]) -> Result<HashMap<String, InvocationView>, StoreError> {
        let mut found = HashMap::new();
        for part in nodes.chunks(500) {
            let mut sql = Sql::new(INVOCATION_COLUMNS);
            sql.push(" where i.command_id = ")
                .text(self.command.as_str())
                .push(" and i.node_id in (")
                .texts(part)
                .push(")");
            for row in sql.all(&mut *self.transaction).await? {
                let view = invocation(&row)?;
                found.insert(view.node_id.to_string(), view);
            }
        }
        Ok(found)
    }

    async fn write_invocation(
        &mut self,
        ssm_id: &str,
        view: &InvocationView,
        complete: bool,
    ) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "insert into command_invocations (command_id, node_id, node_name, ssm_command_id, status, status_details, response_code, \
             started_at, ended_at, stdout_bytes, stderr_bytes, output_hash, output_complete, sort_rank) values (",
        );
        sql.text(self.command.as_str())
            .push(", ")
            .text(view.node_id.as_str())
            .push(", ")
            .text(&view.node_name)
            .push(", ");
        sql.text(ssm_id)
            .push(", ")
            .text(view.status.as_str())
            .push(", ")
            .text(&view.status_details)
            .push(", ");
        sql.int(view.response_code.into())
            .push(", ")
            .int_or_none(view.started_at.map(|at| at.0))
            .push(", ");
        sql.int_or_none(view.ended_at.map(|at| at.0))
            .push(", ")
            .int(view.stdout_bytes)
            .push(", ");
        sql.int(view.stderr_bytes)
            .push(", ")
            .text(&view.output_hash)
            .push(", ")
            .int(i64::from(complete))
            .push(", ");
        sql.int(rank(view.status));
        sql.push(
            ") on conflict (command_id, node_id) do update set ssm_command_id = case when excluded.ssm_command_id <> '' then excluded.ssm_command_id else command_invocations.ssm_command_id end, status = excluded.status, status_details = excluded.status_details, \
             response_code = excluded.response_code, started_at = excluded.started_at, ended_at = excluded.ended_at, \
             stdout_bytes = excluded.stdout_bytes, stderr_bytes = excluded.stderr_bytes, output_hash = excluded.output_hash, \
             output_complete = case when excluded.output_complete = 1 then 1 else command_invocations.output_complete end, \
             sort_rank = excluded.sort_rank",
        );
        sql.run(&mut *self.transaction).await?;
        let body = serde_json::json!(view).to_string();
        self.event("invocation", Some(view.node_id.as_str()), None, None, body)
            .await
    }
}

/// Applies news of a command. Answers how many events it made.
///
/// # Errors
/// When the database does not answer; nothing is written then.
pub async fn apply(db: &Db, command: &CommandId, news: &News, now: Timestamp) -> Result<i64, StoreError> {
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("update commands set synced_at = ");
    sql.int(now.0)
        .push(" where command_id = ")
        .text(command.as_str())
        .push(" returning next_event");
    let Some(row) = sql.first(&mut *transaction).await? else {
        return Ok(0);
    };
    let next = row.int("next_event")?;
    let mut writer = Writer {
        transaction,
        command: command.clone(),
        next,
        from: next,
        now,
    };

    let mut nodes: Vec<String> = news
        .invocations
        .iter()
        .map(|(_, seen)| seen.node_id.clone())
        .collect();
    nodes.extend(news.output.iter().map(|bytes| bytes.node_id.clone()));
    nodes.sort();
    nodes.dedup();
    let mut stored = writer.stored(&nodes).await?;
    let unknown: Vec<String> = nodes
        .iter()
        .filter(|node| !stored.contains_key(*node))
        .cloned()
        .collect();
    let names = names(&mut writer.transaction, &unknown).await?;

    let complete: HashMap<&str, &str> = news
        .complete
        .iter()
        .map(|(node, hash)| (node.as_str(), hash.as_str()))
        .collect();
    let mut appended: HashMap<(String, OutputStream), i64> = HashMap::new();
    for bytes in &news.output {
        // Only for nodes that will have an invocation row after this.
        let known = stored.get(&bytes.node_id).map(|view| match bytes.stream {
            OutputStream::Stdout => view.stdout_bytes,
            OutputStream::Stderr => view.stderr_bytes,
        });
        let key = (bytes.node_id.clone(), bytes.stream);
        let end = appended.get(&key).copied().or(known).unwrap_or(0);
        if bytes.offset != end || bytes.bytes.is_empty() {
            continue;
        }
        let after = end + i64::try_from(bytes.bytes.len()).unwrap_or(i64::MAX);
        let mut sql = Sql::new(
            "insert into command_output (command_id, node_id, stream, start_offset, end_offset, bytes) values (",
        );
        sql.text(command.as_str())
            .push(", ")
            .text(&bytes.node_id)
            .push(", ")
            .text(bytes.stream.as_str())
            .push(", ");
        sql.int(end)
            .push(", ")
            .int(after)
            .push(", ")
            .bytes(bytes.bytes.clone())
            .push(")");
        sql.run(&mut *writer.transaction).await?;
        writer
            .event(
                "output",
                Some(&bytes.node_id),
                Some(bytes.stream.as_str()),
                Some(end),
                String::new(),
            )
            .await?;
        appended.insert(key, after);
    }

    let mut touched: Vec<(String, Option<&SeenInvocation>)> = news
        .invocations
        .iter()
        .map(|(id, seen)| (id.clone(), Some(seen)))
        .collect();
    for (node, _) in appended.keys() {
        if !news.invocations.iter().any(|(_, seen)| &seen.node_id == node) && stored.contains_key(node) {
            touched.push((node.clone(), None));
        }
    }
    for (id, seen) in touched {
        let node = seen.map_or(id.as_str(), |seen| seen.node_id.as_str()).to_owned();
        let before = stored.remove(&node);
        let mut view = before.clone().unwrap_or_else(|| InvocationView {
            node_id: NodeId::new(node.clone()),
            node_name: names
                .get(&node)
                .cloned()
                .or_else(|| {
                    seen.map(|seen| seen.node_name.clone())
                        .filter(|name| !name.is_empty())
                })
                .unwrap_or_else(|| node.clone()),
            status: CommandStatus::Pending,
            status_details: "Pending".into(),
            response_code: -1,
            started_at: None,
            ended_at: None,
            stdout_bytes: 0,
            stderr_bytes: 0,
            output_hash: String::new(),
        });
        if let Some(seen) = seen {
            // Late news never turns a finished node back into a running one.
            if !view.status.is_final() || seen.status.is_final() {
                view.status = seen.status;
                view.status_details.clone_from(&seen.status_details);
                view.response_code = seen.response_code;
                view.started_at = seen.started_at.or(view.started_at);
                view.ended_at = if seen.status.is_final() {
                    seen.ended_at.or(view.ended_at).or(Some(now))
                } else {
                    None
                };
            }
        }
        if let Some(end) = appended.get(&(node.clone(), OutputStream::Stdout)) {
            view.stdout_bytes = *end;
        }
        if let Some(end) = appended.get(&(node.clone(), OutputStream::Stderr)) {
            view.stderr_bytes = *end;
        }
        let done = complete.get(node.as_str());
        if let Some(hash) = done {
            view.output_hash = (*hash).to_owned();
        }
        if before.as_ref() != Some(&view) || done.is_some() {
            let ssm_id = if seen.is_some() { id } else { String::new() };
            writer.write_invocation(&ssm_id, &view, done.is_some()).await?;
        }
    }

    if let Some(whole) = &news.summary {
        write_whole(&mut writer, whole, now).await?;
    }
    if writer.next > writer.from {
        let mut sql = Sql::new("update commands set next_event = ");
        sql.int(writer.next)
            .push(" where command_id = ")
            .text(command.as_str());
        sql.run(&mut *writer.transaction).await?;
    }
    let made = writer.next - writer.from;
    writer.transaction.commit().await?;
    Ok(made)
}
