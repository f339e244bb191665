//! A simulated agent on a real websocket: it says what the test tells it to say.

use crate::world::{Node, World};
use futures::{SinkExt as _, StreamExt as _};
use http::HeaderMap;
use muster_agent_protocol::control::{
    AgentJob, AgentJobAck, AgentJobReply, OpenControlChannel, ReplyContent, SendCommandContent, StepStatus,
};
use muster_agent_protocol::extension::{OUTPUT, OUTPUT_ACK, OutputAck, OutputHeader, encode_output};
use muster_session_channel::Message;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

/// Serves a control plane on a port of this machine.
pub(crate) async fn serve(world: &World) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.plane.router();
    tokio::spawn(async move {
        axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .await
        .unwrap();
    });
    address
}

pub(crate) struct Agent {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    node_id: String,
    /// Messages of this type are not skipped while another one is waited for.
    pub(crate) keeps: Option<&'static str>,
    aside: Vec<Message>,
}

/// Asks for a token as the node.
pub(crate) async fn token(world: &World, node: &Node) -> String {
    let path = format!("/v1/control-channel/{}", node.id);
    let body = br#"{"MessageSchemaVersion":"1.0","RequestId":"r"}"#.to_vec();
    let headers = [("content-type", "application/json")];
    let signed = world.signed(
        &node.credentials,
        "ssmmessages",
        crate::world::REGION,
        ("POST", &path, ""),
        &headers,
        &body,
    );
    let (status, _, answer) = world.send("POST", &path, signed, body).await;
    let text = String::from_utf8(answer).unwrap();
    assert_eq!(status, 201, "{text}");
    let (_, rest) = text.split_once("<TokenValue>").unwrap();
    rest.split_once("</TokenValue>").unwrap().0.to_owned()
}

/// Opens the websocket; the first frame is still to be sent.
pub(crate) async fn socket(
    world: &World,
    node: &Node,
    address: SocketAddr,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, tokio_tungstenite::tungstenite::Error> {
    let path = format!("/v1/control-channel/{}", node.id);
    let query = "role=subscribe&stream=input";
    let mut request = format!("ws://{address}{path}?{query}")
        .into_client_request()
        .unwrap();
    let signed: HeaderMap = world.signed(
        &node.credentials,
        "ssmmessages",
        crate::world::REGION,
        ("GET", &path, query),
        &[],
        b"",
    );
    request.headers_mut().extend(signed);
    connect_async(request).await.map(|(socket, _)| socket)
}

impl Agent {
    /// Opens a control channel.
    pub(crate) async fn connect(
        world: &World,
        node: &Node,
        address: SocketAddr,
        extensions: &[&str],
    ) -> Self {
        let token = token(world, node).await;
        let mut socket = socket(world, node, address).await.unwrap();
        let first = OpenControlChannel {
            message_schema_version: "1.0".into(),
            request_id: "r".into(),
            token_value: token,
            agent_version: "0.1.0".into(),
            platform_type: "linux".into(),
            muster_extensions: extensions.iter().map(|name| (*name).to_owned()).collect(),
        };
        socket
            .send(Frame::text(serde_json::to_string(&first).unwrap()))
            .await
            .unwrap();
        let id = node.id.clone();
        let connected = async || {
            let output = world
                .ok("GetConnectionStatus", serde_json::json!({"Target": id}))
                .await;
            output["Status"] == "connected"
        };
        world.until("the channel opens", connected).await;
        Self {
            socket,
            node_id: node.id.clone(),
            keeps: None,
            aside: Vec::new(),
        }
    }

    /// The next message of this type; others are skipped.
    pub(crate) async fn receive(&mut self, kind: &str) -> Message {
        self.receive_within(kind, Duration::from_secs(20)).await
    }

    /// The same, for an agent that has nothing to do for a while.
    pub(crate) async fn receive_long(&mut self, kind: &str) -> Message {
        self.receive_within(kind, Duration::from_secs(300)).await
    }

    async fn receive_within(&mut self, kind: &str, limit: Duration) -> Message {
        if let Some(at) = self.aside.iter().position(|message| message.message_type == kind) {
            return self.aside.remove(at);
        }
        let waiting = async {
            loop {
                match self.socket.next().await.expect("the channel is open").unwrap() {
                    Frame::Binary(bytes) => {
                        let message = Message::decode(&bytes).unwrap();
                        if message.message_type == kind {
                            return message;
                        }
                        if self.keeps == Some(message.message_type.as_str()) {
                            self.aside.push(message);
                        }
                    }
                    Frame::Close(frame) => panic!("the channel was closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(limit, waiting)
            .await
            .unwrap_or_else(|_| panic!("no {kind} came"))
    }

    /// Waits until the control plane closes the channel.
    pub(crate) async fn closed(&mut self) {
        let waiting = async {
            while let Some(Ok(frame)) = self.socket.next().await {
                if frame.is_close() {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .unwrap();
    }

    pub(crate) async fn raw(&mut self, frame: Frame) {
        self.socket.send(frame).await.unwrap();
    }

    /// The same, where the control plane may have closed the channel by now.
    pub(crate) async fn raw_or_closed(&mut self, frame: Frame) {
        let _ = self.socket.send(frame).await;
    }

    pub(crate) async fn send(&mut self, kind: &str, payload: Vec<u8>) -> Uuid {
        let id = Uuid::from_u128(u128::from(rand_id()));
        let frame = Message::control(kind, id, 1, payload).encode().unwrap();
        self.socket.send(Frame::binary(frame)).await.unwrap();
        id
    }

    pub(crate) async fn job(&mut self) -> (Message, AgentJob, SendCommandContent) {
        let message = self.receive("agent_job").await;
        let job: AgentJob = serde_json::from_slice(&message.payload).unwrap();
        assert!(job.topic.starts_with("aws.ssm.sendCommand"), "{}", job.topic);
        let content = serde_json::from_str(&job.content).unwrap();
        (message, job, content)
    }

    pub(crate) async fn ack(&mut self, message: &Message, job_id: &str, code: &str) {
        let ack = AgentJobAck {
            job_id: job_id.to_owned(),
            acknowledged_message_id: message.id.to_string(),
            created_date: "2026-11-23T06:31:47.110Z".into(),
            status_code: code.into(),
            error_message: "told by the test".into(),
        };
        self.send("agent_job_ack", serde_json::to_vec(&ack).unwrap())
            .await;
    }

    /// Takes the next job and acknowledges it; gives the command's id.
    pub(crate) async fn take(&mut self) -> String {
        let (message, job, content) = self.job().await;
        self.ack(&message, &job.job_id, "200").await;
        content.command_id
    }

    /// Replies without waiting for the answer.
    pub(crate) async fn tell(&mut self, command: &str, status: &str, steps: &[(&str, StepStatus)]) -> Uuid {
        let content = ReplyContent {
            document_status: status.into(),
            runtime_status: (!steps.is_empty()).then(|| {
                steps
                    .iter()
                    .map(|(name, step)| ((*name).to_owned(), step.clone()))
                    .collect::<BTreeMap<_, _>>()
            }),
            ..ReplyContent::default()
        };
        let reply = AgentJobReply {
            schema_version: 1,
            job_id: format!("aws.ssm.{command}.{}", self.node_id),
            topic: "aws.ssm.sendCommand".into(),
            content: serde_json::to_string(&content).unwrap(),
        };
        self.send("agent_job_reply", serde_json::to_vec(&reply).unwrap())
            .await
    }

    /// Replies and waits until the control plane has it.
    pub(crate) async fn reply(&mut self, command: &str, status: &str, steps: &[(&str, StepStatus)]) {
        let id = self.tell(command, status, steps).await;
        let answer = self.receive("agent_job_reply_ack").await;
        let text = String::from_utf8(answer.payload).unwrap();
        assert!(text.contains(&id.to_string()), "{text}");
    }

    /// Ends a command with one step.
    pub(crate) async fn end(&mut self, command: &str, status: &str, code: i32, stdout: &str, stderr: &str) {
        let step = step(status, code, stdout, stderr);
        self.reply(command, status, &[("runShellScript", step)]).await;
    }

    /// Sends output and gives the offset that is acknowledged.
    pub(crate) async fn output(&mut self, command: &str, stream: &str, offset: u64, bytes: &[u8]) -> u64 {
        let header = OutputHeader {
            job_id: format!("aws.ssm.{command}.{}", self.node_id),
            step: "runShellScript".into(),
            stream: stream.into(),
            offset,
        };
        self.send(OUTPUT, encode_output(&header, bytes).unwrap()).await;
        let answer = self.receive(OUTPUT_ACK).await;
        let ack: OutputAck = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(ack.stream, stream);
        ack.offset
    }
}

fn rand_id() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn step(status: &str, code: i32, stdout: &str, stderr: &str) -> StepStatus {
    StepStatus {
        status: status.into(),
        code,
        name: "aws:runShellScript".into(),
        start_date_time: "2026-11-23T06:38:46.397Z".into(),
        end_date_time: "2026-11-23T06:38:46.488Z".into(),
        standard_output: stdout.into(),
        standard_error: stderr.into(),
        ..StepStatus::default()
    }
}
