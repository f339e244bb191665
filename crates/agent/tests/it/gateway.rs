//! A small control plane for tests: checks signatures, hands out channels, keeps what agents say.

use crate::gateway_server::router;
use crate::leg::Leg;
use axum::serve::ListenerExt as _;
use muster_agent_protocol::calls::UpdateInstanceInformationRequest;
use muster_agent_protocol::control::{AgentJob, AgentJobAck, OpenControlChannel, ReplyContent, job_id};
use muster_agent_protocol::extension::SessionInfo;
use muster_agent_protocol::session::AgentTaskComplete;
use muster_agent_protocol::signing::NodeKey;
use muster_session_channel::Message;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACTIVATION_ID: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const ACTIVATION_CODE: &str = "code-code-code-code-";
const PATIENCE: Duration = Duration::from_secs(30);

/// What came in.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) keys: HashMap<String, NodeKey>,
    pub(crate) information: Vec<UpdateInstanceInformationRequest>,
    pub(crate) opened: Vec<OpenControlChannel>,
    pub(crate) acks: Vec<AgentJobAck>,
    pub(crate) replies: Vec<(String, String, ReplyContent)>,
    /// By job, step and stream.
    pub(crate) output: HashMap<(String, String, String), Vec<u8>>,
    pub(crate) output_bytes_received: u64,
    pub(crate) open: HashMap<String, mpsc::UnboundedSender<Order>>,
    pub(crate) violations: Vec<String>,
    /// Messages about sessions: their ends, and what runs in them.
    pub(crate) completed: Vec<AgentTaskComplete>,
    pub(crate) described: Vec<SessionInfo>,
    /// Data channels by session.
    pub(crate) legs: HashMap<String, Arc<Leg>>,
    /// How often a data channel was asked for.
    pub(crate) created: HashMap<String, u32>,
}

pub(crate) enum Order {
    Send(Message),
    Drop,
}

/// How it behaves.
#[derive(Clone)]
pub(crate) struct Manners {
    pub(crate) speaks_output: bool,
    pub(crate) acks_replies: bool,
    pub(crate) acks_output: bool,
    pub(crate) acks_ends: bool,
    /// Drops the channel whenever so many bytes of output came since it was opened.
    pub(crate) drop_after_bytes: Option<u64>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            speaks_output: true,
            acks_replies: true,
            acks_output: true,
            acks_ends: true,
            drop_after_bytes: None,
        }
    }
}

pub(crate) struct Inner {
    pub(crate) seen: Mutex<Seen>,
    pub(crate) manners: Mutex<Manners>,
    ticks: watch::Sender<u64>,
}

pub(crate) struct Gateway {
    pub(crate) inner: Arc<Inner>,
    address: SocketAddr,
    stop: CancellationToken,
    served: Option<tokio::task::JoinHandle<()>>,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner {
            seen: Mutex::default(),
            manners: Mutex::default(),
            ticks: watch::channel(0).0,
        });
        let mut gateway = Self {
            inner,
            address: "127.0.0.1:0".parse().unwrap(),
            stop: CancellationToken::new(),
            served: None,
        };
        gateway.come_back().await;
        gateway
    }

    /// Listens (again), on the same port.
    pub(crate) async fn come_back(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.stop = CancellationToken::new();
        let router = router(self.inner.clone(), self.stop.clone());
        let stop = self.stop.clone();
        self.served = Some(tokio::spawn(async move {
            // Small messages must not wait for acknowledgements of the ones before.
            let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
            let _ = axum::serve(listener, router)
                .with_graceful_shutdown(stop.cancelled_owned())
                .await;
        }));
    }

    /// Is gone: no port, no channels.
    pub(crate) async fn go_away(&mut self) {
        self.stop.cancel();
        self.drop_channels();
        if let Some(served) = self.served.take() {
            served.abort();
            let _ = served.await;
        }
        self.disconnected().await;
    }

    pub(crate) fn drop_channels(&self) {
        let seen = self.inner.seen.lock().unwrap();
        for channel in seen.open.values() {
            let _ = channel.send(Order::Drop);
        }
        for leg in seen.legs.values() {
            leg.drop_connection();
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.inner.manners.lock().unwrap());
    }

    /// Waits until `look` finds what it looks for.
    pub(crate) async fn wait<T>(&self, what: &str, look: impl Fn(&mut Seen) -> Option<T>) -> T {
        let mut ticks = self.inner.ticks.subscribe();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                ticks.borrow_and_update();
                if let Some(found) = look(&mut self.inner.seen.lock().unwrap()) {
                    return found;
                }
                ticks.changed().await.unwrap();
            }
        })
        .await;
        match found {
            Ok(found) => found,
            Err(_) => {
                let seen = self.inner.seen.lock().unwrap();
                let replies: Vec<_> = seen
                    .replies
                    .iter()
                    .map(|(job, _, content)| (job, &content.document_status, &content.runtime_status))
                    .collect();
                panic!(
                    "waited in vain until {what}; acks {:#?}, replies {replies:#?}",
                    seen.acks
                )
            }
        }
    }

    pub(crate) async fn connected(&self, node: &str) {
        self.wait("the node is connected", |seen| {
            seen.open.contains_key(node).then_some(())
        })
        .await;
    }

    pub(crate) async fn disconnected(&self) {
        self.wait("all channels are gone", |seen| seen.open.is_empty().then_some(()))
            .await;
    }

    fn send(&self, node: &str, job: &AgentJob) -> Uuid {
        self.send_message(node, "agent_job", &json!(job))
    }

    pub(crate) fn send_message(&self, node: &str, message_type: &str, payload: &Value) -> Uuid {
        let id = Uuid::from_u128(rand());
        let message = Message::control(message_type, id, 1, serde_json::to_vec(payload).unwrap());
        let seen = self.inner.seen.lock().unwrap();
        seen.open[node].send(Order::Send(message)).ok().unwrap();
        id
    }

    /// Sends a document with these steps; answers the job's id.
    pub(crate) fn send_steps(&self, node: &str, command: &str, steps: Value, parameters: Value) -> String {
        let content = json!({
            "CommandId": command, "DocumentName": "AWS-RunShellScript",
            "DocumentContent": {"schemaVersion": "2.2", "description": "", "parameters": {
                "commands": {"type": "StringList"},
                "executionTimeout": {"type": "String", "default": "3600"}}, "mainSteps": steps},
            "Parameters": parameters, "OutputS3BucketName": "", "CloudWatchOutputEnabled": "false"
        });
        self.send_content(node, command, &content)
    }

    pub(crate) fn send_content(&self, node: &str, command: &str, content: &Value) -> String {
        let job_id = job_id(command, node);
        self.send(
            node,
            &AgentJob {
                schema_version: 1,
                job_id: job_id.clone(),
                topic: "aws.ssm.sendCommand.eu.west.1.1".into(),
                content: content.to_string(),
            },
        );
        job_id
    }

    /// Sends `AWS-RunShellScript`.
    pub(crate) fn send_script(&self, node: &str, command: &str, lines: &[&str], timeout: u32) -> String {
        let step = json!([{"action": "aws:runShellScript", "name": "run",
            "inputs": {"runCommand": "{{ commands }}", "timeoutSeconds": "{{ executionTimeout }}"}}]);
        let parameters = json!({"commands": lines, "executionTimeout": [timeout.to_string()]});
        self.send_steps(node, command, step, parameters)
    }

    pub(crate) fn cancel(&self, node: &str, command: &str, cancel_id: &str) -> String {
        let content = json!({"CancelMessageId": job_id(command, node)});
        let job = AgentJob {
            schema_version: 1,
            job_id: job_id(cancel_id, node),
            topic: "aws.ssm.cancelCommand.eu.west.1.1".into(),
            content: content.to_string(),
        };
        self.send(node, &job);
        job.job_id
    }

    pub(crate) async fn ack_of(&self, job_id: &str, number: usize) -> AgentJobAck {
        self.wait("the job is acknowledged", |seen| {
            seen.acks
                .iter()
                .filter(|ack| ack.job_id == job_id)
                .nth(number)
                .cloned()
        })
        .await
    }

    /// The `number`th last reply of a job.
    pub(crate) async fn last_reply(&self, job_id: &str, number: usize) -> ReplyContent {
        self.wait("the command has ended", |seen| {
            let mut last = seen
                .replies
                .iter()
                .filter(|(job, _, content)| job == job_id && content.document_status != "InProgress");
            last.nth(number).map(|(_, _, content)| content.clone())
        })
        .await
    }

    pub(crate) fn output(&self, job_id: &str, step: &str, stream: &str) -> Vec<u8> {
        let key = (job_id.to_owned(), step.to_owned(), stream.to_owned());
        let seen = self.inner.seen.lock().unwrap();
        assert_eq!(seen.violations, Vec::<String>::new());
        seen.output.get(&key).cloned().unwrap_or_default()
    }
}

pub(crate) fn rand() -> u128 {
    use muster_domain::time::Random as _;
    let mut bytes = [0; 16];
    muster_domain::system::SystemRandom.fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

impl Inner {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let result = change(&mut self.seen.lock().unwrap());
        self.ticks.send_modify(|tick| *tick += 1);
        result
    }
}
