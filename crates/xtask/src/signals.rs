//! Ctrl-C and friends: passed on to every child, so that xtask outlives them and can clean up.

use crate::failure::{Doing, Outcome};
use rustix::process::{Pid, Signal};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

static STOPPING: AtomicBool = AtomicBool::new(false);
static CHILDREN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Starts listening. From here on SIGINT, SIGTERM and SIGHUP no longer end this process: they go to the
/// children, whose end makes the chore return with [`crate::failure::Failure::interrupted`].
pub(crate) fn listen() -> Outcome {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .doing(|| "listen for signals".to_owned())?;
    std::thread::spawn(move || {
        for number in signals.forever() {
            // The second one means it: whatever has not ended by then is killed.
            let again = STOPPING.swap(true, Ordering::SeqCst);
            let signal = match number {
                _ if again => Signal::KILL,
                SIGINT => Signal::INT,
                _ => Signal::TERM,
            };
            for child in children().iter() {
                signal_group(*child, signal);
            }
        }
    });
    Ok(())
}

/// Whether somebody asked for the end.
pub(crate) fn stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// A child that gets the signals while this value lives. Children lead their own process group, so that a
/// Ctrl-C at the terminal reaches them once, through us, and reaches what they started as well.
pub(crate) struct Watched(u32);

impl Watched {
    pub(crate) fn new(child: u32) -> Self {
        children().push(child);
        // The signal may have come between the start of the child and this line.
        if stopping() {
            signal_group(child, Signal::TERM);
        }
        Self(child)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        children().retain(|child| *child != self.0);
    }
}

/// Sends `signal` to the group that `child` leads; one that is gone is fine.
pub(crate) fn signal_group(child: u32, signal: Signal) {
    let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// Sends `signal` to one process; one that is gone is fine.
pub(crate) fn signal_one(process: u32, signal: Signal) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

fn children() -> std::sync::MutexGuard<'static, Vec<u32>> {
    CHILDREN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
