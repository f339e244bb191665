//! The session of a worker: everything that it starts belongs to it, so that what a dead worker leaves
//! behind can be found and ended by the agent.

use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;

/// How often the processes are looked through; what is started meanwhile is found the next time.
const PASSES: usize = 10;

/// Notes this process as the leader of its session. Before anything is started.
pub(super) fn note(file: &Path) -> std::io::Result<()> {
    std::fs::write(file, identify(rustix::process::getpid()))
}

/// A process, so that no other is taken for it later.
pub(crate) fn identify(process: Pid) -> String {
    let stat = Stat::of(process.as_raw_nonzero().get()).unwrap_or_default();
    format!("{} {} {}", process.as_raw_nonzero(), stat.start, boot())
}

/// Ends all processes of the session noted in `file`, once its leader is dead.
pub(crate) fn end_left_behind(file: &Path) {
    if let Ok(text) = std::fs::read_to_string(file) {
        end_identified(&text);
    }
}

/// Ends all processes of the session that was led by the process that [`identify`] describes.
pub(crate) fn end_identified(leader: &str) {
    let mut parts = leader.split(' ');
    let (Some(Ok(leader)), Some(start), Some(noted_boot)) =
        (parts.next().map(str::parse::<i32>), parts.next(), parts.next())
    else {
        return;
    };
    // Another process with that number, or another start of the machine: nothing of ours is left.
    let is_other = Stat::of(leader).is_some_and(|stat| stat.start != start);
    if noted_boot != boot() || is_other {
        return;
    }
    for _ in 0..PASSES {
        let members = members(leader);
        if members.is_empty() {
            break;
        }
        for member in members {
            let _ = kill_process(member, Signal::KILL);
        }
    }
}

/// All living processes of a session, by the number of its leader.
pub(crate) fn members(leader: i32) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| Stat::of(*pid).is_some_and(|stat| stat.session == leader && stat.is_alive))
        .filter_map(Pid::from_raw)
        .collect()
}

/// Whether a process lives; a zombie does not.
pub(crate) fn is_alive(process: Pid) -> bool {
    Stat::of(process.as_raw_nonzero().get()).is_some_and(|stat| stat.is_alive)
}

/// When this machine was started, in seconds since 1970: a container when its first process was.
pub(crate) fn started_seconds() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let kernel: i64 = text
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    let ticks: i64 = Stat::of(1)?.start.parse().ok()?;
    let per_second = i64::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some(kernel + ticks / per_second.max(1))
}

/// This start of the machine. A container is started anew without its host: its first process is another one then.
pub(crate) fn boot() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let first = Stat::of(1).map(|stat| stat.start).unwrap_or_default();
    format!("{}/{first}", text.trim())
}

#[derive(Default)]
struct Stat {
    is_alive: bool,
    session: i32,
    start: String,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the name in parentheses and may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            is_alive: !matches!(fields.first(), Some(&("Z" | "X"))),
            session: fields.get(3)?.parse().ok()?,
            start: (*fields.get(19)?).to_owned(),
        })
    }
}
