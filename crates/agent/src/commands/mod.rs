//! Commands on this node: taken from the control channel, kept on disk, each followed to its end.

pub(crate) mod document;
mod follow;
pub(crate) mod job_dir;
mod replies;
pub(crate) mod streams;

use crate::config::AgentConfig;
use crate::host;
use crate::inventory::InventoryCalls;
use crate::link::{Connection, LinkState, Listener};
use document::Unfit;
use follow::{Event, Follower};
use job_dir::{Job, JobDir, Jobs};
use muster_agent_protocol::control::{
    AgentJob, AgentJobAck, AgentJobReplyAck, CancelCommandContent, SendCommandContent, ack_code,
    command_of_job, message_type, topic,
};
use muster_agent_protocol::extension::{OUTPUT_ACK, OutputAck};
use muster_domain::ids::NodeId;
use muster_session_channel::Message;
use replies::ReplyWriter;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// What all jobs of a node share.
struct Shared {
    config: AgentConfig,
    jobs: Jobs,
    node: NodeId,
    region: String,
    link: watch::Receiver<LinkState>,
    inventory: InventoryCalls,
    slots: Arc<Semaphore>,
    replies: ReplyWriter,
    stop: CancellationToken,
    followed: Mutex<HashMap<String, mpsc::UnboundedSender<Event>>>,
}

impl Shared {
    fn followed(&self) -> MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Event>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.config.random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The commands of one node.
pub(crate) struct Commands {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

/// Why a job is not taken.
struct Refusal {
    code: &'static str,
    reason: String,
}

impl Refusal {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }
}

impl Commands {
    /// Opens what is on disk and follows it: commands that still run, that never started, that ended
    /// without the control plane knowing.
    pub(crate) fn open(
        config: &AgentConfig,
        node: &NodeId,
        region: &str,
        link: watch::Receiver<LinkState>,
        inventory: InventoryCalls,
        stop: &CancellationToken,
    ) -> io::Result<Self> {
        let commands = Self {
            shared: Arc::new(Shared {
                config: config.clone(),
                jobs: Jobs::open(&config.state_dir)?,
                node: node.clone(),
                region: region.to_owned(),
                link,
                inventory,
                slots: Arc::new(Semaphore::new(config.max_jobs.max(1))),
                replies: ReplyWriter::new(host::platform_version()),
                stop: stop.clone(),
                followed: Mutex::new(HashMap::new()),
            }),
            tasks: TaskTracker::new(),
        };
        commands.shared.jobs.remove_unfinished()?;
        for (dir, job) in commands.shared.jobs.all()? {
            if dir.delivery().final_ms.is_none() {
                commands.follow(dir, job);
            }
        }
        Ok(commands)
    }

    /// Removes what is long done, every hour, until the agent stops; then waits for the followers.
    pub(crate) async fn sweep_until_stopped(&self) {
        let mut every = tokio::time::interval(std::time::Duration::from_secs(3600));
        loop {
            tokio::select! {
                () = self.shared.stop.cancelled() => break,
                _ = every.tick() => {}
            }
            if let Err(error) = self.shared.jobs.sweep(self.shared.config.clock.now().0) {
                tracing::warn!(%error, "old commands could not be removed from disk");
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Follows a job unless somebody does already.
    fn follow(&self, dir: JobDir, job: Job) {
        let command = job.content.command_id.clone();
        let (sender, events) = mpsc::unbounded_channel();
        {
            let mut followed = self.shared.followed();
            if followed.contains_key(&command) {
                return;
            }
            followed.insert(command.clone(), sender);
        }
        let shared = self.shared.clone();
        self.tasks.spawn(async move {
            Follower::new(shared.clone(), dir, job, events).run().await;
            shared.followed().remove(&command);
        });
    }

    /// Tells the job's follower; `false` when there is none.
    fn tell(&self, command: &str, event: Event) -> bool {
        self.shared
            .followed()
            .get(command)
            .is_some_and(|follower| follower.send(event).is_ok())
    }

    async fn take(&self, connection: &Connection, message: &Message) {
        let job: AgentJob = match serde_json::from_slice(&message.payload) {
            Ok(job) => job,
            Err(error) => {
                let reason = format!("the job cannot be read: {error}");
                self.acknowledge(connection, message, "", ack_code::PARSE_ERROR, &reason)
                    .await;
                return;
            }
        };
        let is_send = job.topic.starts_with(topic::SEND_COMMAND);
        let taken = if is_send {
            self.take_command(&job).await.map(Some)
        } else if job.topic.starts_with(topic::CANCEL_COMMAND) {
            self.take_cancel(connection, message, &job).await.map(|()| None)
        } else {
            Err(Refusal::new(
                ack_code::UNEXPECTED,
                format!("the topic {:?} is not known", job.topic),
            ))
        };
        match taken {
            Ok(Some((dir, kept))) => {
                tracing::info!(command = %kept.content.command_id, document = %kept.content.document_name, "command taken");
                self.acknowledge(connection, message, &job.job_id, ack_code::SUCCESS, "Successful")
                    .await;
                self.follow(dir, kept);
            }
            Ok(None) => {}
            Err(refusal) => {
                tracing::warn!(job = %job.job_id, code = refusal.code, reason = %refusal.reason, "job not taken");
                self.acknowledge(connection, message, &job.job_id, refusal.code, &refusal.reason)
                    .await;
                if refusal.code == ack_code::DUPLICATE
                    && let Some(command) = command_of_job(&job.job_id)
                {
                    self.answer_again(command);
                }
            }
        }
    }

    async fn take_command(&self, job: &AgentJob) -> Result<(JobDir, Job), Refusal> {
        let content: SendCommandContent = serde_json::from_str(&job.content).map_err(|error| {
            Refusal::new(
                ack_code::PARSE_ERROR,
                format!("the command cannot be read: {error}"),
            )
        })?;
        let command = command_of_job(&job.job_id).unwrap_or_default();
        let dir = self
            .shared
            .jobs
            .dir(command)
            .filter(|_| command == content.command_id)
            .ok_or_else(|| {
                Refusal::new(
                    ack_code::PARSE_ERROR,
                    format!("{:?} does not name the command", job.job_id),
                )
            })?;
        document::check(&content.document_content).map_err(|unfit| match unfit {
            Unfit::Schema(reason) => Refusal::new(ack_code::PARSE_ERROR, reason),
            Unfit::Document(reason) => Refusal::new(ack_code::INVALID_DOCUMENT, reason),
        })?;
        let duplicate = || Refusal::new(ack_code::DUPLICATE, "the command is known; it is not run twice");
        if self.shared.jobs.is_past(command) {
            return Err(duplicate());
        }
        let kept = Job {
            job_id: job.job_id.clone(),
            node_id: self.shared.node.to_string(),
            region: self.shared.region.clone(),
            received_ms: self.shared.config.clock.now().0,
            output_cap_bytes: self.shared.config.output_cap_bytes,
            content,
        };
        let (target, to_keep) = (dir.clone(), kept.clone());
        match tokio::task::spawn_blocking(move || target.create(&to_keep)).await {
            Ok(Ok(true)) => Ok((dir, kept)),
            Ok(Ok(false)) => Err(duplicate()),
            Ok(Err(error)) => Err(Refusal::new(
                ack_code::BUFFER_FULL,
                format!("the command could not be kept on this node's disk: {error}"),
            )),
            Err(error) => Err(Refusal::new(ack_code::UNEXPECTED, error.to_string())),
        }
    }

    /// A duplicate: whoever sent it again may have missed the end.
    fn answer_again(&self, command: &str) {
        if self.tell(command, Event::AnswerAgain) {
            return;
        }
        if let Some(dir) = self.shared.jobs.dir(command)
            && let Ok(Some(job)) = dir.job()
        {
            // It has begun and ended: only the ends are told again.
            let again = job_dir::Delivery {
                in_progress: true,
                ..job_dir::Delivery::default()
            };
            let _ = dir.save_delivery(&again);
            self.follow(dir, job);
        }
    }

    async fn take_cancel(
        &self,
        connection: &Connection,
        message: &Message,
        job: &AgentJob,
    ) -> Result<(), Refusal> {
        let content: CancelCommandContent = serde_json::from_str(&job.content).map_err(|error| {
            Refusal::new(
                ack_code::PARSE_ERROR,
                format!("the request to cancel cannot be read: {error}"),
            )
        })?;
        let command = command_of_job(&content.cancel_message_id).unwrap_or_default();
        let known = self
            .shared
            .jobs
            .dir(command)
            .filter(|dir| dir.path().join("job.json").exists());
        if let Some(dir) = &known {
            let marked = dir.clone();
            let marked = tokio::task::spawn_blocking(move || marked.cancel()).await;
            if let Ok(Err(error)) = marked {
                let reason = format!("the cancellation could not be kept on disk: {error}");
                return Err(Refusal::new(ack_code::BUFFER_FULL, reason));
            }
        }
        self.acknowledge(connection, message, &job.job_id, ack_code::SUCCESS, "Successful")
            .await;
        if known.is_some() {
            tracing::info!(%command, "cancelling");
            let now = self.shared.config.clock.now();
            let reply = self
                .shared
                .replies
                .in_progress(&job.job_id, topic::CANCEL_COMMAND, now);
            let _ = connection
                .send(message_type::AGENT_JOB_REPLY, self.shared.new_id(), now.0, reply)
                .await;
            if !self.tell(command, Event::Cancel) {
                // It has ended before: its last reply says so once more.
                self.answer_again(command);
            }
        }
        Ok(())
    }

    async fn acknowledge(
        &self,
        connection: &Connection,
        message: &Message,
        job_id: &str,
        code: &str,
        text: &str,
    ) {
        let now = self.shared.config.clock.now();
        let ack = AgentJobAck {
            job_id: job_id.to_owned(),
            acknowledged_message_id: message.id.to_string(),
            created_date: now.rfc3339(),
            status_code: code.to_owned(),
            error_message: text.to_owned(),
        };
        let payload = serde_json::to_vec(&ack).unwrap_or_default();
        let _ = connection
            .send(message_type::AGENT_JOB_ACK, self.shared.new_id(), now.0, payload)
            .await;
    }
}

impl Listener for Commands {
    async fn message(&self, connection: &Connection, message: Message) {
        match message.message_type.as_str() {
            message_type::AGENT_JOB => self.take(connection, &message).await,
            message_type::AGENT_JOB_REPLY_ACK => {
                if let Ok(ack) = serde_json::from_slice::<AgentJobReplyAck>(&message.payload)
                    && let Ok(id) = ack.acknowledged_message_id.parse()
                    && let Some(command) = command_of_job(&ack.job_id)
                {
                    self.tell(command, Event::ReplyKept(id));
                }
            }
            OUTPUT_ACK => {
                if let Ok(ack) = serde_json::from_slice::<OutputAck>(&message.payload)
                    && let Some(command) = command_of_job(&ack.job_id).map(str::to_owned)
                {
                    self.tell(&command, Event::OutputKept(ack));
                }
            }
            other => tracing::debug!(message_type = other, "a message of an unknown type is ignored"),
        }
    }
}
