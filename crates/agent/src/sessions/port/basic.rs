//! One connection at a time: its bytes are those of the session.

use super::super::context::{Context, Ending};
use super::super::driver::{Driver, Step};
use super::super::plan::PortPlan;
use super::dial;
use muster_session_channel::{AgentEvent, Flag};
use std::pin::Pin;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const READ: usize = 16 * 1024;
const LITTLE: usize = 2048;

type Dialling<'a> = Pin<Box<dyn Future<Output = Result<TcpStream, String>> + Send + 'a>>;

enum State<'a> {
    Closed,
    Dialling(Dialling<'a>),
    Open(TcpStream),
}

enum Moved {
    Dialled(Result<TcpStream, String>),
    /// So many bytes were read; 0 for the end.
    Read(usize),
    Written(usize),
    Broken,
}

impl State<'_> {
    async fn next(&mut self, buffer: Option<&mut [u8]>, input: &[u8]) -> Moved {
        match self {
            Self::Closed => std::future::pending().await,
            Self::Dialling(dialling) => Moved::Dialled(dialling.await),
            Self::Open(connection) => {
                let (mut read, mut write) = connection.split();
                let reading = async {
                    match buffer {
                        Some(buffer) => read.read(buffer).await,
                        None => std::future::pending().await,
                    }
                };
                let writing = async {
                    if input.is_empty() {
                        std::future::pending().await
                    } else {
                        write.write(input).await
                    }
                };
                tokio::select! {
                    read = reading => read.map_or(Moved::Broken, Moved::Read),
                    written = writing => written.map_or(Moved::Broken, Moved::Written),
                }
            }
        }
    }
}

/// Carries connections to the end of the session. For SSH, which is what sessions of no special type are, the first
/// connection is the only one.
pub(super) async fn carry(context: &Context, driver: &mut Driver, plan: &PortPlan) -> Result<(), Ending> {
    let forwards = plan.properties.get("type").and_then(|kind| kind.as_str()) == Some("LocalPortForwarding");
    let mut buffer = vec![0_u8; READ];
    let (mut input, mut written) = (Vec::new(), 0);
    // At once: with many protocols the server speaks first.
    let mut state = State::Dialling(Box::pin(dial(plan)));
    let mut is_first = true;
    loop {
        let room = driver.room().min(READ);
        let into = (room >= LITTLE).then(|| buffer.get_mut(..room).unwrap_or_default());
        let takes = written >= input.len() && !matches!(state, State::Dialling(_));
        tokio::select! {
            ending = context.ended() => return Err(ending),
            step = driver.next(takes) => match step {
                Step::Event(AgentEvent::Input(bytes)) => {
                    (input, written) = (bytes, 0);
                    if matches!(state, State::Closed) {
                        state = State::Dialling(Box::pin(dial(plan)));
                    }
                }
                Step::Event(AgentEvent::Flag(Flag::DisconnectToPort)) => {
                    state = State::Closed;
                    input.clear();
                }
                Step::Event(AgentEvent::Flag(Flag::TerminateSession)) => return Ok(()),
                Step::Event(AgentEvent::Misbehaved(violation)) => driver.violation(&violation),
                Step::Event(event) => if let Some(ending) = Ending::of(event) { return Err(ending) },
                Step::Gone(reason) => return Err(Ending::gone(reason)),
                Step::Moved => {}
            },
            moved = state.next(into, input.get(written..).unwrap_or_default()) => match moved {
                Moved::Dialled(Ok(connection)) => {
                    state = State::Open(connection);
                    if std::mem::take(&mut is_first) {
                        driver.set_ready(true);
                    }
                }
                Moved::Dialled(Err(reason)) => {
                    if !forwards {
                        return Err(Ending::failed(reason));
                    }
                    let _ = driver.port_unreachable();
                    state = State::Closed;
                    input.clear();
                    if std::mem::take(&mut is_first) {
                        driver.set_ready(true);
                    }
                }
                Moved::Read(length) if length > 0 => {
                    let _ = driver.send(buffer.get(..length).unwrap_or_default());
                }
                Moved::Written(length) => written += length,
                Moved::Read(_) | Moved::Broken if !forwards => return Ok(()),
                Moved::Read(_) | Moved::Broken => {
                    state = State::Closed;
                    input.clear();
                }
            },
        }
    }
}
