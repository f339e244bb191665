//! The two ends of a session on real websockets: the finished agent's and client's end of `session-channel`,
//! each driven by a task of its own, doing what a test tells it to.

use crate::world::{Node, REGION, World};
use futures::{SinkExt as _, StreamExt as _};
use muster_session_channel::body::Size;
use muster_session_channel::{
    AgentChannel, AgentConfig, AgentEvent, ClientChannel, ClientConfig, ClientEvent, Limits, Millis,
    SessionType, Setup, Violation,
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What both ends have in common.
pub(crate) trait Engine: Send + 'static {
    type Event: Send + std::fmt::Debug + 'static;
    fn handle(&mut self, frame: &[u8], now: Millis) -> Result<(), Violation>;
    fn transmit(&mut self, now: Millis) -> Option<Vec<u8>>;
    fn event(&mut self) -> Option<Self::Event>;
    fn timeout(&self) -> Option<Millis>;
    fn lost(&mut self);
    fn open(&mut self, token: &str, now: Millis) -> String;
}

macro_rules! engine {
    ($channel:ty, $event:ty) => {
        impl Engine for $channel {
            type Event = $event;
            fn handle(&mut self, frame: &[u8], now: Millis) -> Result<(), Violation> {
                self.handle_frame(frame, now)
            }
            fn transmit(&mut self, now: Millis) -> Option<Vec<u8>> {
                self.poll_transmit(now)
            }
            fn event(&mut self) -> Option<Self::Event> {
                self.poll_event()
            }
            fn timeout(&self) -> Option<Millis> {
                self.next_timeout()
            }
            fn lost(&mut self) {
                self.disconnected();
            }
            fn open(&mut self, token: &str, now: Millis) -> String {
                self.connected(token, Uuid::from_u128(7), now)
            }
        }
    };
}
engine!(ClientChannel, ClientEvent);
engine!(AgentChannel, AgentEvent);

type Act<C> = Box<dyn FnOnce(&mut C, Millis) + Send>;

enum Order<C> {
    Connect(Box<Socket>, String),
    Drop,
    Do(Act<C>),
}

/// One end, in its own task.
pub(crate) struct End<C: Engine> {
    orders: mpsc::UnboundedSender<Order<C>>,
    events: mpsc::UnboundedReceiver<C::Event>,
}

async fn drive<C: Engine>(
    mut channel: C,
    mut orders: mpsc::UnboundedReceiver<Order<C>>,
    events: mpsc::UnboundedSender<C::Event>,
) {
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_millis()).unwrap();
    let mut socket: Option<Socket> = None;
    loop {
        while let Some(frame) = channel.transmit(now()) {
            if let Some(open) = &mut socket
                && open.send(Frame::binary(frame)).await.is_err()
            {
                socket = None;
                channel.lost();
            }
        }
        while let Some(event) = channel.event() {
            let _ = events.send(event);
        }
        let wake = channel
            .timeout()
            .map_or(start + Duration::from_secs(86_400), |at| {
                start + Duration::from_millis(at)
            });
        let frame = async {
            match &mut socket {
                Some(open) => open.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Connect(new, token)) => {
                    let first = channel.open(&token, now());
                    let mut new = *new;
                    new.send(Frame::text(first)).await.unwrap();
                    socket = Some(new);
                }
                Some(Order::Drop) => {
                    socket = None;
                    channel.lost();
                }
                Some(Order::Do(act)) => act(&mut channel, now()),
            },
            frame = frame => match frame {
                Some(Ok(Frame::Binary(bytes))) => channel.handle(&bytes, now()).unwrap(),
                Some(Ok(Frame::Close(_)) | Err(_)) | None => {
                    socket = None;
                    channel.lost();
                }
                Some(Ok(_)) => {}
            },
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

impl<C: Engine> End<C> {
    fn new(channel: C) -> Self {
        let (orders, given) = mpsc::unbounded_channel();
        let (sender, events) = mpsc::unbounded_channel();
        tokio::spawn(drive(channel, given, sender));
        Self { orders, events }
    }

    /// Gives it a connection, the first or a later one.
    pub(crate) fn connect(&self, socket: Socket, token: &str) {
        let order = Order::Connect(Box::new(socket), token.to_owned());
        self.orders.send(order).ok().unwrap();
    }

    /// Takes its connection away, without a word.
    pub(crate) fn cut(&self) {
        self.orders.send(Order::Drop).ok().unwrap();
    }

    pub(crate) fn act(&self, act: impl FnOnce(&mut C, Millis) + Send + 'static) {
        self.orders.send(Order::Do(Box::new(act))).ok().unwrap();
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> C::Event {
        tokio::time::timeout(Duration::from_secs(30), self.events.recv())
            .await
            .expect("an event comes")
            .expect("the end is alive")
    }

    /// The next event that `wanted` takes something of; others are skipped.
    pub(crate) async fn until<T>(&mut self, wanted: impl Fn(C::Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.event().await) {
                return found;
            }
        }
    }

    /// What it has told so far.
    pub(crate) fn told(&mut self) -> Vec<C::Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

impl End<ClientChannel> {
    /// Waits until so many bytes of output have come in all, and gives them.
    pub(crate) async fn output(&mut self, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            let more = |event| match event {
                ClientEvent::Output(bytes) => Some(bytes),
                ClientEvent::Closed(why) => panic!("closed: {why}"),
                _ => None,
            };
            all.extend(self.until(more).await);
        }
        all
    }

    pub(crate) async fn closed(&mut self) -> String {
        self.until(|event| match event {
            ClientEvent::Closed(why) => Some(why),
            _ => None,
        })
        .await
    }

    pub(crate) fn input(&self, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.act(move |channel, now| channel.send_input(&bytes, now).unwrap());
    }
}

impl End<AgentChannel> {
    /// Waits until so many bytes of input have come in all, and gives them.
    pub(crate) async fn input(&mut self, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            let more = |event| match event {
                AgentEvent::Input(bytes) => Some(bytes),
                _ => None,
            };
            all.extend(self.until(more).await);
        }
        all
    }

    pub(crate) fn output(&self, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.act(move |channel, now| channel.send_output(&bytes, now).unwrap());
    }
}

fn setup() -> Setup {
    Setup {
        id_seed: Uuid::from_u128(rand()),
        started_unix_ms: 1_795_600_000_000,
        limits: Limits::default(),
    }
}

fn rand() -> u128 {
    use muster_domain::time::Random as _;
    let mut bytes = [0; 16];
    muster_domain::system::SystemRandom.fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

pub(crate) fn client() -> End<ClientChannel> {
    End::new(ClientChannel::new(ClientConfig {
        client_id: Uuid::from_u128(rand()),
        client_version: "1.2.677.0".into(),
        size: Size { cols: 80, rows: 24 },
        setup: setup(),
    }))
}

pub(crate) fn agent(
    node: &Node,
    session_id: &str,
    session_type: SessionType,
    properties: Value,
) -> End<AgentChannel> {
    let end = End::new(AgentChannel::new(AgentConfig {
        session_id: session_id.to_owned(),
        node_id: node.id.clone(),
        agent_version: "3.3.9999.0".into(),
        session_type,
        properties,
        handshake: session_type.needs_handshake(),
        customer_message: String::new(),
        setup: setup(),
    }));
    end.act(|channel, _| channel.set_ready(true));
    end
}

/// The agent's end of a plain shell.
pub(crate) fn a_shell(node: &Node, session_id: &str) -> End<AgentChannel> {
    agent(node, session_id, SessionType::StandardStream, Value::Null)
}

/// A started session, as its caller sees it.
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) token: String,
}

pub(crate) async fn start(world: &World, node: &Node, more: Value) -> Started {
    let mut input = json!({"Target": node.id});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let output = world.ok("StartSession", input).await;
    let id = output["SessionId"].as_str().unwrap().to_owned();
    assert_eq!(
        output["StreamUrl"],
        format!(
            "ws://{}/v1/data-channel/{id}?role=publish_subscribe",
            crate::world::HOST
        )
    );
    Started {
        token: output["TokenValue"].as_str().unwrap().to_owned(),
        id,
    }
}

pub(crate) async fn resume(world: &World, id: &str) -> String {
    let output = world.ok("ResumeSession", json!({"SessionId": id})).await;
    output["TokenValue"].as_str().unwrap().to_owned()
}

/// `CreateDataChannel`: the status, and the token or the refusal.
pub(crate) async fn create(world: &World, node: &Node, id: &str) -> (u16, String) {
    let path = format!("/v1/data-channel/{id}");
    let body = br#"{"MessageSchemaVersion":"1.0","RequestId":"r","ClientId":""}"#.to_vec();
    let headers = [("content-type", "application/json")];
    let to = ("POST", path.as_str(), "");
    let signed = world.signed(&node.credentials, "ssmmessages", REGION, to, &headers, &body);
    let (status, _, answer) = world.send("POST", &path, signed, body).await;
    let text = String::from_utf8(answer).unwrap();
    let token = text
        .split_once("<TokenValue>")
        .and_then(|(_, rest)| rest.split_once("</TokenValue>"))
        .map(|(token, _)| token.to_owned());
    (status, token.unwrap_or(text))
}

/// The websocket of an agent, signed by that node.
pub(crate) async fn agent_socket(world: &World, node: &Node, id: &str, address: SocketAddr) -> Socket {
    let path = format!("/v1/data-channel/{id}");
    let query = "role=publish_subscribe";
    let mut request = format!("ws://{address}{path}?{query}")
        .into_client_request()
        .unwrap();
    let to = ("GET", path.as_str(), query);
    let signed = world.signed(&node.credentials, "ssmmessages", REGION, to, &[], b"");
    request.headers_mut().extend(signed);
    connect_async(request).await.unwrap().0
}

/// The websocket of a client: nothing is signed.
pub(crate) async fn client_socket(id: &str, address: SocketAddr) -> Socket {
    let url = format!("ws://{address}/v1/data-channel/{id}?role=publish_subscribe");
    connect_async(url).await.unwrap().0
}

/// Opens the agent's data channel, the first or a later one.
pub(crate) async fn join(world: &World, node: &Node, id: &str, address: SocketAddr, end: &End<AgentChannel>) {
    let (status, token) = create(world, node, id).await;
    assert_eq!(status, 201, "{token}");
    end.connect(agent_socket(world, node, id, address).await, &token);
}

pub(crate) async fn status(world: &World, id: &str) -> String {
    for state in ["Active", "History"] {
        let filter = json!([{"key": "SessionId", "value": id}]);
        let output = world
            .ok("DescribeSessions", json!({"State": state, "Filters": filter}))
            .await;
        if let Some(status) = output["Sessions"][0]["Status"].as_str() {
            return status.to_owned();
        }
    }
    "none".to_owned()
}
