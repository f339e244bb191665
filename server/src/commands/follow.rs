//! Follows what was sent until every node is done: woken by nudges of the embedded endpoint, else by a
//! clock that slows down for AWS. Whatever wakes it, all news comes through Systems Manager's API.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::aws::output::{OutputReader, Piece};
use crate::commands::apply::{Bytes, News, Whole, apply};
use crate::commands::invocations::INVOCATION_COLUMNS;
use crate::commands::queries::{self, CommandRow, Part};
use crate::commands::reads;
use crate::commands::ssm::{self, SeenInvocation};
use crate::events::{EventBus, PortalEvent};
use futures::StreamExt as _;
use muster_domain::commands::{CommandStatus, OutputStream};
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::time::Clock;
use muster_store::{Db, RowExt, Sql, StoreError};
use ring::digest::{Context, SHA256};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Follows commands.
#[derive(Clone)]
pub struct Follower {
    db: Db,
    ssm: Ssm,
    output: OutputReader,
    clock: Arc<dyn Clock>,
    bus: EventBus,
}

/// Why following did not go on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Systems Manager did not answer.
    #[error("{0}")]
    Call(CallError),
}

impl From<CallError> for FollowError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// What is stored of an invocation, as far as following it needs.
#[derive(Clone, Debug, Default)]
struct Stored {
    stdout: i64,
    stderr: i64,
    complete: bool,
    status: Option<CommandStatus>,
}

impl Follower {
    /// A follower.
    #[must_use]
    pub fn new(db: Db, ssm: Ssm, output: OutputReader, clock: Arc<dyn Clock>, bus: EventBus) -> Self {
        Self {
            db,
            ssm,
            output,
            clock,
            bus,
        }
    }

    /// Looks at a command: at all of its nodes, or only at those that are named.
    ///
    /// # Errors
    /// [`FollowError`]; what was learned before stays.
    pub async fn look(
        &self,
        row: &CommandRow,
        nodes: Option<&HashSet<(String, String)>>,
    ) -> Result<(), FollowError> {
        let command = &row.summary.command_id;
        let parts = queries::parts(&self.db, command).await?;
        let stored = self.stored(command).await?;
        if let Some(nodes) = nodes.filter(|nodes| nodes.len() <= 16) {
            // A nudge without a node is about the command as a whole, which is looked at below in any case.
            for (id, node) in nodes.iter().filter(|(_, node)| !node.is_empty()) {
                let (found, _) = ssm::invocations(&self.ssm, id, Some(node), None).await?;
                self.take(command, id, found, &stored).await?;
            }
        } else {
            for part in parts.iter().filter(|part| part.state == "sent") {
                let Some(id) = &part.ssm_command_id else { continue };
                let mut token = None;
                loop {
                    let (found, next) = ssm::invocations(&self.ssm, id, None, token).await?;
                    self.take(command, id, found, &stored).await?;
                    token = next;
                    if token.is_none() {
                        break;
                    }
                }
            }
        }
        self.give_up_unsent(command, &parts).await?;
        self.sum_up(row, &parts).await
    }

    /// Nodes of calls that will never be made do not wait for ever: they end as what became of their call.
    async fn give_up_unsent(&self, command: &CommandId, parts: &[Part]) -> Result<(), FollowError> {
        let left = parts
            .iter()
            .filter(|part| matches!(part.state.as_str(), "dropped" | "refused"));
        let mut nodes: Vec<(&String, CommandStatus, &str)> = Vec::new();
        for part in left {
            let (status, details) = if part.state == "dropped" {
                (CommandStatus::Cancelled, "Terminated")
            } else {
                (CommandStatus::Failed, "Undeliverable")
            };
            nodes.extend(part.node_ids.iter().flatten().map(|node| (node, status, details)));
        }
        if nodes.is_empty() {
            return Ok(());
        }
        let stored = self.stored(command).await?;
        let mut news = News::default();
        for (node, status, status_details) in nodes {
            if stored.get(node).is_some_and(|stored| stored.complete) {
                continue;
            }
            news.complete.push((node.clone(), String::new()));
            news.invocations.push((
                String::new(),
                SeenInvocation {
                    node_id: node.clone(),
                    node_name: String::new(),
                    status,
                    status_details: status_details.to_owned(),
                    response_code: -1,
                    started_at: None,
                    ended_at: None,
                    stdout_url: String::new(),
                    stderr_url: String::new(),
                },
            ));
        }
        if apply(&self.db, command, &news, self.clock.now()).await? > 0 {
            self.bus.tell(PortalEvent::Command(command.clone()));
        }
        Ok(())
    }

    async fn stored(&self, command: &CommandId) -> Result<HashMap<String, Stored>, StoreError> {
        let mut sql = Sql::new(INVOCATION_COLUMNS);
        sql.push(" where i.command_id = ").text(command.as_str());
        let mut found = HashMap::new();
        for row in sql.all(self.db.reader()).await? {
            let stored = Stored {
                stdout: row.int("stdout_bytes")?,
                stderr: row.int("stderr_bytes")?,
                complete: row.flag("output_complete")?,
                status: CommandStatus::parse(&row.text("status")?),
            };
            found.insert(row.text("node_id")?, stored);
        }
        Ok(found)
    }

    /// Takes in one page of invocations and their new output.
    async fn take(
        &self,
        command: &CommandId,
        id: &str,
        found: Vec<SeenInvocation>,
        stored: &HashMap<String, Stored>,
    ) -> Result<(), FollowError> {
        let none = Stored::default();
        let mut gathered = futures::stream::iter(found)
            .map(|seen| {
                let before = stored.get(&seen.node_id).unwrap_or(&none).clone();
                async move {
                    let output = self.new_output(id, &seen, &before).await;
                    (seen, before, output)
                }
            })
            .buffered(8);
        let mut news = News::default();
        let mut more = Vec::new();
        while let Some((seen, before, output)) = gathered.next().await {
            let output = output?;
            let ended = seen.status.is_final();
            if ended && output.complete && !before.complete {
                let hash = self.hash(command, &seen.node_id, &output.bytes).await?;
                news.complete.push((seen.node_id.clone(), hash));
            } else if ended && !output.complete && !before.complete {
                more.push(seen.clone());
            }
            news.output.extend(output.bytes);
            if before.status != Some(seen.status) || !before.complete {
                news.invocations.push((id.to_owned(), seen));
            }
        }
        drop(gathered);
        if apply(&self.db, command, &news, self.clock.now()).await? > 0 {
            self.bus.tell(PortalEvent::Command(command.clone()));
        }
        // Large output of a finished node is fetched piece by piece until it is all here.
        for seen in more {
            self.fetch_rest(command, id, &seen).await?;
        }
        Ok(())
    }

    async fn fetch_rest(
        &self,
        command: &CommandId,
        id: &str,
        seen: &SeenInvocation,
    ) -> Result<(), FollowError> {
        loop {
            let before = self
                .stored(command)
                .await?
                .remove(&seen.node_id)
                .unwrap_or_default();
            if before.complete {
                return Ok(());
            }
            let output = self.new_output(id, seen, &before).await?;
            let mut news = News::default();
            if output.complete {
                let hash = self.hash(command, &seen.node_id, &output.bytes).await?;
                news.complete.push((seen.node_id.clone(), hash));
                news.invocations.push((id.to_owned(), seen.clone()));
            } else if output.bytes.is_empty() {
                return Ok(());
            }
            news.output = output.bytes;
            if apply(&self.db, command, &news, self.clock.now()).await? > 0 {
                self.bus.tell(PortalEvent::Command(command.clone()));
            }
        }
    }

    /// Output that is not stored yet, and whether there will be no more.
    async fn new_output(
        &self,
        id: &str,
        seen: &SeenInvocation,
        before: &Stored,
    ) -> Result<NewOutput, FollowError> {
        if before.complete {
            return Ok(NewOutput {
                bytes: Vec::new(),
                complete: true,
            });
        }
        let ended = seen.status.is_final();
        if seen.stdout_url.is_empty() {
            if !ended {
                return Ok(NewOutput {
                    bytes: Vec::new(),
                    complete: false,
                });
            }
            // Nothing but the API's own text: its 24,000 characters are all there is.
            let (stdout, stderr) = if seen.response_code == -1 && seen.started_at.is_none() {
                (String::new(), String::new())
            } else {
                ssm::content(&self.ssm, id, &seen.node_id).await?
            };
            let mut bytes = Vec::new();
            for (stream, text, known) in [
                (OutputStream::Stdout, stdout, before.stdout),
                (OutputStream::Stderr, stderr, before.stderr),
            ] {
                if known == 0 && !text.is_empty() {
                    bytes.push(Bytes {
                        node_id: seen.node_id.clone(),
                        stream,
                        offset: 0,
                        bytes: text.into_bytes(),
                    });
                }
            }
            return Ok(NewOutput {
                bytes,
                complete: true,
            });
        }
        let mut bytes = Vec::new();
        let mut complete = ended;
        for (stream, url, known) in [
            (OutputStream::Stdout, &seen.stdout_url, before.stdout),
            (OutputStream::Stderr, &seen.stderr_url, before.stderr),
        ] {
            if url.is_empty() {
                continue;
            }
            let offset = u64::try_from(known).unwrap_or_default();
            match self.output.read(url, offset, self.clock.now()).await {
                Ok(Some(Piece {
                    bytes: mut piece,
                    total,
                })) => {
                    let all = offset + piece.len() as u64 >= total;
                    complete &= all;
                    if !(all && ended) {
                        // A character that is cut now comes whole with the next piece.
                        piece.truncate(reads::whole_characters(&piece));
                    }
                    if !piece.is_empty() {
                        bytes.push(Bytes {
                            node_id: seen.node_id.clone(),
                            stream,
                            offset: known,
                            bytes: piece,
                        });
                    }
                }
                Ok(None) => {}
                Err(reason) => {
                    tracing::warn!(
                        command.ssm_id = id,
                        node.id = seen.node_id,
                        reason,
                        "output could not be read"
                    );
                    complete = false;
                }
            }
        }
        Ok(NewOutput { bytes, complete })
    }

    /// SHA-256 over standard output, a zero byte, and standard error: equal output, equal hash.
    async fn hash(&self, command: &CommandId, node: &str, fresh: &[Bytes]) -> Result<String, StoreError> {
        let node = NodeId::new(node);
        let mut context = Context::new(&SHA256);
        let mut any = false;
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let mut offset = 0;
            loop {
                let bytes = reads::bytes(&self.db, command, &node, stream, offset, 4 << 20).await?;
                if bytes.is_empty() {
                    break;
                }
                any = true;
                offset += i64::try_from(bytes.len()).unwrap_or_default();
                context.update(&bytes);
            }
            for piece in fresh.iter().filter(|piece| piece.stream == stream) {
                any = true;
                context.update(&piece.bytes);
            }
            context.update(&[0]);
        }
        Ok(if any {
            hex::encode(context.finish())
        } else {
            String::new()
        })
    }

    /// Puts the parts together into how the command stands as a whole.
    async fn sum_up(&self, row: &CommandRow, parts: &[Part]) -> Result<(), FollowError> {
        let command = &row.summary.command_id;
        let mut seen = Vec::new();
        for part in parts.iter().filter(|part| part.state == "sent") {
            if let Some(id) = &part.ssm_command_id
                && let Some(found) = ssm::command(&self.ssm, id).await?
            {
                seen.push(found);
            }
        }
        if seen.is_empty()
            && parts
                .iter()
                .any(|part| matches!(part.state.as_str(), "queued" | "sending"))
        {
            return Ok(());
        }
        let open = parts
            .iter()
            .any(|part| matches!(part.state.as_str(), "queued" | "sending"));
        let left: Vec<&Part> = parts
            .iter()
            .filter(|part| matches!(part.state.as_str(), "dropped" | "refused"))
            .collect();
        let left_nodes: usize = left
            .iter()
            .map(|part| part.node_ids.as_ref().map_or(0, Vec::len))
            .sum();
        let unsent: usize = parts
            .iter()
            .filter(|part| matches!(part.state.as_str(), "queued" | "sending"))
            .map(|part| part.node_ids.as_ref().map_or(0, Vec::len))
            .sum();
        let sum = |of: fn(&ssm::SeenCommand) -> u32| seen.iter().map(of).sum::<u32>();
        let (targets, completed, errors) = (sum(|c| c.targets), sum(|c| c.completed), sum(|c| c.errors));
        let status = whole_status(
            &seen.iter().map(|c| c.status).collect::<Vec<_>>(),
            open,
            &left,
            row,
        );
        let details = match seen.as_slice() {
            [only] if left.is_empty() => only.status_details.clone(),
            _ => status.as_str().to_owned(),
        };
        let outstanding = self.outstanding(command).await?;
        let known = i64::from(targets) <= self.invocation_count(command).await?;
        let whole = Whole {
            status,
            status_details: details,
            targets: targets + u32::try_from(left_nodes + unsent).unwrap_or_default(),
            completed: completed + u32::try_from(left_nodes).unwrap_or_default(),
            errors,
            finished: status.is_final() && !open && !outstanding && known,
            problem: row.problem.clone(),
        };
        let news = News {
            summary: Some(whole),
            ..News::default()
        };
        if apply(&self.db, command, &news, self.clock.now()).await? > 0 {
            self.bus.tell(PortalEvent::Command(command.clone()));
        }
        Ok(())
    }

    async fn outstanding(&self, command: &CommandId) -> Result<bool, StoreError> {
        let mut sql = Sql::new(
            "select count(*) as open from command_invocations where output_complete = 0 and command_id = ",
        );
        sql.text(command.as_str());
        Ok(sql.one(self.db.reader()).await?.int("open")? > 0)
    }

    async fn invocation_count(&self, command: &CommandId) -> Result<i64, StoreError> {
        let mut sql = Sql::new("select count(*) as nodes from command_invocations where command_id = ");
        sql.text(command.as_str());
        sql.one(self.db.reader()).await?.int("nodes")
    }
}

struct NewOutput {
    bytes: Vec<Bytes>,
    complete: bool,
}

/// The status of a command that is made up of several calls.
fn whole_status(of_parts: &[CommandStatus], open: bool, left: &[&Part], row: &CommandRow) -> CommandStatus {
    use CommandStatus::{Cancelled, Cancelling, Failed, InProgress, Pending, Success, TimedOut};
    if let ([only], false, true) = (of_parts, open, left.is_empty()) {
        return *only;
    }
    let cancelling = row.cancel_requested_at.is_some();
    if open || of_parts.iter().any(|status| !status.is_final()) {
        return match of_parts {
            _ if cancelling => Cancelling,
            [] => Pending,
            _ => InProgress,
        };
    }
    if of_parts.contains(&Failed) || left.iter().any(|part| part.state == "refused") {
        Failed
    } else if cancelling || of_parts.contains(&Cancelled) {
        Cancelled
    } else if of_parts.contains(&TimedOut) {
        TimedOut
    } else if left.is_empty() {
        Success
    } else {
        Failed
    }
}
