//! Sessions with a terminal: a login shell, or a command that is typed at.

use super::context::{Context, Ending};
use super::driver::{Driver, Step};
use super::launch::Program;
use super::program::Processes;
use super::pty::Pty;
use muster_session_channel::AgentEvent;
use std::io;
use std::process::Stdio;

/// Bytes that are read from a terminal at once.
const READ: usize = 16 * 1024;
/// Below this it is not worth reading.
const LITTLE: usize = 2048;

fn start(context: &Context, program: &Program) -> io::Result<(Pty, Processes)> {
    let (pty, side) = Pty::open()?;
    let (stdin, stdout) = (Stdio::from(side.try_clone()?), Stdio::from(side.try_clone()?));
    let processes = Processes::start(context.config(), program, stdin, stdout, side.into())?;
    Ok((pty, processes))
}

/// Runs the program to its end, or to that of the session. `profile` is typed into it first.
pub(super) async fn run(context: &Context, mut driver: Driver, program: Program, profile: &str) -> Ending {
    // From the first moment: what comes before the terminal is up waits for it as an event. Some clients send their size
    // at once, and once only.
    driver.set_ready(true);
    if let Err(ending) = context.started(&mut driver).await {
        driver.close().await;
        return ending;
    }
    let (pty, mut processes) = match start(context, &program) {
        Ok(started) => started,
        Err(error) => {
            driver.close().await;
            return Ending::failed(format!("The session could not be started on the node: {error}."));
        }
    };
    context.describe(&program, processes.id()).await;
    let mut input = profile.as_bytes().to_vec();
    if !input.is_empty() {
        input.push(b'\n');
    }
    let ending = carry(context, &mut driver, &pty, &mut processes, input).await;
    match ending {
        None => {
            let _ = processes.status();
            driver.finish().await;
            Ending::success()
        }
        Some(ending) => {
            // The gateway need not wait for processes that are slow to die.
            let foreground = pty.foreground();
            let group = processes.group();
            tokio::join!(driver.close(), group.end(foreground));
            let _ = processes.status();
            ending
        }
    }
}

/// Carries bytes both ways; nothing when the program has ended by itself and all of its output is passed on.
async fn carry(
    context: &Context,
    driver: &mut Driver,
    pty: &Pty,
    processes: &mut Processes,
    mut input: Vec<u8>,
) -> Option<Ending> {
    let mut buffer = vec![0_u8; READ];
    let mut written = 0;
    let (mut has_ended, mut is_swept, mut is_read) = (false, false, false);
    let group = processes.group();
    let sweep = group.end(None);
    tokio::pin!(sweep);
    loop {
        let room = driver.room().min(READ);
        let has_room = room >= LITTLE;
        if has_ended && is_swept {
            if is_read {
                return None;
            }
            if has_room {
                // A process that left the session may hold the terminal for ever: what is there now is all.
                match pty.read_now(buffer.get_mut(..room).unwrap_or_default()) {
                    Ok(Some(length)) if length > 0 => {
                        let _ = driver.send(buffer.get(..length).unwrap_or_default());
                        // Gives the connection its turn.
                        if let Some(ending) = context.yielded(driver).await {
                            return Some(ending);
                        }
                        continue;
                    }
                    _ => return None,
                }
            }
        }
        tokio::select! {
            ending = context.ended() => return Some(ending),
            step = driver.next(written >= input.len()) => match step {
                Step::Event(AgentEvent::Input(bytes)) => (input, written) = (bytes, 0),
                Step::Event(AgentEvent::Resize(size)) => pty.resize(size),
                Step::Event(AgentEvent::Misbehaved(violation)) => driver.violation(&violation),
                Step::Event(event) => if let Some(ending) = Ending::of(event) { return Some(ending) },
                Step::Gone(reason) => return Some(Ending::gone(reason)),
                Step::Moved => {}
            },
            read = pty.read(buffer.get_mut(..room).unwrap_or_default()), if has_room && !is_read => match read {
                Ok(length) if length > 0 => {
                    let _ = driver.send(buffer.get(..length).unwrap_or_default());
                }
                _ => is_read = true,
            },
            result = pty.write(input.get(written..).unwrap_or_default()), if written < input.len() => match result {
                Ok(length) => written += length,
                // Nobody will ever read it.
                Err(_) => written = input.len(),
            },
            () = processes.ended(), if !has_ended => has_ended = true,
            () = &mut sweep, if has_ended && !is_swept => is_swept = true,
        }
    }
}
