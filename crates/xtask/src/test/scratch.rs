//! Where tests write: in memory where the machine has enough of it, because thousands of small databases that are
//! synchronised to a disk are what the tests mostly wait for.

use crate::failure::{Outcome, make_dir};
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::path::{Path, PathBuf};

/// All tests at once have been seen to use about 1 GiB.
const ENOUGH: u64 = 6 << 30;

/// The file system in memory that Linux has.
const MEMORY: &str = "/dev/shm";

/// `TMPDIR` where the person at the keyboard has set it, else memory where there is enough, else `/tmp`.
pub(super) fn place() -> PathBuf {
    let set = std::env::var_os("TMPDIR").is_some_and(|folder| !folder.is_empty());
    if !set && has_room(Path::new(MEMORY)) {
        return PathBuf::from(MEMORY);
    }
    std::env::temp_dir()
}

/// Whether much can be written there, and programs can be started from there, as some tests do.
fn has_room(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|system| {
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        let forbidden = StatVfsMountFlags::NOEXEC | StatVfsMountFlags::RDONLY;
        free >= ENOUGH && !system.f_flag.intersects(forbidden) && available_memory() >= ENOUGH
    })
}

/// In bytes; nothing where the system does not tell (proc(5), `/proc/meminfo`).
fn available_memory() -> u64 {
    let told = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    available_in(&told)
}

fn available_in(told: &str) -> u64 {
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1024)
}

/// A directory that goes with this value; those of an xtask that was killed go with the next one.
pub(super) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Makes `PREFIX` followed by this process's id in [`place`].
    pub(super) fn make(place: &Path, prefix: &str) -> Outcome<Self> {
        remove_leftovers(place, prefix);
        let folder = place.join(format!("{prefix}{}", std::process::id()));
        make_dir(&folder)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn remove_leftovers(place: &Path, prefix: &str) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(owner) = name.strip_prefix(prefix).and_then(|id| id.parse::<u32>().ok())
            && (owner == std::process::id() || !Path::new("/proc").join(owner.to_string()).exists())
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_has_left_goes() {
        let place = tempfile::tempdir().unwrap();
        // No process has this id: it is above what Linux gives out.
        let dead = place.path().join("scratch-4194305");
        let other = place.path().join("scratch-of-somebody");
        std::fs::create_dir(&dead).unwrap();
        std::fs::create_dir(&other).unwrap();
        let scratch = Scratch::make(place.path(), "scratch-").unwrap();
        assert!(scratch.path().is_dir() && other.is_dir() && !dead.exists());
        let made = scratch.path().to_owned();
        drop(scratch);
        assert!(!made.exists());
    }

    #[test]
    fn memory_is_read_from_what_the_system_tells() {
        let told = "MemTotal:       24684084 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(available_in(told), 23_000_000 * 1024);
        assert_eq!(available_in("nothing"), 0);
    }

    #[test]
    fn what_is_not_there_has_no_room() {
        assert!(!has_room(Path::new("/no/such/folder")));
    }
}
