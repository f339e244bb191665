//! What runs, written down: so that the nodes of a killed xtask can be found and ended by the next one,
//! and those of a living one are left alone.

use crate::failure::{Doing, Failure, Outcome, make_dir, write};
use crate::signals::signal_group;
use rustix::process::Signal;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Gone after a restart of the machine, as the nodes are.
const FOLDER: &str = "/run/muster-demo";

/// A node's outermost process. A process id alone may by now be somebody else's, so the time at which the
/// process started goes with it.
pub(super) struct Process {
    name: String,
    id: u32,
    started: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_running() { "running" } else { "gone" };
        write!(f, "{} {state} as process {}", self.name, self.id)
    }
}

impl Process {
    fn is_running(&self) -> bool {
        start_of(self.id).is_some_and(|started| started == self.started)
    }
}

/// A directory of the node's own, for its overlay and log.
pub(super) fn folder_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

/// A fresh directory on a real file system for what the node writes. Where it is is written down at once.
pub(super) fn scratch_of(name: &str) -> Outcome<PathBuf> {
    let scratch = std::env::temp_dir().join(format!("muster-{name}-{}", std::process::id()));
    write(
        &folder_of(name).join("scratch"),
        scratch.as_os_str().as_encoded_bytes(),
    )?;
    make_dir(&scratch)?;
    Ok(scratch)
}

/// Fails when another xtask that still runs owns the nodes.
pub(super) fn refuse_if_in_use() -> Outcome {
    let Some(owner) = read_process(&Path::new(FOLDER).join("owner")) else {
        return Ok(());
    };
    if owner.is_running() && owner.id != std::process::id() {
        return Err(Failure::new(format!(
            "process {} on this machine already runs demo nodes",
            owner.id
        )));
    }
    Ok(())
}

/// Starts a new record; without an owner the nodes stay until they are taken down.
pub(super) fn begin(owner: Option<u32>) -> Outcome {
    make_dir(Path::new(FOLDER))?;
    match owner {
        Some(id) => note(&Path::new(FOLDER).join("owner"), "owner", id),
        None => Ok(()),
    }
}

/// Remembers a node's process.
pub(super) fn add(name: &str, id: u32) -> Outcome {
    note(&folder_of(name).join("process"), name, id)
}

/// Every node on record.
pub(super) fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let mut found: Vec<Process> = entries
        .filter_map(|entry| read_process(&entry.path().join("process")))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Ends every node on record and waits until it is gone, with all that ran in it.
pub(super) fn end_processes() {
    let running: Vec<Process> = processes().into_iter().filter(Process::is_running).collect();
    for process in &running {
        // `unshare` is deaf to anything milder. The kernel ends all processes of a node with its first one,
        // and an agent has to survive this anyway.
        signal_group(process.id, Signal::KILL);
    }
    let start = Instant::now();
    while running.iter().any(Process::is_running) && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Removes what the nodes wrote and forgets all of it.
pub(super) fn clear() {
    for entry in std::fs::read_dir(FOLDER).into_iter().flatten().flatten() {
        if let Ok(scratch) = std::fs::read_to_string(entry.path().join("scratch")) {
            // The mounts were in the node's own namespace and went with it.
            let _ = std::fs::remove_dir_all(scratch);
        }
    }
    let _ = std::fs::remove_dir_all(FOLDER);
}

fn note(file: &Path, name: &str, id: u32) -> Outcome {
    let started = start_of(id).ok_or_else(|| Failure::new(format!("{name} ended at once")))?;
    write(file, format!("{name} {id} {started}\n"))
}

fn read_process(file: &Path) -> Option<Process> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut words = text.split_whitespace();
    let name = words.next()?.to_owned();
    let id = words.next()?.parse().ok()?;
    Some(Process {
        name,
        id,
        started: words.next()?.to_owned(),
    })
}

/// When a process started, in the kernel's ticks; none when it is gone or only waits to be reaped.
fn start_of(id: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))
        .doing(|| "look at a process".to_owned())
        .ok()?;
    // The name, in parentheses, may hold anything: what follows it is regular.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?;
    (state != "Z" && state != "X").then(|| words.nth(18).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_is_known_by_when_it_started() {
        let here = super::start_of(std::process::id()).unwrap();
        assert!(here.parse::<u64>().unwrap() > 0);
        assert_eq!(super::start_of(u32::MAX), None);
    }
}
