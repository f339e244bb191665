//! One process with all of its children: started in a group of its own, watched, ended for certain.

use super::sink::Sink;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a request to cancel is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// From the polite signal to the other one.
const TERM_GRACE: Duration = Duration::from_secs(2);
/// How long pipes may stay open after the main process has ended.
const PIPE_GRACE: Duration = Duration::from_millis(500);

/// What to start.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) directory: PathBuf,
    pub(super) environment: Vec<(&'static str, OsString)>,
    pub(super) timeout: Duration,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Exited(i32),
    TimedOut,
    Cancelled,
    NotStarted(String),
}

enum Event {
    Exited,
    PipeClosed,
}

/// A stream that a thread fills.
pub(super) type SharedSink = Arc<Mutex<Sink>>;

/// The sink; a thread that died while it held it leaves it usable.
pub(super) fn locked(sink: &SharedSink) -> MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs it to its end. `is_cancelled` is asked often; `nudge` is called when there is new output.
pub(super) fn run(
    program: &Program,
    sinks: [&SharedSink; 2],
    is_cancelled: &dyn Fn() -> bool,
    nudge: &Arc<dyn Fn() + Send + Sync>,
) -> Ending {
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .current_dir(&program.directory)
        .env_clear()
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Ending::NotStarted(format!(
                "{} could not be started: {error}",
                program.path.display()
            ));
        }
    };
    let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return Ending::NotStarted("the system gave an impossible process id".into());
    };
    let (events, happened) = channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as _),
        child.stderr.take().map(|pipe| Box::new(pipe) as _),
    ];
    for (pipe, sink) in pipes.into_iter().zip(sinks) {
        if let Some(pipe) = pipe {
            let (sink, events, nudge) = (sink.clone(), events.clone(), nudge.clone());
            std::thread::spawn(move || copy(pipe, &sink, &events, &nudge));
        }
    }
    std::thread::spawn(move || {
        // Without reaping: as long as the dead leader is there, its group's number means its group.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(group), options).is_err_and(|error| error == rustix::io::Errno::INTR) {}
        let _ = events.send(Event::Exited);
    });
    let stopped = watch(program.timeout, group, &happened, is_cancelled);
    // Nothing of it may outlive the step, nor hold the pipes for ever.
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait();
    drain(&happened, stopped.open_pipes, PIPE_GRACE);
    match (stopped.why, status) {
        (Some(ending), _) => ending,
        (None, Ok(status)) => Ending::Exited(
            status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
        ),
        (None, Err(error)) => Ending::NotStarted(format!("the process could not be waited for: {error}")),
    }
}

struct Stopped {
    why: Option<Ending>,
    open_pipes: u32,
}

/// Waits for the leader's end; sees to it that it comes.
fn watch(
    limit: Duration,
    group: Pid,
    happened: &Receiver<Event>,
    is_cancelled: &dyn Fn() -> bool,
) -> Stopped {
    let deadline = Instant::now() + limit;
    let mut stopped = Stopped {
        why: None,
        open_pipes: 2,
    };
    let mut kill_at = None;
    loop {
        match happened.recv_timeout(LOOK_EVERY) {
            Ok(Event::PipeClosed) => stopped.open_pipes -= 1,
            Ok(Event::Exited) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if stopped.why.is_none() {
            if is_cancelled() {
                stopped.why = Some(Ending::Cancelled);
            } else if now >= deadline {
                stopped.why = Some(Ending::TimedOut);
            }
            if stopped.why.is_some() {
                let _ = kill_process_group(group, Signal::TERM);
                kill_at = Some(now + TERM_GRACE);
            }
        } else if kill_at.is_some_and(|at| now >= at) {
            let _ = kill_process_group(group, Signal::KILL);
            kill_at = None;
        }
    }
    // Children that still write get a moment; then they are ended like everything else.
    stopped.open_pipes = drain(happened, stopped.open_pipes, PIPE_GRACE);
    stopped
}

/// Waits for the pipes to close, but not longer than `grace`; answers how many are open still.
fn drain(happened: &Receiver<Event>, mut open_pipes: u32, grace: Duration) -> u32 {
    let until = Instant::now() + grace;
    while open_pipes > 0 {
        match happened.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::PipeClosed) => open_pipes -= 1,
            Ok(Event::Exited) => {}
            Err(_) => break,
        }
    }
    open_pipes
}

fn copy(
    mut pipe: Box<dyn Read + Send>,
    sink: &SharedSink,
    events: &Sender<Event>,
    nudge: &Arc<dyn Fn() + Send + Sync>,
) {
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                locked(sink).write(buffer.get(..n).unwrap_or_default());
                nudge();
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = events.send(Event::PipeClosed);
}
