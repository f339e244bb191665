//! One command on a simulated node: progress, output through the window, the last reply until it is kept.

use super::SimAnswer;
use crate::commands::job_dir::StreamName;
use crate::commands::streams::Streams;
use crate::host::{AGENT_NAME, AGENT_VERSION};
use crate::link::{Connection, LinkState, Lost};
use muster_agent_protocol::control::{
    AgentJobReply, ERROR_SEPARATOR, MAX_COMBINED_CHARS, MAX_STDERR_CHARS, MAX_STDOUT_CHARS, ReplyContent,
    SendCommandContent, StepStatus, message_type, topic,
};
use muster_agent_protocol::extension::{OUTPUT, OutputAck, OutputHeader, encode_output};
use muster_domain::time::{Clock, Random, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

const RESEND: Duration = Duration::from_secs(30);

/// What the node tells its job.
pub(super) enum Sign {
    Cancel,
    AnswerAgain,
    ReplyKept(Uuid),
    OutputKept(OutputAck),
}

pub(super) fn new_id(random: &dyn Random) -> Uuid {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

pub(super) struct SimJobTask {
    job_id: String,
    content: SendCommandContent,
    answer: SimAnswer,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    is_cancelled: bool,
    streams: Streams,
    generation: u64,
    last_sent: Option<(Uuid, Instant)>,
    is_kept: bool,
}

impl SimJobTask {
    pub(super) fn new(
        job_id: String,
        content: SendCommandContent,
        answer: SimAnswer,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            job_id,
            content,
            answer,
            clock,
            random,
            is_cancelled: false,
            streams: Streams::default(),
            generation: 0,
            last_sent: None,
            is_kept: false,
        }
    }

    /// Stays to answer repetitions; ends with its node.
    pub(super) async fn run(
        mut self,
        mut link: watch::Receiver<LinkState>,
        mut signs: mpsc::UnboundedReceiver<Sign>,
    ) {
        let start = self.clock.now();
        let connection = link.borrow().connection.clone();
        if let Some(connection) = connection {
            let _ = self.reply(&connection, "InProgress", None).await;
        }
        let ready = tokio::time::sleep(self.answer.delay);
        tokio::pin!(ready);
        loop {
            tokio::select! {
                () = &mut ready => break,
                sign = signs.recv() => match sign {
                    Some(Sign::Cancel) => {
                        self.is_cancelled = true;
                        break;
                    }
                    Some(_) => {}
                    None => return,
                },
            }
        }
        let end = self.clock.now();
        if !self.is_cancelled {
            self.streams
                .grown(0, StreamName::Stdout, self.answer.stdout.len() as u64);
            self.streams
                .grown(0, StreamName::Stderr, self.answer.stderr.len() as u64);
        }
        loop {
            let state = link.borrow_and_update().clone();
            let _ = self.deliver(&state, start, end).await;
            tokio::select! {
                changed = link.changed() => if changed.is_err() { return },
                sign = signs.recv() => match sign {
                    Some(sign) => self.note(sign),
                    None => return,
                },
                () = tokio::time::sleep(RESEND), if !self.is_kept => {}
            }
        }
    }

    fn note(&mut self, sign: Sign) {
        match sign {
            Sign::Cancel => {}
            Sign::AnswerAgain => {
                self.is_kept = false;
                self.last_sent = None;
            }
            Sign::ReplyKept(id) => {
                self.is_kept |= self.last_sent.is_some_and(|(sent, _)| sent == id);
            }
            Sign::OutputKept(ack) => {
                let stream = StreamName::ALL
                    .into_iter()
                    .find(|name| name.as_str() == ack.stream);
                if let Some(stream) = stream {
                    self.streams.acknowledged(0, stream, ack.offset);
                }
            }
        }
    }

    async fn deliver(&mut self, state: &LinkState, start: Timestamp, end: Timestamp) -> Result<(), Lost> {
        let (Some(connection), Some(streams_output)) = (&state.connection, state.streams_output) else {
            return Ok(());
        };
        if connection.generation != self.generation {
            self.generation = connection.generation;
            self.streams.start_over();
            self.last_sent = None;
        }
        if streams_output {
            self.send_output(connection).await?;
            if !self.streams.is_kept(0) {
                return Ok(());
            }
        }
        let is_due = self.last_sent.is_none_or(|(_, at)| at.elapsed() >= RESEND);
        if !self.is_kept && is_due {
            let (status, code) = match (self.is_cancelled, self.answer.code) {
                (true, _) => ("Cancelled", 137),
                (false, 0) => ("Success", 0),
                (false, code) => ("Failed", code),
            };
            let step = self.step_status(status, code, start, end);
            let id = self.reply(connection, status, Some(step)).await?;
            self.last_sent = Some((id, Instant::now()));
        }
        Ok(())
    }

    async fn send_output(&mut self, connection: &Connection) -> Result<(), Lost> {
        while let Some(piece) = self.streams.next() {
            let all = match piece.stream {
                StreamName::Stdout => &self.answer.stdout,
                StreamName::Stderr => &self.answer.stderr,
            };
            let from = usize::try_from(piece.offset).unwrap_or(usize::MAX);
            let bytes = all.get(from..from + piece.bytes).unwrap_or_default();
            let header = OutputHeader {
                job_id: self.job_id.clone(),
                step: self.step_name(),
                stream: piece.stream.as_str().to_owned(),
                offset: piece.offset,
            };
            let payload = encode_output(&header, bytes).map_err(|_| Lost)?;
            let id = new_id(self.random.as_ref());
            connection.send(OUTPUT, id, self.clock.now().0, payload).await?;
            self.streams.sent(&piece, piece.bytes);
        }
        Ok(())
    }

    fn step_name(&self) -> String {
        let step = self.content.document_content.main_steps.first();
        step.map(|step| step.name.clone()).unwrap_or_default()
    }

    fn step_status(&self, status: &str, code: i32, start: Timestamp, end: Timestamp) -> StepStatus {
        let text = |bytes: &[u8], most: usize| -> String {
            if self.is_cancelled {
                return String::new();
            }
            String::from_utf8_lossy(bytes).chars().take(most).collect()
        };
        let stdout = text(&self.answer.stdout, MAX_STDOUT_CHARS);
        let stderr = text(&self.answer.stderr, MAX_STDERR_CHARS);
        let separator = if stderr.is_empty() { "" } else { ERROR_SEPARATOR };
        let both = format!("{stdout}{separator}{stderr}");
        let step = self.content.document_content.main_steps.first();
        StepStatus {
            status: status.to_owned(),
            code,
            name: step.map(|step| step.action.clone()).unwrap_or_default(),
            output: both.chars().take(MAX_COMBINED_CHARS).collect(),
            start_date_time: start.rfc3339(),
            end_date_time: end.rfc3339(),
            standard_output: stdout,
            standard_error: stderr,
            ..StepStatus::default()
        }
    }

    async fn reply(
        &self,
        connection: &Connection,
        status: &str,
        step: Option<StepStatus>,
    ) -> Result<Uuid, Lost> {
        let now = self.clock.now();
        let content = ReplyContent {
            additional_info: serde_json::json!({
                "agent": {"lang": "en-US", "name": AGENT_NAME, "os": "linux", "osver": "1", "ver": AGENT_VERSION},
                "dateTime": now.rfc3339(), "runId": "",
            }),
            document_status: status.to_owned(),
            document_trace_output: String::new(),
            runtime_status: step.map(|step| BTreeMap::from([(self.step_name(), step)])),
        };
        let reply = AgentJobReply {
            schema_version: 1,
            job_id: self.job_id.clone(),
            topic: topic::SEND_COMMAND.into(),
            content: serde_json::to_string(&content).unwrap_or_default(),
        };
        let id = new_id(self.random.as_ref());
        let payload = serde_json::to_vec(&reply).unwrap_or_default();
        connection
            .send(message_type::AGENT_JOB_REPLY, id, now.0, payload)
            .await?;
        Ok(id)
    }
}
