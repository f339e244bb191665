//! One open control channel: frames in and out, pings, and the end of it. Memory is bounded: one frame is
//! read at a time and worked off before the next; what does not parse is dropped and counted.

use crate::commands::delivery::stop_if_given_up;
use crate::commands::output_store::OutputKey;
use crate::commands::queries::invocation;
use crate::commands::reports::{Report, take_in};
use crate::commands::status::Detail;
use crate::control_plane::ControlPlane;
use crate::fleet::queries::pinged;
use crate::gateway::tasks::{Heard, complete};
use axum::extract::ws::{Message as Frame, WebSocket};
use futures::stream::SplitSink;
use futures::{SinkExt as _, StreamExt as _};
use muster_agent_protocol::control::{
    AgentJobAck, AgentJobReply, AgentJobReplyAck, OpenControlChannel, ReplyContent, ack_code, message_type,
    topic,
};
use muster_agent_protocol::extension::{self, Hello, OutputAck};
use muster_agent_protocol::session::message_type as session_type;
use muster_domain::Timestamp;
use muster_session_channel::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long the first frame may take.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// How often we ping.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A channel that was silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one write may take.
const WRITE: Duration = Duration::from_secs(30);
/// How often a node's last ping is written down.
const PING_WRITTEN_EVERY_MS: i64 = 15_000;
/// Frames that cannot be read before the channel is closed.
const MAX_BAD_FRAMES: u32 = 100;
/// Jobs whose existence is remembered, so that not every chunk of output asks the database.
const REMEMBERED_JOBS: usize = 1_000;

struct Session {
    plane: Arc<ControlPlane>,
    node_id: String,
    /// Whether this agent sends all output as it comes.
    streams: bool,
    answers: mpsc::Sender<Frame>,
    last_ping_written: Option<Timestamp>,
    bad_frames: u32,
    /// Command ids of this node, and whether they have ended.
    jobs: HashMap<String, bool>,
}

/// Why a channel is closed by us.
struct Close;

/// Serves a channel until it ends.
pub(crate) async fn run(plane: Arc<ControlPlane>, node_id: String, socket: WebSocket) {
    let (mut sink, mut frames) = socket.split();
    let first = tokio::time::timeout(FIRST_FRAME, frames.next()).await;
    let Ok(Some(Ok(Frame::Text(first)))) = first else {
        return;
    };
    let Ok(opening) = serde_json::from_str::<OpenControlChannel>(first.as_str()) else {
        return;
    };
    if !plane
        .registry
        .take_token(&node_id, &opening.token_value, plane.clock.now())
    {
        let _ = sink.send(Frame::Close(None)).await;
        return;
    }
    let streams = opening
        .muster_extensions
        .iter()
        .any(|name| name == extension::OUTPUT_STREAM);
    let opened = plane.registry.open(&node_id);
    tracing::info!(node.id = %node_id, streams, "a node's control channel is open");
    // Answers wait here when the node does not read; the reader then waits too.
    let (answers, answered) = mpsc::channel(16);
    let writer = tokio::spawn(write(sink, opened.frames, answered, opened.stop.clone()));
    let mut session = Session {
        plane: Arc::clone(&plane),
        node_id: node_id.clone(),
        streams,
        answers,
        last_ping_written: None,
        bad_frames: 0,
        jobs: HashMap::new(),
    };
    session.alive().await;
    if streams {
        let hello = Hello {
            extensions: vec![extension::OUTPUT_STREAM.to_owned()],
        };
        session.answer(extension::HELLO, &hello).await;
    }
    plane.wake.notify_one();
    loop {
        let frame = tokio::select! {
            () = opened.stop.cancelled() => break,
            frame = tokio::time::timeout(SILENCE, frames.next()) => frame,
        };
        let Ok(Some(Ok(frame))) = frame else { break };
        session.alive().await;
        let Frame::Binary(bytes) = frame else {
            if matches!(frame, Frame::Close(_)) {
                break;
            }
            continue;
        };
        let handled = match Message::decode(&bytes) {
            Ok(message) => session.handle(message).await,
            Err(error) => session.bad(&error.to_string()),
        };
        if handled.is_err() {
            break;
        }
    }
    plane.registry.remove(&node_id, opened.generation);
    opened.stop.cancel();
    // What is already taken in was acknowledged; the writer ends by itself.
    drop(session);
    let _ = writer.await;
    tracing::info!(node.id = %node_id, "a node's control channel is closed");
}

async fn write(
    mut sink: SplitSink<WebSocket, Frame>,
    mut jobs: mpsc::Receiver<Frame>,
    mut answers: mpsc::Receiver<Frame>,
    stop: CancellationToken,
) {
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.tick().await;
    loop {
        let frame = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(frame) = answers.recv() => frame,
            Some(frame) = jobs.recv() => frame,
            _ = ping.tick() => Frame::Ping(bytes::Bytes::new()),
        };
        match tokio::time::timeout(WRITE, sink.send(frame)).await {
            Ok(Ok(())) => {}
            _ => {
                stop.cancel();
                break;
            }
        }
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), sink.close()).await;
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    serde_json::from_slice(payload).ok()
}

impl Session {
    /// Something arrived: the node is there.
    async fn alive(&mut self) {
        let now = self.plane.clock.now();
        let is_due = self
            .last_ping_written
            .is_none_or(|last| now.since_ms(last) >= PING_WRITTEN_EVERY_MS);
        if is_due {
            match pinged(self.plane.db.writer(), &self.node_id, now).await {
                Ok(()) => self.last_ping_written = Some(now),
                Err(error) => {
                    tracing::warn!(node.id = %self.node_id, code = error.code, "a ping was not kept")
                }
            }
        }
    }

    fn bad(&mut self, why: &str) -> Result<(), Close> {
        self.bad_frames += 1;
        tracing::debug!(node.id = %self.node_id, why, "a frame was dropped");
        if self.bad_frames > MAX_BAD_FRAMES {
            tracing::warn!(node.id = %self.node_id, frames = self.bad_frames, "too many frames cannot be read");
            return Err(Close);
        }
        Ok(())
    }

    async fn answer(&self, kind: &str, content: &impl Serialize) {
        let now = self.plane.clock.now();
        let created = u64::try_from(now.0).unwrap_or(1).max(1);
        let id = Uuid::parse_str(&self.plane.random.uuid()).unwrap_or_else(|_| Uuid::from_u128(1));
        let frame = serde_json::to_vec(content)
            .ok()
            .and_then(|payload| Message::control(kind, id, created, payload).encode().ok());
        if let Some(frame) = frame {
            let _ = self.answers.send(Frame::Binary(frame.into())).await;
        }
    }

    /// The command inside a job id of this very node.
    fn command_of(&self, job_id: &str) -> Option<String> {
        let (command, node) = job_id.strip_prefix("aws.ssm.")?.rsplit_once('.')?;
        (node == self.node_id && Uuid::parse_str(command).is_ok() && command.len() == 36)
            .then(|| command.to_owned())
    }

    async fn handle(&mut self, message: Message) -> Result<(), Close> {
        match message.message_type.as_str() {
            message_type::AGENT_JOB_ACK => self.job_ack(&message).await,
            message_type::AGENT_JOB_REPLY => self.job_reply(&message).await,
            extension::OUTPUT if self.streams => self.output(&message).await,
            session_type::AGENT_TASK_COMPLETE => match complete(&self.plane, &self.node_id, &message).await {
                Heard::Acknowledge(heard) => {
                    self.answer(session_type::AGENT_TASK_ACKNOWLEDGE, &heard).await;
                    Ok(())
                }
                Heard::Later => Ok(()),
                Heard::Bad(why) => self.bad(why),
            },
            // Agents send telemetry and things of later versions: none of our business.
            _ => Ok(()),
        }
    }

    async fn job_ack(&mut self, message: &Message) -> Result<(), Close> {
        let Some(ack) = read::<AgentJobAck>(&message.payload) else {
            return self.bad("an acknowledgement cannot be read");
        };
        let Some(id) = self.command_of(&ack.job_id) else {
            return self.bad("an acknowledgement names no job of this node");
        };
        let node_id = self.node_id.clone();
        if let Some(command_id) = self.plane.registry.cancelled_by(&node_id, &id) {
            take_in(&self.plane, Report::CancelAcknowledged { command_id, node_id }).await;
            return Ok(());
        }
        let report = Report::Acknowledged {
            command_id: id,
            node_id,
            code: ack.status_code,
            message: ack.error_message,
        };
        let is_refused = !matches!(&report, Report::Acknowledged { code, .. }
            if matches!(code.as_str(), ack_code::SUCCESS | ack_code::DUPLICATE | ack_code::BUFFER_FULL));
        if let (
            true,
            Report::Acknowledged {
                command_id, node_id, ..
            },
        ) = (is_refused, &report)
        {
            self.plane.registry.ended(node_id, command_id);
        }
        let taken = match &report {
            Report::Acknowledged { command_id, .. } if !is_refused => Some(command_id.clone()),
            _ => None,
        };
        take_in(&self.plane, report).await;
        if let Some(command_id) = taken
            && let Err(error) = stop_if_given_up(&self.plane, &command_id, &self.node_id).await
        {
            tracing::warn!(command.id = %command_id, code = error.code, "a late command was not stopped");
        }
        Ok(())
    }

    async fn job_reply(&mut self, message: &Message) -> Result<(), Close> {
        let Some(reply) = read::<AgentJobReply>(&message.payload) else {
            return self.bad("a reply cannot be read");
        };
        let acknowledgement = AgentJobReplyAck {
            job_id: reply.job_id.clone(),
            acknowledged_message_id: message.id.to_string(),
        };
        let Some(command_id) = self.command_of(&reply.job_id) else {
            return self.bad("a reply names no job of this node");
        };
        let is_cancel = reply.topic.starts_with(topic::CANCEL_COMMAND)
            || self
                .plane
                .registry
                .cancelled_by(&self.node_id, &command_id)
                .is_some();
        if !is_cancel {
            let Ok(content) = serde_json::from_str::<ReplyContent>(&reply.content) else {
                return self.bad("a reply's content cannot be read");
            };
            let is_final = Detail::of_agent(&content.document_status).is_some();
            if is_final && self.streams {
                // The end is told only when the output would survive a power cut.
                if let Err(error) = self.plane.output.sync(&command_id, &self.node_id).await {
                    tracing::error!(command.id = %command_id, node.id = %self.node_id, %error, "output is not on the disk");
                    return Err(Close);
                }
            }
            let report = Report::Reply {
                command_id: command_id.clone(),
                node_id: self.node_id.clone(),
                content,
            };
            if !take_in(&self.plane, report).await {
                // Without an acknowledgement the node keeps the reply and tells it again.
                return Ok(());
            }
            if is_final {
                self.jobs.remove(&command_id);
                self.plane.registry.ended(&self.node_id, &command_id);
            }
        }
        self.answer(message_type::AGENT_JOB_REPLY_ACK, &acknowledgement)
            .await;
        Ok(())
    }

    /// Whether this node has that job and it has ended; `None` when it has no such job.
    async fn has_ended(&mut self, command_id: &str) -> Result<Option<bool>, Close> {
        if let Some(ended) = self.jobs.get(command_id) {
            return Ok(Some(*ended));
        }
        let row = invocation(self.plane.db.reader(), command_id, &self.node_id)
            .await
            .map_err(|_| Close)?;
        let Some(row) = row else { return Ok(None) };
        if self.jobs.len() >= REMEMBERED_JOBS {
            self.jobs.clear();
        }
        self.jobs.insert(command_id.to_owned(), row.finished);
        Ok(Some(row.finished))
    }

    async fn output(&mut self, message: &Message) -> Result<(), Close> {
        let Some((header, bytes)) = extension::decode_output(&message.payload) else {
            return self.bad("output cannot be read");
        };
        let Some(command_id) = self.command_of(&header.job_id) else {
            return self.bad("output names no job of this node");
        };
        let Some(key) = OutputKey::new(&command_id, &self.node_id, &header.step, &header.stream) else {
            return self.bad("output names no step and stream");
        };
        let end = header.offset.saturating_add(bytes.len() as u64);
        let offset = match self.has_ended(&command_id).await? {
            // Unknown (after an old copy was restored), or too late to be kept: the node must be able to drop it.
            None | Some(true) => end,
            Some(false) => match self
                .plane
                .output
                .append(&key, header.offset, bytes.to_vec())
                .await
            {
                Ok(offset) => offset,
                Err(error) => {
                    // The node keeps what is not acknowledged, and comes back with it later.
                    tracing::error!(command.id = %command_id, node.id = %self.node_id, %error, "output cannot be written");
                    return Err(Close);
                }
            },
        };
        self.plane.changed(&command_id, Some(&self.node_id));
        let acknowledgement = OutputAck {
            job_id: header.job_id,
            step: header.step,
            stream: header.stream,
            offset,
        };
        self.answer(extension::OUTPUT_ACK, &acknowledgement).await;
        Ok(())
    }
}
