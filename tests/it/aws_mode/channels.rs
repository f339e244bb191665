//! Session Manager's side of sessions at AWS: `StartSession` and its kin, and the data channels that their answers lead to. Behind
//! each channel is a shell as AWS's own agent would have it on a node: it makes no handshake for a shell, and says what it is told.

use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use muster_agent_protocol::signing::parse_authorization;
use muster_session_channel::body::{ChannelClosed, OpenDataChannel};
use muster_session_channel::kind::{AGENT_SESSION_STATE, CHANNEL_CLOSED};
use muster_session_channel::{AgentChannel, AgentConfig, AgentEvent, Limits, Message, SessionType, Setup};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A line that is typed to break the connection without a word.
pub const DROP: &str = "drop";

/// One session.
struct Session {
    token: Mutex<Option<String>>,
    shell: tokio::sync::Mutex<Shell>,
}

/// The agent's end, and what it has read of the line so far.
struct Shell {
    channel: AgentChannel,
    line: Vec<u8>,
    epoch: Instant,
}

/// All of them, and what was asked for.
#[derive(Default)]
pub struct Channels {
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    asked: Mutex<Vec<(String, Value)>>,
    opened: Mutex<Vec<(String, String, String)>>,
    /// Another address than that of the edge, for answers that lead elsewhere.
    elsewhere: Mutex<Option<String>>,
}

impl Channels {
    /// Answers one of the operations; nothing when it is another one.
    pub fn answer(&self, operation: &str, input: &str, edge: &str) -> Option<Result<Value, &'static str>> {
        if !matches!(operation, "StartSession" | "ResumeSession" | "TerminateSession") {
            return None;
        }
        let input: Value = serde_json::from_str(input).unwrap();
        self.asked
            .lock()
            .unwrap()
            .push((operation.to_owned(), input.clone()));
        let mut sessions = self.sessions.lock().unwrap();
        let id = match operation {
            "StartSession" => {
                let id = format!("muster-{:017x}", sessions.len() + 1);
                sessions.insert(id.clone(), Arc::new(Session::new(&id)));
                id
            }
            _ => input["SessionId"].as_str().unwrap().to_owned(),
        };
        let Some(session) = sessions.get(&id) else {
            return Some(Err("DoesNotExistException"));
        };
        if operation == "TerminateSession" {
            sessions.remove(&id);
            return Some(Ok(json!({ "SessionId": id })));
        }
        let token = Uuid::new_v4().to_string();
        *session.token.lock().unwrap() = Some(token.clone());
        let base = self.elsewhere.lock().unwrap().clone();
        let base = base.unwrap_or_else(|| edge.replacen("http", "ws", 1));
        Some(Ok(json!({
            "SessionId": id,
            "TokenValue": token,
            "StreamUrl": format!("{base}/v1/data-channel/{id}?role=publish_subscribe"),
        })))
    }

    /// The inputs of the calls of an operation.
    pub fn asked(&self, operation: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        let of = asked.iter().filter(|(name, _)| name == operation);
        of.map(|(_, input)| input.clone()).collect()
    }

    /// Service, region and key of the signatures with which channels were opened.
    pub fn opened(&self) -> Vec<(String, String, String)> {
        self.opened.lock().unwrap().clone()
    }

    /// From now on answers lead there.
    pub fn lead_to(&self, base: &str) {
        *self.elsewhere.lock().unwrap() = Some(base.to_owned());
    }
}

impl Session {
    fn new(id: &str) -> Self {
        let config = AgentConfig {
            session_id: id.to_owned(),
            node_id: "mi-1".into(),
            agent_version: "3.3.2000.0".into(),
            session_type: SessionType::StandardStream,
            properties: Value::Null,
            handshake: false,
            customer_message: String::new(),
            setup: Setup {
                id_seed: Uuid::new_v4(),
                started_unix_ms: 1,
                limits: Limits::default(),
            },
        };
        let mut channel = AgentChannel::new(config);
        channel.set_ready(true);
        Self {
            token: Mutex::default(),
            shell: tokio::sync::Mutex::new(Shell {
                channel,
                line: Vec::new(),
                epoch: Instant::now(),
            }),
        }
    }
}

/// A client opens the way to a session.
pub async fn open(
    State(channels): State<Arc<Channels>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, StatusCode> {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok());
    let signed = signed
        .and_then(parse_authorization)
        .ok_or(StatusCode::FORBIDDEN)?;
    let names = (signed.service, signed.region, signed.key_id);
    channels.opened.lock().unwrap().push(names);
    let session = channels.sessions.lock().unwrap().get(&id).cloned();
    let session = session.ok_or(StatusCode::NOT_FOUND)?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _ = serve(&id, &session, socket).await;
    }))
}

/// What becomes of a line that was typed.
enum Typed {
    GoesOn,
    Dropped,
}

impl Shell {
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap()
    }

    fn say(&mut self, text: &str) {
        let now = self.now();
        self.channel.send_output(text.as_bytes(), now).unwrap();
    }

    fn typed(&mut self, bytes: &[u8]) -> Typed {
        for byte in bytes {
            if *byte != b'\r' {
                self.line.push(*byte);
                continue;
            }
            let line = String::from_utf8(std::mem::take(&mut self.line)).unwrap();
            if line == DROP {
                return Typed::Dropped;
            }
            if line == "exit" {
                self.say("goodbye\r\n");
                let now = self.now();
                self.channel.finish(now);
            } else {
                self.say(&format!("you said {line}\r\n"));
            }
        }
        Typed::GoesOn
    }
}

async fn serve(id: &str, session: &Session, mut socket: WebSocket) -> Option<()> {
    let Frame::Text(first) = socket.recv().await?.ok()? else {
        return None;
    };
    let opening = OpenDataChannel::from_text(first.as_str()).ok()?;
    // A token opens one channel, once.
    let token = session.token.lock().unwrap().take()?;
    if opening.token_value != token {
        return None;
    }
    let mut shell = session.shell.lock().await;
    let shell = &mut *shell;
    let now = shell.now();
    // What an agent says to open its own leg; here is no leg between.
    let _ = shell.channel.connected(&token, Uuid::new_v4(), now);
    loop {
        while let Some(event) = shell.channel.poll_event() {
            match event {
                AgentEvent::Started(_) => shell.say("welcome to AWS\r\n"),
                AgentEvent::Input(bytes) => match shell.typed(&bytes) {
                    Typed::GoesOn => {}
                    Typed::Dropped => {
                        shell.channel.disconnected();
                        return None;
                    }
                },
                AgentEvent::Finished => {
                    socket.send(Frame::Binary(closed(id).into())).await.ok()?;
                    return Some(());
                }
                _ => {}
            }
        }
        let now = shell.now();
        while let Some(frame) = shell.channel.poll_transmit(now) {
            // The service keeps to itself what an agent tells it of the session.
            if Message::decode(&frame).unwrap().message_type != AGENT_SESSION_STATE {
                socket.send(Frame::Binary(frame.into())).await.ok()?;
            }
        }
        let due = shell.channel.next_timeout();
        let wake = due.map_or(Duration::from_secs(1), |due| {
            Duration::from_millis(due.saturating_sub(now).max(1))
        });
        tokio::select! {
            frame = socket.recv() => {
                let now = shell.now();
                match frame.and_then(Result::ok) {
                    Some(Frame::Binary(bytes)) => shell.channel.handle_frame(&bytes, now).unwrap(),
                    Some(Frame::Ping(_) | Frame::Pong(_)) => {}
                    _ => {
                        shell.channel.disconnected();
                        return None;
                    }
                }
            }
            () = tokio::time::sleep(wake) => {}
        }
    }
}

/// How the service says that a session is over.
fn closed(id: &str) -> Vec<u8> {
    let body = ChannelClosed {
        session_id: id.to_owned(),
        message_type: CHANNEL_CLOSED.to_owned(),
        schema_version: 1,
        ..ChannelClosed::default()
    };
    let payload = serde_json::to_vec(&body).unwrap();
    Message::control(CHANNEL_CLOSED, Uuid::new_v4(), 1, payload)
        .encode()
        .unwrap()
}
