//! Many connections in one session: a task for each, and the multiplexer between them and the data channel.

use super::super::context::{Context, Ending};
use super::super::driver::{Driver, Step};
use super::super::plan::PortPlan;
use super::dial;
use muster_session_channel::mux::{Mux, MuxError, MuxEvent, MuxRefusal, MuxSide, RECEIVE_BUFFER};
use muster_session_channel::{AgentEvent, Flag};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep;

const READ: usize = 8 * 1024;
/// Pieces of all connections that wait for the multiplexer; each waits in turn for a place.
const QUEUE: usize = 16;
/// Taken out of the multiplexer at once.
const OUT: usize = 16 * 1024;
const LITTLE: usize = 2048;

enum Piece {
    Data(Vec<u8>),
    End,
    Unreachable(String),
}

/// Bytes on their way into connections, of all together: a connection that does not read holds up the session when
/// they reach the multiplexer's limit, which has no other means to hold up one alone.
#[derive(Default)]
struct Queued {
    bytes: AtomicUsize,
    freed: Notify,
}

impl Queued {
    fn free(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.freed.notify_one();
    }
}

struct Streams {
    plan: Arc<PortPlan>,
    open: HashMap<u32, mpsc::UnboundedSender<Vec<u8>>>,
    tasks: JoinSet<()>,
    from: mpsc::Sender<(u32, Piece)>,
    queued: Arc<Queued>,
}

impl Streams {
    fn event(&mut self, event: MuxEvent) {
        match event {
            MuxEvent::Opened(id) => {
                let (to, bytes) = mpsc::unbounded_channel();
                self.open.insert(id, to);
                let connection = carry_one(
                    id,
                    self.plan.clone(),
                    bytes,
                    self.from.clone(),
                    self.queued.clone(),
                );
                self.tasks.spawn(connection);
            }
            MuxEvent::Data(id, bytes) => {
                if let Some(to) = self.open.get(&id) {
                    let length = bytes.len();
                    self.queued.bytes.fetch_add(length, Ordering::Relaxed);
                    if to.send(bytes).is_err() {
                        self.queued.free(length);
                    }
                }
            }
            // Its task then finishes that half of the connection.
            MuxEvent::Finished(id) => {
                self.open.remove(&id);
            }
        }
    }
}

async fn carry_one(
    id: u32,
    plan: Arc<PortPlan>,
    mut bytes: mpsc::UnboundedReceiver<Vec<u8>>,
    from: mpsc::Sender<(u32, Piece)>,
    queued: Arc<Queued>,
) {
    let connection = match dial(&plan).await {
        Ok(connection) => connection,
        Err(reason) => {
            let _ = from.send((id, Piece::Unreachable(reason))).await;
            return drain(&mut bytes, &queued).await;
        }
    };
    let (mut read, mut write) = connection.into_split();
    let reading = async {
        let mut buffer = vec![0_u8; READ];
        while let Ok(length) = read.read(&mut buffer).await {
            let piece = buffer.get(..length).unwrap_or_default();
            if piece.is_empty() || from.send((id, Piece::Data(piece.to_vec()))).await.is_err() {
                break;
            }
        }
        let _ = from.send((id, Piece::End)).await;
    };
    let writing = async {
        while let Some(piece) = bytes.recv().await {
            let written = write.write_all(&piece).await;
            queued.free(piece.len());
            if written.is_err() {
                return drain(&mut bytes, &queued).await;
            }
        }
        let _ = write.shutdown().await;
    };
    tokio::join!(reading, writing);
}

async fn drain(bytes: &mut mpsc::UnboundedReceiver<Vec<u8>>, queued: &Queued) {
    bytes.close();
    while let Some(piece) = bytes.recv().await {
        queued.free(piece.len());
    }
}

fn broken(error: &MuxError) -> Ending {
    Ending::failed(format!(
        "The connections of the session cannot be told apart: {error}."
    ))
}

/// Carries connections to the end of the session.
pub(super) async fn carry(
    context: &Context,
    driver: &mut Driver,
    plan: &PortPlan,
    keepalive: bool,
) -> Result<(), Ending> {
    let mut mux = Mux::new(MuxSide::Agent, keepalive, driver.now());
    let (from, mut pieces) = mpsc::channel(QUEUE);
    let queued = Arc::new(Queued::default());
    let mut streams = Streams {
        plan: Arc::new(plan.clone()),
        open: HashMap::new(),
        tasks: JoinSet::new(),
        from,
        queued: queued.clone(),
    };
    // A piece that the multiplexer had no room for.
    let mut waiting: Option<(u32, Piece)> = None;
    driver.set_ready(true);
    loop {
        while let Some((id, piece)) = waiting.take() {
            let result = match &piece {
                Piece::Data(bytes) => mux.send(id, bytes),
                Piece::End => mux.finish(id),
                Piece::Unreachable(reason) => {
                    tracing::debug!(session = %context.session_id, %reason, "port not reached");
                    let _ = driver.port_unreachable();
                    mux.finish(id)
                }
            };
            if result == Err(MuxRefusal::Full) {
                waiting = Some((id, piece));
                break;
            }
            waiting = pieces.try_recv().ok();
        }
        while driver.room() >= LITTLE {
            let most = driver.room().min(OUT);
            match mux.poll_transmit(driver.now(), most) {
                Ok(Some(bytes)) => {
                    let _ = driver.send(&bytes);
                }
                Ok(None) => break,
                Err(error) => return Err(broken(&error)),
            }
        }
        while queued.bytes.load(Ordering::Relaxed) < RECEIVE_BUFFER {
            match mux.poll_event() {
                Some(event) => streams.event(event),
                None => break,
            }
        }
        while streams.tasks.try_join_next().is_some() {}
        let until = mux
            .next_timeout()
            .map(|at| Duration::from_millis(at.saturating_sub(driver.now())));
        let timer = async {
            match until {
                Some(until) => sleep(until.max(Duration::from_millis(1))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ending = context.ended() => return Err(ending),
            step = driver.next(mux.has_room()) => match step {
                Step::Event(AgentEvent::Input(bytes)) => {
                    let now = driver.now();
                    mux.receive(&bytes, now).map_err(|error| broken(&error))?;
                }
                Step::Event(AgentEvent::Flag(Flag::TerminateSession)) => return Ok(()),
                Step::Event(AgentEvent::Misbehaved(violation)) => driver.violation(&violation),
                Step::Event(event) => if let Some(ending) = Ending::of(event) { return Err(ending) },
                Step::Gone(reason) => return Err(Ending::gone(reason)),
                Step::Moved => {}
            },
            piece = pieces.recv(), if waiting.is_none() => waiting = piece,
            () = queued.freed.notified() => {}
            () = timer => {}
        }
    }
}
