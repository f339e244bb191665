//! Follows what was sent until every node is done: woken by nudges of the embedded endpoint, else by a
//! clock that slows down for AWS. Whatever wakes it, all news comes through Systems Manager's API.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::aws::output::OutputReader;
use crate::commands::apply::{Bytes, News, apply};
use crate::commands::invocations::{self, INVOCATION_COLUMNS};
use crate::commands::output_hash::output_hash;
use crate::commands::parts::{self, Part};
use crate::commands::queries::CommandRow;
use crate::commands::ssm::{self, SeenInvocation};
use crate::commands::step_output::{self, Kept, StepOutput};
use crate::commands::whole;
use crate::events::{EventBus, PortalEvent};
use futures::StreamExt as _;
use muster_domain::commands::{CommandStatus, OutputStream};
use muster_domain::ids::CommandId;
use muster_domain::time::Clock;
use muster_store::{Db, RowExt, Sql, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Follows commands.
#[derive(Clone)]
pub struct Follower {
    pub(super) db: Db,
    pub(super) ssm: Ssm,
    output: OutputReader,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) bus: EventBus,
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

    /// Looks at a command: at all of its calls that still run, or only at what nudges named (a call and a node).
    ///
    /// # Errors
    /// [`FollowError`]; what was learned before stays.
    pub async fn look(
        &self,
        row: &CommandRow,
        nudges: Option<&HashSet<(String, String)>>,
    ) -> Result<(), FollowError> {
        let command = &row.summary.command_id;
        let parts = parts::parts(&self.db, command).await?;
        for (id, node) in listings(&parts, nudges) {
            let mut token = None;
            loop {
                let (found, next) = ssm::invocations(&self.ssm, id, node, token).await?;
                self.take(command, id, found).await?;
                token = next;
                if token.is_none() {
                    break;
                }
            }
        }
        self.end_parts(command, &parts).await?;
        self.give_up_unsent(command, &parts).await?;
        let parts = parts::parts(&self.db, command).await?;
        whole::sum_up(self, row, &parts).await
    }

    /// A call whose nodes are all done, with all their output, needs no further look.
    async fn end_parts(&self, command: &CommandId, parts: &[Part]) -> Result<(), FollowError> {
        if parts.len() < 2 {
            return Ok(());
        }
        let open = invocations::incomplete(&self.db, command).await?;
        for part in parts.iter().filter(|part| part.state == "sent") {
            let ended = part
                .node_ids
                .as_ref()
                .is_some_and(|nodes| nodes.iter().all(|node| !open.contains(node)));
            if ended {
                parts::move_part(&self.db, part, "sent", "ended", None, self.clock.now()).await?;
            }
        }
        Ok(())
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
        let open = invocations::incomplete(&self.db, command).await?;
        let mut news = News::default();
        for (node, status, status_details) in nodes {
            if !open.contains(node) {
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
                    steps: Vec::new(),
                },
            ));
        }
        if apply(&self.db, command, &news, self.clock.now()).await? > 0 {
            self.bus.tell(PortalEvent::Command(command.clone()));
        }
        Ok(())
    }

    async fn stored(
        &self,
        command: &CommandId,
        nodes: &[String],
    ) -> Result<HashMap<String, Stored>, StoreError> {
        if nodes.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sql = Sql::new(INVOCATION_COLUMNS);
        sql.push(" where i.command_id = ")
            .text(command.as_str())
            .push(" and i.node_id in (")
            .texts(nodes)
            .push(")");
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
    ) -> Result<(), FollowError> {
        let nodes: Vec<String> = found.iter().map(|seen| seen.node_id.clone()).collect();
        let stored = self.stored(command, &nodes).await?;
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
                let hash = output_hash(&self.db, command, &seen.node_id, &output.bytes).await?;
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
                .stored(command, std::slice::from_ref(&seen.node_id))
                .await?
                .remove(&seen.node_id)
                .unwrap_or_default();
            if before.complete {
                return Ok(());
            }
            let output = self.new_output(id, seen, &before).await?;
            let mut news = News::default();
            if output.complete {
                let hash = output_hash(&self.db, command, &seen.node_id, &output.bytes).await?;
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
        if seen.steps.iter().all(|step| step.stdout_url.is_empty()) {
            if !ended {
                return Ok(NewOutput::default());
            }
            return self.api_text(id, seen, before).await;
        }
        let kept = Kept {
            output: &self.output,
            now: self.clock.now(),
        };
        let mut bytes = Vec::new();
        let mut complete = ended;
        for (stream, known) in [
            (OutputStream::Stdout, before.stdout),
            (OutputStream::Stderr, before.stderr),
        ] {
            let steps: Vec<(&str, bool)> = seen
                .steps
                .iter()
                .map(|step| (step_url(step, stream), ended || step.ended))
                .collect();
            match step_output::new_of(&kept, &steps, known).await {
                Ok(new) => {
                    complete &= new.complete;
                    bytes.extend(new.pieces.into_iter().map(|(offset, bytes)| Bytes {
                        node_id: seen.node_id.clone(),
                        stream,
                        offset,
                        bytes,
                    }));
                }
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

    /// Nothing but the API's own text: its 24,000 characters of each step are all there is.
    async fn api_text(
        &self,
        id: &str,
        seen: &SeenInvocation,
        before: &Stored,
    ) -> Result<NewOutput, FollowError> {
        let (stdout, stderr) = if seen.response_code == -1 && seen.started_at.is_none() {
            (String::new(), String::new())
        } else {
            ssm::content(&self.ssm, id, seen).await?
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
        Ok(NewOutput {
            bytes,
            complete: true,
        })
    }
}

fn step_url(step: &StepOutput, stream: OutputStream) -> &str {
    match stream {
        OutputStream::Stdout => &step.stdout_url,
        OutputStream::Stderr => &step.stderr_url,
    }
}

#[derive(Default)]
struct NewOutput {
    bytes: Vec<Bytes>,
    complete: bool,
}

/// Nudges about one call from which on listing the whole call costs less than asking node by node.
const LIST_FROM: usize = 8;

/// What is to be asked: a call as a whole, or one node of it.
fn listings<'a>(
    parts: &'a [Part],
    nudges: Option<&'a HashSet<(String, String)>>,
) -> Vec<(&'a str, Option<&'a str>)> {
    let running = parts.iter().filter(|part| part.state == "sent");
    let mut found = Vec::new();
    for id in running.filter_map(|part| part.ssm_command_id.as_deref()) {
        let Some(nudges) = nudges else {
            found.push((id, None));
            continue;
        };
        // A nudge without a node is about the command as a whole, which is summed up in any case.
        let nodes: Vec<&str> = nudges
            .iter()
            .filter(|(of, node)| of == id && !node.is_empty())
            .map(|(_, node)| node.as_str())
            .collect();
        if nodes.len() >= LIST_FROM {
            found.push((id, None));
        } else {
            found.extend(nodes.into_iter().map(|node| (id, Some(node))));
        }
    }
    found
}
