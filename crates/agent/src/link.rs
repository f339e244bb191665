//! The control channel: opened outwards, kept open, opened again. What its messages mean is not known here.

use crate::backoff::Backoff;
use crate::calls::Client;
use crate::channels::{Channel, Socket};
use crate::error::AgentError;
use crate::host::AGENT_VERSION;
use crate::tokens::Tokens;
use futures::{SinkExt as _, StreamExt as _};
use muster_agent_protocol::control::OpenControlChannel;
use muster_agent_protocol::extension::{HELLO, Hello, OUTPUT_STREAM, SESSION_INFO};
use muster_domain::ids::NodeId;
use muster_domain::time::Random;
use muster_session_channel::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE_IS_LOSS: Duration = Duration::from_secs(60);
const OPEN_WITHIN: Duration = Duration::from_secs(20);
/// How long a control plane may take to say what it agreed to, before it is taken for a plain one.
const HELLO_WITHIN: Duration = Duration::from_secs(2);
/// A channel that held this long was a good one.
const STABLE_AFTER: Duration = Duration::from_secs(30);

/// One open channel, to send on. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    sender: mpsc::Sender<Frame>,
    /// Differs from every other channel of this process.
    pub(crate) generation: u64,
}

/// The channel is gone; another one will be there later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl Connection {
    /// Sends one message; waits while the network is slower than we are.
    pub(crate) async fn send(
        &self,
        message_type: &str,
        id: Uuid,
        created_ms: i64,
        payload: Vec<u8>,
    ) -> Result<(), Lost> {
        let created_ms = u64::try_from(created_ms).unwrap_or(1).max(1);
        let frame = Message::control(message_type, id, created_ms, payload)
            .encode()
            .map_err(|_| Lost)?;
        self.sender
            .send(Frame::Binary(frame.into()))
            .await
            .map_err(|_| Lost)
    }
}

/// How the channel stands, for those who wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkState {
    /// The open channel.
    pub(crate) connection: Option<Connection>,
    /// Whether output is sent as a stream; `None` until that is known.
    pub(crate) streams_output: Option<bool>,
    /// Whether sessions are described.
    pub(crate) describes_sessions: bool,
}

/// Takes what arrives.
pub(crate) trait Listener: Send + Sync {
    /// One message. While this runs, nothing else is read.
    fn message(&self, connection: &Connection, message: Message) -> impl Future<Output = ()> + Send;
}

/// Everything that keeping a channel needs.
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) node: NodeId,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) state: watch::Sender<LinkState>,
}

impl Link {
    /// Keeps the channel open until `stop`.
    pub(crate) async fn keep(&self, listener: &impl Listener, stop: &CancellationToken) {
        let mut backoff = Backoff::default();
        let mut generation = 0;
        while !stop.is_cancelled() {
            let opened = tokio::select! {
                () = stop.cancelled() => return,
                opened = timeout(OPEN_WITHIN, self.open()) => opened,
            };
            match opened {
                Ok(Ok(socket)) => {
                    generation += 1;
                    let since = Instant::now();
                    tracing::info!(node = %self.node, "control channel open");
                    let heard = self.serve(socket, generation, listener, stop).await;
                    self.state.send_replace(LinkState::default());
                    if heard || since.elapsed() > STABLE_AFTER {
                        backoff.reset();
                    }
                }
                Ok(Err(error)) => {
                    if error.is_about_credentials() {
                        self.tokens.forget().await;
                    }
                    tracing::warn!(node = %self.node, %error, "control channel could not be opened");
                }
                Err(_) => tracing::warn!(node = %self.node, "control channel did not open in time"),
            }
            let wait = backoff.next(self.random.as_ref());
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn open(&self) -> Result<Socket, AgentError> {
        let credentials = self.tokens.get().await?;
        let channel = Channel::Control(&self.node);
        let token = self
            .client
            .create_channel(channel, &self.random.uuid(), &credentials)
            .await?;
        let mut socket = self.client.open_channel(channel, &credentials).await?;
        let opening = OpenControlChannel {
            message_schema_version: "1.0".into(),
            request_id: self.random.uuid(),
            token_value: token,
            agent_version: AGENT_VERSION.into(),
            platform_type: "linux".into(),
            muster_extensions: vec![OUTPUT_STREAM.into(), SESSION_INFO.into()],
        };
        let text = serde_json::to_string(&opening).unwrap_or_default();
        let sent = socket.send(Frame::text(text)).await;
        sent.map_err(|error| self.client.websocket_error(channel, &error))?;
        Ok(socket)
    }

    /// Reads until the channel ends; answers whether the other side ever said anything.
    async fn serve(
        &self,
        socket: Socket,
        generation: u64,
        listener: &impl Listener,
        stop: &CancellationToken,
    ) -> bool {
        let (sink, mut stream) = socket.split();
        let (sender, frames) = mpsc::channel(16);
        let connection = Connection { sender, generation };
        let mut writer = tokio::spawn(write(sink, frames));
        self.state.send_replace(LinkState {
            connection: Some(connection.clone()),
            ..LinkState::default()
        });
        let hello_until = tokio::time::sleep(HELLO_WITHIN);
        tokio::pin!(hello_until);
        let (mut waits_for_hello, mut heard, mut writes) = (true, false, true);
        let why = loop {
            let frame = tokio::select! {
                () = stop.cancelled() => {
                    let _ = connection.sender.try_send(Frame::Close(None));
                    break "the agent stops".to_owned();
                }
                () = &mut hello_until, if waits_for_hello => {
                    waits_for_hello = false;
                    self.state.send_modify(|state| state.streams_output = state.streams_output.or(Some(false)));
                    continue;
                }
                _ = &mut writer => {
                    writes = false;
                    break "nothing can be sent any more".to_owned();
                }
                frame = timeout(SILENCE_IS_LOSS, stream.next()) => frame,
            };
            let bytes = match frame {
                Ok(Some(Ok(Frame::Binary(bytes)))) => bytes,
                Ok(Some(Ok(Frame::Close(_))) | None) => break "the control plane closed it".to_owned(),
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(error))) => break error.to_string(),
                Err(_) => break format!("nothing was heard for {} s", SILENCE_IS_LOSS.as_secs()),
            };
            heard = true;
            match Message::decode(&bytes) {
                Ok(message) if message.message_type == HELLO => {
                    let hello: Hello = serde_json::from_slice(&message.payload).unwrap_or_default();
                    let speaks = |addition| hello.extensions.iter().any(|name| name == addition);
                    self.state.send_modify(|state| {
                        state.streams_output = Some(speaks(OUTPUT_STREAM));
                        state.describes_sessions = speaks(SESSION_INFO);
                    });
                }
                Ok(message) => listener.message(&connection, message).await,
                Err(error) => tracing::warn!(%error, "a frame on the control channel was no message"),
            }
        };
        tracing::info!(node = %self.node, %why, "control channel closed");
        drop(connection);
        self.state.send_replace(LinkState::default());
        // Gives a Close frame the moment it needs, and no more.
        if writes && timeout(Duration::from_millis(200), &mut writer).await.is_err() {
            writer.abort();
        }
        heard
    }
}

async fn write(mut sink: futures::stream::SplitSink<Socket, Frame>, mut frames: mpsc::Receiver<Frame>) {
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let sent = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => sink.send(frame).await,
                None => return,
            },
            _ = ping.tick() => sink.send(Frame::Ping(Vec::new().into())).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
