//! Sessions that run one command without input: its output, its exit code, and Ctrl-C as a signal.

use super::context::{Context, Ending};
use super::driver::{Driver, Step};
use super::launch::Program;
use super::program::Processes;
use muster_session_channel::AgentEvent;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use tokio::net::unix::pipe::Receiver;

const READ: usize = 16 * 1024;
/// Below this it is not worth reading.
const LITTLE: usize = 4096;
/// What the exit code needs.
const EXIT_CODE_ROOM: usize = 256;
/// Prefixes of output are cut here.
const MOST_PREFIX: usize = 1024;
/// Ctrl-C and Ctrl-\ come as input (session protocol, shell sessions).
const INTERRUPT: u8 = 0x03;
const QUIT: u8 = 0x1c;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Output,
    Error,
}

struct Stream {
    pipe: Receiver,
    kind: Kind,
    prefix: Vec<u8>,
    is_open: bool,
}

impl Stream {
    fn new(kind: Kind, prefix: &str) -> io::Result<(Self, Stdio)> {
        let (pipe, side) = pipe_with(PipeFlags::CLOEXEC)?;
        let stream = Self {
            pipe: Receiver::from_owned_fd(pipe)?,
            kind,
            prefix: prefix.bytes().take(MOST_PREFIX).collect(),
            is_open: true,
        };
        Ok((stream, side.into()))
    }

    /// Passes on what is there, at most `room` bytes with the prefix.
    fn pass(&mut self, driver: &mut Driver, room: usize) -> bool {
        let most = room.min(READ).saturating_sub(self.prefix.len());
        let mut buffer = vec![0_u8; most];
        match self.pipe.try_read(&mut buffer) {
            Ok(length) if length > 0 => {
                let bytes = [self.prefix.as_slice(), buffer.get(..length).unwrap_or_default()].concat();
                let _ = match self.kind {
                    Kind::Output => driver.send(&bytes),
                    Kind::Error => driver.send_error(&bytes),
                };
                true
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            _ => {
                self.is_open = false;
                false
            }
        }
    }
}

fn start(
    context: &Context,
    program: &Program,
    separate: Option<&[String; 2]>,
) -> io::Result<(Vec<Stream>, Processes)> {
    let mut streams = Vec::new();
    let (stdout, stderr): (Stdio, Stdio) = match separate {
        Some([output, error]) => {
            let (output, stdout) = Stream::new(Kind::Output, output)?;
            let (error, stderr) = Stream::new(Kind::Error, error)?;
            streams.extend([output, error]);
            (stdout, stderr)
        }
        // One pipe for both keeps their order.
        None => {
            let (pipe, side) = pipe_with(PipeFlags::CLOEXEC)?;
            streams.push(Stream {
                pipe: Receiver::from_owned_fd(pipe)?,
                kind: Kind::Output,
                prefix: Vec::new(),
                is_open: true,
            });
            (side.try_clone()?.into(), side.into())
        }
    };
    let processes = Processes::start(context.config(), program, Stdio::null(), stdout, stderr)?;
    Ok((streams, processes))
}

/// Runs the command to its end, or to that of the session. `separate` holds the prefixes of streams that are told
/// apart.
pub(super) async fn run(
    context: &Context,
    mut driver: Driver,
    program: Program,
    separate: Option<&[String; 2]>,
) -> Ending {
    if let Err(ending) = context.started(&mut driver).await {
        driver.close().await;
        return ending;
    }
    let (mut streams, mut processes) = match start(context, &program, separate) {
        Ok(started) => started,
        Err(error) => {
            driver.close().await;
            return Ending::failed(format!("The command could not be started on the node: {error}."));
        }
    };
    context.describe(&program, processes.id()).await;
    driver.set_ready(true);
    let ending = carry(context, &mut driver, &mut streams, &mut processes).await;
    if let Some(ending) = ending {
        let group = processes.group();
        tokio::join!(driver.close(), group.end(None));
        let _ = processes.status();
        return ending;
    }
    let code = processes.status().map_or(-1, |status| {
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
    });
    if separate.is_some() {
        if let Some(ending) = room(context, &mut driver).await {
            driver.close().await;
            return ending;
        }
        let _ = driver.send_exit_code(code);
    }
    driver.finish().await;
    Ending::success()
}

/// Waits for room for the last message; answers how the session ended meanwhile.
async fn room(context: &Context, driver: &mut Driver) -> Option<Ending> {
    while driver.room() < EXIT_CODE_ROOM {
        tokio::select! {
            ending = context.ended() => return Some(ending),
            step = driver.next(true) => match step {
                Step::Event(event) => if let Some(ending) = Ending::of(event) { return Some(ending) },
                Step::Gone(reason) => return Some(Ending::gone(reason)),
                Step::Moved => {}
            }
        }
    }
    None
}

async fn readable(stream: Option<&Stream>) {
    match stream {
        Some(stream) if stream.is_open => {
            let _ = stream.pipe.readable().await;
        }
        _ => std::future::pending().await,
    }
}

async fn carry(
    context: &Context,
    driver: &mut Driver,
    streams: &mut [Stream],
    processes: &mut Processes,
) -> Option<Ending> {
    let (mut has_ended, mut is_swept) = (false, false);
    let sweep = processes.group().end(None);
    tokio::pin!(sweep);
    loop {
        let mut has_room = true;
        let mut passed = false;
        for stream in streams.iter_mut().filter(|stream| stream.is_open) {
            let room = driver.room();
            has_room = has_room && room >= LITTLE;
            if has_room {
                passed |= stream.pass(driver, room);
            }
        }
        // What is still open is held by a process that left the session: what is there now is all.
        if has_ended && is_swept && has_room && !passed {
            return None;
        }
        tokio::select! {
            ending = context.ended() => return Some(ending),
            step = driver.next(true) => match step {
                Step::Event(AgentEvent::Input(bytes)) => for byte in bytes {
                    match byte {
                        INTERRUPT => processes.signal(Signal::INT),
                        QUIT => processes.signal(Signal::QUIT),
                        _ => {}
                    }
                },
                Step::Event(AgentEvent::Misbehaved(violation)) => driver.violation(&violation),
                Step::Event(event) => if let Some(ending) = Ending::of(event) { return Some(ending) },
                Step::Gone(reason) => return Some(Ending::gone(reason)),
                Step::Moved => {}
            },
            () = readable(streams.first()), if has_room => {}
            () = readable(streams.get(1)), if has_room => {}
            () = processes.ended(), if !has_ended => has_ended = true,
            () = &mut sweep, if has_ended && !is_swept => is_swept = true,
            () = tokio::task::yield_now(), if passed => {}
        }
    }
}
