//! The websocket of a session's data channel: opened with a token of its own, opened again when it is lost. What its
//! frames mean is known in `driver`.

use crate::backoff::Backoff;
use crate::calls::Client;
use crate::channels::{Channel, Socket};
use crate::error::AgentError;
use crate::tokens::Tokens;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use muster_domain::time::Random;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;

const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE_IS_LOSS: Duration = Duration::from_secs(60);
const OPEN_WITHIN: Duration = Duration::from_secs(20);
/// How long a session waits for its gateway: a portal that is being restarted finds it again.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// A session that was never opened has nothing to lose; whoever asked for it has long gone.
const FIRST_PATIENCE: Duration = Duration::from_secs(60);
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// Frames that wait in either direction.
const QUEUE: usize = 64;

/// What happened.
pub(crate) enum WireEvent {
    /// A connection stands: the opening frame goes first.
    Connected(String, mpsc::Sender<Frame>),
    /// One frame.
    Frame(Bytes),
    /// The connection is gone; another one will come.
    Lost,
    /// None will come any more; says why. The last event.
    Gone(String),
}

/// Everything that keeping a connection needs.
pub(crate) struct Wire {
    pub(crate) client: Client,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) session_id: String,
}

impl Wire {
    /// Keeps a connection until the receiver is dropped, or until the sender of a standing connection is.
    pub(crate) fn start(self) -> (mpsc::Receiver<WireEvent>, tokio::task::JoinHandle<()>) {
        let (events, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = events.closed() => {}
                () = self.keep(&events) => {}
            }
        });
        (receiver, task)
    }

    async fn keep(&self, events: &mpsc::Sender<WireEvent>) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        let mut patience = FIRST_PATIENCE;
        let mut since = Instant::now();
        loop {
            match timeout(OPEN_WITHIN, self.open()).await {
                Ok(Ok((token, socket))) => {
                    let (sender, frames) = mpsc::channel(QUEUE);
                    let _ = events.send(WireEvent::Connected(token, sender)).await;
                    let served = serve(socket, frames, events).await;
                    if served.is_finished {
                        return;
                    }
                    if served.heard {
                        patience = PATIENCE;
                        since = Instant::now();
                        backoff.reset();
                    }
                    tracing::info!(session = %self.session_id, "data channel lost");
                    let _ = events.send(WireEvent::Lost).await;
                }
                Ok(Err(error)) => {
                    if is_terminated(&error) {
                        let _ = events.send(WireEvent::Gone(String::new())).await;
                        return;
                    }
                    if error.is_about_credentials() {
                        self.tokens.forget().await;
                    }
                    tracing::debug!(session = %self.session_id, %error, "data channel could not be opened");
                }
                Err(_) => tracing::debug!(session = %self.session_id, "data channel did not open in time"),
            }
            if since.elapsed() > patience {
                let reason = "The agent on the node could not reach the gateway of the session.";
                let _ = events.send(WireEvent::Gone(reason.to_owned())).await;
                return;
            }
            tokio::time::sleep(backoff.next(self.random.as_ref())).await;
        }
    }

    async fn open(&self) -> Result<(String, Socket), AgentError> {
        let credentials = self.tokens.get().await?;
        let channel = Channel::Data(&self.session_id);
        let token = self
            .client
            .create_channel(channel, &self.random.uuid(), &credentials)
            .await?;
        let socket = self.client.open_channel(channel, &credentials).await?;
        Ok((token, socket))
    }
}

// The gateway's words for a session that nobody needs to come back to.
fn is_terminated(error: &AgentError) -> bool {
    matches!(error, AgentError::Refused { code, message, .. }
        if [code, message].iter().any(|text| text.to_ascii_lowercase().contains("already terminated")))
}

struct Served {
    /// Whether the driver has said all: its sender is gone.
    is_finished: bool,
    heard: bool,
}

async fn serve(socket: Socket, frames: mpsc::Receiver<Frame>, events: &mpsc::Sender<WireEvent>) -> Served {
    let (mut sink, mut stream) = socket.split();
    let mut heard = false;
    let is_finished = tokio::select! {
        is_finished = write(&mut sink, frames) => is_finished,
        () = read(&mut stream, events, &mut heard) => false,
    };
    if is_finished {
        // A socket that is dropped with unread bytes takes back what it has sent.
        let _ = timeout(CLOSE_WITHIN, async {
            let _ = sink.close().await;
            while let Some(Ok(_)) = stream.next().await {}
        })
        .await;
    }
    Served { is_finished, heard }
}

/// Writes until it fails (false) or there is nobody who sends any more (true).
async fn write(sink: &mut SplitSink<Socket, Frame>, mut frames: mpsc::Receiver<Frame>) -> bool {
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let frame = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => frame,
                None => return true,
            },
            _ = ping.tick() => Frame::Ping(Vec::new().into()),
        };
        if sink.feed(frame).await.is_err() {
            return false;
        }
        // Many small frames leave in one go.
        while let Ok(frame) = frames.try_recv() {
            if sink.feed(frame).await.is_err() {
                return false;
            }
        }
        if sink.flush().await.is_err() {
            return false;
        }
    }
}

async fn read(stream: &mut SplitStream<Socket>, events: &mpsc::Sender<WireEvent>, heard: &mut bool) {
    while let Ok(Some(Ok(frame))) = timeout(SILENCE_IS_LOSS, stream.next()).await {
        let bytes = match frame {
            Frame::Binary(bytes) => bytes,
            // Both kinds are messages (session protocol, frame kinds).
            Frame::Text(text) => text.into(),
            Frame::Close(_) => return,
            _ => continue,
        };
        *heard = true;
        if events.send(WireEvent::Frame(bytes)).await.is_err() {
            return;
        }
    }
}
