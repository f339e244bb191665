//! Simulated nodes: they register, report, keep a channel and answer commands as a real agent does on
//! the wire, but run nothing and keep nothing on disk. Thousands fit into one process.
//! In their sessions input comes back as it is, and a line `flood <bytes>` is answered with that much output.

mod job;

pub use crate::sessions::simulated::flood_byte;

use crate::calls::{Client, Endpoint};
use crate::config::AgentConfig;
use crate::error::AgentError;
use crate::identity::{StateDir, public_key_text};
use crate::link::{Connection, Link, LinkState, Listener};
use crate::sessions::Sessions;
use crate::tokens::Tokens;
use crate::trust::Trust;
use crate::{heartbeat, host};
use futures::{StreamExt as _, TryStreamExt as _};
use job::{Sign, SimJobTask};
use muster_agent_protocol::calls::{
    RegisterManagedInstanceRequest, RegisterManagedInstanceResponse, UpdateInstanceInformationRequest,
};
use muster_agent_protocol::control::{
    AgentJob, AgentJobAck, AgentJobReplyAck, CancelCommandContent, SendCommandContent, ack_code,
    command_of_job, message_type, topic,
};
use muster_agent_protocol::extension::{OUTPUT_ACK, OutputAck};
use muster_agent_protocol::session::message_type as session;
use muster_domain::ids::NodeId;
use muster_domain::time::{Clock, Random};
use muster_session_channel::Message;
use muster_session_channel::kind::CHANNEL_CLOSED;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many simulated nodes register at the same time.
const REGISTER_AT_ONCE: usize = 16;

/// What a simulated node does with a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimAnswer {
    /// It takes so long.
    pub delay: Duration,
    /// What it writes.
    pub stdout: Vec<u8>,
    /// What it writes as errors.
    pub stderr: Vec<u8>,
    /// 0 for success.
    pub code: i32,
}

/// The command that is to be answered.
#[derive(Clone, Copy, Debug)]
pub struct SimJob<'a> {
    /// Which node of the fleet: 0, 1, 2 …
    pub number: usize,
    /// Its id.
    pub node: &'a NodeId,
    /// What it was sent.
    pub content: &'a SendCommandContent,
}

/// How simulated nodes behave.
#[derive(Clone)]
pub enum SimBehaviour {
    /// Every node answers every command alike.
    Alike(SimAnswer),
    /// Decided for each command.
    Each(Arc<dyn Fn(SimJob<'_>) -> SimAnswer + Send + Sync>),
}

/// A fleet of simulated nodes.
#[derive(Clone)]
pub struct SimConfig {
    /// The control plane.
    pub endpoint: String,
    /// `eu-west-1`.
    pub region: String,
    /// An activation with at least `count` registrations left; its tags become the nodes' tags.
    pub activation_id: String,
    /// Its code.
    pub activation_code: String,
    /// How many nodes.
    pub count: usize,
    /// Host names are `<prefix>-0`, `<prefix>-1` …
    pub prefix: String,
    /// How often they report.
    pub heartbeat: Duration,
    /// What they do.
    pub behaviour: SimBehaviour,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub random: Arc<dyn Random>,
}

/// A fleet that is registered and runs until its token is cancelled.
#[derive(Debug)]
pub struct Fleet {
    nodes: Vec<NodeId>,
    links: Vec<watch::Receiver<LinkState>>,
    tasks: TaskTracker,
}

impl Fleet {
    /// The nodes, in the order of their numbers.
    #[must_use]
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Waits until every node has its channel open and knows what the control plane speaks.
    pub async fn connected(&self) {
        for link in &self.links {
            let mut link = link.clone();
            // An error means that the fleet was stopped.
            let _ = link.wait_for(|state| state.streams_output.is_some()).await;
        }
    }

    /// Waits until all tasks have ended, after the token was cancelled.
    pub async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Registers `count` nodes and starts them.
///
/// # Errors
/// [`AgentError`] when a node could not be registered; those before it stay registered.
pub async fn fleet(config: SimConfig, stop: CancellationToken) -> Result<Fleet, AgentError> {
    let endpoint = Endpoint::parse(&config.endpoint)?;
    let client = Client::new(endpoint, &config.region, config.clock.clone(), Trust::default())?;
    // One key pair for all: each node is still known by its own id.
    let key = Arc::new(StateDir::new_key()?.pair);
    let registered: Vec<(NodeId, String)> = futures::stream::iter(0..config.count)
        .map(|number| {
            let fingerprint = config.random.uuid();
            let request = RegisterManagedInstanceRequest {
                activation_code: config.activation_code.clone(),
                activation_id: config.activation_id.clone(),
                fingerprint: fingerprint.clone(),
                public_key: public_key_text(&key),
                public_key_type: "Ed25519".into(),
            };
            let client = &client;
            async move {
                let answer: RegisterManagedInstanceResponse =
                    client.call_unsigned("RegisterManagedInstance", &request).await?;
                tracing::debug!(number, node = %answer.instance_id, "simulated node registered");
                Ok::<_, AgentError>((NodeId::new(answer.instance_id), fingerprint))
            }
        })
        .buffered(REGISTER_AT_ONCE)
        .try_collect()
        .await?;
    // Simulated nodes keep nothing on disk and start no programs: neither setting is used.
    let mut session_config = AgentConfig::new("", &[]);
    session_config.clock = config.clock.clone();
    session_config.random = config.random.clone();
    let tasks = TaskTracker::new();
    let mut links = Vec::with_capacity(registered.len());
    let nodes = registered.iter().map(|(node, _)| node.clone()).collect();
    for (number, (node, fingerprint)) in registered.into_iter().enumerate() {
        let tokens = Arc::new(Tokens::new(
            client.clone(),
            node.clone(),
            key.clone(),
            fingerprint,
        ));
        let (state, watched) = watch::channel(LinkState::default());
        links.push(watched.clone());
        let link = Link {
            client: client.clone(),
            tokens: tokens.clone(),
            node: node.clone(),
            random: config.random.clone(),
            state,
        };
        let simulated = SimNode {
            number,
            sessions: Sessions::new(
                &session_config,
                client.clone(),
                tokens.clone(),
                &node,
                watched.clone(),
                &stop,
                true,
            ),
            node,
            config: config.clone(),
            link: watched,
            jobs: Mutex::new(HashMap::new()),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let (client, stop) = (client.clone(), stop.clone());
        tasks.spawn(async move {
            let information = |is_full| simulated.information(is_full);
            let random = simulated.config.random.as_ref();
            let link_stop = CancellationToken::new();
            tokio::join!(
                link.keep(&simulated, &link_stop),
                async {
                    simulated.sessions.run_until_stopped().await;
                    link_stop.cancel();
                },
                heartbeat::keep(
                    &client,
                    &tokens,
                    information,
                    simulated.config.heartbeat,
                    random,
                    &stop
                ),
            );
        });
    }
    Ok(Fleet { nodes, links, tasks })
}

struct SimNode {
    number: usize,
    node: NodeId,
    config: SimConfig,
    link: watch::Receiver<LinkState>,
    sessions: Sessions,
    /// All commands ever sent to it, by id.
    jobs: Mutex<HashMap<String, mpsc::UnboundedSender<Sign>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl SimNode {
    fn information(&self, is_full: bool) -> UpdateInstanceInformationRequest {
        let short = host::short_information(&self.node);
        if !is_full {
            return short;
        }
        let [_, _, high, low] = u32::try_from(self.number).unwrap_or_default().to_be_bytes();
        UpdateInstanceInformationRequest {
            agent_status: Some("Active".into()),
            platform_name: Some("Simulated Linux".into()),
            platform_version: Some("1".into()),
            computer_name: Some(format!("{}-{}", self.config.prefix, self.number)),
            ip_address: Some(format!("10.64.{high}.{low}")),
            connection_channel: Some("ssmmessages".into()),
            ..short
        }
    }

    fn tell(&self, job_id: &str, sign: Sign) {
        if let Some(command) = command_of_job(job_id) {
            let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(job) = jobs.get(command) {
                let _ = job.send(sign);
            }
        }
    }

    /// Starts a command; `false` when it was sent before.
    fn begin(&self, job: &AgentJob, content: SendCommandContent) -> bool {
        let (sender, signs) = mpsc::unbounded_channel();
        {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            if jobs.contains_key(&content.command_id) {
                return false;
            }
            jobs.insert(content.command_id.clone(), sender);
        }
        let answer = match &self.config.behaviour {
            SimBehaviour::Alike(answer) => answer.clone(),
            SimBehaviour::Each(decide) => decide(SimJob {
                number: self.number,
                node: &self.node,
                content: &content,
            }),
        };
        let task = SimJobTask::new(
            job.job_id.clone(),
            content,
            answer,
            self.config.clock.clone(),
            self.config.random.clone(),
        );
        let (link, stop) = (self.link.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task.run(link, signs) => {}
            }
        });
        true
    }
}

impl Listener for SimNode {
    async fn message(&self, connection: &Connection, message: Message) {
        match message.message_type.as_str() {
            session::INTERACTIVE_SHELL => self.sessions.start(&message),
            CHANNEL_CLOSED => self.sessions.close(&message),
            session::AGENT_TASK_ACKNOWLEDGE => self.sessions.heard(&message),
            message_type::AGENT_JOB => {
                let Ok(job) = serde_json::from_slice::<AgentJob>(&message.payload) else {
                    return;
                };
                let mut code = ack_code::SUCCESS;
                let mut begins = None;
                if job.topic.starts_with(topic::CANCEL_COMMAND) {
                    if let Ok(content) = serde_json::from_str::<CancelCommandContent>(&job.content) {
                        self.tell(&content.cancel_message_id, Sign::Cancel);
                    }
                } else {
                    match serde_json::from_str::<SendCommandContent>(&job.content) {
                        Ok(content) => begins = Some(content),
                        Err(_) => code = ack_code::PARSE_ERROR,
                    }
                }
                if let Some(content) = &begins {
                    let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
                    if jobs.contains_key(&content.command_id) {
                        code = ack_code::DUPLICATE;
                    }
                }
                let now = self.config.clock.now();
                let ack = AgentJobAck {
                    job_id: job.job_id.clone(),
                    acknowledged_message_id: message.id.to_string(),
                    created_date: now.rfc3339(),
                    status_code: code.to_owned(),
                    error_message: String::new(),
                };
                let payload = serde_json::to_vec(&ack).unwrap_or_default();
                let id = job::new_id(self.config.random.as_ref());
                let _ = connection
                    .send(message_type::AGENT_JOB_ACK, id, now.0, payload)
                    .await;
                if let Some(content) = begins
                    && !self.begin(&job, content)
                {
                    self.tell(&job.job_id, Sign::AnswerAgain);
                }
            }
            message_type::AGENT_JOB_REPLY_ACK => {
                if let Ok(ack) = serde_json::from_slice::<AgentJobReplyAck>(&message.payload)
                    && let Ok(id) = ack.acknowledged_message_id.parse()
                {
                    self.tell(&ack.job_id, Sign::ReplyKept(id));
                }
            }
            OUTPUT_ACK => {
                if let Ok(ack) = serde_json::from_slice::<OutputAck>(&message.payload) {
                    self.tell(&ack.job_id.clone(), Sign::OutputKept(ack));
                }
            }
            _ => {}
        }
    }
}
