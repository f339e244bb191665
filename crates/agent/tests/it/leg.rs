//! The gateway's leg of a session: it is the client itself, as a portal's terminal is, over connections that come and go.

use crate::gateway::{Gateway, rand};
use axum::extract::ws::{Message as Frame, WebSocket};
use muster_agent_protocol::session::AgentTaskComplete;
use muster_session_channel::body::Size;
use muster_session_channel::kind::{AGENT_SESSION_STATE, CHANNEL_CLOSED};
use muster_session_channel::{
    ClientChannel, ClientConfig, ClientEvent, Limits, Message, SendError, Setup, Started,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct LegState {
    client: ClientChannel,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: Vec<u8>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) started: Option<Started>,
    pub(crate) unreachable: u32,
    pub(crate) connections: u32,
    pub(crate) states: Vec<String>,
    pub(crate) is_connected: bool,
    /// Reads nothing, so that nothing is acknowledged.
    is_held: bool,
    /// Frames between pauses of two milliseconds.
    slow_after: Option<u32>,
    terminated: bool,
    raw: Vec<Vec<u8>>,
    drop: CancellationToken,
}

pub(crate) struct Leg {
    pub(crate) session: String,
    pub(crate) node: String,
    state: Mutex<LegState>,
    since: Instant,
    wake: Notify,
    ticks: watch::Sender<u64>,
}

impl Leg {
    fn new(node: &str, session: &str, client_version: &str) -> Self {
        let client = ClientChannel::new(ClientConfig {
            client_id: Uuid::from_u128(rand()),
            client_version: client_version.into(),
            size: Size { cols: 100, rows: 30 },
            setup: Setup {
                id_seed: Uuid::from_u128(rand()),
                started_unix_ms: 1_795_427_667_123,
                limits: Limits::default(),
            },
        });
        Self {
            session: session.to_owned(),
            node: node.to_owned(),
            state: Mutex::new(LegState {
                client,
                output: Vec::new(),
                errors: Vec::new(),
                exit_code: None,
                started: None,
                unreachable: 0,
                connections: 0,
                states: Vec::new(),
                is_connected: false,
                is_held: false,
                slow_after: None,
                terminated: false,
                raw: Vec::new(),
                drop: CancellationToken::new(),
            }),
            since: Instant::now(),
            wake: Notify::new(),
            ticks: watch::channel(0).0,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap()
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut LegState) -> T) -> T {
        let result = change(&mut self.state.lock().unwrap());
        self.wake.notify_one();
        self.ticks.send_modify(|tick| *tick += 1);
        result
    }

    pub(crate) fn is_terminated(&self) -> bool {
        self.state.lock().unwrap().terminated
    }

    pub(crate) fn drop_connection(&self) {
        self.state.lock().unwrap().drop.cancel();
    }

    /// Closes it as a gateway does on `TerminateSession`: on the data channel.
    pub(crate) fn close(&self) {
        let closed = json!({"MessageId": Uuid::from_u128(rand()), "SessionId": self.session, "SchemaVersion": 1,
            "MessageType": "channel_closed", "DestinationId": self.node, "CreatedDate": "2026-11-23T00:00:00Z"});
        let message = Message::control(
            CHANNEL_CLOSED,
            Uuid::from_u128(rand()),
            1,
            closed.to_string().into_bytes(),
        );
        self.send_raw(message.encode().unwrap());
    }

    pub(crate) fn send_raw(&self, frame: Vec<u8>) {
        self.with(|state| state.raw.push(frame));
    }

    pub(crate) fn hold(&self, is_held: bool) {
        self.with(|state| state.is_held = is_held);
    }

    pub(crate) fn slow_after(&self, frames: u32) {
        self.with(|state| state.slow_after = Some(frames));
    }

    pub(crate) fn terminate(&self) {
        self.with(|state| state.terminated = true);
    }

    /// Waits until `look` finds what it looks for.
    pub(crate) async fn wait<T>(&self, what: &str, look: impl Fn(&mut LegState) -> Option<T>) -> T {
        let mut ticks = self.ticks.subscribe();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                ticks.borrow_and_update();
                if let Some(found) = look(&mut self.state.lock().unwrap()) {
                    return found;
                }
                ticks.changed().await.unwrap();
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => {
                let state = self.state.lock().unwrap();
                let from = state.output.len().saturating_sub(2000);
                panic!(
                    "{}: waited in vain until {what}; {} bytes, the last: {:?}",
                    self.session,
                    state.output.len(),
                    String::from_utf8_lossy(&state.output[from..])
                )
            }
        }
    }

    pub(crate) async fn started(&self) -> Started {
        self.wait("the session starts", |state| state.started.clone())
            .await
    }

    /// Sends all of it, waiting for room.
    pub(crate) async fn send(&self, bytes: &[u8]) {
        self.started().await;
        for chunk in bytes.chunks(16 * 1024) {
            self.wait("there is room for input", |state| {
                let now = u64::try_from(self.since.elapsed().as_millis()).unwrap();
                match state.client.send_input(chunk, now) {
                    Ok(()) => Some(()),
                    Err(SendError::Full) => None,
                    Err(error) => panic!("{error}"),
                }
            })
            .await;
            self.wake.notify_one();
        }
    }

    pub(crate) fn resize(&self, cols: u32, rows: u32) {
        let now = self.now();
        self.with(|state| state.client.resize(Size { cols, rows }, now).unwrap());
    }

    pub(crate) fn flag(&self, act: impl FnOnce(&mut ClientChannel, u64)) {
        let now = self.now();
        self.with(|state| act(&mut state.client, now));
    }

    /// Waits until the output holds this; answers everything up to its end, and forgets it.
    pub(crate) async fn expect(&self, text: &str) -> String {
        let found = self
            .wait(&format!("{text:?} is shown"), |state| {
                let at = find(&state.output, text.as_bytes())?;
                Some(state.output.drain(..at + text.len()).collect::<Vec<u8>>())
            })
            .await;
        String::from_utf8_lossy(&found).into_owned()
    }

    fn now_events(&self, state: &mut LegState) {
        while let Some(event) = state.client.poll_event() {
            match event {
                ClientEvent::Started(started) => state.started = Some(started),
                ClientEvent::Output(bytes) => state.output.extend(bytes),
                ClientEvent::ErrorOutput(bytes) => state.errors.extend(bytes),
                ClientEvent::ExitCode(code) => state.exit_code = Some(code),
                ClientEvent::PortUnreachable => state.unreachable += 1,
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn serve(self: Arc<Self>, mut socket: WebSocket, stop: CancellationToken) {
        let Some(Ok(Frame::Text(opening))) = socket.recv().await else {
            return;
        };
        let opening: Value = serde_json::from_str(&opening).unwrap();
        assert_eq!(opening["TokenValue"], "data&token");
        assert_eq!(opening["ClientInstanceId"], self.node.as_str());
        let now = self.now();
        let drop = self.with(|state| {
            state.connections += 1;
            state.is_connected = true;
            let _ = state.client.connected("", Uuid::from_u128(rand()), now);
            state.drop = CancellationToken::new();
            state.drop.clone()
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = drop.cancelled() => {}
            () = self.carry(&mut socket) => {}
        }
        self.with(|state| {
            state.client.disconnected();
            state.is_connected = false;
        });
    }

    async fn carry(&self, socket: &mut WebSocket) {
        let mut taken = 0;
        loop {
            let now = self.now();
            let (frames, timeout, is_held, slow_after) = {
                let mut state = self.state.lock().unwrap();
                self.now_events(&mut state);
                let mut frames = std::mem::take(&mut state.raw);
                frames.extend(std::iter::from_fn(|| state.client.poll_transmit(now)));
                (
                    frames,
                    state.client.next_timeout(),
                    state.is_held,
                    state.slow_after,
                )
            };
            for frame in frames {
                if socket.send(Frame::Binary(frame.into())).await.is_err() {
                    return;
                }
            }
            let timer = async {
                match timeout {
                    Some(at) => {
                        tokio::time::sleep(Duration::from_millis(at.saturating_sub(self.now()))).await
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                frame = socket.recv(), if !is_held => match frame {
                    Some(Ok(Frame::Binary(bytes))) => {
                        taken += 1;
                        let message = Message::decode(&bytes).unwrap();
                        let now = self.now();
                        self.with(|state| {
                            if message.message_type == AGENT_SESSION_STATE {
                                let body: Value = serde_json::from_slice(&message.payload).unwrap();
                                state.states.push(body["SessionState"].as_str().unwrap().to_owned());
                            } else {
                                state.client.handle_frame(&bytes, now).unwrap();
                            }
                            self.now_events(state);
                        });
                        if slow_after.is_some_and(|frames| taken % frames == 0) {
                            tokio::time::sleep(Duration::from_millis(2)).await;
                        }
                    }
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                () = self.wake.notified() => {}
                () = timer => {}
            }
        }
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// The content of a request for a session.
pub(crate) fn document(session_type: &str, inputs: &Value, properties: &Value) -> Value {
    json!({"DocumentName": "SSM-SessionManagerRunShell", "SessionId": "", "RunAsUser": "",
        "SessionOwner": "arn:aws:iam::1:user/ada", "Parameters": {},
        "DocumentContent": {"schemaVersion": "1.0", "description": "", "sessionType": session_type,
            "inputs": inputs, "parameters": {}, "properties": properties}})
}

impl Gateway {
    /// Asks the node for a session.
    pub(crate) fn open(&self, node: &str, session: &str, content: &Value) -> Arc<Leg> {
        self.open_as(node, session, content, "1.2.677.0")
    }

    /// As [`Self::open`], with a client of another version.
    pub(crate) fn open_as(
        &self,
        node: &str,
        session: &str,
        content: &Value,
        client_version: &str,
    ) -> Arc<Leg> {
        let leg = Arc::new(Leg::new(node, session, client_version));
        self.inner
            .change(|seen| seen.legs.insert(session.to_owned(), leg.clone()));
        self.ask(node, session, content);
        leg
    }

    pub(crate) fn ask(&self, node: &str, session: &str, content: &Value) {
        let request =
            json!({"SchemaVersion": 1, "TaskId": session, "Topic": "", "Content": content.to_string()});
        self.send_message(node, "interactive_shell", &request);
    }

    /// A login shell that is ready: its prompt is `$` and its history is nobody's.
    pub(crate) async fn shell(&self, node: &str, session: &str) -> Arc<Leg> {
        let leg = self.open(
            node,
            session,
            &document("Standard_Stream", &json!({}), &json!({})),
        );
        leg.send(b"exec bash --norc --noprofile\n").await;
        leg.send(b"bind 'set enable-bracketed-paste off'; PS1='$ '; unset HISTFILE; echo rea''dy\n")
            .await;
        leg.expect("ready\r\n").await;
        leg
    }

    pub(crate) async fn completed(&self, session: &str) -> AgentTaskComplete {
        self.wait(&format!("{session} is said to be over"), |seen| {
            seen.completed
                .iter()
                .find(|complete| complete.task_id == session)
                .cloned()
        })
        .await
    }
}
