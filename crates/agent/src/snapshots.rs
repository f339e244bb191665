//! Snapshots of this machine: by a command of its owner's, or of its root where that is btrfs or lies on LVM. The agent
//! reports which of them there is; a step of a command takes one.

use crate::files;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The owner's own command, unless [`COMMAND_VARIABLE`] names another one. It gets the snapshot's id as its argument.
const COMMAND: &str = "/etc/muster-agent/snapshot";
const COMMAND_VARIABLE: &str = "MUSTER_AGENT_SNAPSHOT_COMMAND";

/// How a snapshot is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the owner's command.
    Command(PathBuf),
    /// Of the root, read-only, below `/.muster-snapshots`.
    Btrfs,
    /// Of the root's logical volume, in its volume group.
    Lvm(String),
}

fn has_program(name: &str) -> bool {
    files::system_program(name).is_some()
}

/// Type and source of the root's file system, out of `/proc/self/mountinfo` (proc(5)): the last one that is mounted there.
fn root(mounts: &str) -> Option<(String, String)> {
    let of_line = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let found = (after.next()?.to_owned(), after.next()?.to_owned());
        (before.split(' ').nth(4)? == "/").then_some(found)
    };
    mounts.lines().filter_map(of_line).next_back()
}

/// Whether the root is a logical volume; asked once, for it does not change while the agent runs.
static IS_VOLUME: OnceLock<bool> = OnceLock::new();

/// Other things are mapped too, encrypted disks for one.
fn is_volume(source: &str) -> bool {
    std::process::Command::new("lvs")
        .arg(source)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// How this machine can take one.
pub(crate) fn way() -> Option<Way> {
    let command = std::env::var_os(COMMAND_VARIABLE).map_or_else(|| PathBuf::from(COMMAND), PathBuf::from);
    if files::is_program(&command) {
        return Some(Way::Command(command));
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let (kind, source) = root(&mounts)?;
    if kind == "btrfs" && has_program("btrfs") {
        return Some(Way::Btrfs);
    }
    let is_volume = source.starts_with("/dev/mapper/")
        && has_program("lvcreate")
        && *IS_VOLUME.get_or_init(|| is_volume(&source));
    is_volume.then_some(Way::Lvm(source))
}

impl Way {
    /// As it is reported.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Btrfs => "btrfs",
            Self::Lvm(_) => "lvm",
        }
    }

    /// What is to be run for a snapshot of that id.
    pub(crate) fn program(&self, id: &str) -> (PathBuf, Vec<OsString>) {
        let words = |all: &[&str]| all.iter().map(OsString::from).collect();
        match self {
            Self::Command(path) => (path.clone(), words(&[id])),
            Self::Btrfs => {
                let script = "mkdir -p /.muster-snapshots && exec btrfs subvolume snapshot -r / \"/.muster-snapshots/$1\"";
                ("/bin/sh".into(), words(&["-c", script, "sh", id]))
            }
            Self::Lvm(source) => {
                let arguments = [
                    "lvcreate",
                    "--snapshot",
                    "--extents",
                    "20%ORIGIN",
                    "--name",
                    id,
                    source,
                ];
                ("/usr/bin/env".into(), words(&arguments))
            }
        }
    }
}

/// `snap-` and 17 hexadecimal digits: nothing else comes near a command line.
pub(crate) fn is_id(text: &str) -> bool {
    text.strip_prefix("snap-")
        .is_some_and(|digits| digits.len() == 17 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_among_the_mounts() {
        let mounts = "22 1 0:21 / / rw shared:1 - rootfs rootfs rw\n\
                      23 22 0:22 / /proc rw - proc proc rw\n\
                      24 22 0:30 /@ / rw,relatime shared:1 - btrfs /dev/sda2 rw,subvol=/@\n\
                      25 24 254:1 / /home rw - ext4 /dev/mapper/vg-home rw\n";
        assert_eq!(root(mounts), Some(("btrfs".into(), "/dev/sda2".into())));
        assert_eq!(root("nonsense"), None);
    }

    #[test]
    fn ids_are_plain() {
        assert!(is_id("snap-0123456789abcdef0"));
        for bad in [
            "snap-",
            "snap-../../x",
            "snap-0123456789abcdef",
            "vol-0123456789abcdef0",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn each_way_gets_the_id() {
        let id = "snap-0123456789abcdef0";
        for way in [
            Way::Command("/etc/x".into()),
            Way::Btrfs,
            Way::Lvm("/dev/mapper/vg-root".into()),
        ] {
            let (_, arguments) = way.program(id);
            assert!(arguments.iter().any(|word| word == id), "{way:?}");
        }
    }
}
