//! The processes of a session: started as the leader of a session of the operating system, and all of them ended with
//! it. Terminals are in `pty`.

use super::launch::Program;
use super::pty::watched;
use crate::config::AgentConfig;
use crate::worker::session::members;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open, waitid,
};
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// From the polite signal to the other one.
const GRACE: Duration = Duration::from_millis(400);
/// How often it is looked whether all have gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often the last signal is repeated: processes that are just being made escape one look, not all.
const MOST_LOOKS: u32 = 100;
/// Arguments longer than this are refused by the kernel (MAX_ARG_STRLEN).
const MAX_ARGUMENT: usize = 128 * 1024 - 1;

/// How the leader's end is noticed without reaping it: as long as it is not reaped, its number means its session.
enum Watch {
    Descriptor(AsyncFd<OwnedFd>),
    Thread(Option<oneshot::Receiver<()>>),
}

/// The leader, and through it all processes of the session.
pub(super) struct Processes {
    child: Child,
    leader: Pid,
    watch: Watch,
    ended: bool,
}

impl Processes {
    /// Starts it; what it reads and writes is given.
    pub(super) fn start(
        config: &AgentConfig,
        program: &Program,
        stdin: Stdio,
        stdout: Stdio,
        stderr: Stdio,
    ) -> io::Result<Self> {
        let specification = serde_json::to_string(program).map_err(io::Error::other)?;
        if specification.len() > MAX_ARGUMENT {
            return Err(io::Error::other("the command is too long for an argument"));
        }
        let mut child = Command::new(&config.worker_program)
            .args(&config.shell_arguments)
            .arg(specification)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()?;
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let watched = leader
            .ok_or_else(|| io::Error::other("the system gave an impossible process id"))
            .and_then(|leader| Ok((leader, watch(leader)?)));
        match watched {
            Ok((leader, watch)) => Ok(Self {
                child,
                leader,
                watch,
                ended: false,
            }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The leader's process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the leader has ended.
    pub(super) async fn ended(&mut self) {
        match &mut self.watch {
            Watch::Descriptor(descriptor) => {
                let _ = descriptor.readable().await;
            }
            Watch::Thread(receiver) => {
                if let Some(running) = receiver {
                    let _ = running.await;
                    *receiver = None;
                }
            }
        }
    }

    /// Sends a signal to the leader's process group.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.leader, signal);
    }

    /// Who is to be ended.
    pub(super) fn group(&self) -> Group {
        Group { leader: self.leader }
    }

    /// How the leader ended; only after [`Group::end`].
    pub(super) fn status(&mut self) -> io::Result<ExitStatus> {
        self.ended = true;
        self.child.wait()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        if !self.ended {
            let _ = kill_process(self.leader, Signal::KILL);
            let _ = kill_process_group(self.leader, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// All processes of a session whose leader is not reaped yet.
#[derive(Clone, Copy)]
pub(super) struct Group {
    leader: Pid,
}

impl Group {
    /// Ends all of them: the polite signal first, then the one that cannot be refused. `foreground` gets the polite
    /// one as well; it may be a group of another leader.
    pub(super) async fn end(self, foreground: Option<Pid>) {
        if let Some(group) = foreground {
            let _ = kill_process_group(group, Signal::HUP);
        }
        let kill_at = Instant::now() + GRACE;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked = false;
        for _ in 0..MOST_LOOKS {
            looks.tick().await;
            let signals: &'static [Signal] = match (Instant::now() >= kill_at, asked) {
                (true, _) => &[Signal::KILL],
                // Stopped jobs hear nothing before they go on.
                (false, false) => &[Signal::HUP, Signal::CONT],
                (false, true) => &[],
            };
            asked = true;
            let left = tokio::task::spawn_blocking(move || self.look(signals)).await;
            if left.is_ok_and(|left| !left) {
                return;
            }
        }
        tracing::warn!(leader = %self.leader.as_raw_nonzero(), "processes of a session could not be ended");
    }

    // The leader by its number, too: it may not have made its session yet.
    fn look(self, signals: &[Signal]) -> bool {
        let mut left = members(self.leader.as_raw_nonzero().get());
        if !left.contains(&self.leader) && crate::worker::session::is_alive(self.leader) {
            left.push(self.leader);
        }
        for process in &left {
            for signal in signals {
                let _ = kill_process(*process, *signal);
            }
        }
        !left.is_empty()
    }
}

fn watch(leader: Pid) -> io::Result<Watch> {
    match pidfd_open(leader, PidfdFlags::NONBLOCK) {
        Ok(descriptor) => Ok(Watch::Descriptor(watched(descriptor, Interest::READABLE)?)),
        // Kernels before 5.10.
        Err(_) => {
            let (sender, receiver) = oneshot::channel();
            std::thread::Builder::new().stack_size(64 * 1024).spawn(move || {
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while waitid(WaitId::Pid(leader), options)
                    .is_err_and(|error| error == rustix::io::Errno::INTR)
                {}
                let _ = sender.send(());
            })?;
            Ok(Watch::Thread(Some(receiver)))
        }
    }
}
