//! What a follower sends: output through the window, replies until they are acknowledged, in order.

use super::{Event, Follower, OUTPUT_PATIENCE, ReplyKey, STEP_TRIES, Sent};
use crate::commands::job_dir::StreamName;
use crate::commands::streams::Piece;
use crate::link::{Connection, LinkState, Lost};
use muster_agent_protocol::control::{message_type, topic};
use muster_agent_protocol::extension::{OUTPUT, OutputHeader, encode_output};
use std::io;
use std::os::unix::fs::FileExt as _;
use tokio::time::Instant;

impl Follower {
    /// Takes in what the control plane has, or wants again.
    pub(super) fn note(&mut self, event: Event) {
        match event {
            Event::OutputKept(ack) => {
                let steps = &self.job.content.document_content.main_steps;
                let step = steps.iter().position(|step| step.name == ack.step);
                let stream = StreamName::ALL
                    .into_iter()
                    .find(|name| name.as_str() == ack.stream);
                if let (Some(step), Some(stream)) = (step, stream) {
                    self.streams.acknowledged(step, stream, ack.offset);
                    self.output_moved = Instant::now();
                }
            }
            Event::ReplyKept(id) => {
                match self.ids.remove(&id) {
                    Some(ReplyKey::InProgress) => self.delivery.in_progress = true,
                    Some(ReplyKey::Step(step)) if !self.delivery.steps.contains(&step) => {
                        self.delivery.steps.push(step);
                    }
                    Some(ReplyKey::Last) => self.delivery.final_ms = Some(self.shared.config.clock.now().0),
                    Some(ReplyKey::Step(_)) | None => return,
                }
                // Losing this costs one reply more after a restart, no command.
                if let Err(error) = self.dir.save_delivery(&self.delivery) {
                    tracing::warn!(%error, "an acknowledgement could not be kept on disk");
                }
            }
            Event::AnswerAgain => {
                self.delivery.final_ms = None;
                self.sent.remove(&ReplyKey::Last);
            }
            // The mark on disk has told the worker already.
            Event::Cancel => {}
        }
    }

    /// Sends all that may be sent on this channel now.
    pub(super) async fn deliver(&mut self, state: &LinkState) -> Result<(), Lost> {
        let Some(connection) = &state.connection else {
            return Ok(());
        };
        if connection.generation != self.generation {
            self.generation = connection.generation;
            self.streams.start_over();
            self.output_moved = Instant::now();
            for sent in self.sent.values_mut() {
                sent.is_current = false;
            }
        }
        let is_running = self.is_started || self.dir.is_started();
        if is_running
            && !self.delivery.in_progress
            && self.result.is_none()
            && self.is_due(ReplyKey::InProgress)
        {
            let now = self.shared.config.clock.now();
            let reply = self
                .shared
                .replies
                .in_progress(&self.job.job_id, topic::SEND_COMMAND, now);
            self.send_reply(connection, ReplyKey::InProgress, reply).await?;
        }
        let Some(streams_output) = state.streams_output else {
            return Ok(());
        };
        if streams_output {
            self.send_output(connection).await?;
        }
        for step in 0..self.steps.len() {
            let Some(result) = self.steps.get(step).cloned().flatten() else {
                // It runs, or it never will: then the end is known already.
                if self.result.is_none() {
                    return Ok(());
                }
                continue;
            };
            if streams_output && !self.streams.is_kept(step) {
                return Ok(());
            }
            let key = ReplyKey::Step(step);
            if !self.delivery.steps.contains(&step) && self.is_due(key) {
                let now = self.shared.config.clock.now();
                let reply = self.shared.replies.step(&self.dir, &self.job, step, &result, now);
                self.send_reply(connection, key, reply).await?;
            }
        }
        if self.result.is_some() && self.delivery.final_ms.is_none() && !self.deliver_inventory().await {
            return Ok(());
        }
        self.send_last(connection).await
    }

    /// What steps found out about the node, before the command counts as done: whoever waits for its end then finds it.
    /// `false` when it has to be tried again.
    async fn deliver_inventory(&mut self) -> bool {
        for step in 0..self.steps.len() {
            if self.delivery.inventory.contains(&step) {
                continue;
            }
            let items = match self.dir.inventory(step) {
                Ok(Some(items)) => items,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(%error, job = %self.job.job_id, "the inventory of a step cannot be read");
                    continue;
                }
            };
            if !self.shared.inventory.put(items).await {
                return false;
            }
            self.delivery.inventory.push(step);
            // Losing this delivers it once more, which changes nothing.
            if let Err(error) = self.dir.save_delivery(&self.delivery) {
                tracing::warn!(%error, "that inventory was delivered could not be kept on disk");
            }
        }
        true
    }

    async fn send_last(&mut self, connection: &Connection) -> Result<(), Lost> {
        if let Some(result) = self.result.clone()
            && self.delivery.final_ms.is_none()
            && self.is_due(ReplyKey::Last)
        {
            let now = self.shared.config.clock.now();
            let reply = self
                .shared
                .replies
                .last(&self.dir, &self.job, &result, &self.steps, now);
            self.send_reply(connection, ReplyKey::Last, reply).await?;
        }
        Ok(())
    }

    fn is_due(&self, key: ReplyKey) -> bool {
        self.sent
            .get(&key)
            .is_none_or(|sent| !sent.is_current || sent.at.elapsed() >= self.shared.config.resend)
    }

    async fn send_reply(
        &mut self,
        connection: &Connection,
        key: ReplyKey,
        payload: Vec<u8>,
    ) -> Result<(), Lost> {
        let id = self.shared.new_id();
        let now = self.shared.config.clock.now().0;
        self.ids.insert(id, key);
        connection
            .send(message_type::AGENT_JOB_REPLY, id, now, payload)
            .await?;
        let times = self.sent.get(&key).map_or(0, |sent| sent.times) + 1;
        self.sent.insert(
            key,
            Sent {
                at: Instant::now(),
                times,
                is_current: true,
            },
        );
        Ok(())
    }

    async fn send_output(&mut self, connection: &Connection) -> Result<(), Lost> {
        if self.streams.on_the_way() > 0 && self.output_moved.elapsed() >= OUTPUT_PATIENCE {
            self.streams.start_over();
            self.output_moved = Instant::now();
        }
        while let Some(piece) = self.streams.next() {
            let bytes = match self.read(&piece) {
                Ok(bytes) if !bytes.is_empty() => bytes,
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, job = %self.job.job_id, "output cannot be read");
                    break;
                }
            };
            let step = self.job.content.document_content.main_steps.get(piece.step);
            let header = OutputHeader {
                job_id: self.job.job_id.clone(),
                step: step.map(|step| step.name.clone()).unwrap_or_default(),
                stream: piece.stream.as_str().to_owned(),
                offset: piece.offset,
            };
            let payload = encode_output(&header, &bytes).map_err(|_| Lost)?;
            let now = self.shared.config.clock.now().0;
            if self.streams.on_the_way() == 0 {
                self.output_moved = Instant::now();
            }
            connection
                .send(OUTPUT, self.shared.new_id(), now, payload)
                .await?;
            self.streams.sent(&piece, bytes.len());
        }
        Ok(())
    }

    fn read(&self, piece: &Piece) -> io::Result<Vec<u8>> {
        let file = std::fs::File::open(self.dir.stream(piece.step, piece.stream))?;
        let mut bytes = vec![0; piece.bytes];
        let read = file.read_at(&mut bytes, piece.offset)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// All replies about steps are acknowledged, or there is no hope for them.
    pub(super) fn are_steps_told(&self) -> bool {
        (0..self.steps.len()).all(|step| {
            self.steps.get(step).is_none_or(Option::is_none)
                || self.delivery.steps.contains(&step)
                || self
                    .sent
                    .get(&ReplyKey::Step(step))
                    .is_some_and(|sent| sent.times >= STEP_TRIES)
        })
    }
}
